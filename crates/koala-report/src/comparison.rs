//! What a comparison found. Everything that is shown, in whatever form, is one of these numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{AgainstReference, Measure, Overview, Tuning};

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the suite.
    pub name: String,
    /// The program that listed the suite; nothing for `koala`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Version of the program.
    pub version: String,
    /// How to repeat it.
    pub source: String,
    /// Seeds that are reported.
    pub seeds: Vec<u64>,
    /// How hyperparameters were tuned.
    pub tuning: Option<Tuning>,
    /// Whether seconds are a measure: each run had the machine to itself, as far as one can see.
    pub timed: bool,
    /// The answer in a line, and who is better than whom.
    pub overview: Overview,
    /// Every arm against one that is the reference; nothing if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<AgainstReference>,
    /// Problem by problem.
    pub workloads: Vec<WorkloadComparison>,
    /// How often an arm is how many times slower than the best of all arms, over the workloads whose runs have all come to
    /// their end: by steps, then by seconds if they are a measure. Empty with fewer than two of them.
    pub profiles: Vec<Profile>,
    /// The verdict in words, each sentence with its evidence.
    pub verdict: Vec<Sentence>,
    /// What one should know before believing it: failed, missing and interrupted runs, few seeds.
    pub warnings: Vec<String>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadComparison {
    /// Its name.
    pub name: String,
    /// Its length as a multiple of its problem's own, where the suite has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<f64>,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the network.
    pub model: String,
    /// Number of the network's parameters; nothing before a run has told it.
    pub parameters: Option<u64>,
    /// The programs that wrote its runs, with their versions; empty if `koala` wrote them all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// What is judged.
    pub measure: Measure,
    /// Steps of the longest run that came to its end.
    pub steps: Option<u64>,
    /// Arms whose curves still fall at the end.
    pub falling: Vec<Falling>,
    /// What tuning chose, of how much.
    pub choices: Vec<Chosen>,
    /// What has to be reached by the held-out samples.
    pub target: Option<Target>,
    /// Optimizers with their defaults, and tuned, in the suite's order.
    pub arms: Vec<Arm>,
    /// Each pair of arms of the same kind, seed by seed.
    pub pairs: Vec<Paired>,
    /// What tuning bought: each optimizer, tuned (first) against its own defaults (second).
    pub gains: Vec<Paired>,
    /// Trials of tuning.
    pub trials: Vec<Trial>,
    /// How much hyperparameters matter.
    pub sweeps: Vec<Sweep>,
}

impl Comparison {
    /// The program that listed the suite, with its version.
    pub fn writer(&self) -> String {
        let program = self.program.as_deref().unwrap_or("koala");
        format!("{program} {}", self.version)
    }
}

/// A value to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Target {
    /// The value of the workload's measure.
    pub value: f64,
    /// Whether it was set by the comparison: the median over the arms of their median best value.
    pub derived: bool,
}

/// Where hyperparameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// Each run's own: it belongs to no suite, and nobody chose them for a comparison.
    Own,
    /// The workload's own.
    Defaults,
    /// Chosen by tuning.
    Tuned,
}

/// An optimizer with its hyperparameters on a workload, over all reported seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// Its name, which is that of the optimizer for one as it is.
    pub optimizer: String,
    /// The optimizer, where it is a configuration of it under another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether it was tuned.
    pub kind: ArmKind,
    /// What tuning chose; empty for defaults.
    pub values: BTreeMap<String, f64>,
    /// Every run, by seed.
    pub runs: Vec<RunMeasures>,
    /// Runs that came to their end. Only these go into the summaries of what was found and how long a step took; those of what
    /// it took to reach the target count failed runs too, as infinite.
    pub n: usize,
    /// The workload's measure on held-out samples, with the last weights.
    pub final_validation: Summary,
    /// The same, best evaluation.
    pub best_validation: Summary,
    /// The workload's measure on test samples, with the last weights.
    pub test: Summary,
    /// The same, with the weights of the best evaluation.
    pub best_test: Summary,
    /// Training loss of the last epoch.
    pub train_loss: Summary,
    /// Steps until the target was reached; infinite for runs that never did.
    pub steps_to_target: Summary,
    /// Samples until then.
    pub examples_to_target: Summary,
    /// Seconds of training until then.
    pub seconds_to_target: Summary,
    /// Seconds of training a step.
    pub seconds_per_step: Summary,
    /// Seconds a step inside the optimizer, a part of the former.
    pub optimizer_seconds_per_step: Summary,
    /// Bytes that the optimizer remembers between steps.
    pub state_bytes: Option<u64>,
}

