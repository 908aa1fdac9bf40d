//! How often each finding came out.

use crate::{Facing, Finding, RatioOn};

/// On how many of the workloads that could be compared each finding came out.
pub(super) struct Found {
    pub better: usize,
    pub worse: usize,
    pub undecided: usize,
    pub few: usize,
}

impl Found {
    pub fn of(on: &[RatioOn]) -> Self {
        let compared = on.iter().filter(|on| on.state == Facing::Compared);
        let found = |finding: Finding| {
            let such = compared.clone();
            such.filter(|on| on.finding == Some(finding)).count()
        };
        Self {
            better: found(Finding::FirstBetter),
            worse: found(Finding::SecondBetter),
            undecided: found(Finding::Undecided) + found(Finding::Same),
            few: found(Finding::TooFew),
        }
    }
}

/// "better on 5", "undecided on 7": what came out nowhere is left out.
pub(super) fn counts(on: &[RatioOn]) -> Vec<String> {
    let found = Found::of(on);
    let parts = [
        ("better", found.better),
        ("worse", found.worse),
        ("undecided", found.undecided),
        ("too few seeds", found.few),
    ];
    let told = parts.into_iter().filter(|(_, some)| *some > 0);
    told.map(|(what, some)| match some == on.len() {
        true => format!("{what} on all of them"),
        false => format!("{what} on {some}"),
    })
    .collect()
}
