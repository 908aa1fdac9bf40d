//! `koala replay`: recorded trajectories through the optimizers, one line a file.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use koala_lab::replay::{Replay, ReplayError, replay};
use serde_json::{Value, json};

/// Replay recorded trajectories and compare every number with what was recorded.
///
/// Prints one line a file with the worst relative difference and where it stands. Exits with 0 only if every file is
/// within its tolerance (1e-12 in f64, 2e-6 in f32).
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// Recordings (safetensors).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print one JSON object a file.
    #[arg(long)]
    json: bool,

    /// Print only what fails.
    #[arg(long, short)]
    quiet: bool,
}

/// Replays every file, whatever becomes of the others.
pub fn run(args: &ReplayArgs) -> ExitCode {
    let mut all_hold = true;
    for file in &args.files {
        let result = replay(file);
        let holds = result.as_ref().is_ok_and(Replay::holds);
        all_hold &= holds;
        print(args, &file.display().to_string(), &result, holds);
    }
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A reader that has gone away is no reason to stop: the exit code is still to be found.
fn print(args: &ReplayArgs, file: &str, result: &Result<Replay, ReplayError>, holds: bool) {
    if let Err(error) = result {
        let _ = writeln!(std::io::stderr(), "error: {error}");
    }
    if args.quiet && holds {
        return;
    }
    let mut output = std::io::stdout().lock();
    let _ = match result {
        _ if args.json => writeln!(output, "{}", record(file, result, holds)),
        Ok(replay) => writeln!(output, "{}", line(file, replay, holds)),
        Err(_) => Ok(()),
    };
}

fn line(file: &str, replay: &Replay, holds: bool) -> String {
    format!(
        "{file}: {}: worst relative difference {:.2e} in {}, tolerance {:e} ({}, {}, {} steps)",
        if holds { "ok" } else { "FAILED" },
        replay.worst.relative,
        replay.worst.place(),
        replay.tolerance(),
        replay.settings.config.name(),
        replay.settings.precision.name(),
        replay.settings.steps,
    )
}

/// `relative` is null where a difference was not finite.
fn record(file: &str, result: &Result<Replay, ReplayError>, holds: bool) -> Value {
    match result {
        Ok(replay) => json!({
            "file": file,
            "holds": holds,
            "worst": {
                "relative": replay.worst.relative,
                "tensor": replay.worst.tensor,
                "step": replay.worst.step,
            },
            "tolerance": replay.tolerance(),
            "optimizer": replay.settings.config.name(),
            "precision": replay.settings.precision.name(),
            "steps": replay.settings.steps,
            "compared": replay.compared,
        }),
        Err(error) => json!({
            "file": file,
            "holds": holds,
            "error": error.to_string(),
        }),
    }
}
