//! The loop itself.

use std::time::Instant;

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use koala_filter::Schedule;
use koala_models::Masks;
use koala_models::stored::StateError;

use super::loader::Loader;
use super::{
    EpochEvent, Evaluation, EvaluationEvent, Event, Figures, Interrupt, Keeper, Learner, Observer,
    Part, Progress, Samples, StepEvent, Tally, Task,
};
use crate::Error;
use crate::run::{weights_from_bytes, weights_to_bytes};

/// What to train for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of dropout.
    pub seed: u64,
    /// Passes over the training samples.
    pub epochs: usize,
    /// Steps in all; the run ends there even in the middle of an epoch.
    pub steps: u64,
    /// Samples (rows of text) that go through the network at once; 0 for the whole batch. The step is the same.
    pub piece: usize,
    /// Steps after which the network is evaluated within an epoch; 0 for the end of each epoch only.
    pub evaluate_every: u64,
    /// Factor of gain or learning rate at each step.
    pub schedule: Schedule,
    /// Whether the test samples are met at the end; if they are not, there must be held-out ones.
    pub test: bool,
    /// Losses in a row that may fail to be finite before the run is given up.
    pub missing_limit: u32,
    /// The option that scales the optimizer's steps, for the advice when training diverges.
    pub knob: &'static str,
}

impl Plan {
    /// Losses in a row that were not finite, after one more, of step `step`; too many are an error.
    pub(crate) fn missing(&self, before: u32, finite: bool, step: u64) -> Result<u32, Error> {
        let missing = if finite { 0 } else { before.saturating_add(1) };
        if missing < self.missing_limit {
            return Ok(missing);
        }
        Err(Error::Diverged {
            steps: missing,
            step,
            knob: self.knob,
        })
    }
}

/// Who is told, who keeps, and who may stop a run.
pub struct Company<'a> {
    /// Told of every event.
    pub observer: &'a mut dyn Observer,
    /// Keeps checkpoints.
    pub keeper: &'a mut dyn Keeper,
    /// Asks to stop.
    pub interrupt: &'a Interrupt,
}

/// A trained network and how it came about.
#[derive(Debug)]
pub struct Trained<M> {
    /// The network, for inference.
    pub model: M,
    /// How far the run came.
    pub progress: Progress,
    /// Bytes that the optimizer remembers between steps.
    pub optimizer_bytes: u64,
    /// Loss and error of the last epoch's batches as they were met.
    pub train: Evaluation,
    /// Loss and error of the held-out samples, if there are any.
    pub validation: Option<Evaluation>,
    /// Loss and error of the test samples; nothing if the run was stopped before it came to them.
    pub test: Option<Evaluation>,
    /// The same with the weights of the best evaluation, if that was of held-out samples and its weights were kept.
    pub best_test: Option<Evaluation>,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
}

/// Trains from where the learner is to the end of the plan, and judges the network after every epoch.
///
/// The same learner, plan and task give the same bits, also if the run is stopped and goes on from a checkpoint.
///
/// # Errors
///
/// [`Error::Diverged`] if the loss was not finite for too many steps in a row or is not at the end;
/// [`Error::Optimizer`] if the optimizer refuses; whatever observer and keeper return.
pub fn train<'a, M: Module, T: Task<M>>(
    learner: Learner<M>,
    task: &'a T,
    plan: &'a Plan,
    company: Company<'a>,
) -> Result<Trained<M>, Error> {
    let before = learner.progress.clocks.seconds;
    let Progress { epoch, batch, .. } = learner.progress;
    let run = Run {
        learner,
        task,
        plan,
        company,
        carry: None,
        start: Instant::now(),
        before,
    };
    std::thread::scope(|scope| {
        let mut batches = Loader::start(scope, task, plan.epochs, epoch, batch);
        run.steps(&mut batches)
    })?
    .end()
}

struct Run<'a, M: Module, T: Task<M>> {
    learner: Learner<M>,
    task: &'a T,
    plan: &'a Plan,
    company: Company<'a>,
    carry: Option<T::Carry>,
    start: Instant,
    /// Seconds of earlier sessions.
    before: f64,
}

