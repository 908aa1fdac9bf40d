//! `suite.json`: which runs a suite has, and in which role.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::records::read_text;
use crate::{Error, Horizon};

/// The version of `suite.json`.
pub const LISTING_FORMAT: u32 = 1;

/// Name of the file in a suite's folder.
pub const LISTING_FILE: &str = "suite.json";

/// A suite: what was asked for and which runs answer it. A run that failed by itself, and would again, has a
/// `failure.json` in its folder (`{"message", "version"}`) instead of a completed `result.json`; trials and sweeps have no
/// test figures; a run that was judged by held-out samples has `best_test_loss` and `best_test_error` beside `test_loss` and
/// `test_error` in its `result.json`, of the weights of its best evaluation. Written anew whenever more is known (after tuning, the chosen
/// hyperparameters and their runs).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// [`LISTING_FORMAT`].
    pub format: u32,
    /// The program that wrote it; nothing for `koala`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Version of the program that wrote it.
    pub version: String,
    /// Name of the suite.
    pub name: String,
    /// The command or the suite's file, for people who want to repeat it.
    pub source: String,
    /// Seeds that are reported.
    pub seeds: Vec<u64>,
    /// How hyperparameters were tuned; nothing if they were not.
    pub tuning: Option<Tuning>,
    /// The arm that the others are held against, or [`crate::BEST`]; nothing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The problems.
    pub workloads: Vec<Workload>,
    /// Every run, in the order in which they are wished. One folder may stand here in several roles.
    pub runs: Vec<ListedRun>,
    /// What tuning chose.
    pub choices: Vec<Choice>,
    /// Runs that were at work at the same time, at most, as far as the programs at this suite saw: above 1, runs took time
    /// from each other, and their seconds are no measure.
    #[serde(default = "one")]
    pub jobs: usize,
    /// Threads of each run; 0 if nobody said.
    #[serde(default)]
    pub threads: usize,
}

fn one() -> usize {
    1
}

impl Listing {
    /// Reads the listing of the suite in a folder.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuite`] if there is none, [`Error::Format`] if it is of another version, else [`Error`] if it cannot be read
    /// or is damaged.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        const LIMIT: u64 = 256 << 20;
        let path = folder.join(LISTING_FILE);
        let text = read_text(&path, LIMIT)?.ok_or_else(|| Error::NoSuite {
            folder: folder.to_owned(),
            file: LISTING_FILE,
        })?;
        let damaged = |fault: serde_json::Error| Error::Damaged {
            path: path.clone(),
            line: Some(fault.line()),
            fault: fault.to_string(),
            remedy: "run the comparison again, which writes it anew and keeps finished runs",
        };
        // The format alone first: other fields of another version may be anything.
        let head: Head = serde_json::from_str(&text).map_err(damaged)?;
        if head.format != u64::from(LISTING_FORMAT) {
            return Err(Error::Format {
                path,
                found: head.format,
                expected: LISTING_FORMAT,
                writer: head.version,
            });
        }
        let listing: Self = serde_json::from_str(&text).map_err(damaged)?;
        listing.check().map_err(|fault| Error::Damaged {
            path,
            line: None,
            fault,
            remedy: "run the comparison again, which writes it anew and keeps finished runs",
        })?;
        Ok(listing)
    }

    /// Whether runs are of workloads that are listed, lie within the suite's folder and are reported once.
    fn check(&self) -> Result<(), String> {
        let mut reported: BTreeSet<(&str, &str, bool, u64)> = BTreeSet::new();
        let mut counted: BTreeSet<(&str, &str, bool, &str)> = BTreeSet::new();
        let mut methods: BTreeMap<&str, &Option<String>> = BTreeMap::new();
        let known = |name: &str| self.workloads.iter().any(|workload| workload.name == name);
        for run in &self.runs {
            if !known(&run.workload) {
                return Err(format!(
                    "run {} is of the workload '{}', which is not listed",
                    run.folder, run.workload
                ));
            }
            let inside = |part| matches!(part, std::path::Component::Normal(_));
            if run.folder.is_empty() || !Path::new(&run.folder).components().all(inside) {
                return Err(format!(
                    "run '{}' is not within the suite's folder",
                    run.folder
                ));
            }
            // An arm is a configuration of one optimizer.
            if *methods.entry(&run.optimizer).or_insert(&run.method) != &run.method {
                return Err(format!(
                    "{} is called an arm of {} and of another optimizer",
                    run.optimizer,
                    run.method.as_ref().unwrap_or(&run.optimizer)
                ));
            }
            let tuned = match run.role {
                Role::Defaults => false,
                Role::Tuned => true,
                Role::Trial { .. } | Role::Sweep { .. } => continue,
            };
            if !reported.insert((&run.workload, &run.optimizer, tuned, run.seed)) {
                return Err(format!(
                    "on {}, {} with seed {} is listed twice in the same role",
                    run.workload, run.optimizer, run.seed
                ));
            }
            if !counted.insert((&run.workload, &run.optimizer, tuned, &run.folder)) {
                return Err(format!(
                    "on {}, {} has the run {} for two seeds",
                    run.workload, run.optimizer, run.folder
                ));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Head {
    format: u64,
    version: Option<String>,
}

/// How hyperparameters were tuned: the same effort for every optimizer that was tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Trials of each optimizer on each workload.
    pub trials: usize,
    /// Where trials come from.
    pub sampler: Sampler,
    /// Seeds of a trial; none of them is reported.
    pub seeds: Vec<u64>,
    /// Arms that are not tuned, but run as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untuned: Vec<String>,
}

/// Where the points of trials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Every combination of listed values.
    Grid,
    /// Halton's sequence: points that fill the space evenly, always the same ones.
    Halton,
}

/// A problem that every optimizer is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Its name in the suite.
    pub name: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the network.
    pub model: String,
    /// What the held-out samples are judged by, and hyperparameters chosen.
    pub measure: Measure,
    /// What has to be reached by the held-out samples; nothing to let the comparison set it.
    pub target: Option<f64>,
    /// Samples in a batch (tokens for text).
    pub examples_per_step: u64,
    /// Test samples (tokens for text) by which results are judged; nothing if nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_samples: Option<u64>,
    /// What is worth knowing of its data, a sentence each; of data of one's own only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_warnings: Vec<String>,
    /// Of what length it is, if the same problem is given at several lengths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Horizon>,
}

