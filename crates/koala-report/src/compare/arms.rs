//! Optimizers with their hyperparameters, over all reported seeds.

use super::measure::Measured;
use crate::{Arm, ArmKind, Listing, Role, RunMeasures, RunState, Summary, Target, Workload};

/// The optimizers of a workload, in the suite's order, which is that of reported runs: not all are tuned.
pub(super) fn optimizers<'a>(runs: &[Measured<'a>]) -> Vec<&'a str> {
    let reported = |run: &&Measured| matches!(run.listed.role, Role::Defaults | Role::Tuned);
    let mut names: Vec<&str> = Vec::new();
    for run in runs.iter().filter(reported).chain(runs) {
        if !names.contains(&run.listed.optimizer.as_str()) {
            names.push(&run.listed.optimizer);
        }
    }
    names
}

/// The runs of each reported arm that has any, by optimizer and kind: `untuned` or tuned.
pub(super) fn reported<'r, 'a>(
    optimizers: &'r [&'a str],
    runs: &'r [Measured<'a>],
    untuned: ArmKind,
) -> impl Iterator<Item = (&'a str, ArmKind, Vec<&'r Measured<'a>>)> {
    optimizers.iter().flat_map(move |optimizer| {
        [untuned, ArmKind::Tuned]
            .into_iter()
            .filter_map(move |kind| {
                let of = |run: &&Measured| {
                    run.listed.optimizer == *optimizer && is(&run.listed.role, kind)
                };
                let own: Vec<&Measured> = runs.iter().filter(of).collect();
                (!own.is_empty()).then_some((*optimizer, kind, own))
            })
    })
}

fn is(role: &Role, kind: ArmKind) -> bool {
    match role {
        Role::Defaults => kind != ArmKind::Tuned,
        Role::Tuned => kind == ArmKind::Tuned,
        Role::Trial { .. } | Role::Sweep { .. } => false,
    }
}

/// All reported arms of a workload.
pub(super) fn of(
    listing: &Listing,
    workload: &Workload,
    optimizers: &[&str],
    runs: &[Measured],
    target: Option<Target>,
    untuned: ArmKind,
) -> Vec<Arm> {
    reported(optimizers, runs, untuned)
        .map(|(optimizer, kind, own)| {
            let chosen = listing.choices.iter().find(|choice| {
                kind == ArmKind::Tuned
                    && choice.workload == workload.name
                    && choice.optimizer == optimizer
            });
            let mut runs: Vec<RunMeasures> = own.iter().map(|run| run.measures(target)).collect();
            runs.sort_by_key(|run| run.seed);
            let mut arm = Arm::of(optimizer, kind, runs, target.is_some());
            arm.method = own.first().and_then(|run| run.listed.method.clone());
            if let Some(choice) = chosen {
                arm.values.clone_from(&choice.values);
            }
            arm
        })
        .collect()
}

/// Whether an arm is one of ours: by its optimizer, whatever it is called.
pub(crate) fn is_ours(name: &str, method: Option<&str>) -> bool {
    method.unwrap_or(name).starts_with("koala")
}

impl Arm {
    /// An optimizer's runs, summed up.
    fn of(optimizer: &str, kind: ArmKind, runs: Vec<RunMeasures>, targeted: bool) -> Self {
        let completed = |run: &&RunMeasures| run.state == RunState::Completed;
        let over = |value: fn(&RunMeasures) -> Option<f64>| {
            Summary::of(runs.iter().filter(completed).filter_map(value))
        };
        // What was never reached is infinite, and so is what a failed run would have needed.
        let until = |value: fn(&RunMeasures) -> Option<f64>| {
            let known = runs.iter().filter(|run| targeted && run.state.is_over());
            Summary::of(known.map(|run| value(run).unwrap_or(f64::INFINITY)))
        };
        Self {
            optimizer: optimizer.to_owned(),
            method: None,
            kind,
            values: Default::default(),
            n: runs.iter().filter(completed).count(),
            final_validation: over(|run| run.final_validation),
            best_validation: over(|run| run.best_validation),
            test: over(|run| run.test),
            best_test: over(|run| run.best_test),
            train_loss: over(|run| run.train_loss),
            steps_to_target: until(|run| run.steps_to_target.map(|steps| steps as f64)),
            examples_to_target: until(|run| run.examples_to_target.map(|examples| examples as f64)),
            seconds_to_target: until(|run| run.seconds_to_target),
            seconds_per_step: over(|run| run.seconds_per_step),
            optimizer_seconds_per_step: over(|run| run.optimizer_seconds_per_step),
            state_bytes: runs.iter().filter_map(|run| run.state_bytes).max(),
            runs,
        }
    }

    /// Whether it is one of ours.
    pub(crate) fn is_koala(&self) -> bool {
        is_ours(&self.optimizer, self.method.as_deref())
    }

    /// How many of its runs failed.
    pub fn failed(&self) -> usize {
        let failed = |run: &&RunMeasures| matches!(run.state, RunState::Failed { .. });
        self.runs.iter().filter(failed).count()
    }

    /// Whether all of its runs have come to their end, or failed.
    pub fn is_over(&self) -> bool {
        self.runs.iter().all(|run| run.state.is_over())
    }
}

impl RunState {
    /// Whether nothing more is to come.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed { .. })
    }
}
