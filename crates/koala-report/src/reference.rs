//! What a comparison found of arms against a reference. docs/protocol.md has the equations.

use serde::{Deserialize, Serialize};

use crate::{ArmKind, Finding, Interval, Measure};

/// The name by which the best tuned baseline of each workload is asked for.
pub const BEST: &str = "best";

/// A factor by which a workload's length was multiplied, and the workload that it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// The workload's name without the horizon.
    pub of: String,
    /// Its steps are so many times those of that workload.
    pub factor: f64,
}

/// Arms against a reference, over all workloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgainstReference {
    /// The optimizer, or [`BEST`].
    pub name: String,
    /// A comparison for each length of training; one if nothing is said of lengths.
    pub horizons: Vec<AtHorizon>,
    /// A sentence for each arm and horizon: what its numbers say.
    pub told: Vec<String>,
    /// What one has to know to read the numbers: who the reference is where, what failed, what is left out.
    pub notes: Vec<String>,
}

impl AgainstReference {
    /// The workloads' own length, then the others in their order.
    pub(crate) fn own_length_first(&self) -> Vec<&AtHorizon> {
        let mut horizons: Vec<&AtHorizon> = self.horizons.iter().collect();
        horizons.sort_by_key(|at| at.factor.is_some_and(|factor| factor != 1.0));
        horizons
    }
}

/// Arms against the reference, at one length of training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtHorizon {
    /// The length as a multiple of the workloads' own; nothing if nothing is said of lengths.
    pub factor: Option<f64>,
    /// Who the reference is, workload by workload.
    pub references: Vec<ReferenceOn>,
    /// Every reported arm, in the suite's order.
    pub arms: Vec<ArmAgainst>,
}

/// The reference on a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceOn {
    /// The workload, without its horizon.
    pub workload: String,
    /// The optimizer; nothing if it is not known yet.
    pub optimizer: Option<String>,
    /// Whether it was tuned there.
    pub kind: ArmKind,
    /// What is judged.
    pub measure: Measure,
    /// The measure on test samples, mean over the seeds.
    pub test: Option<f64>,
    /// Whether one of its runs failed: then there are no ratios on this workload.
    pub failed: bool,
}

/// An arm against the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmAgainst {
    /// Name of the optimizer.
    pub optimizer: String,
    /// Whether it was tuned.
    pub kind: ArmKind,
    /// Whether it is the reference itself on every workload.
    pub is_reference: bool,
    /// The test result over that of the reference.
    pub result: MeanRatio,
    /// The steps to the target over those of the reference.
    pub steps: MeanRatio,
    /// The largest ratio of results.
    pub worst: Option<WorstRatio>,
    /// On how many workloads its result is at most 5 % larger than that of the reference.
    pub within: usize,
    /// On how many of these it is smaller.
    pub better: usize,
    /// On how many workloads it came to the target with every seed.
    pub reached: usize,
    /// The workloads on which one of its runs failed; with any of them it has no mean.
    pub fails: Vec<String>,
    /// Mean over the workloads of its rank by test result among all arms, 1 for the lowest; those that failed share the last
    /// ranks. Nothing as long as a workload has no result of it.
    pub rank: Option<f64>,
    /// Workload by workload.
    pub on: Vec<RatioOn>,
}

/// A geometric mean of ratios over workloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanRatio {
    /// The mean; nothing if the arm failed somewhere, or no workload has a ratio.
    pub mean: Option<f64>,
    /// Its interval at [`crate::CONFIDENCE`], by resampling workloads and seeds.
    pub interval: Option<Interval>,
    /// The workloads that go into it.
    pub workloads: usize,
    /// Whether it is a lower bound: somewhere the arm never came to the target, and all its steps are counted.
    pub at_least: bool,
}

/// The largest ratio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorstRatio {
    /// The ratio.
    pub ratio: f64,
    /// On which workload.
    pub workload: String,
}

/// An arm against the reference on one workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RatioOn {
    /// The workload, without its horizon.
    pub workload: String,
    /// Whether there is something to compare.
    pub state: Facing,
    /// The seeds with which both came to their end.
    pub seeds: usize,
    /// The mean test result over that of the reference.
    pub result: Option<f64>,
    /// The mean difference of test results, arm minus reference.
    pub difference: Option<f64>,
    /// Its interval, as in [`crate::Paired::interval`].
    pub interval: Option<Interval>,
    /// What may be said of the two, by that interval: the arm is the first. Nothing where there are no ratios.
    pub finding: Option<Finding>,
    /// Whether that holds when p is adjusted (Holm) for all workloads of this length.
    pub survives: bool,
    /// The mean steps to the target over those of the reference; nothing if the reference itself does not get there.
    pub steps: Option<f64>,
    /// Whether with some seed the arm never came to the target, so that `steps` is a lower bound.
    pub at_least: bool,
}

/// Whether an arm can be held against the reference on a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Facing {
    /// There are ratios.
    Compared,
    /// A run of the arm failed, or every trial of tuning did.
    Failed,
    /// A run of the reference failed.
    ReferenceFailed,
    /// There is no seed yet with which both came to their end.
    Open,
    /// The arm has no runs here, and none is to come.
    Absent,
    /// Results that are not told, or below zero, have no ratio.
    NoRatio,
}
