//! `koala sensitivity`.

use std::process::ExitCode;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use koala_compare::Error;
use koala_compare::{Campaign, SweepPlan};
use koala_report::{Comparison, Measure};

use crate::campaign;
use crate::flags::SuiteFlags;

/// Arguments of `koala sensitivity`.
#[derive(Args)]
pub struct SensitivityArguments {
    #[command(flatten)]
    suite: SuiteFlags,
    /// Values of each hyperparameter, an odd number: the default is in the middle
    #[arg(long, value_name = "N", default_value_t = 5)]
    points: usize,
    /// Decades from the default to each end
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    decades: f64,
}

/// Sweeps as asked.
pub fn run(arguments: &SensitivityArguments) -> Result<ExitCode, Error> {
    let plan = SweepPlan {
        points: arguments.points,
        decades: arguments.decades,
    };
    plan.check()?;
    let flags = &arguments.suite;
    let mut suite = flags.suite()?;
    // A sweep is about an optimizer's own values, at the workloads' own length.
    suite.horizons.clear();
    suite.reference = None;
    let folder = flags.folder(&suite);
    let campaign =
        Campaign::new(&suite, &folder, flags.orders(&suite), Some(&plan))?.replacing(flags.replace);
    campaign::run(&campaign, flags, &folder, table)
}

/// A line for each hyperparameter: the median of the best evaluations at each of its values.
fn table(found: &Comparison) -> String {
    let mut text = String::new();
    for workload in &found.workloads {
        let what = match workload.measure {
            Measure::Error => "error in percent",
            Measure::Loss => "loss in nats",
            Measure::SquaredError => "squared error",
        };
        text += &format!(
            "{}: {what} of held-out samples, best evaluation, median over seeds\n",
            workload.name
        );
        let mut table = Table::new();
        table.load_style(NOTHING);
        for sweep in &workload.sweeps {
            let mut row = vec![sweep.optimizer.clone(), sweep.parameter.clone()];
            for point in &sweep.points {
                let mark = if point.value == sweep.default {
                    "*"
                } else {
                    ""
                };
                let found = match point.validation.median {
                    Some(median) => format!("{median:.2}"),
                    None => "failed".to_owned(),
                };
                row.push(format!("{}{mark}: {found}", short(point.value)));
            }
            table.add_row(row);
        }
        text += &format!("{}\n", table.trim_fmt());
    }
    text + "* the value that is not swept\n"
}

/// A number in few characters.
fn short(value: f64) -> String {
    if (0.01..10_000.0).contains(&value.abs()) {
        let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 4.0) as usize;
        let text = format!("{value:.digits$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{value:.1e}")
    }
}