/// What a network is judged by. Less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Share of misread samples in percent.
    Error,
    /// Mean loss in nats.
    Loss,
    /// Mean squared error, in squares of the unit of what is told.
    SquaredError,
}

/// A run of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedRun {
    /// Its folder, relative to the suite's: `runs/` and the hash of its configuration.
    pub folder: String,
    /// Name of its workload.
    pub workload: String,
    /// Name of its arm, which is that of the optimizer for one as it is.
    pub optimizer: String,
    /// The optimizer, where the arm is a configuration of it under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// What it is for.
    pub role: Role,
}

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Role {
    /// Reported: the workload's own hyperparameters, untuned.
    Defaults,
    /// Reported: the hyperparameters that tuning chose.
    Tuned,
    /// A trial of tuning; never reported.
    Trial {
        /// From 0.
        trial: usize,
        /// The hyperparameters that were tried.
        values: BTreeMap<String, f64>,
    },
    /// A point of a sensitivity curve.
    Sweep {
        /// The hyperparameter, such as `gain` or `batch-size`.
        parameter: String,
        /// Its value.
        value: f64,
        /// The value that is not swept.
        default: f64,
    },
}

/// What tuning chose for an optimizer on a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Name of the workload.
    pub workload: String,
    /// Name of the arm.
    pub optimizer: String,
    /// The trial; nothing if all trials failed, and there is nothing to report.
    pub trial: Option<usize>,
    /// Its hyperparameters.
    pub values: BTreeMap<String, f64>,
    /// Its measure on the held-out samples, last evaluation, mean over the tuning seeds.
    pub validation: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Suite;

    #[test]
    fn a_run_counts_for_one_seed() {
        let mut suite = Suite::new(&[0, 1]);
        suite.workload("digits", Measure::Error, None);
        suite.arm("sgd", &Role::Defaults, 1.0, &[1.0, 2.0]);
        suite.arm("sgd", &Role::Tuned, 1.0, &[1.0, 2.0]);
        let first = suite.listing.runs[0].folder.clone();
        // The defaults may be what tuning chose.
        suite.listing.runs[2].folder.clone_from(&first);
        assert!(Listing::read(suite.folder()).is_ok());
        suite.listing.runs[1].folder = first;
        let fault = Listing::read(suite.folder()).unwrap_err().to_string();
        assert!(
            fault.contains("sgd has the run runs/0000 for two seeds"),
            "{fault}"
        );
    }
}
