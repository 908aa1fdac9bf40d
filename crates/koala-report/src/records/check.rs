//! Whether a run's folder is what `docs/format.md` says.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use koala_filter::StepReport;
use koala_system::{MANIFEST, Manifest, open};
use serde_json::Value;

use super::data;
use super::event::{self, Evaluation, Failure, GanEvaluation, GanStep, Kind, Step};
use super::fault::{Fault, Faults};
use super::lines::{Line, Lines};
use super::reading::LINE;
use super::{Detail, Log, Run, RunResult, Start, read_text};
use crate::Error;

/// Faults of a log that are told one by one.
const MOST: usize = 20;

/// What stands in a folder whose run is over.
const RESULTS: [&str; 2] = ["result.json", "failure.json"];

/// What is wrong with the run in a folder; nothing if it is as the format says. A run that goes on, or was stopped, is.
pub(crate) fn run(folder: &Path) -> Vec<Fault> {
    let mut faults = Faults::default();
    let log = Log::FILE;
    match open(&folder.join(log)) {
        Ok(file) => Events::of(&folder.join(log), &mut faults).read(file),
        // It comes when the data are there.
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            // A run that failed before it began has none.
            if folder.join(RESULTS[0]).is_file() {
                faults.add(&folder.join(log), None, "is missing, and the run is over");
            }
        }
        Err(cause) => faults.add(&folder.join(log), None, format!("cannot be read: {cause}")),
    }
    match Manifest::read(folder) {
        // What it says is of a run that is over: it is taken away when one goes on.
        Ok(manifest) => {
            for (name, fault) in manifest.iter().flat_map(|all| all.faults(folder)) {
                faults.add(&folder.join(name), None, fault);
            }
        }
        Err(fault) => faults.add(&folder.join(MANIFEST), None, fault),
    }
    match Run::unchecked(folder, Detail::Measures) {
        Ok(run) => {
            together(&run, &mut faults);
            data::check(&run, &mut faults);
        }
        Err(Error::Damaged {
            path, line, fault, ..
        }) => faults.add(&path, line, fault),
        Err(fault) => faults.add(folder, None, fault.to_string()),
    }
    status(folder, &mut faults);
    faults.found
}

/// A log, line by line.
struct Events<'a> {
    path: &'a Path,
    faults: &'a mut Faults,
    number: usize,
    told: usize,
    begun: bool,
    over: bool,
    /// The next step may have this number at least.
    step: u64,
    /// Steps done at the last evaluation.
    evaluated: u64,
    seconds: f64,
}

impl<'a> Events<'a> {
    fn of(path: &'a Path, faults: &'a mut Faults) -> Self {
        Self {
            path,
            faults,
            number: 0,
            told: 0,
            begun: false,
            over: false,
            step: 0,
            evaluated: 0,
            seconds: 0.0,
        }
    }

    fn read(mut self, file: File) {
        let mut lines = Lines::new(BufReader::new(file), LINE);
        loop {
            self.number += 1;
            let outcome = match lines.next() {
                // A last line without an end is being written, or was when its program was killed.
                Ok(None | Some(Line::Unfinished(_))) => break,
                Ok(Some(Line::Whole(line))) => self.take(line),
                Ok(Some(Line::TooLong)) => Err(format!("longer than {} MiB", LINE >> 20)),
                Err(cause) => {
                    self.fault(format!("cannot be read: {cause}"));
                    break;
                }
            };
            if let Err(fault) = outcome {
                self.fault(fault);
            }
        }
        if self.told > MOST {
            let more = format!("{} more lines are wrong", self.told - MOST);
            self.faults.add(self.path, None, more);
        }
        if !self.begun {
            let what = "has no event `start`, which is the first of a run";
            self.faults.add(self.path, None, what);
        }
    }

