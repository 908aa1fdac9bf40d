//! What one step (predict and update) costs a parameter, beside SGD with momentum and what its bytes cost at the memory's own
//! speed, all in one process and in turns: `cargo bench -p koala-filter --bench update`, or with `-- 100` for 100 million
//! parameters, and with part of a name for the contestants that have it.

use std::hint::black_box;
use std::time::Instant;

use koala_filter::dense::{Koala, PIECE};
use koala_filter::{
    Config, Error, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Metric, Observation,
    Phase, PositionNoise, WeightDecay,
};
use rayon::prelude::*;

/// Tensors of the made-up model.
const TENSORS: usize = 20;
/// Turns that every contestant has; its best one counts, so that other work on the machine matters little.
const TURNS: usize = 60;

struct Model {
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

impl Model {
    fn new(elements: usize) -> Self {
        let tensor = |tensor: usize, scale: f32| {
            let numbers = (0..elements / TENSORS).map(|i| scale * ((i + tensor) as f32).sin());
            numbers.collect()
        };
        Self {
            parameters: (0..TENSORS).map(|index| tensor(index, 0.1)).collect(),
            gradients: (0..TENSORS).map(|index| tensor(index, 1e-4)).collect(),
        }
    }

    fn lengths(&self) -> Vec<usize> {
        self.parameters.iter().map(Vec::len).collect()
    }

    /// Parameters and gradients.
    fn slices(&mut self) -> (Vec<&mut [f32]>, Vec<&[f32]>) {
        (
            self.parameters.iter_mut().map(Vec::as_mut_slice).collect(),
            self.gradients.iter().map(Vec::as_slice).collect(),
        )
    }
}

type Step = dyn FnMut(&mut Model) -> Result<(), Error>;

/// Something that is timed: its name, the bytes of f32 that a step of it reads and writes a parameter, one step of it, and its
/// best time so far in seconds.
struct Contestant {
    name: &'static str,
    bytes: u32,
    step: Box<Step>,
    best: f64,
}

impl Contestant {
    fn new(
        name: &'static str,
        bytes: u32,
        step: impl FnMut(&mut Model) -> Result<(), Error> + 'static,
    ) -> Self {
        Self {
            name,
            bytes,
            step: Box::new(step),
            best: f64::INFINITY,
        }
    }

    /// Predict, then update.
    fn koala(
        name: &'static str,
        bytes: u32,
        config: impl Into<Config>,
        lengths: &[usize],
    ) -> Result<Self, Error> {
        let mut optimizer = Koala::<f32>::new(config, lengths)?;
        let observation = Observation::from_losses(&[0.1, 0.3]);
        Ok(Self::new(name, bytes, move |model| {
            let (mut parameters, gradients) = model.slices();
            optimizer.predict(&mut parameters)?;
            black_box(optimizer.update(&mut parameters, &gradients, &observation)?);
            Ok(())
        }))
    }

