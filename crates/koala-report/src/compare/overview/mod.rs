//! A comparison at a glance: the answer in a line, and who is better than whom.

mod answer;
mod duels;
mod field;

use crate::{AgainstReference, Entrant, Listing, OverAll, OverAllOf, Overview, WorkloadComparison};

/// The overview; `against` is every arm against a reference, if there is one.
pub(super) fn of(
    listing: &Listing,
    workloads: &[WorkloadComparison],
    against: Option<&AgainstReference>,
) -> Overview {
    let field = field::of(workloads);
    let ((answer, grounds), others) = answer::of(&field, workloads, against);
    let lines = others.into_iter();
    let at_other_lengths =
        lines.map(|(answer, grounds)| format!("{answer} {grounds}").trim_end().to_owned());
    let over_all = against.and_then(|against| over_all(&field, against));
    Overview {
        answer,
        grounds,
        at_other_lengths: at_other_lengths.collect(),
        over_all,
        duels: duels::of(&field, workloads, &listing.choices),
        field,
    }
}

/// The field over all workloads of their own length.
fn over_all(field: &[Entrant], against: &AgainstReference) -> Option<OverAll> {
    let at = against.own_length_first().into_iter().next()?;
    let arm = |entrant: &Entrant| {
        let mut arms = at.arms.iter();
        let arm =
            arms.find(|arm| arm.optimizer == entrant.optimizer && arm.kind == entrant.kind)?;
        let on = arm.on.iter();
        let of = OverAllOf {
            result: arm.result.clone(),
            on: on
                .filter_map(|on| Some((on.workload.clone(), on.result?)))
                .collect(),
            fails: arm.fails.len(),
        };
        (of.fails > 0 || !of.on.is_empty()).then_some(of)
    };
    Some(OverAll {
        against: answer::name(&against.name, at),
        workloads: at.references.len(),
        length: at.factor.filter(|_| against.horizons.len() > 1),
        arms: field.iter().map(arm).collect(),
    })
}
