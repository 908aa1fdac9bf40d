//! `koala train`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use koala_lab::Error;
use koala_lab::run::{RunConfig, RunFolder, RunResult};
use koala_lab::training::Status;

use crate::flags::{MethodFlags, TaskFlags};
use crate::progress::Progress;
use crate::{interrupt, terminal};

/// Arguments of `koala train`.
#[derive(Args)]
pub struct TrainArguments {
    #[command(flatten)]
    task: TaskFlags,
    #[command(flatten)]
    method: MethodFlags,
    /// Configuration file to start from, such as another run's config.toml; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of initial weights and order of samples [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<i64>,
    /// Folder for the run [default: a new one under runs/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Replace a run that stands in --out
    #[arg(long, requires = "out", help_heading = "Output")]
    overwrite: bool,
    /// Log every N-th step [default: 10]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Output"
    )]
    log_every: Option<i64>,
    /// Print nothing but errors
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Print the result as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Trains as asked.
pub fn run(arguments: &TrainArguments) -> Result<ExitCode, Error> {
    let mut overrides = arguments.task.overrides();
    overrides.extend(arguments.method.overrides());
    overrides.put("seed", arguments.seed);
    overrides.put("log-every", arguments.log_every);
    let config = RunConfig::resolve(arguments.config.as_deref(), &overrides.list)?;
    let split = config.load()?;
    let folder = match &arguments.out {
        Some(path) => RunFolder::take(path, arguments.overwrite)?,
        None => RunFolder::fresh(Path::new("runs"), &config)?,
    };
    let silent = arguments.quiet || arguments.json;
    let interrupt = interrupt::on_ctrl_c();
    let mut progress = Progress::new(arguments.quiet, !silent);
    let outcome = folder.execute_on(&config, &split, &mut progress, &interrupt);
    progress.finish();
    let result = outcome?.result;
    if arguments.json {
        terminal::line(serde_json::to_string_pretty(&result).unwrap_or_default());
    } else if !silent {
        summary(&result, &folder);
    }
    Ok(match result.status {
        Status::Completed => ExitCode::SUCCESS,
        Status::Interrupted => interrupt::exit_code(),
    })
}

fn summary(result: &RunResult, folder: &RunFolder) {
    let error = terminal::strong(format!("{:.2} %", result.test_error));
    let so_far = match result.status {
        Status::Completed => "",
        Status::Interrupted => ", interrupted",
    };
    terminal::line(format!(
        "test error {error} after {} steps in {:.1} s{so_far}",
        result.steps, result.seconds
    ));
    terminal::line(format!("run folder {}", folder.path().display()));
}
