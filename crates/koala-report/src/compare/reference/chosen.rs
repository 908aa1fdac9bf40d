//! Who the reference is on each workload.

use super::problem::{Problem, Side};
use crate::compare::arms::is_ours;
use crate::compare::words::list;
use crate::{ArmKind, BEST, Error, ReferenceOn};

/// What is asked for.
#[derive(Debug)]
pub(super) enum Wished<'a> {
    /// This optimizer: tuned where it was tuned.
    Optimizer(&'a str),
    /// The best tuned baseline of each workload by held-out samples.
    Best,
}

impl<'a> Wished<'a> {
    /// What a name asks for.
    pub(super) fn named(name: &'a str, problems: &[Problem]) -> Result<Self, Error> {
        if name == BEST {
            return Ok(Self::Best);
        }
        let mut known: Vec<&str> = Vec::new();
        for side in problems.iter().flat_map(|problem| &problem.sides) {
            if !known.contains(&side.optimizer) {
                known.push(side.optimizer);
            }
        }
        match known.contains(&name) || known.is_empty() {
            true => Ok(Self::Optimizer(name)),
            false => Err(Error::NoReference {
                name: name.to_owned(),
                hint: hint(name, &known),
            }),
        }
    }

    /// The reference on a workload; nothing if it is not known yet.
    pub(super) fn on<'p, 'r>(
        &self,
        problem: &'p Problem<'r>,
    ) -> Result<Option<&'p Side<'r>>, Error> {
        let candidates: Vec<&Side> = match self {
            Self::Optimizer(name) => {
                let sides = problem.sides.iter();
                sides.filter(|side| side.optimizer == *name).collect()
            }
            Self::Best => {
                let sides = problem.sides.iter();
                sides.filter(|side| !is_koala(side)).collect()
            }
        };
        let tuned: Vec<&Side> = candidates
            .iter()
            .copied()
            .filter(|side| side.kind == ArmKind::Tuned)
            .collect();
        let candidates = if tuned.is_empty() { candidates } else { tuned };
        match (self, candidates.as_slice()) {
            (_, []) if problem.sides.is_empty() => Ok(None),
            (_, []) => Err(self.without_runs(problem)),
            (Self::Optimizer(_), [first, ..]) => Ok(Some(*first)),
            (Self::Best, several) => Ok(best(several)),
        }
    }

    fn without_runs(&self, problem: &Problem) -> Error {
        let mut there: Vec<&str> = problem.sides.iter().map(|side| side.optimizer).collect();
        there.dedup();
        Error::ReferenceWithoutRuns {
            name: match self {
                Self::Optimizer(name) => (*name).to_owned(),
                Self::Best => BEST.to_owned(),
            },
            workload: problem.workload.name.clone(),
            there: list(&there),
        }
    }
}

/// Ours are what is held against it.
fn is_koala(side: &Side) -> bool {
    is_ours(side.optimizer, side.method)
}

/// The lowest mean of held-out samples with the last weights, the first among equals; nothing as long as one is not over.
/// Test samples have no part in it.
fn best<'p, 'r>(candidates: &[&'p Side<'r>]) -> Option<&'p Side<'r>> {
    let mut best: Option<(f64, &Side)> = None;
    for &side in candidates {
        if !side.is_over() {
            return None;
        }
        // Without held-out samples it is as if it had failed: it can never be chosen by its test result.
        let mean = side.mean(|run| run.last()).unwrap_or(f64::INFINITY);
        if best.is_none_or(|(lowest, _)| mean < lowest) {
            best = Some((mean, side));
        }
    }
    best.map(|(_, side)| side)
}

/// What is told of the reference on a workload.
pub(super) fn told(problem: &Problem, reference: Option<&Side>) -> ReferenceOn {
    ReferenceOn {
        workload: problem.name.to_owned(),
        optimizer: reference.map(|side| side.optimizer.to_owned()),
        kind: reference.map_or(ArmKind::Tuned, |side| side.kind),
        measure: problem.workload.measure,
        test: reference
            .and_then(|side| side.mean(|run| run.test()))
            .filter(|mean| mean.is_finite()),
        failed: reference.is_some_and(Side::failed),
    }
}

/// `, did you mean 'x'?`, or what there is.
fn hint(name: &str, known: &[&str]) -> String {
    let distances = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known));
    match distances.min() {
        Some((distance, nearest)) if distance <= 2.max(name.len() / 3) => {
            format!(", did you mean '{nearest}'?")
        }
        _ => format!("; there are: {}, and '{BEST}'", known.join(", ")),
    }
}
