//! `koala compare`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use koala_lab::Error;
use koala_lab::compare::{Comparison, Mean, Report, Row, compare};
use koala_lab::optimizers::OptimizerSpec;
use koala_lab::run::RunConfig;

use crate::flags::{Overrides, TaskFlags};
use crate::progress::Progress;
use crate::{interrupt, terminal};

/// Arguments of `koala compare`.
#[derive(Args)]
pub struct CompareArguments {
    /// Optimizers, each with its defaults
    #[arg(
        long, value_name = "NAME,..", value_delimiter = ',', value_parser = OptimizerSpec::NAMES,
        default_value = "koala-m,koala-v,koala-pp,sgd,adam"
    )]
    optimizers: Vec<String>,
    /// Seeds that each optimizer runs with
    #[arg(
        long, value_name = "N,..", allow_negative_numbers = true, value_delimiter = ',', default_value = "0,1,2",
        value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64)
    )]
    seeds: Vec<u64>,
    /// Training loss, the mean of 20 batches, whose steps are counted
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.05,
        allow_negative_numbers = true
    )]
    target_loss: f64,
    #[command(flatten)]
    task: TaskFlags,
    /// Folder for the runs and comparison.json [default: nothing is kept]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Replace runs that stand in --out
    #[arg(long, requires = "out", help_heading = "Output")]
    overwrite: bool,
    /// Print nothing but errors
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Print the comparison as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Compares as asked.
pub fn run(arguments: &CompareArguments) -> Result<ExitCode, Error> {
    let mut configs = Vec::with_capacity(arguments.optimizers.len());
    for optimizer in &arguments.optimizers {
        let mut overrides = Overrides::default();
        overrides.put("optimizer.name", Some(optimizer.clone()));
        overrides.extend(arguments.task.overrides());
        configs.push(RunConfig::resolve(None, &overrides.list)?);
    }
    let comparison = Comparison {
        configs,
        seeds: arguments.seeds.clone(),
        target_loss: arguments.target_loss,
        folder: arguments.out.clone(),
        overwrite: arguments.overwrite,
    };
    let interrupt = interrupt::on_ctrl_c();
    let mut progress = Progress::new(arguments.quiet, false);
    let outcome = compare(&comparison, &mut progress, &interrupt);
    progress.finish();
    let report = outcome?;
    if arguments.json {
        terminal::line(serde_json::to_string_pretty(&report).unwrap_or_default());
    } else if !arguments.quiet {
        print(&report);
    }
    for row in &report.rows {
        if let Some((seed, failure)) = row.failure() {
            terminal::error(&format!("{} with seed {seed}: {failure}", row.optimizer));
        }
    }
    Ok(if interrupt.is_set() {
        interrupt::exit_code()
    } else if report.has_failure() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print(report: &Report) {
    terminal::line(format!(
        "{}, {}, {} epochs, batch {}, same seeds and batches for all; means over n seeds, ± standard deviation",
        report.dataset, report.model, report.epochs, report.batch_size
    ));
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "optimizer".to_owned(),
        "n".to_owned(),
        "test error %".to_owned(),
        "train loss".to_owned(),
        format!("steps to loss {}", report.target_loss),
        "seconds".to_owned(),
    ]);
    for row in &report.rows {
        table.add_row([
            row.optimizer.clone(),
            count(row),
            mean(row, row.test_error, 2),
            mean(row, row.train_loss, 4),
            steps(row),
            mean(row, row.seconds, 2),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    terminal::line(table.trim_fmt());
}

fn count(row: &Row) -> String {
    if row.n == row.seeds.len() {
        row.n.to_string()
    } else {
        format!("{} ({} failed)", row.n, row.seeds.len() - row.n)
    }
}

fn mean(row: &Row, mean: Option<Mean>, digits: usize) -> String {
    match mean {
        None if row.seeds.is_empty() => "not run".to_owned(),
        None => "failed".to_owned(),
        Some(Mean {
            mean,
            deviation: None,
        }) => format!("{mean:.digits$}"),
        Some(Mean {
            mean,
            deviation: Some(deviation),
        }) => format!("{mean:.digits$} ± {deviation:.digits$}"),
    }
}

fn steps(row: &Row) -> String {
    match row.steps_to_target {
        None if row.n == 0 => mean(row, None, 0),
        Some(_) => mean(row, row.steps_to_target, 0),
        None if row.reached_target == 0 => "never".to_owned(),
        None => format!("{} of {} reached it", row.reached_target, row.seeds.len()),
    }
}
