//! Who is held against whom at first sight: each optimizer once.

use crate::compare::arms::is_ours;
use crate::{Arm, ArmKind, Entrant, WorkloadComparison};

/// Each optimizer tuned if it was tuned anywhere, else as it is, in the order of the suite.
pub(super) fn of(workloads: &[WorkloadComparison]) -> Vec<Entrant> {
    let mut field: Vec<Entrant> = Vec::new();
    let tuned = |optimizer: &str| {
        let chosen = |workload: &WorkloadComparison| {
            let mut choices = workload.choices.iter();
            choices.any(|choice| choice.optimizer == optimizer)
        };
        workloads.iter().any(|workload| {
            let mut arms = workload.arms.iter();
            arms.any(|arm| arm.optimizer == optimizer && arm.kind == ArmKind::Tuned)
                || chosen(workload)
        })
    };
    for arm in workloads.iter().flat_map(|workload| &workload.arms) {
        if field.iter().any(|known| known.optimizer == arm.optimizer) {
            continue;
        }
        field.push(Entrant {
            optimizer: arm.optimizer.clone(),
            method: arm.method.clone(),
            kind: match tuned(&arm.optimizer) {
                true => ArmKind::Tuned,
                false => arm.kind,
            },
        });
    }
    field
}

impl Entrant {
    /// Its arm on a workload.
    pub(crate) fn on<'a>(&self, workload: &'a WorkloadComparison) -> Option<&'a Arm> {
        let mut arms = workload.arms.iter();
        arms.find(|arm| arm.optimizer == self.optimizer && arm.kind == self.kind)
    }

    /// Whether it is one of ours.
    pub(crate) fn is_koala(&self) -> bool {
        is_ours(&self.optimizer, self.method.as_deref())
    }

    /// As it stands in a sentence: `koala-a (untuned)`; of runs of no suite the optimizer alone.
    pub(crate) fn words(&self) -> String {
        match self.kind {
            ArmKind::Own => self.optimizer.clone(),
            ArmKind::Defaults => format!("{} (untuned)", self.optimizer),
            ArmKind::Tuned => format!("{} (tuned)", self.optimizer),
        }
    }
}
