//! The answer in a line, and the numbers behind it in another. Every word follows from an interval, a count or a state that the report shows.

mod doubts;
mod found;
mod line;
mod lowest;
mod mean_verdict;

use self::doubts::doubts;
use self::line::Line;
use self::lowest::lowest;
use crate::compare::reference::who;
use crate::{AgainstReference, ArmKind, AtHorizon, BEST, Entrant, Measure, WorkloadComparison};

/// What is said of one length: the answer, and the numbers behind it.
pub(super) type Said = (String, String);

/// The answer, and the same at other lengths than that of the workloads.
pub(super) fn of(
    field: &[Entrant],
    workloads: &[WorkloadComparison],
    against: Option<&AgainstReference>,
) -> (Said, Vec<Said>) {
    let mut answers = against.map_or_else(Vec::new, |against| answers(field, workloads, against));
    if answers.is_empty() {
        answers.push((lowest(field, workloads), String::new()));
    }
    let (mut answer, grounds) = answers.remove(0);
    answer.push_str(&doubts(workloads));
    ((answer, grounds), answers)
}

/// A line for each length, that of the workloads themselves first; none if there is nobody to speak of. What the first has named is
/// not named again.
fn answers(
    field: &[Entrant],
    workloads: &[WorkloadComparison],
    against: &AgainstReference,
) -> Vec<Said> {
    let horizons = against.own_length_first();
    let mut named = None;
    let line = |at: &&AtHorizon| {
        // The first of the suite: to choose the best by what is judged would make it better than it is.
        let of = |entrant: &Entrant| {
            let mut arms = at.arms.iter();
            arms.find(|arm| arm.optimizer == entrant.optimizer && arm.kind == entrant.kind)
                .filter(|arm| !arm.is_reference)
        };
        let koala = field.iter().filter(|entrant| entrant.is_koala());
        let others = field.iter().filter(|entrant| !entrant.is_koala());
        let (entrant, arm) = koala
            .chain(others)
            .find_map(|entrant| Some((entrant, of(entrant)?)))?;
        let reference = name(&against.name, at);
        let whose = (entrant.words(), reference.clone());
        let line = Line {
            entrant,
            arm,
            reference,
            measure: measure(workloads),
            at,
            lengths: against.horizons.len() > 1,
        };
        let words = match named.as_ref() == Some(&whose) {
            true => line.brief(),
            false => None,
        };
        named.get_or_insert(whose);
        Some(words.unwrap_or_else(|| line.words()))
    };
    horizons.iter().filter_map(line).collect()
}

/// The one measure of all workloads; nothing if they have several.
fn measure(workloads: &[WorkloadComparison]) -> Option<Measure> {
    let first = workloads.first()?.measure;
    workloads
        .iter()
        .all(|workload| workload.measure == first)
        .then_some(first)
}

/// The reference as the answer calls it: `tuned adamw`, `the best tuned baseline`.
pub(in crate::compare::overview) fn name(reference: &str, at: &AtHorizon) -> String {
    let known: Vec<_> = at
        .references
        .iter()
        .filter(|on| on.optimizer.is_some())
        .collect();
    let kind = |of: ArmKind| !known.is_empty() && known.iter().all(|on| on.kind == of);
    if reference != BEST {
        return match kind(ArmKind::Tuned) {
            true => format!("tuned {reference}"),
            false => who(reference, at)
                .replace("(defaults)", "(untuned)")
                .replace(" (own)", ""),
        };
    }
    let tuned = if kind(ArmKind::Tuned) { "tuned " } else { "" };
    match known.as_slice() {
        [only] if at.references.len() == 1 => {
            let optimizer = only.optimizer.as_deref().unwrap_or_default();
            format!("{tuned}{optimizer} (the best baseline)")
        }
        _ => format!("the best {tuned}baseline"),
    }
}
