//! Who failed every time where others did not. That is an answer too, and no mean tells it.

use crate::compare::words::{count, list};
use crate::{Arm, ArmKind, Choice, Sentence, WorkloadComparison};

/// So many names are told; of more, how many there are.
const NAMES: usize = 3;

/// An arm, and where it failed beside whom that came to the end.
type Lost<'a> = ((&'a str, ArmKind), Vec<(&'a str, Vec<&'a str>)>);

/// A sentence for each arm that failed with every seed, or in every trial, where another came to its end with all.
pub(super) fn of(workloads: &[WorkloadComparison], choices: &[Choice]) -> Vec<Sentence> {
    let mut lost: Vec<Lost> = Vec::new();
    for workload in workloads {
        let came: Vec<&str> = workload
            .arms
            .iter()
            .filter(|arm| arm.n > 0 && arm.n == arm.runs.len())
            .map(|arm| arm.optimizer.as_str())
            .collect();
        let failed = |arm: &&Arm| arm.failed() > 0 && arm.failed() == arm.runs.len();
        let arms = workload.arms.iter().filter(failed);
        let arms = arms.map(|arm| (arm.optimizer.as_str(), arm.kind));
        let untunable = choices
            .iter()
            .filter(|choice| choice.workload == workload.name && choice.trial.is_none())
            .map(|choice| (choice.optimizer.as_str(), ArmKind::Tuned));
        for arm in arms.chain(untunable) {
            let mut others: Vec<&str> = Vec::new();
            for name in came.iter().filter(|name| **name != arm.0) {
                if !others.contains(name) {
                    others.push(name);
                }
            }
            if others.is_empty() {
                continue;
            }
            match lost.iter_mut().find(|(known, _)| *known == arm) {
                Some((_, places)) => places.push((&workload.name, others)),
                None => lost.push((arm, vec![(&workload.name, others)])),
            }
        }
    }
    lost.into_iter()
        .map(|((optimizer, kind), places)| {
            let on: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
            // Whoever came to the end on all of them.
            let (_, first) = &places[0];
            let through = |name: &&&str| places.iter().all(|(_, came)| came.contains(name));
            let through: Vec<&str> = first.iter().filter(through).copied().collect();
            Sentence {
                workload: None,
                text: format!(
                    "{optimizer} ({}) failed every time on {}, where {} came to the end with every seed.",
                    kind.name(),
                    list(&on),
                    match through.len() {
                        0 => "others".to_owned(),
                        1..=NAMES => list(&through),
                        many => format!(
                            "{} and {}",
                            through[..NAMES - 1].join(", "),
                            count(many + 1 - NAMES, "other")
                        ),
                    }
                ),
                subject: String::new(),
                evidence: Vec::new(),
            }
        })
        .collect()
}
