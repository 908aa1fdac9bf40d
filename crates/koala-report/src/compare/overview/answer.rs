//! The answer in a line, and the numbers behind it in another. Every word follows from an interval, a count or a state that the report shows.

use crate::compare::reference::who;
use crate::compare::verdict::leader;
use crate::compare::words::{count, interval, interval_of, list, ratio, signed};
use crate::statistics::LEAST;
use crate::{
    AgainstReference, ArmAgainst, ArmKind, AtHorizon, BEST, Entrant, Facing, Finding, Measure,
    RatioOn, WorkloadComparison,
};

/// An arm whose whole interval is no farther from the reference than this factor is said to be within so many percent of it.
const NEAR: f64 = 1.05;
/// Of fewer workloads no resample reaches far enough for a confidence of 95 %.
const FEW: usize = 6;

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
pub(super) fn name(reference: &str, at: &AtHorizon) -> String {
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
            format!("{tuned}{optimizer}, the best baseline")
        }
        _ => format!("the best {tuned}baseline"),
    }
}

/// What a line is about.
struct Line<'a> {
    entrant: &'a Entrant,
    arm: &'a ArmAgainst,
    reference: String,
    measure: Option<Measure>,
    at: &'a AtHorizon,
    lengths: bool,
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
    fn brief(&self) -> Option<Said> {
        let on = &self.arm.on;
        if on.len() < 2 || !on.iter().all(|on| on.state == Facing::Compared) {
            return None;
        }
        let over_all = [
            self.mean_in_short(),
            self.over_all().map(|found| found.brief()),
        ];
        let over_all: Vec<String> = over_all.into_iter().flatten().collect();
        let told = [over_all.join(", "), list(&counts(on))];
        let told: Vec<String> = told.into_iter().filter(|part| !part.is_empty()).collect();
        let length = self.length()?.replacen("at", "At", 1);
        let words = format!("{length}: {}.", told.join("; "));
        Some((words, self.adjusted(on).unwrap_or_default()))
    }

    fn words(&self) -> Said {
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
        match self.over_all() {
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

    /// What the interval of the mean ratio says. Of few problems it holds too little to call one better.
    fn over_all(&self) -> Option<OverAll> {
        let ends = self.arm.result.interval?;
        let near = (ends.high - 1.0).max(1.0 / ends.low - 1.0);
        Some(if near <= NEAR - 1.0 {
            // Rounded up: no more than what holds.
            OverAll::Within((100.0 * near).ceil().max(1.0))
        } else if self.arm.result.workloads < FEW {
            return None;
        } else if ends.high < 1.0 {
            OverAll::Better
        } else if ends.low > 1.0 {
            OverAll::Worse
        } else {
            OverAll::Undecided
        })
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

/// What the interval of a mean ratio says.
enum OverAll {
    /// No farther from the reference than so many percent.
    Within(f64),
    Better,
    Worse,
    Undecided,
}

impl OverAll {
    fn words(&self, reference: &str) -> String {
        match self {
            Self::Within(percent) => format!("is within {percent:.0} % of {reference}"),
            Self::Better => format!("is better overall than {reference}"),
            Self::Worse => format!("is worse overall than {reference}"),
            Self::Undecided => format!("is too close to {reference} to call overall"),
        }
    }

    /// Behind the number that it is about.
    fn brief(&self) -> String {
        match self {
            Self::Within(percent) => format!("within {percent:.0} %"),
            Self::Better => "better".to_owned(),
            Self::Worse => "worse".to_owned(),
            Self::Undecided => "too close to call".to_owned(),
        }
    }
}

/// On how many of the workloads that could be compared each finding came out.
struct Found {
    better: usize,
    worse: usize,
    undecided: usize,
    few: usize,
}

impl Found {
    fn of(on: &[RatioOn]) -> Self {
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
fn counts(on: &[RatioOn]) -> Vec<String> {
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

/// What is said where nobody can be held against anybody's reference: who has the lowest means.
fn lowest(field: &[Entrant], workloads: &[WorkloadComparison]) -> String {
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

/// What speaks against any verdict.
fn doubts(workloads: &[WorkloadComparison]) -> String {
    let mut doubts = String::new();
    let all = workloads.len();
    let of_all = |some: usize| match (some == all, all) {
        (true, 1) => String::new(),
        (true, _) => " everywhere".to_owned(),
        (false, _) => format!(" on {some} of {all}"),
    };
    let brief: Vec<&WorkloadComparison> = workloads
        .iter()
        .filter(|workload| workload.is_brief())
        .collect();
    if let Some(steps) = brief.iter().filter_map(|workload| workload.steps).max() {
        doubts.push_str(&format!(
            " After {} that is no verdict{}.",
            count(usize::try_from(steps).unwrap_or(usize::MAX), "step"),
            match brief.len() == all {
                true => String::new(),
                false => of_all(brief.len()),
            }
        ));
    }
    let falling = |workload: &&WorkloadComparison| {
        !workload.is_brief() && 2 * workload.falling.len() > workload.arms.len()
    };
    let falling = workloads.iter().filter(falling).count();
    if falling > 0 {
        doubts.push_str(&format!(
            " Most curves still fall at the end{}: more steps may change this.",
            of_all(falling)
        ));
    }
    doubts
}
