//! Flags of holding optimizers against a reference.

use clap::{Args, ValueEnum};
use koala_compare::Suite;
use koala_report::Measure;
use koala_train::run::ConfigError;

/// What the others are held against, by what, and at which lengths. With a suite's file they win over it.
#[derive(Args)]
pub struct ReferenceFlags {
    /// Hold all others against this optimizer, tuned if it is tuned, or against 'best': on each workload the tuned baseline with the
    /// best held-out result
    #[arg(long, value_name = "NAME", help_heading = "Reference")]
    reference: Option<String>,
    /// Do it all at several lengths, multiples of each workload's steps, such as 0.5,1,2; needs a reference
    #[arg(
        long,
        value_name = "X,..",
        value_delimiter = ',',
        allow_negative_numbers = true,
        help_heading = "Reference"
    )]
    horizons: Vec<f64>,
    /// What is judged, in tuning and in results [default: the error of what has one, else the loss]
    #[arg(long, value_name = "NAME", value_enum, help_heading = "Reference")]
    measure: Option<MeasureFlag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MeasureFlag {
    /// Share of misread samples; the loss where there is none
    Error,
    /// Mean loss in nats, of which ratios are finer
    Loss,
}

impl ReferenceFlags {
    /// Lays them over a suite.
    pub fn over(&self, suite: &mut Suite) -> Result<(), ConfigError> {
        if let Some(name) = &self.reference {
            suite.hold_against("--reference", name)?;
            repeat(suite, format!("--reference {name}"));
        }
        if !self.horizons.is_empty() {
            suite.stretch("--horizons", &self.horizons)?;
            let factors: Vec<String> = self.horizons.iter().map(f64::to_string).collect();
            repeat(suite, format!("--horizons {}", factors.join(",")));
        }
        if let Some(measure) = self.measure {
            let measure = match measure {
                MeasureFlag::Error => Measure::Error,
                MeasureFlag::Loss => Measure::Loss,
            };
            for problem in &mut suite.problems {
                problem.measure = Some(measure);
            }
            repeat(suite, format!("--measure {}", measure.noun()));
        }
        Ok(())
    }
}

/// Adds a flag to the command that repeats the suite, if it does not have it as it was typed.
fn repeat(suite: &mut Suite, flag: String) {
    let name = flag.split(' ').next().unwrap_or_default();
    if !suite.source.contains(name) {
        suite.source = format!("{} {flag}", suite.source);
    }
}
