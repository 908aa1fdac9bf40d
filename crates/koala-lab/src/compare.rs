//! `koala compare`.

use std::num::NonZero;
use std::process::ExitCode;

use clap::Args;
use clap::builder::StringValueParser;
use koala_compare::Error;
use koala_compare::{Campaign, TuningPlan};
use koala_report::text;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::ConfigError;

use crate::campaign;
use crate::flags::{Known, ReferenceFlags, SuiteFlags};

/// Arguments of `koala compare`.
#[derive(Args)]
pub struct CompareArguments {
    #[command(flatten)]
    suite: SuiteFlags,
    /// Tune what scales each optimizer's steps, in so many trials from a tenth of its default to ten times that, on a seed
    /// that is not reported
    #[arg(long, value_name = "N", conflicts_with = "suite")]
    tuning_trials: Option<NonZero<u16>>,
    /// What the held-out samples have to reach: error in percent, for texts loss in nats, or the loss of what has no classes [default: the median of what is reached]
    #[arg(long, value_name = "X", conflicts_with = "suite")]
    target: Option<f64>,
    /// Optimizers of these that are not tuned, but run as they are alone
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', value_parser = Known(StringValueParser::new(), &OptimizerSpec::NAMES), requires = "tuning_trials")]
    untuned: Vec<String>,
    #[command(flatten)]
    reference: ReferenceFlags,
}

/// Compares as asked.
pub fn run(arguments: &CompareArguments) -> Result<ExitCode, Error> {
    let flags = &arguments.suite;
    let mut suite = flags.suite()?;
    if let Some(trials) = arguments.tuning_trials {
        let trials = usize::from(trials.get());
        suite.tuning = Some(TuningPlan::of_defaults(trials, &suite.seeds));
        suite.leave_untuned("--untuned", &arguments.untuned)?;
    }
    if let Some(target) = arguments.target {
        if !target.is_finite() {
            return Err(ConfigError::Value {
                origin: "--target".to_owned(),
                fault: format!("must be a finite number, not {target}"),
            }
            .into());
        }
        for problem in &mut suite.problems {
            problem.target = Some(target);
        }
    }
    arguments.reference.over(&mut suite)?;
    let folder = flags.folder(&suite);
    let campaign =
        Campaign::new(&suite, &folder, flags.orders(&suite), None)?.replacing(flags.replace);
    campaign::run(&campaign, flags, &folder, text::table)
}