/// What a run amounts to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunMeasures {
    /// Its seed.
    pub seed: u64,
    /// Its folder, relative to the suite's.
    pub folder: String,
    /// How it stands.
    pub state: RunState,
    /// Held-out samples with the last weights, in the workload's measure; so are the next three.
    pub final_validation: Option<f64>,
    /// Held-out samples, best evaluation.
    pub best_validation: Option<f64>,
    /// Test samples with the last weights.
    pub test: Option<f64>,
    /// Test samples with the weights of the best evaluation.
    pub best_test: Option<f64>,
    /// Training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// Steps until the target was reached, nothing if it was not.
    pub steps_to_target: Option<u64>,
    /// Samples until then.
    pub examples_to_target: Option<u64>,
    /// Seconds of training until then.
    pub seconds_to_target: Option<f64>,
    /// Seconds of training a step.
    pub seconds_per_step: Option<f64>,
    /// Seconds a step inside the optimizer.
    pub optimizer_seconds_per_step: Option<f64>,
    /// Bytes that the optimizer remembers between steps.
    pub state_bytes: Option<u64>,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RunState {
    /// All steps done.
    Completed,
    /// It broke off: its loss was not finite for too long, or worse.
    Failed {
        /// Why.
        message: String,
    },
    /// It was begun and has not come to its end.
    Unfinished,
    /// It was never begun.
    Missing,
}

/// A measure over seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Values that went in; infinite ones count.
    pub n: usize,
    /// How many of them are infinite.
    pub infinite: usize,
    /// The mean; nothing if there is no value, or one is infinite.
    pub mean: Option<f64>,
    /// The sample's standard deviation; nothing below two values.
    pub deviation: Option<f64>,
    /// The mean's confidence interval at [`CONFIDENCE`], Student's t; nothing below two values.
    pub interval: Option<Interval>,
    /// The median; infinite ones above all others, nothing if it is infinite itself or there is no value.
    pub median: Option<f64>,
}

/// The confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Two arms, seed by seed: differences first minus second, below zero where the first is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// Kind of both arms; tuned among [`WorkloadComparison::gains`].
    pub kind: ArmKind,
    /// The first arm's optimizer.
    pub first: String,
    /// The second arm's.
    pub second: String,
    /// Which measure is compared.
    pub of: Compared,
    /// The differences, by seed.
    pub differences: Vec<(u64, f64)>,
    /// Their mean.
    pub mean: Option<f64>,
    /// The mean's interval at [`CONFIDENCE`]: the bootstrap's, and Student's where that is wider. Nothing below three seeds,
    /// and where all differences are the same, which tell nothing of their spread.
    pub interval: Option<Interval>,
    /// One-sided, on the side of whoever is ahead: how often would it be ahead as far, or farther, if both were the same?
    /// By all choices of signs, so that with n seeds it is never below 2^-n. Nothing below three seeds.
    pub p: Option<f64>,
    /// Two-sided, Student's (twice `p` where all differences are the same), and adjusted for all pairs of this kind on the
    /// workload (Holm). Nothing below three seeds.
    pub adjusted: Option<f64>,
    /// What may be said.
    pub finding: Finding,
}

/// What two arms are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// The workload's measure on test samples, last weights.
    Test,
}

/// What may be said of two arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The first is better: at least three seeds, the interval is below zero, and none of its runs failed. Where all differences
    /// are the same there is no interval, and it takes six seeds.
    FirstBetter,
    /// The second is.
    SecondBetter,
    /// The interval holds zero, or whoever is ahead has failed runs.
    Undecided,
    /// Fewer than three seeds.
    TooFew,
    /// Both are the same runs: tuning kept the defaults. There is nothing to compare.
    Same,
}

