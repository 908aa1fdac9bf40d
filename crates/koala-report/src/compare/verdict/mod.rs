//! The verdict in words: no more than the numbers hold.

mod evidence;
mod failures;
mod gains;
mod overall;
mod problem;
mod standings;

pub(crate) use evidence::{gain, seen};
pub(crate) use overall::leader;

use crate::{ArmKind, Choice, Profile, Sentence, WorkloadComparison};

/// Sentences over all workloads, then workload by workload, tuned arms before untuned ones.
pub(super) fn of(
    workloads: &[WorkloadComparison],
    choices: &[Choice],
    profiles: &[Profile],
) -> Vec<Sentence> {
    let mut sentences = failures::of(workloads, choices);
    sentences.extend(overall::of(workloads, profiles));
    for workload in workloads {
        for kind in ArmKind::ALL.into_iter().rev() {
            sentences.extend(problem::of(workload, kind));
        }
        sentences.extend(gains::of(workload));
    }
    sentences
}
