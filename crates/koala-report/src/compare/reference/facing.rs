//! An arm against the reference on one workload.

use super::problem::{Problem, Side};
use crate::compare::measure::Measured;
use crate::statistics::{Differences, Matched, ratio};
use crate::{Facing, RatioOn, RunState};

/// The ratios, and the values that they are made of.
pub(super) struct Faced {
    pub(super) told: RatioOn,
    /// Test results, seed by seed.
    pub(super) results: Vec<Matched>,
    /// Steps to the target, seed by seed; nothing if the reference does not get there.
    pub(super) steps: Option<Vec<Matched>>,
    /// [`Differences::two_sided`], to be adjusted.
    pub(super) two_sided: Option<f64>,
}

/// An arm against the reference; either may not be there.
pub(super) fn of(problem: &Problem, arm: Option<&Side>, reference: Option<&Side>) -> Faced {
    let mut faced = Faced {
        told: RatioOn {
            workload: problem.name.to_owned(),
            state: Facing::Open,
            seeds: 0,
            result: None,
            difference: None,
            interval: None,
            finding: None,
            survives: false,
            steps: None,
            at_least: false,
        },
        results: Vec::new(),
        steps: None,
        two_sided: None,
    };
    faced.told.state = match (arm, reference) {
        (None, _) => Facing::Absent,
        (Some(arm), _) if arm.failed() => Facing::Failed,
        (_, Some(reference)) if reference.failed() => Facing::ReferenceFailed,
        (_, None) => Facing::Open,
        (Some(arm), Some(reference)) => faced.fill(problem, arm, reference),
    };
    faced
}

impl Faced {
    fn fill(&mut self, problem: &Problem, arm: &Side, reference: &Side) -> Facing {
        let seeds = common(arm, reference);
        self.told.seeds = seeds.len();
        if seeds.is_empty() {
            return match arm.is_over() && reference.is_over() {
                true => Facing::NoRatio,
                false => Facing::Open,
            };
        }
        let counted = |run: &Measured| problem.counted(run.test()?);
        let results: Option<Vec<Matched>> = seeds
            .iter()
            .map(|(arm, reference)| Some((counted(arm)?, counted(reference)?)))
            .collect();
        let Some(result) = results.as_deref().and_then(ratio) else {
            return Facing::NoRatio;
        };
        let differences: Vec<f64> = seeds
            .iter()
            .filter_map(|(arm, reference)| Some(arm.test()? - reference.test()?))
            .collect();
        let found = Differences::of(&differences);
        self.told.difference = found.mean;
        self.told.interval = found.interval;
        // Neither has a run that failed.
        self.told.finding = Some(found.finding((true, true)));
        self.two_sided = found.two_sided;
        self.results = results.unwrap_or_default();
        self.told.result = Some(result);
        let times: Option<Vec<Times>> = seeds
            .iter()
            .map(|(arm, reference)| times(problem.workload.target, arm, reference))
            .collect();
        if let Some(times) = times {
            let steps: Vec<Matched> = times.iter().map(|time| time.steps).collect();
            self.told.steps = ratio(&steps);
            self.told.at_least = times.iter().any(|time| !time.reached);
            self.steps = Some(steps);
        }
        Facing::Compared
    }
}

/// The runs of both, of the seeds with which both came to their end.
fn common<'s, 'a>(
    arm: &'s Side<'a>,
    reference: &'s Side<'a>,
) -> Vec<(&'s Measured<'a>, &'s Measured<'a>)> {
    let done = |run: &&Measured| run.state == RunState::Completed;
    let runs = arm.runs.iter().filter(done);
    runs.filter_map(|run| {
        let mut others = reference.runs.iter().filter(done);
        Some((
            run,
            others.find(|other| other.listed.seed == run.listed.seed)?,
        ))
    })
    .collect()
}

/// Steps to the target with one seed.
struct Times {
    /// The arm's, all of its steps if it never gets there, and the reference's.
    steps: Matched,
    reached: bool,
}

/// Steps until the held-out samples are as good as `target`, the workload's, or else as the reference's own in the end of its run
/// with the same seed; nothing if the reference itself does not get there, or holds no samples out.
fn times(target: Option<f64>, arm: &Measured, reference: &Measured) -> Option<Times> {
    let own = reference.last();
    let value = target.or(own)?;
    let at = match reference.reached(value) {
        Some(at) => at.step,
        // A log may have lost its end.
        None if target.is_none() => reference.steps()?,
        None => return None,
    };
    let reached = arm.reached(value);
    let steps = match reached {
        Some(at) => at.step,
        None => arm.steps()?,
    };
    // Nothing is there before the first step.
    let counted = |steps: u64| steps.max(1) as f64;
    Some(Times {
        steps: (counted(steps), counted(at)),
        reached: reached.is_some(),
    })
}
