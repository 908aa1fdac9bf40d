//! The loop itself: one for all kinds of training.

use std::time::Instant;

use koala_models::stored::{weights_from_bytes, weights_to_bytes};

use super::loader::Loader;
use super::trainee::Found;
use super::{
    Average, Batches, Checkpoint, Company, Counting, Counts, Event, Figures, Part, Pictures,
    PicturesEvent, Plan, Progress, Trainee,
};
use crate::Error;

/// A trained network and how it came about; `C` is what its training counts, `F` what its evaluations find.
#[derive(Debug)]
pub struct Trained<M, C = Counts, F = Figures> {
    /// The network, for inference.
    pub model: M,
    /// How far the run came.
    pub progress: Progress<C>,
    /// Bytes that the optimizers remember between steps.
    pub optimizer_bytes: u64,
    /// What was found on the held-out samples, if there are any.
    pub validation: Option<F>,
    /// What was found on the test samples; nothing if the run was stopped before it came to them.
    pub test: Option<F>,
    /// The same with the weights of the best evaluation, if that was of held-out samples and its weights were kept; nothing
    /// where images are made.
    pub best_test: Option<F>,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
}

/// A run on its way.
pub(crate) struct Trainer<'a, K: Trainee<'a>> {
    trainee: K,
    average: Option<Average<K::Network>>,
    progress: Progress<K::Counts>,
    plan: &'a Plan,
    company: Company<'a>,
    start: Instant,
    /// Seconds of earlier sessions.
    before: f64,
}

/// Who was trained, and what came of it.
type Ended<'a, K> = (
    K,
    Trained<<K as Trainee<'a>>::Network, <K as Trainee<'a>>::Counts, Found<'a, K>>,
);

