//! The answer without a reference.

use crate::compare::verdict::leader;
use crate::compare::words::{count, list};
use crate::{Entrant, WorkloadComparison};

/// What is said where nobody can be held against anybody's reference: who has the lowest means.
pub(super) fn lowest(field: &[Entrant], workloads: &[WorkloadComparison]) -> String {
    let mut first: Vec<(String, Vec<&str>)> = Vec::new();
    let mut known = 0;
    for workload in workloads {
        let of_field = |arm: &&crate::Arm| {
            let mut entrants = field.iter();
            entrants.any(|entrant| entrant.on(workload).is_some_and(|own| own == *arm))
        };
        let arms = workload.arms.iter().filter(of_field);
        let best = arms
            .filter_map(|arm| Some((arm, arm.test.mean?)))
            .min_by(|one, other| one.1.total_cmp(&other.1));
        let Some((arm, _)) = best else { continue };
        known += 1;
        let entrant = Entrant {
            optimizer: arm.optimizer.clone(),
            method: arm.method.clone(),
            kind: arm.kind,
        };
        let words = entrant.words();
        match first.iter_mut().find(|(name, _)| *name == words) {
            Some((_, places)) => places.push(&workload.name),
            None => first.push((words, vec![&workload.name])),
        }
    }
    match (workloads, field, first.as_slice()) {
        ([], ..) | (_, [], _) | (.., []) => "No run has come to its end yet.".to_owned(),
        ([only], [one], _) => {
            let mean = leader(only, one.kind).and_then(|arm| arm.test.mean);
            format!(
                "On {}, {} has a mean test {} of {}: there is nothing to compare it with.",
                only.name,
                one.words(),
                only.measure.noun(),
                mean.map_or_else(String::new, |mean| only.measure.value(mean))
            )
        }
        (_, [one], _) => format!(
            "{} alone, on {}: there is nothing to compare it with.",
            one.words(),
            count(known, "problem")
        ),
        ([only], _, [(name, _), ..]) => format!(
            "On {}, {name} has the lowest mean test {} of {}; who can be told from whom stands below.",
            only.name,
            only.measure.noun(),
            count(field.len(), "optimizer")
        ),
        _ => {
            first.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
            let told: Vec<String> = first
                .iter()
                .map(|(name, places)| format!("{name} on {}", places.len()))
                .collect();
            format!(
                "Lowest mean test result on your {}: {}; who can be told from whom stands below.",
                count(known, "problem"),
                list(&told)
            )
        }
    }
}
