//! `koala suites`.

use std::process::ExitCode;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use koala_compare::{Error, SUITES, Suite, suite_text};
use serde_json::json;

use crate::terminal;

/// Arguments of `koala suites`.
#[derive(Args)]
pub struct SuitesArguments {
    /// Print this suite's file, to start one of your own from
    #[arg(value_name = "NAME", value_parser = SUITES)]
    name: Option<String>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

/// Lists the suites, or prints one.
pub fn run(arguments: &SuitesArguments) -> Result<ExitCode, Error> {
    if let Some(text) = arguments.name.as_deref().and_then(suite_text) {
        terminal::line(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let suites = SUITES
        .map(|name| Suite::find(name.as_ref()))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let of = |suite: &Suite| {
            let workloads = suite.problems.iter().map(|problem| problem.name.as_str());
            let arms = suite.arms.iter().map(|arm| arm.name.as_str());
            json!({
                "name": suite.name,
                "about": suite.about,
                "workloads": workloads.collect::<Vec<_>>(),
                "optimizers": arms.collect::<Vec<_>>(),
                "seeds": suite.seeds,
                "trials": suite.tuning.as_ref().map(|tuning| tuning.trials),
            })
        };
        terminal::json(&suites.iter().map(of).collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["suite", "what it is", "workloads", "optimizers", "seeds"]);
    for suite in &suites {
        table.add_row([
            suite.name.clone(),
            suite.about.clone().unwrap_or_default(),
            suite.problems.len().to_string(),
            suite.arms.len().to_string(),
            suite.seeds.len().to_string(),
        ]);
    }
    terminal::line(table.trim_fmt());
    terminal::line("koala compare NAME runs one; koala suites NAME prints its file");
    Ok(ExitCode::SUCCESS)
}
