//! Suites that never ran, with numbers that are known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Choice, Comparison, LISTING_FILE, LISTING_FORMAT, ListedRun, Listing, Measure, Role, Workload,
    compare,
};

/// What came of a run.
pub(crate) enum Outcome<'a> {
    /// It did all its steps.
    Completed(Told<'a>),
    /// It broke off after these evaluations.
    Failed(&'a str, &'a [(u64, f64)]),
    /// It goes on after these evaluations.
    Unfinished(&'a [(u64, f64)]),
    /// It was not begun.
    Missing,
}

/// What a run that came to its end told.
pub(crate) struct Told<'a> {
    /// Steps done, and the workload's measure on held-out samples.
    pub(crate) evaluations: &'a [(u64, f64)],
    /// The measure on test samples.
    pub(crate) test: f64,
    /// Of a step; a quarter of it inside the optimizer.
    pub(crate) milliseconds: f64,
}

/// A suite's folder, gone when dropped.
pub(crate) struct Suite {
    folder: TempDir,
    pub(crate) listing: Listing,
}

impl Suite {
    pub(crate) fn new(seeds: &[u64]) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            listing: Listing {
                format: LISTING_FORMAT,
                program: None,
                version: "0.1.0".to_owned(),
                name: "made-up".to_owned(),
                source: "koala compare made-up.toml".to_owned(),
                seeds: seeds.to_vec(),
                tuning: None,
                reference: None,
                workloads: Vec::new(),
                runs: Vec::new(),
                choices: Vec::new(),
                jobs: 1,
                threads: 1,
            },
        }
    }

    pub(crate) fn workload(&mut self, name: &str, measure: Measure, target: Option<f64>) {
        self.listing.workloads.push(Workload {
            name: name.to_owned(),
            dataset: "digits".to_owned(),
            model: "mlp".to_owned(),
            measure,
            target,
            examples_per_step: 32,
            test_samples: None,
            data_warnings: Vec::new(),
            horizon: None,
        });
    }

    /// Adds a run to the workload that was added last.
    pub(crate) fn run(&mut self, optimizer: &str, seed: u64, role: Role, outcome: Outcome) {
        let workload = self.listing.workloads.last().unwrap();
        let folder = format!("runs/{:04}", self.listing.runs.len());
        outcome.write(
            &self.folder.path().join(&folder),
            workload.measure,
            seed,
            optimizer,
        );
        let workload = workload.name.clone();
        self.listing.runs.push(ListedRun {
            folder,
            workload,
            optimizer: optimizer.to_owned(),
            method: None,
            seed,
            role,
        });
    }

    /// Adds a run for each seed from 0 on, with these test results, evaluated at 50 steps, where it is off by 1 more, and 100.
    pub(crate) fn arm(&mut self, optimizer: &str, role: &Role, milliseconds: f64, test: &[f64]) {
        for (seed, test) in (0..).zip(test) {
            let told = Told {
                evaluations: &[(50, test + 1.0), (100, *test)],
                test: *test,
                milliseconds,
            };
            self.run(optimizer, seed, role.clone(), Outcome::Completed(told));
        }
    }

    pub(crate) fn choose(&mut self, optimizer: &str, trial: Option<usize>, values: &[(&str, f64)]) {
        let workload = self.listing.workloads.last().unwrap().name.clone();
        self.listing.choices.push(Choice {
            workload,
            optimizer: optimizer.to_owned(),
            trial,
            values: named(values),
            validation: None,
        });
    }

    /// The folder, with the listing as it is now.
    pub(crate) fn folder(&self) -> &Path {
        let text = serde_json::to_string_pretty(&self.listing).unwrap();
        fs::write(self.folder.path().join(LISTING_FILE), text).unwrap();
        self.folder.path()
    }

    pub(crate) fn compare(&self) -> Comparison {
        compare(self.folder()).unwrap()
    }
}

/// Hyperparameters by name.
pub(crate) fn named(values: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let owned = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value));
    owned.collect()
}

impl Outcome<'_> {
    fn write(&self, folder: &Path, measure: Measure, seed: u64, optimizer: &str) {
        let (evaluations, milliseconds) = match self {
            Self::Completed(told) => (told.evaluations, told.milliseconds),
            Self::Failed(_, evaluations) | Self::Unfinished(evaluations) => (*evaluations, 1.0),
            Self::Missing => return,
        };
        fs::create_dir_all(folder).unwrap();
        let named = |of: &str, value: f64| match measure {
            Measure::Error => (format!("{of}_error"), value),
            Measure::Loss | Measure::SquaredError => (format!("{of}_loss"), value),
        };
        let mut log = vec![json!({
            "event": "start", "optimizer": optimizer, "dataset": "digits", "model": "mlp", "parameters": 1234, "seed": seed,
        })];
        for (step, value) in evaluations {
            let (name, value) = named("validation", *value);
            log.push(json!({
                "event": "evaluation", "step": step, name: value, "seconds": *step as f64,
                "training_seconds": *step as f64 * milliseconds / 1e3,
            }));
        }
        if let Self::Failed(message, _) = self {
            log.push(json!({"event": "failure", "message": message}));
            let failure = json!({"message": message, "version": "0.1.0"});
            fs::write(folder.join("failure.json"), failure.to_string()).unwrap();
        }
        let log: Vec<String> = log.iter().map(Value::to_string).collect();
        fs::write(folder.join("events.jsonl"), log.join("\n") + "\n").unwrap();
        if let Self::Completed(told) = self {
            let (steps, last) = told.evaluations.last().copied().unwrap_or((0, f64::NAN));
            let seconds = steps as f64 * milliseconds / 1e3;
            let (test, value) = named("test", told.test);
            let (validation, last) = named("validation", last);
            let result = json!({
                "status": "completed", "parameters": 1234, "batch_size": 32, "steps": steps, test: value, validation: last,
                "train_loss": told.test / 10.0, "training_seconds": seconds, "optimizer_seconds": seconds / 4.0,
                "optimizer_state_bytes": 4936, "version": "0.1.0",
            });
            fs::write(folder.join("result.json"), result.to_string()).unwrap();
        }
    }
}