impl<'a, K: Trainee<'a>> Trainer<'a, K> {
    /// Begins, or goes on from where `progress` is.
    pub fn new(
        trainee: K,
        average: Option<Average<K::Network>>,
        progress: Progress<K::Counts>,
        plan: &'a Plan,
        company: Company<'a>,
    ) -> Self {
        Self {
            before: progress.clocks.seconds,
            trainee,
            average,
            progress,
            plan,
            company,
            start: Instant::now(),
        }
    }

    /// Trains to the end of the plan, and judges after every epoch.
    pub fn run(self) -> Result<Ended<'a, K>, Error> {
        let task = self.trainee.task();
        let Progress { epoch, batch, .. } = self.progress;
        std::thread::scope(|scope| {
            let mut batches = Loader::start(scope, task, self.plan.epochs, epoch, batch);
            self.steps(&mut batches)
        })?
        .end()
    }

    fn steps(mut self, batches: &mut Loader<<K::Task as Batches>::Batch>) -> Result<Self, Error> {
        if self.progress.step == 0 {
            self.show("real".to_owned(), self.trainee.real())?;
        }
        // Looked at once a step: whoever asks to stop has the checkpoint of the step that was done last.
        let mut stop = self.company.interrupt.is_set();
        while self.progress.step < self.plan.steps && !stop && !self.is_out_of_patience() {
            let waiting = Instant::now();
            let Some(batch) = batches.next() else { break };
            self.progress.clocks.waiting += waiting.elapsed().as_secs_f64();
            self = self.step(batch)?;
            self.evaluate_if_due()?;
            stop = self.company.interrupt.is_set();
            self.keep_if_due(stop)?;
        }
        Ok(self)
    }

    fn step(mut self, batch: <K::Task as Batches>::Batch) -> Result<Self, Error> {
        let begun = Instant::now();
        let seen;
        (self.trainee, seen) = (self.trainee).step(batch, self.plan, &mut self.progress)?;
        if let Some(average) = &mut self.average {
            average.after_step(&self.trainee.player().model);
        }
        self.progress.clocks.training += begun.elapsed().as_secs_f64();

        self.look_at_clock();
        let (event, finite) = K::count(seen, &mut self.progress);
        self.company.observer.observe(&event)?;
        let Progress { step, missing, .. } = self.progress;
        self.progress.missing = self.plan.missing(missing, finite, step)?;
        self.progress.step += 1;
        self.progress.batch += 1;
        Ok(self)
    }

    /// Evaluates at the end of an epoch, at the end of the run, and at intervals.
    fn evaluate_if_due(&mut self) -> Result<(), Error> {
        let Progress { step, batch, .. } = self.progress;
        let whole = batch >= self.trainee.task().batches();
        if whole || step >= self.plan.steps {
            return self.end_epoch(whole);
        }
        if self.plan.evaluate_every > 0 && step.is_multiple_of(self.plan.evaluate_every) {
            let (network, found) = self.judge()?;
            self.look_at_clock();
            let event = self.trainee.evaluated(&self.progress, found);
            self.tell(&event, &network)?;
        }
        Ok(())
    }

    fn end_epoch(&mut self, whole: bool) -> Result<(), Error> {
        let epoch = self.progress.epoch + 1;
        if let Some(average) = &mut self.average
            && whole
        {
            average.after_epoch(epoch as u64, &self.trainee.player().model);
        }
        let (network, found) = self.judge()?;
        self.progress.counts.end_epoch(whole);
        self.look_at_clock();
        let event = self.trainee.epoch(&self.progress, found);
        self.tell(&event, &network)?;
        if whole {
            self.progress.epoch = epoch;
            self.progress.batch = 0;
        }
        Ok(())
    }

    /// Evaluates the network as it is, and keeps it if it is the best so far.
    fn judge(&mut self) -> Result<(K::Network, Found<'a, K>), Error> {
        let network = self.inference()?;
        let found = self.trainee.evaluate(&network, self.trainee.part());
        if self.progress.counts.judge(self.progress.step, &found) {
            let mut weights = || Ok(weights_to_bytes(&network)?);
            self.company.keeper.best(&mut weights)?;
        }
        Ok((network, found))
    }

    /// Tells of an evaluation, and shows what the network makes.
    fn tell(&mut self, event: &Event, network: &K::Network) -> Result<(), Error> {
        self.company.observer.observe(event)?;
        let name = format!("step-{:09}", self.progress.step);
        self.show(name, self.trainee.made(network))
    }

    fn show(&mut self, name: String, images: Option<Pictures>) -> Result<(), Error> {
        let Some(images) = images else { return Ok(()) };
        let step = self.progress.step;
        let event = PicturesEvent { step, name, images };
        self.company.observer.observe(&Event::Pictures(event))
    }

    fn keep_if_due(&mut self, stop: bool) -> Result<(), Error> {
        let step = self.progress.step;
        let last = stop || step >= self.plan.steps || self.is_out_of_patience();
        if !self.company.keeper.due(step, last) {
            return Ok(());
        }
        self.look_at_clock();
        let marks = self.company.observer.marks()?;
        let mut checkpoint = Checkpoint::new(step, &self.progress, marks)?;
        self.trainee.put(&mut checkpoint)?;
        checkpoint.put_average(self.average.as_ref())?;
        match self.company.keeper.keep(checkpoint)? {
            None => Ok(()),
            Some(message) => self.company.observer.observe(&Event::warning(message)),
        }
    }

    /// Whether held-out samples have not got better for as long as is waited for.
    fn is_out_of_patience(&self) -> bool {
        let patience = self.plan.patience;
        patience > 0 && self.progress.counts.waited() >= patience
    }

    /// The network as it would be used now.
    fn inference(&self) -> Result<K::Network, Error> {
        let statistics = |network: &K::Network| self.trainee.statistics(network);
        (self.trainee.player())
            .inference(self.average.as_ref(), statistics)
            .map_err(Error::optimizer(self.progress.step))
    }

    /// Brings up to date how many seconds the run has taken, those between its sessions left out.
    fn look_at_clock(&mut self) {
        self.progress.clocks.seconds = self.before + self.start.elapsed().as_secs_f64();
    }

    fn end(mut self) -> Result<Ended<'a, K>, Error> {
        let step = self.progress.step;
        let over = step >= self.plan.steps || self.is_out_of_patience();
        let interrupted = self.company.interrupt.is_set() && !over;
        let model = self.inference()?;
        let judged = self.trainee.judged(&self.progress.counts);
        let tested = || self.trainee.evaluate(&model, Part::Test);
        let (validation, test) = match self.trainee.part() {
            Part::Test if interrupted => (None, judged),
            Part::Test => (None, Some(judged.unwrap_or_else(tested))),
            Part::Validation if interrupted || !self.plan.test => (judged, None),
            Part::Validation => (judged, Some(tested())),
        };
        let last = match &test {
            None if !interrupted => validation.as_ref(),
            test => test.as_ref(),
        };
        if K::diverged(self.progress.missing, interrupted, last) {
            return Err(Error::Diverged {
                steps: self.progress.missing.max(1),
                step: step.saturating_sub(1),
                knob: self.plan.knob,
            });
        }
        let best_test = match (&validation, &test) {
            (Some(_), Some(test)) => self.best_test(&model, test)?,
            _ => None,
        };
        let optimizer_bytes = self
            .trainee
            .memory_bytes()
            .map_err(Error::optimizer(step))?;
        self.look_at_clock();
        let trained = Trained {
            model,
            progress: self.progress,
            optimizer_bytes,
            validation,
            test,
            best_test,
            interrupted,
        };
        Ok((self.trainee, trained))
    }

    /// The test samples with the weights of the best evaluation; `last` with the last ones.
    fn best_test(
        &self,
        network: &K::Network,
        last: &Found<'a, K>,
    ) -> Result<Option<Found<'a, K>>, Error> {
        let Some(best) = self.progress.counts.tested_best() else {
            return Ok(None);
        };
        if best == self.progress.step {
            return Ok(Some(last.clone()));
        }
        let Some(weights) = self.company.keeper.best_weights()? else {
            return Ok(None);
        };
        let best = weights_from_bytes(network.clone(), &weights)
            .map_err(|cause| self.company.keeper.refuse_best(cause.to_string()))?;
        Ok(Some(self.trainee.evaluate(&best, Part::Test)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape_of;
    use super::super::testing::{Paced, SEED};
    use super::super::{Clocks, Forgetful, Interrupt, Learner, Observer, ScheduleSpec, train};
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
            patience: 0,
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
