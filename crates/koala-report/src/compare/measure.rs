//! What one run amounts to.

use crate::{
    Evaluated, ListedRun, Measure, Run, RunMeasures, RunResult, RunState, Target, Workload, Writer,
};

/// A run of a suite, and what it was found to be.
#[derive(Debug, Clone)]
pub(super) struct Measured<'a> {
    pub(super) listed: &'a ListedRun,
    run: Option<&'a Run>,
    workload: &'a Workload,
    pub(super) state: RunState,
    /// Held-out samples in the workload's measure, best evaluation.
    pub(super) best: Option<f64>,
}

impl<'a> Measured<'a> {
    pub(super) fn new(listed: &'a ListedRun, run: Option<&'a Run>, workload: &'a Workload) -> Self {
        Self {
            listed,
            run,
            workload,
            state: run.map_or(RunState::Missing, Run::state),
            best: run.and_then(|run| best(run, workload.measure)),
        }
    }

    /// The best evaluation of a run that came to its end, infinity for one that failed; nothing for the others, of which it is
    /// not known yet.
    pub(super) fn best_or_infinite(&self) -> Option<f64> {
        match self.state {
            RunState::Completed => self.best,
            RunState::Failed { .. } => Some(f64::INFINITY),
            RunState::Unfinished | RunState::Missing => None,
        }
    }

    /// Held-out samples with the last weights of a run that came to its end.
    pub(super) fn last(&self) -> Option<f64> {
        match self.state {
            RunState::Completed => self.final_validation(),
            _ => None,
        }
    }

    /// Test samples with the last weights of a run that came to its end.
    pub(super) fn test(&self) -> Option<f64> {
        let result = self.run.and_then(|run| run.result.as_ref());
        match self.state {
            RunState::Completed => result?.figures.test?.of(self.workload.measure),
            _ => None,
        }
    }

    /// Steps of a run that came to its end.
    pub(super) fn steps(&self) -> Option<u64> {
        let result = self.run.and_then(|run| run.result.as_ref());
        result
            .filter(|_| self.state == RunState::Completed)
            .map(|result| result.steps)
    }

    /// Steps and held-out samples of its evaluations, steps ascending, a step once.
    pub(super) fn curve(&self) -> Vec<(f64, f64)> {
        let evaluations = self.run.iter().flat_map(|run| &run.log.evaluations);
        let mut curve: Vec<(f64, f64)> = evaluations
            .filter_map(|at| Some((at.step as f64, at.validation(self.workload.measure)?)))
            .collect();
        // A run that was resumed may have gone back.
        curve.sort_by(|one, other| one.0.total_cmp(&other.0));
        curve.dedup_by_key(|point| point.0);
        curve
    }

    fn final_validation(&self) -> Option<f64> {
        let run = self.run?;
        let measure = self.workload.measure;
        let told = run
            .result
            .as_ref()
            .and_then(|result| result.figures.validation);
        match told {
            Some(validation) => validation.of(measure),
            None => run.log.evaluations.last()?.validation(measure),
        }
    }

    /// The program that wrote it.
    pub(super) fn writer(&self) -> Option<Writer> {
        self.run.map(Run::writer)
    }

    pub(super) fn parameters(&self) -> Option<u64> {
        let run = self.run?;
        let told = run.result.as_ref().and_then(|result| result.parameters);
        told.or_else(|| Some(run.log.start.as_ref()?.parameters))
    }

    /// What is reported of it.
    pub(super) fn measures(&self, target: Option<Target>) -> RunMeasures {
        let measure = self.workload.measure;
        let result = self.run.and_then(|run| run.result.as_ref());
        let reached = target.and_then(|target| self.reached(target.value));
        let figures = result.map(|result| result.figures);
        let per_step = |seconds: fn(&RunResult) -> Option<f64>| {
            let result = result.filter(|result| result.steps > 0)?;
            Some(seconds(result)? / result.steps as f64)
        };
        RunMeasures {
            seed: self.listed.seed,
            folder: self.listed.folder.clone(),
            state: self.state.clone(),
            final_validation: self.final_validation(),
            best_validation: self.best,
            test: figures.and_then(|figures| figures.test?.of(measure)),
            best_test: figures.and_then(|figures| figures.best_test?.of(measure)),
            train_loss: figures.and_then(|figures| figures.train?.of(Measure::Loss)),
            steps_to_target: reached.map(|at| at.step),
            examples_to_target: reached
                .map(|at| at.step.saturating_mul(self.workload.examples_per_step)),
            seconds_to_target: reached.and_then(|at| self.seconds(at)),
            seconds_per_step: per_step(|result| result.training_seconds),
            optimizer_seconds_per_step: per_step(|result| result.optimizer_seconds),
            state_bytes: result.and_then(|result| result.state_bytes),
        }
    }

    /// The first evaluation that came to the target; none of a run that failed, which reached nothing that lasted.
    pub(super) fn reached(&self, target: f64) -> Option<&'a Evaluated> {
        if matches!(self.state, RunState::Failed { .. }) {
            return None;
        }
        let measure = self.workload.measure;
        let met = |at: &&Evaluated| at.validation(measure).is_some_and(|value| value <= target);
        self.run?.log.evaluations.iter().find(met)
    }

    /// Seconds of training until an evaluation. If the log tells only seconds with evaluations in them, the share of all
    /// training that its steps are.
    fn seconds(&self, at: &Evaluated) -> Option<f64> {
        if at.training_seconds.is_some() {
            return at.training_seconds;
        }
        let result = self.run.and_then(|run| run.result.as_ref());
        match result {
            Some(result) if result.steps > 0 && result.training_seconds.is_some() => result
                .training_seconds
                .map(|seconds| seconds * at.step as f64 / result.steps as f64),
            _ => at.seconds,
        }
    }
}

/// The least value that held-out samples had at any evaluation.
fn best(run: &Run, measure: Measure) -> Option<f64> {
    let evaluations = run.log.evaluations.iter();
    let last = run
        .result
        .as_ref()
        .and_then(|result| result.figures.validation?.of(measure));
    evaluations
        .filter_map(|at| at.validation(measure))
        .chain(last)
        .min_by(f64::total_cmp)
}