impl<M: Module, T: Task<M>> Run<'_, M, T> {
    fn steps(mut self, batches: &mut Loader<T::Batch>) -> Result<Self, Error> {
        // Looked at once a step: whoever asks to stop has the checkpoint of the step that was done last.
        let mut stop = self.company.interrupt.is_set();
        while self.learner.progress.step < self.plan.steps && !stop {
            let waiting = Instant::now();
            let Some(batch) = batches.next() else { break };
            self.learner.progress.clocks.waiting += waiting.elapsed().as_secs_f64();
            self = self.step(batch)?;
            self.evaluate_if_due()?;
            stop = self.company.interrupt.is_set();
            self.keep_if_due(stop)?;
        }
        Ok(self)
    }

    /// One step: predict, forward, backward, update.
    fn step(mut self, batch: T::Batch) -> Result<Self, Error> {
        let begun = Instant::now();
        let Progress { step, epoch, .. } = self.learner.progress;
        let refused = |cause| Error::Optimizer { step, cause };
        let pieces = match self.plan.piece {
            0 => vec![batch],
            size => self.task.pieces(batch, size),
        };
        let mut carry = self.carry_for(pieces.len())?;

        let clock = Instant::now();
        let learner = &mut self.learner;
        learner
            .optimizer
            .prepare(&mut learner.model)
            .map_err(refused)?;
        learner.progress.clocks.optimizer += clock.elapsed().as_secs_f64();

        let (gradients, losses, tally) = self.gradients(pieces, &mut carry);

        let clock = Instant::now();
        let factor = self.plan.schedule.factor(step);
        let (model, summary) = self
            .learner
            .optimizer
            .step(self.learner.model, gradients, &losses, factor)
            .map_err(refused)?;
        self.learner.model = model;
        if let Some(average) = &mut self.learner.average {
            average.after_step(&self.learner.model);
        }
        let progress = &mut self.learner.progress;
        progress.clocks.optimizer += clock.elapsed().as_secs_f64();
        progress.clocks.training += begun.elapsed().as_secs_f64();

        self.carry = Some(carry);
        let seen = tally.evaluation();
        progress.tally.add(tally);
        let seconds = self.seconds();
        self.company.observer.observe(&Event::Step(StepEvent {
            step,
            epoch,
            loss: seen.loss,
            error: seen.error,
            top5_error: seen.top5_error,
            gain: summary.gain,
            effective_learning_rate: summary.effective_learning_rate,
            seconds,
            filter: summary.report,
        }))?;
        self.count(seen.loss)?;
        Ok(self)
    }

    /// The gradients of the mean loss of a batch that may come in pieces, and what each of its samples lost.
    fn gradients(
        &self,
        pieces: Vec<T::Batch>,
        carry: &mut T::Carry,
    ) -> (GradientsParams, Vec<f32>, Tally) {
        let model = &self.learner.model;
        let mut masks = Masks::new(self.plan.seed, self.learner.progress.step);
        let samples: usize = pieces.iter().map(|piece| self.task.samples(piece)).sum();
        let whole = pieces.len() == 1;
        let mut gradients = GradientsAccumulator::new();
        let mut host = Vec::with_capacity(samples);
        let mut tally = Tally::default();
        for (number, piece) in pieces.into_iter().enumerate() {
            let losses = self.task.losses(model, piece, number, carry, &mut masks);
            let mean = if whole {
                losses.tensor.mean()
            } else {
                losses.tensor.sum().div_scalar(samples as f64)
            };
            gradients.accumulate(model, GradientsParams::from_grads(mean.backward(), model));
            host.extend(losses.host);
            tally.add(losses.tally);
        }
        (gradients.grads(), host, tally)
    }

    /// The carry that this step starts with.
    fn carry_for(&mut self, pieces: usize) -> Result<T::Carry, Error> {
        if let Some(carried) = self.learner.carried.take()
            && self.learner.progress.batch > 0
        {
            let model = &self.learner.model;
            let carry = self.task.restore(model, carried);
            return carry.ok_or_else(|| {
                Error::State(StateError::Damaged {
                    what: "carried state",
                    reason: "it is of another network".to_owned(),
                })
            });
        }
        Ok(match self.carry.take() {
            Some(carry) if self.learner.progress.batch > 0 => carry,
            _ => self.task.start(&self.learner.model, pieces),
        })
    }

    /// Counts a step and the losses that were not finite.
    fn count(&mut self, loss: f64) -> Result<(), Error> {
        let progress = &mut self.learner.progress;
        progress.missing = self
            .plan
            .missing(progress.missing, loss.is_finite(), progress.step)?;
        progress.step += 1;
        progress.batch += 1;
        Ok(())
    }

    /// Evaluates at the end of an epoch, at the end of the run, and at intervals.
    fn evaluate_if_due(&mut self) -> Result<(), Error> {
        let Progress { step, batch, .. } = self.learner.progress;
        let whole = batch >= self.task.batches();
        if whole || step >= self.plan.steps {
            return self.end_epoch(whole);
        }
        if self.plan.evaluate_every > 0 && step.is_multiple_of(self.plan.evaluate_every) {
            let (part, found) = self.judge()?;
            let seconds = self.seconds();
            self.company
                .observer
                .observe(&Event::Evaluation(EvaluationEvent {
                    step,
                    epoch: self.learner.progress.epoch,
                    judged: self.figures(part, found),
                    seconds,
                    training_seconds: self.learner.progress.clocks.training,
                }))?;
        }
        Ok(())
    }

    fn end_epoch(&mut self, whole: bool) -> Result<(), Error> {
        if let Some(average) = &mut self.learner.average
            && whole
        {
            average.after_epoch(self.learner.progress.epoch as u64 + 1, &self.learner.model);
        }
        let (part, found) = self.judge()?;
        let seconds = self.seconds();
        let progress = &mut self.learner.progress;
        let train = progress.tally.evaluation();
        progress.train = Some(train);
        let progress = self.learner.progress;
        let event = EpochEvent {
            epoch: progress.epoch + 1,
            step: progress.step,
            train: self.figures(Samples::Train, train),
            judged: self.figures(part, found),
            seconds,
            training_seconds: progress.clocks.training,
        };
        self.company.observer.observe(&Event::Epoch(event))?;
        let progress = &mut self.learner.progress;
        if whole {
            progress.epoch += 1;
            progress.batch = 0;
            progress.tally = Tally::default();
        }
        Ok(())
    }

    fn figures(&self, samples: impl Into<Samples>, evaluation: Evaluation) -> Figures {
        Figures::new(samples, evaluation, self.task.measure())
    }

    /// Evaluates the network as it is, and keeps it if it is the best so far.
    fn judge(&mut self) -> Result<(Part, Evaluation), Error> {
        let step = self.learner.progress.step;
        let part = self.task.judge();
        let network = self.inference(step)?;
        let found = self.task.evaluate(&network, part);
        if self.learner.progress.judge(found, self.task.measure()) {
            let mut weights = || Ok(weights_to_bytes(&network)?);
            self.company.keeper.best(&mut weights)?;
        }
        Ok((part, found))
    }

    fn keep_if_due(&mut self, stop: bool) -> Result<(), Error> {
        let step = self.learner.progress.step;
        let last = stop || step >= self.plan.steps;
        if !self.company.keeper.due(step, last) {
            return Ok(());
        }
        self.learner.progress.clocks.seconds = self.seconds();
        let marks = self.company.observer.marks()?;
        let carry = self.carry.as_ref();
        let checkpoint = self.learner.checkpoint(self.task, carry, marks)?;
        self.company.keeper.keep(checkpoint)
    }

    fn inference(&self, step: u64) -> Result<M, Error> {
        self.learner
            .inference(self.task)
            .map_err(|cause| Error::Optimizer { step, cause })
    }

    /// Seconds since the run began, those between its sessions left out.
    fn seconds(&self) -> f64 {
        self.before + self.start.elapsed().as_secs_f64()
    }

    fn end(mut self) -> Result<Trained<M>, Error> {
        let step = self.learner.progress.step;
        let interrupted = self.company.interrupt.is_set() && step < self.plan.steps;
        let network = self.inference(step)?;
        let (validation, test) = match (self.task.judge(), self.learner.progress.judged) {
            (Part::Test, Some(found)) => (None, Some(found)),
            (Part::Test, None) if interrupted => (None, None),
            (Part::Test, None) => (None, Some(self.task.evaluate(&network, Part::Test))),
            (Part::Validation, found) if interrupted || !self.plan.test => (found, None),
            (Part::Validation, found) => (found, Some(self.task.evaluate(&network, Part::Test))),
        };
        let last = if interrupted {
            test
        } else {
            test.or(validation)
        };
        if last.is_some_and(|last| !last.loss.is_finite()) {
            return Err(Error::Diverged {
                steps: self.learner.progress.missing.max(1),
                step: step.saturating_sub(1),
                knob: self.plan.knob,
            });
        }
        let best_test = match (validation, test) {
            (Some(_), Some(test)) => self.best_test(&network, test)?,
            _ => None,
        };
        self.learner.progress.clocks.seconds = self.seconds();
        let progress = self.learner.progress;
        let optimizer_bytes = (self.learner.optimizer.memory_bytes())
            .map_err(|cause| Error::Optimizer { step, cause })?;
        Ok(Trained {
            model: network,
            progress,
            optimizer_bytes,
            train: progress
                .train
                .unwrap_or_else(|| progress.tally.evaluation()),
            validation,
            test,
            best_test,
            interrupted,
        })
    }

    /// The test samples with the weights of the best evaluation; `last` with the last ones.
    fn best_test(&self, network: &M, last: Evaluation) -> Result<Option<Evaluation>, Error> {
        let progress = &self.learner.progress;
        if progress.best.is_some_and(|best| best.step == progress.step) {
            return Ok(Some(last));
        }
        let Some(weights) = self.company.keeper.best_weights()? else {
            return Ok(None);
        };
        let best = weights_from_bytes(network.clone(), &weights)?;
        Ok(Some(self.task.evaluate(&best, Part::Test)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape_of;
    use super::super::testing::{Paced, SEED};
    use super::super::{Clocks, Forgetful, ScheduleSpec};
    use super::*;
    use crate::optimizers::{Baseline, SgdSpec};
    use burn::tensor::Device;
    use koala_data::digits;
    use koala_models::{Draws, Mlp, MlpSpec};
    use std::time::Duration;

    /// Takes its time over every step.
    struct Slow(Duration);

    impl Observer for Slow {
        fn observe(&mut self, event: &Event) -> Result<(), Error> {
            if let Event::Step(_) = event {
                std::thread::sleep(self.0);
            }
            Ok(())
        }
    }

    /// Twelve steps, of which each takes so long, with batches that take so long: weights and clocks.
    fn run(step: Duration, batch: Duration) -> (Vec<u8>, Clocks) {
        let split = digits().unwrap();
        let task = Paced::new(&split, batch);
        let mut draws = Draws::new(SEED, &Device::flex().autodiff());
        let model = Mlp::new(
            &MlpSpec { hidden: vec![8] },
            shape_of(&split.train),
            &mut draws,
        );
        let optimizer = Box::new(Baseline::from(&SgdSpec::default()));
        let plan = Plan {
            seed: SEED,
            epochs: 2,
            steps: 12,
            piece: 0,
            evaluate_every: 0,
            schedule: ScheduleSpec::named("constant").unwrap().over(12, 7),
            test: true,
            missing_limit: 5,
            knob: "learning-rate",
        };
        let company = Company {
            observer: &mut Slow(step),
            keeper: &mut Forgetful,
            interrupt: &Interrupt::default(),
        };
        let trained = train(Learner::new(model, optimizer, None), &task, &plan, company).unwrap();
        assert_eq!(trained.progress.step, 12);
        (
            weights_to_bytes(&trained.model).unwrap(),
            trained.progress.clocks,
        )
    }

    #[test]
    fn only_slow_loading_is_waited_for_and_never_changes_the_bits() {
        let pause = Duration::from_millis(20);
        let (expected, _) = run(Duration::ZERO, Duration::ZERO);
        let (slow, clocks) = run(Duration::ZERO, pause);
        assert!(slow == expected);
        // Steps of this network take a fraction of a batch's 20 ms.
        assert!(clocks.waiting > 6.0 * pause.as_secs_f64(), "{clocks:?}");
        assert!(clocks.waiting < clocks.seconds, "{clocks:?}");
        let (fast, clocks) = run(pause, Duration::ZERO);
        assert!(fast == expected);
        assert!(clocks.waiting < 3.0 * pause.as_secs_f64(), "{clocks:?}");
    }
}
