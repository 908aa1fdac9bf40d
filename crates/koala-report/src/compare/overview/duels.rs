//! Every pair of the field, counted over the workloads.

use crate::compare::pairs;
use crate::{
    Arm, CONFIDENCE, Choice, Duel, Entrant, Finding, Paired, RunState, Verdicts, WorkloadComparison,
};

/// Every pair, the first standing before the second.
pub(super) fn of(
    field: &[Entrant],
    workloads: &[WorkloadComparison],
    choices: &[Choice],
) -> Vec<Duel> {
    let mut duels: Vec<Duel> = (0..field.len())
        .flat_map(|first| (first + 1..field.len()).map(move |second| (first, second)))
        .map(|(first, second)| Duel {
            first,
            second,
            ..Duel::default()
        })
        .collect();
    for workload in workloads {
        let ends: Vec<End> = field
            .iter()
            .map(|entrant| End::of(entrant, workload, choices))
            .collect();
        // Those of which there is something to compare, adjusted together.
        let both = |duel: &Duel| Some((ends[duel.first].arm?, ends[duel.second].arm?));
        let mut compared = pairs::family(duels.iter().filter_map(both)).into_iter();
        for duel in &mut duels {
            let pair = match both(duel) {
                Some(_) => compared.next(),
                None => None,
            };
            let (first, second) = (&ends[duel.first], &ends[duel.second]);
            duel.count(first, second, pair.as_ref());
        }
    }
    duels
}

/// How an arm stands on a workload.
struct End<'a> {
    arm: Option<&'a Arm>,
    /// Whether every run of it failed, or every trial.
    lost: bool,
    /// Whether every run of it came to its end.
    whole: bool,
}

impl<'a> End<'a> {
    fn of(entrant: &Entrant, workload: &'a WorkloadComparison, choices: &[Choice]) -> Self {
        let arm = entrant.on(workload);
        let untunable = choices.iter().any(|choice| {
            choice.workload == workload.name
                && choice.optimizer == entrant.optimizer
                && choice.trial.is_none()
                && entrant.kind == crate::ArmKind::Tuned
        });
        let all = |state: fn(&RunState) -> bool| {
            arm.is_some_and(|arm| {
                !arm.runs.is_empty() && arm.runs.iter().all(|run| state(&run.state))
            })
        };
        Self {
            arm,
            lost: untunable || all(|state| matches!(state, RunState::Failed { .. })),
            whole: all(|state| *state == RunState::Completed),
        }
    }
}

impl Duel {
    fn count(&mut self, first: &End, second: &End, pair: Option<&Paired>) {
        // No statistics are needed to see who failed every time.
        match (first, second) {
            (End { whole: true, .. }, End { lost: true, .. }) => return self.better.add(true),
            (End { lost: true, .. }, End { whole: true, .. }) => return self.worse.add(true),
            _ => {}
        }
        let adjusted = pair.and_then(|pair| pair.adjusted);
        let survives = adjusted.is_some_and(|adjusted| adjusted < 1.0 - CONFIDENCE);
        match pair.map(|pair| pair.finding) {
            Some(Finding::FirstBetter) => self.better.add(survives),
            Some(Finding::SecondBetter) => self.worse.add(survives),
            Some(Finding::Undecided | Finding::Same) => self.undecided += 1,
            Some(Finding::TooFew) | None => self.unknown += 1,
        }
    }
}

impl Verdicts {
    fn add(&mut self, adjusted: bool) {
        self.all += 1;
        self.adjusted += usize::from(adjusted);
    }
}
