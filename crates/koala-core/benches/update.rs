//! What one step (predict and update) costs a parameter, beside SGD with momentum and the memory's own speed, all in
//! one process: `cargo bench -p koala-core`, or `cargo bench -p koala-core -- 100` for 100 million parameters.

use std::hint::black_box;
use std::time::Instant;

use koala_core::dense::{Koala, PIECE};
use koala_core::{
    Config, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Observation, PositionNoise, WeightDecay,
};
use rayon::prelude::*;

/// Tensors of the made-up model.
const TENSORS: usize = 20;
const REPETITIONS: usize = 40;

struct Model {
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

impl Model {
    fn new(elements: usize) -> Self {
        let tensors = |scale: f32| -> Vec<Vec<f32>> {
            (0..TENSORS)
                .map(|tensor| {
                    (0..elements / TENSORS)
                        .map(|i| scale * ((i + tensor) as f32).sin())
                        .collect()
                })
                .collect()
        };
        Self {
            parameters: tensors(0.1),
            gradients: tensors(1e-4),
        }
    }

    fn elements(&self) -> usize {
        self.parameters.iter().map(Vec::len).sum()
    }

    /// Best time of some repetitions, in nanoseconds a parameter.
    fn time(&mut self, mut work: impl FnMut(&mut Self)) -> f64 {
        work(self);
        let best = (0..REPETITIONS)
            .map(|_| {
                let start = Instant::now();
                work(self);
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        best * 1e9 / self.elements() as f64
    }

    fn koala(&mut self, config: Config) -> Result<f64, koala_core::Error> {
        let lengths: Vec<usize> = self.parameters.iter().map(Vec::len).collect();
        let mut optimizer = Koala::<f32>::new(config, &lengths)?;
        let mut result = Ok(());
        let time = self.time(|model| {
            let step = step(&mut optimizer, model);
            if step.is_err() {
                result = step;
            }
        });
        result.map(|()| time)
    }

    /// m <- 0.9 m + g; x <- x - lr m, in the same pieces.
    fn sgd(&mut self) -> f64 {
        let mut momentum: Vec<Vec<f32>> = self
            .parameters
            .iter()
            .map(|parameter| vec![0.0; parameter.len()])
            .collect();
        self.time(|model| {
            let rows = model.parameters.iter_mut().zip(&model.gradients);
            for ((x, g), m) in rows.zip(&mut momentum) {
                x.par_chunks_mut(PIECE)
                    .zip(g.par_chunks(PIECE))
                    .zip(m.par_chunks_mut(PIECE))
                    .for_each(|((x, g), m)| {
                        for ((x, g), m) in x.iter_mut().zip(g).zip(m) {
                            *m = 0.9 * *m + g;
                            *x -= 1e-3 * *m;
                        }
                    });
            }
        })
    }

    /// x <- x + a g.
    fn axpy(&mut self) -> f64 {
        self.time(|model| {
            for (x, g) in model.parameters.iter_mut().zip(&model.gradients) {
                x.par_chunks_mut(PIECE)
                    .zip(g.par_chunks(PIECE))
                    .for_each(|(x, g)| {
                        for (x, g) in x.iter_mut().zip(g) {
                            *x += 1e-3 * g;
                        }
                    });
            }
        })
    }
}

fn step(optimizer: &mut Koala<f32>, model: &mut Model) -> Result<(), koala_core::Error> {
    fn slices(parameters: &mut [Vec<f32>]) -> Vec<&mut [f32]> {
        parameters.iter_mut().map(Vec::as_mut_slice).collect()
    }
    let observation = Observation::from_losses(&[0.1, 0.3]);
    optimizer.predict(&mut slices(&mut model.parameters))?;
    let gradients: Vec<&[f32]> = model.gradients.iter().map(Vec::as_slice).collect();
    let report = optimizer.update(&mut slices(&mut model.parameters), &gradients, &observation)?;
    black_box(report);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without --bench this is `cargo test`: see that it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let millions = arguments.iter().find_map(|argument| argument.parse().ok());
    let elements = match (measured, millions) {
        (false, _) => 200_000,
        (true, millions) => millions.unwrap_or(11) * 1_000_000,
    };
    let mut model = Model::new(elements);
    println!(
        "{:.1} million f32 parameters in {TENSORS} tensors, {} threads, best of {REPETITIONS}",
        model.elements() as f64 / 1e6,
        rayon::current_num_threads()
    );
    let axpy = model.axpy();
    let sgd = model.sgd();
    println!(
        "axpy (12 B a parameter) {axpy:7.3} ns  {:5.1} GB/s",
        12.0 / axpy
    );
    println!("SGD with momentum       {sgd:7.3} ns");
    let fixed = KoalaMConfig::new().with_position_noise(PositionNoise::Fixed(1e-2));
    let paper = KoalaMConfig::new().with_position_noise(PositionNoise::Paper);
    let decay = WeightDecay::coupled(5e-4);
    let cases: [(&str, Config); 8] = [
        ("KOALA-V", KoalaVConfig::new().into()),
        (
            "KOALA-V, decay",
            KoalaVConfig::new().with_weight_decay(decay).into(),
        ),
        ("KOALA-M, fixed", fixed.into()),
        ("KOALA-M, authors", KoalaMConfig::new().into()),
        (
            "KOALA-M, decay",
            KoalaMConfig::new().with_weight_decay(decay).into(),
        ),
        ("KOALA-M, paper", paper.into()),
        ("KOALA++", KoalaPpConfig::new().into()),
        (
            "KOALA++, decay",
            KoalaPpConfig::new().with_weight_decay(decay).into(),
        ),
    ];
    for (name, config) in cases {
        let time = model.koala(config)?;
        println!("{name:23} {time:7.3} ns  {:5.2} x SGD", time / sgd);
    }
    Ok(())
}
