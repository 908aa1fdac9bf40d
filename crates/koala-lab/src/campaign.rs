//! What `koala compare` and `koala sensitivity` have in common.

use std::path::Path;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use koala_compare::Error;
use koala_compare::{Campaign, Ended};
use koala_report::{Comparison, Role};
use koala_system::quoted;

use crate::flags::SuiteFlags;
use crate::progress::Progress;
use crate::{interrupt, terminal};

/// Does what is not done yet, or lists it.
pub fn run(
    campaign: &Campaign,
    flags: &SuiteFlags,
    folder: &Path,
    show: fn(&Comparison) -> String,
) -> Result<ExitCode, Error> {
    if flags.dry_run {
        list(campaign, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !flags.quiet {
        campaign
            .warnings()
            .iter()
            .for_each(|text| terminal::warning(text));
    }
    let interrupt = interrupt::on_ctrl_c();
    let mut progress = Progress::new(flags.quiet, false);
    let outcome = campaign.run(&mut progress, &interrupt);
    progress.finish();
    let ended = outcome?;
    let found = campaign.found()?;
    if flags.json {
        terminal::json(&found);
    } else if !flags.quiet {
        if !ended.interrupted {
            terminal::line(show(&found).trim_end());
        }
        summary(&ended, folder);
    }
    let reported = told_failures(&ended) | told_damages(&ended);
    Ok(if ended.interrupted {
        interrupt::exit_code()
    } else if reported {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn summary(ended: &Ended, folder: &Path) {
    let word = quoted(folder);
    let folder = folder.display();
    let Ended { runs, ours, .. } = ended;
    if ended.interrupted {
        terminal::line(format!(
            "stopped after {runs} runs, {ours} of them now, in {folder}"
        ));
        terminal::line("go on with the same command");
    } else {
        terminal::line(format!("{runs} runs, {ours} of them now, in {folder}"));
        terminal::line(format!("koala report {word} makes a page of it"));
    }
}

/// Tells of runs that failed; whether one of them is reported. That a trial or a sweep's point fails is a finding.
fn told_failures(ended: &Ended) -> bool {
    let mut reported = false;
    let mut others = 0;
    for (run, message) in &ended.failed {
        if matches!(run.role, Role::Defaults | Role::Tuned) {
            reported = true;
            terminal::error(&format!(
                "{}, {} with seed {}: {message}",
                run.workload, run.optimizer, run.seed
            ));
        } else {
            others += 1;
        }
    }
    if others > 0 {
        terminal::warning(&format!(
            "{others} runs to tune or sweep failed and count as infinitely bad"
        ));
    }
    reported
}

/// Tells of runs that are damaged and were left as they are; whether there are any.
fn told_damages(ended: &Ended) -> bool {
    for (run, message) in &ended.damaged {
        terminal::error(&format!(
            "{}, {} with seed {}, {}: {message}",
            run.workload, run.optimizer, run.seed, run.folder
        ));
    }
    !ended.damaged.is_empty()
}

fn list(campaign: &Campaign, folder: &Path) -> Result<(), Error> {
    let (runs, later) = campaign.expected()?;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["run", "workload", "optimizer", "seed", "for", "state"]);
    for expected in &runs {
        let run = &expected.run;
        table.add_row([
            run.folder.clone(),
            run.workload.clone(),
            run.optimizer.clone(),
            run.seed.to_string(),
            role(&run.role),
            expected.state.unwrap_or("new").to_owned(),
        ]);
    }
    terminal::line(table.trim_fmt());
    let done = runs.iter().filter(|run| run.state == Some("done")).count();
    terminal::line(format!(
        "{} runs in {}, {done} of them done",
        runs.len(),
        folder.display()
    ));
    if later > 0 {
        terminal::line(format!(
            "and up to {later} more with what tuning will choose"
        ));
    }
    Ok(())
}

fn role(role: &Role) -> String {
    match role {
        Role::Defaults => "defaults".to_owned(),
        Role::Tuned => "tuned".to_owned(),
        Role::Trial { trial, values } => {
            let values = values
                .iter()
                .map(|(key, value)| format!(" {key} {value:.3e}"));
            format!("trial {trial}:{}", values.collect::<String>())
        }
        Role::Sweep {
            parameter, value, ..
        } => format!("sweep: {parameter} {value:.3e}"),
    }
}
