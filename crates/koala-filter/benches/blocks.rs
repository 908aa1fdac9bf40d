//! What the blocks of a step cost beside its parameters: a million parameters in ten blocks and in ten thousand, and a tenth of both, in
//! turns in one process, `cargo bench -p koala-filter --bench blocks`, or of the methods that are named: `-- KOALA-V`. And a step of one
//! block that is as large as is asked for, in millions of parameters: `-- 1000`.

use std::hint::black_box;
use std::time::Instant;

use koala_filter::dense::Koala;
use koala_filter::{
    Config, Error, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Observation,
};

/// Parameters in all: what a processor's cores keep by themselves, and more than that.
const PARAMETERS: [usize; 2] = [100_000, 1_000_000];
/// Turns that each has; the best one counts.
const TURNS: usize = 40;

/// An optimizer over blocks of one size.
struct Blocks {
    optimizer: Koala<f32>,
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

impl Blocks {
    fn new(config: Config, count: usize, size: usize) -> Result<Self, Error> {
        let blocks = |scale: f32| -> Vec<Vec<f32>> {
            let block = |block: usize| (0..size).map(move |i| scale * ((i + block) as f32).sin());
            (0..count).map(|at| block(at).collect()).collect()
        };
        Ok(Self {
            optimizer: Koala::new(config, &vec![size; count])?,
            parameters: blocks(0.1),
            gradients: blocks(1e-4),
        })
    }

    /// Predict and update; how many seconds they took.
    fn step(&mut self) -> Result<f64, Error> {
        let start = Instant::now();
        self.optimizer.predict(&mut self.parameters)?;
        let losses = Observation::from_losses(&[0.1, 0.3]);
        black_box(
            self.optimizer
                .update(&mut self.parameters, &self.gradients, &losses)?,
        );
        Ok(start.elapsed().as_secs_f64())
    }
}

fn methods() -> [(&'static str, Config); 4] {
    [
        ("KOALA-V", KoalaVConfig::new().into()),
        ("KOALA-M", KoalaMConfig::new().into()),
        ("KOALA++", KoalaPpConfig::new().into()),
        ("KOALA-A", KoalaAConfig::new().into()),
    ]
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(millions) = arguments.iter().find_map(|text| text.parse::<usize>().ok()) {
        return one_block(millions);
    }
    // Without --bench this is `cargo test`: see that it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let (sizes, turns) = if measured {
        (&PARAMETERS[..], TURNS)
    } else {
        (&PARAMETERS[..1], 2)
    };
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let any = methods().iter().any(|(name, _)| named(name));
    for &parameters in sizes {
        println!(
            "{parameters} f32 parameters, {} threads, best of {turns} turns",
            rayon::current_num_threads()
        );
        for (name, config) in methods() {
            if named(name) || !any {
                few_and_many(name, config, parameters, turns)?;
            }
        }
    }
    Ok(())
}

/// So many parameters in ten blocks and in blocks of a hundred, in turns.
fn few_and_many(name: &str, config: Config, parameters: usize, turns: usize) -> Result<(), Error> {
    let counts = [10, parameters / 100];
    let [mut few, mut many] = [
        Blocks::new(config.clone(), counts[0], parameters / counts[0])?,
        Blocks::new(config, counts[1], parameters / counts[1])?,
    ];
    let mut best = [f64::INFINITY; 2];
    for _ in 0..turns {
        best[0] = best[0].min(few.step()?);
        best[1] = best[1].min(many.step()?);
    }
    println!(
        "{name}  {} blocks {:7.3} ms  {} blocks {:7.3} ms  {:5.2} times",
        counts[0],
        1e3 * best[0],
        counts[1],
        1e3 * best[1],
        best[1] / best[0]
    );
    Ok(())
}

fn one_block(millions: usize) -> Result<(), Error> {
    let mut block = Blocks::new(KoalaVConfig::new().into(), 1, millions * 1_000_000)?;
    let first = block.step()?;
    let second = block.step()?;
    let report = block.optimizer.filter().step();
    println!(
        "KOALA-V, one block of {millions} million parameters: {first:.2} s, then {second:.2} s a step; {report} steps"
    );
    Ok(())
}
