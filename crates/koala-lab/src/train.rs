//! `koala train`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::StringValueParser;
use clap::{ArgAction, Args};
use koala_data::{LabelPreparation, Loaded, Preparation};
use koala_report::LISTING_FILE;
use koala_system::quoted;
use koala_train::Error;
use koala_train::recipe::{NAMES, Recipe};
use koala_train::run::{ConfigError, Override, RunConfig, RunFolder, RunResult};
use koala_train::training::{EarlyStop, Status};

use crate::flags::{KeepingFlags, Known, MethodFlags, Overrides, TaskFlags};
use crate::progress::Progress;
use crate::{interrupt, terminal};

/// Arguments of `koala train`.
#[derive(Args)]
pub struct TrainArguments {
    /// Recipe to start from, one of `koala recipes` or a .toml file; flags win over it
    #[arg(
        long,
        value_name = "NAME",
        value_parser = Known(StringValueParser::new(), &NAMES),
        hide_possible_values = true,
        conflicts_with = "config",
        help_heading = "Run"
    )]
    recipe: Option<String>,
    /// Configuration file to start from, such as another run's config.toml; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    config: Option<PathBuf>,
    /// Go on with the run in this folder where its newest checkpoint was made, also with one that is complete, if --epochs or --max-steps make it longer
    #[arg(
        long,
        value_name = "RUN",
        help_heading = "Run",
        conflicts_with_all = ["recipe", "config", "seed", "out", "overwrite"]
    )]
    resume: Option<PathBuf>,
    /// Seed of initial weights and order of samples [default: 0]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Run"
    )]
    seed: Option<i64>,
    /// Meet the test samples at the end; without, held-out samples are all that is evaluated [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, help_heading = "Run")]
    test: Option<bool>,
    #[command(flatten)]
    task: TaskFlags,
    #[command(flatten)]
    method: MethodFlags,
    /// Folder for the run [default: a new one under runs/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Replace a run that stands in --out
    #[arg(long, requires = "out", help_heading = "Output")]
    overwrite: bool,
    #[command(flatten)]
    keeping: KeepingFlags,
    /// Print nothing but errors
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Print the result as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Trains as asked.
/// On a thread of the pool: on any other, each parallel loop of a step waits until it has woken one there.
pub fn run(arguments: &TrainArguments) -> Result<ExitCode, Error> {
    rayon::scope(|_| train(arguments))
}

fn train(arguments: &TrainArguments) -> Result<ExitCode, Error> {
    let mut overrides = arguments.task.overrides();
    overrides.extend(arguments.method.overrides());
    overrides.extend(arguments.keeping.overrides());
    overrides.put("seed", arguments.seed);
    overrides.put("test", arguments.test);
    match &arguments.resume {
        Some(path) => resume(arguments, path, &overrides.list),
        None => begin(arguments, &overrides),
    }
}

fn begin(arguments: &TrainArguments, overrides: &Overrides) -> Result<ExitCode, Error> {
    let config = match &arguments.recipe {
        Some(name) => Recipe::find(name)?.resolve(&overrides.list)?,
        None => RunConfig::resolve(arguments.config.as_deref(), &overrides.list)?,
    };
    let config = config.pinned()?;
    let data = config.load()?;
    arguments.warn(&data);
    let folder = match &arguments.out {
        Some(path) => RunFolder::take(path, arguments.overwrite)?,
        None => RunFolder::fresh(Path::new("runs"), &config)?,
    };
    let interrupt = interrupt::on_ctrl_c();
    let mut progress = arguments.progress();
    let outcome = folder.execute_on(&config, &data, &mut progress, &interrupt);
    progress.finish();
    Ok(arguments.told(&outcome?.result, &folder, &data))
}

fn resume(
    arguments: &TrainArguments,
    path: &Path,
    overrides: &[Override],
) -> Result<ExitCode, Error> {
    let (folder, config) = RunFolder::open_to_change(path, overrides)?;
    if let Some(other) = overrides.first()
        && path.join("../..").join(LISTING_FILE).is_file()
    {
        return Err(ConfigError::Value {
            origin: other.flag(),
            fault: format!(
                "{} is a run of a comparison, which knows it as it was begun: change the suite, or begin a run with --config on its \
                 config.toml",
                path.display()
            ),
        }
        .into());
    }
    if let Some(result) = folder.completed()?
        && overrides.is_empty()
    {
        if arguments.json {
            terminal::json(&result);
        } else if !arguments.quiet {
            terminal::line(format!("{}: the run is complete", path.display()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    folder.check_free()?;
    let data = config.load()?;
    arguments.warn(&data);
    let interrupt = interrupt::on_ctrl_c();
    let mut progress = arguments.progress();
    let mut warn = |text: &str| terminal::warning(text);
    let outcome = folder.resume_on(&config, &data, &mut progress, &interrupt, &mut warn);
    progress.finish();
    Ok(arguments.told(&outcome?.result, &folder, &data))
}

impl TrainArguments {
    fn progress(&self) -> Progress {
        Progress::new(self.quiet, !self.silent())
    }

    /// Tells what is worth knowing of the data.
    fn warn(&self, data: &Loaded) {
        if !self.quiet {
            let each = data.warnings.iter();
            each.for_each(|warning| terminal::warning(&warning.to_string()));
        }
    }

    fn silent(&self) -> bool {
        self.quiet || self.json
    }

    fn told(&self, result: &RunResult, folder: &RunFolder, data: &Loaded) -> ExitCode {
        if self.json {
            terminal::json(result);
        } else if !self.silent() {
            summary(result, folder, data);
        }
        match result.status {
            Status::Completed => ExitCode::SUCCESS,
            Status::Interrupted => interrupt::exit_code(),
        }
    }
}

fn summary(result: &RunResult, folder: &RunFolder, data: &Loaded) {
    if let Some(EarlyStop {
        patience,
        step,
        loss,
    }) = result.early_stop
    {
        terminal::line(format!(
            "ended early: for {patience} evaluations no held-out loss below {}, that after {step} steps",
            four_digits(loss)
        ));
    }
    let path = folder.path().display();
    let steps = format!("after {} steps in {:.1} s", result.steps, result.seconds);
    match (result.headline(), result.status) {
        (Some(headline), Status::Completed) => {
            terminal::line_with("test ", headline, &format!(" {steps}"));
            if let Some(text) = in_its_unit(result, data) {
                terminal::line(text);
            }
            terminal::line(format!("run folder {path}"));
        }
        (None, Status::Completed) => {
            terminal::line(format!("done {steps}; the test samples were not met"));
            terminal::line(format!("run folder {path}"));
        }
        (_, Status::Interrupted) => {
            terminal::line(format!("stopped {steps}"));
            let path = quoted(folder.path());
            terminal::line(format!("go on with: koala train --resume {path}"));
        }
    }
}

/// The root of the test's squared error in the unit of a number that was normalised.
fn in_its_unit(result: &RunResult, data: &Loaded) -> Option<String> {
    let Some(Preparation::Table(table)) = &data.preparation else {
        return None;
    };
    match &table.label {
        LabelPreparation::Numbers {
            name, deviation, ..
        } if *deviation != 1.0 => Some(format!(
            "which is {} in the unit of '{name}': squared errors are those of ({name} - mean) / deviation, and its deviation is {}",
            four_digits(result.test_loss().sqrt() * deviation),
            four_digits(*deviation)
        )),
        _ => None,
    }
}

/// A number with four digits that count.
fn four_digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (3.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}
