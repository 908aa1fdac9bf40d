//! A workload with the runs of each of its arms.

use crate::compare::arms::{optimizers, reported};
use crate::compare::found::Found;
use crate::compare::measure::Measured;
use crate::{ArmKind, Listing, Measure, Role, RunState, Workload};

/// An error of less than half a sample cannot be told from none: what a result counts as at least. So many samples are taken
/// where the listing does not say how many there were.
const SAMPLES: f64 = 10_000.0;
/// The same for a loss, in nats.
const LEAST_LOSS: f64 = 1e-12;

/// A workload.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) workload: &'a Workload,
    /// Its name without the horizon.
    pub(super) name: &'a str,
    /// Its length as a multiple of the workload's own, if there are several.
    pub(super) factor: Option<f64>,
    pub(super) sides: Vec<Side<'a>>,
}

/// An arm on a workload.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) optimizer: &'a str,
    /// The optimizer, where the arm is called otherwise.
    pub(super) method: Option<&'a str>,
    pub(super) kind: ArmKind,
    pub(super) runs: Vec<Measured<'a>>,
    /// Whether every trial of its tuning failed.
    untunable: bool,
}

impl<'a> Problem<'a> {
    pub(super) fn of(
        listing: &'a Listing,
        workload: &'a Workload,
        found: &'a Found,
        untuned: ArmKind,
    ) -> Self {
        let runs: Vec<Measured> = listing
            .runs
            .iter()
            .filter(|run| run.workload == workload.name)
            .map(|run| Measured::new(run, found.get(&run.folder), workload))
            .collect();
        let mut sides = Vec::new();
        for optimizer in optimizers(&runs) {
            for kind in [untuned, ArmKind::Tuned] {
                let one = [optimizer];
                let own = reported(&one, &runs, untuned)
                    .find(|(_, of, _)| *of == kind)
                    .map(|(_, _, runs)| runs.into_iter().cloned().collect());
                let mut choices = listing.choices.iter();
                let choice = choices.find(|choice| {
                    choice.workload == workload.name && choice.optimizer == optimizer
                });
                // Where there are trials, there will be a tuned arm, or it has failed.
                let tried = kind == ArmKind::Tuned
                    && runs.iter().any(|run| {
                        run.listed.optimizer == optimizer
                            && matches!(run.listed.role, Role::Trial { .. })
                    });
                if own.is_some() || tried {
                    sides.push(Side {
                        optimizer,
                        method: runs
                            .iter()
                            .find(|run| run.listed.optimizer == optimizer)
                            .and_then(|run| run.listed.method.as_deref()),
                        kind,
                        untunable: own.is_none()
                            && choice.is_some_and(|choice| choice.trial.is_none()),
                        runs: own.unwrap_or_default(),
                    });
                }
            }
        }
        Self {
            name: match &workload.horizon {
                Some(horizon) => &horizon.of,
                None => &workload.name,
            },
            factor: workload.horizon.as_ref().map(|horizon| horizon.factor),
            workload,
            sides,
        }
    }

    pub(super) fn side(&self, optimizer: &str, kind: ArmKind) -> Option<&Side<'a>> {
        let mut sides = self.sides.iter();
        sides.find(|side| side.optimizer == optimizer && side.kind == kind)
    }

    /// What a result counts as at least, so that it has a ratio.
    pub(super) fn least(&self) -> f64 {
        match self.workload.measure {
            Measure::Error => {
                let samples = self.workload.test_samples.map(|samples| samples as f64);
                50.0 / samples.filter(|samples| *samples >= 1.0).unwrap_or(SAMPLES)
            }
            Measure::Loss | Measure::SquaredError => LEAST_LOSS,
        }
    }

    /// A test result as it goes into a ratio; nothing for what has none.
    pub(super) fn counted(&self, value: f64) -> Option<f64> {
        (value >= 0.0).then(|| value.max(self.least()))
    }
}

impl Side<'_> {
    /// Whether it has runs that failed, or could not be tuned.
    pub(super) fn failed(&self) -> bool {
        let failed = |run: &Measured| matches!(run.state, RunState::Failed { .. });
        self.untunable || self.runs.iter().any(failed)
    }

    /// Whether all of its runs are over.
    pub(super) fn is_over(&self) -> bool {
        self.untunable || !self.runs.is_empty() && self.runs.iter().all(|run| run.state.is_over())
    }

    /// The mean over its seeds; infinite if it failed, nothing as long as it is not over.
    pub(super) fn mean(&self, value: fn(&Measured) -> Option<f64>) -> Option<f64> {
        if self.failed() {
            return Some(f64::INFINITY);
        }
        if !self.is_over() {
            return None;
        }
        let values: Option<Vec<f64>> = self.runs.iter().map(value).collect();
        let values = values?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}
