//! What is said of one arm against the reference at one length.

use super::Said;
use super::found::{Found, counts};
use super::mean_verdict::{FEW, MeanVerdict};
use crate::compare::words::{count, interval, interval_of, list, ratio, signed};
use crate::statistics::LEAST;
use crate::{ArmAgainst, AtHorizon, Entrant, Facing, Finding, Measure, RatioOn};

/// What a line is about.
pub(super) struct Line<'a> {
    pub entrant: &'a Entrant,
    pub arm: &'a ArmAgainst,
    pub reference: String,
    pub measure: Option<Measure>,
    pub at: &'a AtHorizon,
    pub lengths: bool,
}

impl Line<'_> {
    /// At which length, if there are several and it is not the workloads' own: "at 2 times their length".
    fn length(&self) -> Option<String> {
        let factor = self
            .at
            .factor
            .filter(|factor| self.lengths && *factor != 1.0)?;
        let whose = match self.arm.on.len() {
            1 => "its",
            _ => "their",
        };
        Some(format!("at {factor} times {whose} length"))
    }

    /// Of several workloads at another length, all of them held against the reference: findings and numbers, names left out.
    pub fn brief(&self) -> Option<Said> {
        let on = &self.arm.on;
        if on.len() < 2 || !on.iter().all(|on| on.state == Facing::Compared) {
            return None;
        }
        let over_all = [
            self.mean_in_short(),
            MeanVerdict::of(&self.arm.result).map(|found| found.brief()),
        ];
        let over_all: Vec<String> = over_all.into_iter().flatten().collect();
        let told = [over_all.join(", "), list(&counts(on))];
        let told: Vec<String> = told.into_iter().filter(|part| !part.is_empty()).collect();
        let length = self.length()?.replacen("at", "At", 1);
        let words = format!("{length}: {}.", told.join("; "));
        Some((words, self.adjusted(on).unwrap_or_default()))
    }

    /// The answer at this length in full, with the numbers behind it.
    pub fn words(&self) -> Said {
        let length = self
            .length()
            .map_or_else(String::new, |at| format!(" {at}"));
        let subject = self.entrant.words();
        let (place, (verdict, grounds)) = match self.arm.on.as_slice() {
            [only] => (format!("On {}", only.workload), self.one(only)),
            on => (
                format!("On your {}", count(on.len(), "problem")),
                self.several(on),
            ),
        };
        (format!("{place}{length}, {subject} {verdict}."), grounds)
    }

    /// What is said of the only workload.
    fn one(&self, on: &RatioOn) -> Said {
        let reference = &self.reference;
        let bare = |text: String| (text, String::new());
        let verdict = match (on.state, on.finding) {
            (Facing::Failed, _) => {
                let came = self.at.references.iter().any(|on| on.test.is_some());
                return bare(match came {
                    true => format!("fails, and {reference} does not"),
                    false => format!("fails, and {reference} has no result either"),
                });
            }
            (Facing::ReferenceFailed, _) => {
                return bare(format!("comes to its end, and {reference} fails"));
            }
            (Facing::Compared, Some(Finding::FirstBetter)) => "is better than",
            (Facing::Compared, Some(Finding::SecondBetter)) => "is worse than",
            (Facing::Compared, Some(Finding::TooFew)) => {
                let verdict = format!(
                    "stands beside {reference}: it takes {LEAST} seeds to say who is better"
                );
                return (verdict, self.difference(on));
            }
            (Facing::Compared, _) => {
                return (
                    format!("is too close to {reference} to call"),
                    self.difference(on),
                );
            }
            (Facing::NoRatio, _) => {
                return bare(format!(
                    "cannot be held against {reference}: their results have no ratio"
                ));
            }
            (Facing::Open | Facing::Absent, _) => {
                return bare(format!("has not been held against {reference} yet"));
            }
        };
        (format!("{verdict} {reference}"), self.difference(on))
    }

    /// The difference on the only workload, with the interval that decides.
    fn difference(&self, on: &RatioOn) -> String {
        let (Some(measure), Some(difference)) = (self.measure, on.difference) else {
            return String::new();
        };
        let digits = measure.digits();
        let ends = match on.interval {
            Some(ends) => format!("95 % interval {}, ", interval(ends, digits)),
            None => String::new(),
        };
        format!(
            "Its test {} differs by {} {} ({ends}{}).",
            measure.noun(),
            signed(difference, digits),
            measure.difference(),
            count(on.seeds, "seed")
        )
    }

    fn noun(&self) -> &'static str {
        self.measure.map_or("result", Measure::noun)
    }

    /// What is said over all workloads, and of how many of them what.
    fn several(&self, on: &[RatioOn]) -> Said {
        let state = |state: Facing| on.iter().filter(|on| on.state == state).count();
        let all = on.len();
        let (fails, spared) = (state(Facing::Failed), state(Facing::ReferenceFailed));
        let mut told = Vec::new();
        if fails == all {
            let came = self.at.references.iter().filter(|on| on.test.is_some());
            let came = match came.count() {
                0 => format!("{} has no result either", self.reference),
                some if some == all => format!("{} on none", self.reference),
                some => format!("{} comes to its end on {some}", self.reference),
            };
            return (format!("fails on all of them, and {came}"), String::new());
        }
        let each = self.each(on);
        match MeanVerdict::of(&self.arm.result) {
            _ if fails > 0 => {
                told.push(format!(
                    "fails on {fails} of them ({})",
                    list(&self.arm.fails)
                ));
                told.extend(each);
            }
            Some(found) => told.push(format!(
                "{}: {}",
                found.words(&self.reference),
                list(&counts(on))
            )),
            None => told.extend(each),
        }
        if spared > 0 {
            let on = match spared == all {
                true => "all".to_owned(),
                false => spared.to_string(),
            };
            told.push(format!(
                "comes to its end on {on} where {} fails",
                self.reference
            ));
        }
        let open = state(Facing::Open) + state(Facing::Absent);
        if told.is_empty() {
            let verdict = format!("has not been held against {} yet", self.reference);
            return (verdict, String::new());
        }
        if open > 0 {
            told.push(format!("has yet to be held against it on {open}"));
        }
        let grounds = [self.mean(), self.adjusted(on)];
        let grounds: Vec<String> = grounds.into_iter().flatten().collect();
        (told.join("; it "), grounds.join(" "))
    }

    /// The mean ratio with its interval.
    fn mean(&self) -> Option<String> {
        let mean = self.arm.result.mean?;
        let ends = interval_of(&self.arm.result).map_or_else(String::new, |ends| {
            match self.arm.result.workloads < FEW {
                // docs/protocol.md: resamples of so few never lead out of the ratios themselves.
                true => {
                    format!("; resamples of so few problems {ends}, which holds less than 95 %")
                }
                false => format!("; 95 % interval {ends}"),
            }
        });
        Some(format!(
            "Overall its test {} is {} times as large (geometric mean{ends}).",
            self.noun(),
            ratio(mean)
        ))
    }

    /// The same, where the kind of mean and of interval has been told.
    fn mean_in_short(&self) -> Option<String> {
        let mean = ratio(self.arm.result.mean?);
        let ends = interval_of(&self.arm.result);
        let ends = ends.map_or_else(String::new, |ends| format!(" ({ends})"));
        Some(format!(
            "test {} {mean} times as large overall{ends}",
            self.noun()
        ))
    }

    /// On how many workloads what was found, where nothing has been said of the reference yet; nothing if none was compared.
    fn each(&self, on: &[RatioOn]) -> Option<String> {
        let reference = &self.reference;
        let found = Found::of(on);
        let told = |what: &str, some: usize| match some == on.len() {
            true => format!("is {what} than {reference} on all of them"),
            false => format!("is {what} than {reference} on {some}"),
        };
        let mut told = match (found.better, found.worse) {
            (0, 0) if found.undecided > 0 => {
                let on_which = match found.undecided == on.len() {
                    true => "on any of them".to_owned(),
                    false => format!("on {}", found.undecided),
                };
                format!("is too close to {reference} to call {on_which}")
            }
            (0, 0) if found.few > 0 => {
                return Some(format!(
                    "stands beside {reference}: it takes {LEAST} seeds to say who is better"
                ));
            }
            (0, 0) => return None,
            (better, 0) => told("better", better),
            (0, worse) => told("worse", worse),
            (better, worse) => format!("{} and worse on {worse}", told("better", better)),
        };
        if found.better + found.worse > 0 && found.undecided > 0 {
            told.push_str(&format!(", {} undecided", found.undecided));
        }
        if found.few > 0 {
            told.push_str(&format!(", too few seeds on {}", found.few));
        }
        Some(told)
    }

    /// How many of the findings hold when p is adjusted for all of them.
    fn adjusted(&self, on: &[RatioOn]) -> Option<String> {
        let compared = on.iter().filter(|on| on.state == Facing::Compared);
        let all = compared
            .clone()
            .filter(|on| on.finding != Some(Finding::TooFew))
            .count();
        let found = |finding: Finding| {
            let such = compared.clone().filter(|on| on.finding == Some(finding));
            (such.clone().count(), such.filter(|on| on.survives).count())
        };
        let told: Vec<String> = [
            ("better", Finding::FirstBetter),
            ("worse", Finding::SecondBetter),
        ]
        .into_iter()
        .filter_map(|(word, finding)| {
            let (some, surviving) = found(finding);
            (some > 0).then(|| match surviving {
                0 => format!("{word} on none"),
                surviving => format!("{word} on {surviving}"),
            })
        })
        .collect();
        (all > 1 && !told.is_empty())
            .then(|| format!("Adjusted for {all} comparisons: {}.", list(&told)))
    }
}