/// A trial of tuning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Name of the optimizer.
    pub optimizer: String,
    /// From 0.
    pub trial: usize,
    /// What was tried.
    pub values: BTreeMap<String, f64>,
    /// The held-out samples with the last weights, mean over the tuning seeds; nothing if a run failed.
    pub validation: Option<f64>,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// What tuning chose for an optimizer on a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chosen {
    /// Name of the optimizer.
    pub optimizer: String,
    /// The trial; nothing if all trials failed.
    pub trial: Option<usize>,
    /// Trials that were made.
    pub trials: usize,
    /// How many of them have no result: a run failed.
    pub failed: usize,
    /// The held-out samples of the chosen trial.
    pub validation: Option<f64>,
    /// Each hyperparameter, with what was tried.
    pub values: Vec<ChosenValue>,
}

/// A hyperparameter that tuning chose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChosenValue {
    /// The hyperparameter.
    pub name: String,
    /// The value that was chosen.
    pub value: f64,
    /// The least value that was tried.
    pub least: f64,
    /// The largest.
    pub largest: f64,
    /// At which end of what was tried it lies, if at one: the best may lie beyond.
    pub edge: Option<Edge>,
}

/// An end of what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// Nothing smaller was tried.
    Least,
    /// Nothing larger was.
    Largest,
}

/// An arm whose held-out samples still become better when its runs end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Falling {
    /// Name of the optimizer.
    pub optimizer: String,
    /// Whether it was tuned.
    pub kind: ArmKind,
    /// By what share of its value the measure fell over the last quarter of the steps, median over the seeds.
    pub share: f64,
}

/// How much a hyperparameter of an optimizer matters on a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// Name of the optimizer.
    pub optimizer: String,
    /// The hyperparameter.
    pub parameter: String,
    /// The value that is not swept.
    pub default: f64,
    /// By value, ascending.
    pub points: Vec<SweepPoint>,
}

/// A point of a sensitivity curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepPoint {
    /// The hyperparameter's value.
    pub value: f64,
    /// Held-out samples, best evaluation, over the seeds; runs that failed count as infinite.
    pub validation: Summary,
}

/// A performance profile (Dolan and More, 2002; Dahl et al., AlgoPerf, 2023).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// What is counted: `steps` or `seconds` to the target.
    pub by: String,
    /// A curve an arm.
    pub curves: Vec<ProfileCurve>,
}

/// A curve of a performance profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProfileCurve {
    /// Name of the optimizer.
    pub optimizer: String,
    /// Whether it was tuned.
    pub kind: ArmKind,
    /// Its time over the best arm's, for each workload (median over seeds); infinite (`null`) where it never reached the target.
    pub ratios: Vec<f64>,
    /// Area below the profile between 1 and 4, over its width: 1 for an arm that is best everywhere.
    pub score: f64,
}

/// A sentence of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sentence {
    /// The workload it is about; nothing for all.
    pub workload: Option<String>,
    /// What is said.
    pub text: String,
    /// What the evidence is of, for its heading.
    pub subject: String,
    /// The pairs it rests on; empty for sentences over all workloads, which rest on those of each.
    pub evidence: Vec<Evidence>,
}

/// A pair as one of its two arms sees it: below zero it is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The arm that is spoken of.
    pub optimizer: String,
    /// The other.
    pub against: String,
    /// Mean difference of the measure on test samples; nothing without a seed in common.
    pub difference: Option<f64>,
    /// Its interval, as in [`Paired::interval`].
    pub interval: Option<Interval>,
    /// Seeds in common.
    pub n: usize,
    /// [`Paired::p`].
    pub p: Option<f64>,
    /// [`Paired::adjusted`].
    pub adjusted: Option<f64>,
    /// What it amounts to.
    pub standing: Standing,
}

/// What one arm may say of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Better, and p is below 0.05 even when adjusted for all pairs.
    Better,
    /// Better in this pair by itself; not when p is adjusted for all pairs.
    BetterAlone,
    /// Worse, and p is below 0.05 even when adjusted for all pairs.
    Worse,
    /// Worse in this pair by itself; not when p is adjusted for all pairs.
    WorseAlone,
    /// They cannot be told apart.
    Undecided,
    /// Ahead by more than chance, but runs of its own failed: it is not called better.
    Broken,
    /// Fewer than three seeds in common.
    TooFew,
    /// The same runs.
    Same,
}
