//! `koala replay`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use koala_filter::replay::{Replay, ReplayError, replay};
use koala_system::visible_json;
use serde_json::{Value, json};

use crate::terminal;

/// Arguments of `koala replay`.
#[derive(Args)]
pub struct ReplayArguments {
    /// Recordings (safetensors)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print nothing but what fails, on the standard error
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Print one JSON object a file, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Replays every file, whatever becomes of the others.
pub fn run(arguments: &ReplayArguments) -> ExitCode {
    let mut all_hold = true;
    for file in &arguments.files {
        let result = replay(file);
        all_hold &= result.as_ref().is_ok_and(Replay::holds);
        print(arguments, file, &result);
    }
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(arguments: &ReplayArguments, file: &Path, result: &Result<Replay, ReplayError>) {
    if arguments.json {
        terminal::line(visible_json(&record(file, result).to_string()));
    }
    match result {
        Err(error) => terminal::error(error),
        Ok(_) if arguments.json => {}
        Ok(replay) if !arguments.quiet => terminal::line(line(file, replay)),
        Ok(replay) if !replay.holds() => terminal::error(&line(file, replay)),
        Ok(_) => {}
    }
}

fn line(file: &Path, replay: &Replay) -> String {
    format!(
        "{}: {}: worst relative difference {:.2e} in {}, tolerance {:e} ({}, {}, {} steps)",
        file.display(),
        if replay.holds() { "ok" } else { "FAILED" },
        replay.worst.relative,
        replay.worst.place(),
        replay.tolerance(),
        replay.settings.config.name(),
        replay.settings.precision.name(),
        replay.settings.steps,
    )
}

/// `relative` is null where a difference was not finite.
fn record(file: &Path, result: &Result<Replay, ReplayError>) -> Value {
    let file = file.display().to_string();
    match result {
        Ok(replay) => json!({
            "file": file,
            "holds": replay.holds(),
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
            "holds": false,
            "error": error.to_string(),
        }),
    }
}