    /// Update, joined with the next predict.
    fn joined(
        name: &'static str,
        bytes: u32,
        config: impl Into<Config>,
        lengths: &[usize],
    ) -> Result<Self, Error> {
        let mut optimizer = Koala::<f32>::new(config, lengths)?;
        let observation = Observation::from_losses(&[0.1, 0.3]);
        Ok(Self::new(name, bytes, move |model| {
            let (mut parameters, gradients) = model.slices();
            if optimizer.filter().phase() == Phase::Updated {
                optimizer.predict(&mut parameters)?;
            }
            let report = optimizer.update_and_predict(&mut parameters, &gradients, &observation);
            black_box(report?);
            Ok(())
        }))
    }
}

/// x <- x + a g.
fn axpy(model: &mut Model) -> Result<(), Error> {
    for (x, g) in model.parameters.iter_mut().zip(&model.gradients) {
        x.par_chunks_mut(PIECE)
            .zip(g.par_chunks(PIECE))
            .for_each(|(x, g)| {
                for (x, g) in x.iter_mut().zip(g) {
                    *x += 1e-3 * g;
                }
            });
    }
    Ok(())
}

/// m <- 0.9 m + g; x <- x - lr m, in the same pieces as the optimizers.
fn sgd(momentum: &mut [Vec<f32>], model: &mut Model) {
    let rows = model.parameters.iter_mut().zip(&model.gradients);
    for ((x, g), m) in rows.zip(momentum) {
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
}

fn contestants(lengths: &[usize]) -> Result<Vec<Contestant>, Error> {
    let mut momentum: Vec<Vec<f32>> = lengths.iter().map(|&length| vec![0.0; length]).collect();
    let decay = WeightDecay::coupled(5e-4);
    let (v, m, pp) = (
        KoalaVConfig::new(),
        KoalaMConfig::new(),
        KoalaPpConfig::new(),
    );
    let a = KoalaAConfig::new();
    let fixed = m.clone().with_position_noise(PositionNoise::Fixed(1e-2));
    let paper = m.clone().with_position_noise(PositionNoise::Paper);
    let (v_decay, m_decay) = (
        v.clone().with_weight_decay(decay),
        m.clone().with_weight_decay(decay),
    );
    let (pp_decay, a_decay) = (
        pp.clone().with_weight_decay(decay),
        a.clone().with_weight_decay(decay),
    );
    let no_mean = a.clone().with_mean(None);
    let no_metric = a.clone().with_metric(Metric::None);
    Ok(vec![
        Contestant::new("axpy", 12, axpy),
        Contestant::new("SGD with momentum", 20, move |model| {
            sgd(&mut momentum, model);
            Ok(())
        }),
        Contestant::koala("KOALA-V", 16, v, lengths)?,
        Contestant::koala("KOALA-V, decay", 20, v_decay, lengths)?,
        Contestant::koala("KOALA-M, fixed", 40, fixed.clone(), lengths)?,
        Contestant::joined("KOALA-M, fixed, joined", 24, fixed, lengths)?,
        Contestant::koala("KOALA-M, authors", 52, m, lengths)?,
        Contestant::koala("KOALA-M, authors, decay", 56, m_decay, lengths)?,
        Contestant::koala("KOALA-M, paper", 48, paper, lengths)?,
        Contestant::koala("KOALA++", 40, pp, lengths)?,
        Contestant::koala("KOALA++, decay", 44, pp_decay, lengths)?,
        Contestant::koala("KOALA-A", 64, a.clone(), lengths)?,
        Contestant::joined("KOALA-A, joined", 48, a, lengths)?,
        Contestant::koala("KOALA-A, decay", 68, a_decay, lengths)?,
        Contestant::koala("KOALA-A, no mean", 56, no_mean.clone(), lengths)?,
        Contestant::joined("KOALA-A, no mean, joined", 40, no_mean, lengths)?,
        Contestant::koala("KOALA-A, no metric", 52, no_metric, lengths)?,
    ])
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without --bench this is `cargo test`: see that it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let millions: Option<f64> = arguments.iter().find_map(|argument| argument.parse().ok());
    let names = |name: &str| {
        let mut wanted = arguments
            .iter()
            .filter(|text| !text.starts_with('-') && text.parse::<f64>().is_err())
            .peekable();
        wanted.peek().is_none() || wanted.any(|part| name.contains(part.as_str()))
    };
    let (elements, turns) = if measured {
        ((millions.unwrap_or(11.0) * 1e6) as usize, TURNS)
    } else {
        (200_000, 2)
    };
    let mut model = Model::new(elements);
    let mut contestants = contestants(&model.lengths())?;
    let [axpy, sgd] = [0, 1].map(|index| contestants[index].name);
    contestants.retain(|it| [axpy, sgd].contains(&it.name) || names(it.name));
    for _ in 0..turns {
        for contestant in &mut contestants {
            let start = Instant::now();
            (contestant.step)(&mut model)?;
            contestant.best = contestant.best.min(start.elapsed().as_secs_f64());
        }
    }

    let count: usize = model.lengths().iter().sum();
    println!(
        "{:.1} million f32 parameters in {TENSORS} tensors, {} threads, best of {turns} turns",
        count as f64 / 1e6,
        rayon::current_num_threads()
    );
    let nanoseconds = |index: usize| contestants[index].best * 1e9 / count as f64;
    let byte = nanoseconds(0) / 12.0;
    println!("memory: {:.1} GB/s (axpy)", 1.0 / byte);
    for (index, contestant) in contestants.iter().enumerate() {
        println!(
            "{:24} {:6.3} ns a parameter  {:5.2} x SGD  {:5.2} x its {} bytes",
            contestant.name,
            nanoseconds(index),
            nanoseconds(index) / nanoseconds(1),
            nanoseconds(index) / (byte * f64::from(contestant.bytes)),
            contestant.bytes
        );
    }
    Ok(())
}
