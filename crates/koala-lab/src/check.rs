//! `koala check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use koala_compare::Error;
use koala_report::check;
use serde_json::json;

use crate::terminal;

/// Arguments of `koala check`.
#[derive(Args)]
pub struct CheckArguments {
    /// Folders of suites, of runs, or with runs in them
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Print what was found as JSON, and nothing else, on the standard output
    #[arg(long)]
    json: bool,
}

/// Checks, and tells what is wrong.
pub fn run(arguments: &CheckArguments) -> Result<ExitCode, Error> {
    let (mut runs, mut missing, mut faults) = (0, 0, Vec::new());
    for folder in &arguments.folders {
        let checked = check(folder)?;
        runs += checked.runs;
        missing += checked.missing;
        faults.extend(checked.faults);
    }
    if arguments.json {
        let told: Vec<_> = faults
            .iter()
            .map(|fault| json!({ "path": fault.path, "line": fault.line, "fault": fault.what }))
            .collect();
        let told = json!({ "runs": runs, "not_begun": missing, "faults": told });
        terminal::json(&told);
    } else {
        for fault in &faults {
            terminal::line(fault);
        }
        let mut summary = format!("{runs} run{} checked", if runs == 1 { "" } else { "s" });
        if missing > 0 {
            summary.push_str(&format!(", {missing} not begun"));
        }
        terminal::line(match faults.len() {
            0 => format!("{summary}: as the format says"),
            1 => format!("{summary}: one fault"),
            n => format!("{summary}: {n} faults"),
        });
    }
    Ok(match faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
