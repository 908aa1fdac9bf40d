//! Writes small made data sets of every format, to try recipes and networks without the real ones:
//!
//! ```sh
//! cargo run --release -p koala-data --example sample_data -- FOLDER [SAMPLES [SEED]]
//! ```
//!
//! Each stands in a folder of its own name, so that FOLDER can be the `data` folder of a working directory.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use koala_data::{DatasetName, sample};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| match arguments.get(at) {
        None => Some(default),
        Some(text) => text.parse().ok(),
    };
    let (Some(folder), Some(samples), Some(seed), 1..=3) = (
        arguments.first(),
        number(1, 512),
        number(2, 0),
        arguments.len(),
    ) else {
        eprintln!("usage: sample_data FOLDER [SAMPLES [SEED]]");
        return ExitCode::from(2);
    };
    for dataset in DatasetName::ALL {
        let own = Path::new(folder).join(dataset.name());
        match sample::write(dataset, &own, samples as usize, seed) {
            Ok(None) => {}
            Ok(Some(path)) => {
                // A reader that has gone away is no reason to stop.
                let _ = writeln!(std::io::stdout(), "{}: {}", dataset.name(), path.display());
            }
            Err(cause) => {
                eprintln!("error: {}: {cause}", own.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