    fn fault(&mut self, what: String) {
        self.told += 1;
        if self.told <= MOST {
            self.faults.add(self.path, Some(self.number), what);
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let kind = event::kind(line)?;
        if self.over {
            return Err("stands behind the end of the run".to_owned());
        }
        if !self.begun && kind != Kind::Start {
            self.fault("stands before the event `start`".to_owned());
        }
        match kind {
            Kind::Start if self.begun => return Err("begins the run a second time".to_owned()),
            Kind::Start => {
                self.begun = true;
                event::parse::<Start>(line)?;
            }
            Kind::Step => {
                let step: Step<StepReport> = event::parse(line)?;
                self.after(step.step)?;
            }
            Kind::GanStep => {
                let step: GanStep<StepReport> = event::parse(line)?;
                self.after(step.step)?;
            }
            Kind::Evaluation | Kind::Epoch => {
                let found: Evaluation = event::parse(line)?;
                self.found(found.step)?;
            }
            Kind::GanEvaluation | Kind::GanEpoch => {
                let found: GanEvaluation = event::parse(line)?;
                self.found(found.step)?;
            }
            Kind::Failure => {
                self.over = true;
                event::parse::<Failure>(line)?;
            }
            Kind::End => self.over = true,
            Kind::Other => {}
        }
        self.clock(line)
    }

    /// A step; `number` were done before it.
    fn after(&mut self, number: u64) -> Result<(), String> {
        let least = self.step.max(self.evaluated);
        if number < least {
            return Err(format!("tells of step {number} after {least} steps"));
        }
        self.step = number.saturating_add(1);
        Ok(())
    }

    /// An evaluation after so many steps.
    fn found(&mut self, done: u64) -> Result<(), String> {
        let least = self.step.max(self.evaluated);
        if done < least {
            return Err(format!("tells of {done} steps after {least}"));
        }
        self.evaluated = done;
        Ok(())
    }

    fn clock(&mut self, line: &[u8]) -> Result<(), String> {
        let value: Value = event::parse(line)?;
        match value.get("seconds").and_then(Value::as_f64) {
            Some(seconds) if seconds < self.seconds => Err(format!(
                "is at {seconds} seconds, and the one before it at {}",
                self.seconds
            )),
            Some(seconds) => {
                self.seconds = seconds;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What files say of one another.
fn together(run: &Run, faults: &mut Faults) {
    let config = run.folder.join("config.toml");
    let Some(configured) = &run.config else {
        let what = "is missing: it tells what decides the run";
        return faults.add(&config, None, what);
    };
    let seed = configured
        .get("seed")
        .and_then(toml::Value::as_integer)
        .and_then(|seed| u64::try_from(seed).ok());
    if seed.is_none() {
        faults.add(&config, None, "seed is missing, or no number from 0 on");
    }
    let start = run.log.start.as_ref();
    for (part, told) in [
        ("optimizer", start.map(|start| &start.optimizer)),
        ("dataset", start.map(|start| &start.dataset)),
        ("model", start.map(|start| &start.model)),
    ] {
        let name = configured
            .get(part)
            .and_then(|table| table.get("name")?.as_str());
        match (name, told) {
            (None, _) => faults.add(&config, None, format!("{part}.name is missing, or no text")),
            (Some(name), Some(told)) if name != told => {
                let what = format!("{part}.name is '{name}', and the log says '{told}'");
                faults.add(&config, None, what);
            }
            _ => {}
        }
    }
    if let (Some(seed), Some(start)) = (seed, start)
        && seed != start.seed
    {
        let what = format!("seed is {seed}, and the log says {}", start.seed);
        faults.add(&config, None, what);
    }
    if run.result.is_some() && run.failure.is_some() {
        let what = "stands beside a result.json: a run has one of both";
        faults.add(&run.folder.join("failure.json"), None, what);
    }
    if let Some(result) = &run.result {
        steps(run, result, faults);
    }
}

fn steps(run: &Run, result: &RunResult, faults: &mut Faults) {
    let evaluated = run.log.evaluations.last().map_or(0, |found| found.step);
    if result.steps < evaluated {
        let what = format!(
            "tells of {} steps, and the log of {evaluated}",
            result.steps
        );
        faults.add(&run.folder.join("result.json"), None, what);
    }
}

/// Readers take every status that they do not know for an interruption.
fn status(folder: &Path, faults: &mut Faults) {
    let path = folder.join("result.json");
    let Ok(Some(text)) = read_text(&path, 1 << 20) else {
        return;
    };
    // What is no JSON was told before.
    let Ok(result) = serde_json::from_str::<Value>(&text) else {
        return;
    };
    match result.get("status").and_then(Value::as_str) {
        Some("completed" | "interrupted") | None => {}
        Some(other) => faults.add(
            &path,
            None,
            format!("status is '{other}', not 'completed' or 'interrupted'"),
        ),
    }
}
