//! The loop of adversarial training.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use koala_data::HostBatch;
use koala_models::gan::{
    Critic, CriticScores, Generator, NoisePurpose, generator_losses, mixing_shares,
};

use super::player::{Losses, Update, mean};
use super::{
    Distance, FoundDistance, GanEpochEvent, GanEvaluationEvent, GanLearner, GanLosses, GanProgress,
    GanStepEvent, GanTally, GanTask, NetworkStep, Pictures, PicturesEvent,
};
use crate::Error;
use crate::run::weights_to_bytes;
use crate::training::{Batch, Batches, Company, Event, Loader, Part, Plan, floats};

/// Trained networks and how they came about.
#[derive(Debug)]
pub struct TrainedGan {
    /// What makes images, for inference.
    pub generator: Generator,
    /// What judges them, for inference.
    pub critic: Critic,
    /// How far the run came.
    pub progress: GanProgress,
    /// Bytes that the two optimizers remember between steps.
    pub optimizer_bytes: u64,
    /// Means over the steps of the last epoch, as they were met.
    pub train: GanLosses,
    /// The distance from the held-out images, if there are any.
    pub validation: Option<FoundDistance>,
    /// The distance from the test images; nothing if the run was stopped before it came to them.
    pub test: Option<FoundDistance>,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
}

/// Trains both networks in turn from where the learner is to the end of the plan: each step is some updates of the critic,
/// each on real images of its own, then one of the generator. After every epoch, and as the plan says within it, the images
/// of the generator are compared with real ones and shown.
///
/// The same learner, plan and task give the same bits, also if the run is stopped and goes on from a checkpoint. The plan's
/// seed and pieces are not used: the task has the seed, and batches go through the networks whole.
///
/// # Errors
///
/// [`Error::Diverged`] if a loss was not finite for too many steps in a row or is not at the end; [`Error::Optimizer`] if an optimizer refuses;
/// whatever observer and keeper return.
pub fn train_gan<'a>(
    learner: GanLearner,
    task: &'a GanTask<'a>,
    plan: &'a Plan,
    company: Company<'a>,
) -> Result<TrainedGan, Error> {
    let before = learner.progress.clocks.seconds;
    let GanProgress { epoch, batch, .. } = learner.progress;
    let run = Run {
        learner,
        task,
        plan,
        company,
        start: Instant::now(),
        before,
    };
    std::thread::scope(|scope| {
        let mut batches = Loader::start(scope, task, plan.epochs, epoch, batch);
        run.steps(&mut batches)
    })?
    .end()
}

struct Run<'a> {
    learner: GanLearner,
    task: &'a GanTask<'a>,
    plan: &'a Plan,
    company: Company<'a>,
    start: Instant,
    /// Seconds of earlier sessions.
    before: f64,
}

/// Means of what the critic saw of a batch.
#[derive(Clone, Copy)]
struct Seen {
    wasserstein: f64,
    penalty: f64,
}

impl Run<'_> {
    fn steps(mut self, batches: &mut Loader<Vec<HostBatch>>) -> Result<Self, Error> {
        if self.learner.progress.step == 0 {
            self.show("real".to_owned(), self.task.real_pictures())?;
        }
        // Looked at once a step: whoever asks to stop has the checkpoint of the step that was done last.
        let mut stop = self.company.interrupt.is_set();
        while self.learner.progress.step < self.plan.steps && !stop {
            let waiting = Instant::now();
            let Some(real) = batches.next() else { break };
            self.learner.progress.clocks.waiting += waiting.elapsed().as_secs_f64();
            self = self.step(real)?;
            self.evaluate_if_due()?;
            stop = self.company.interrupt.is_set();
            self.keep_if_due(stop)?;
        }
        Ok(self)
    }

    /// One step: the critic's updates, then the generator's.
    fn step(mut self, real: Vec<HostBatch>) -> Result<Self, Error> {
        let begun = Instant::now();
        let GanProgress { step, epoch, .. } = self.learner.progress;
        let refused = |cause| Error::Optimizer { step, cause };
        let factor = self.plan.schedule.factor(step);
        let mut tally = GanTally::default();
        let mut critic: Option<NetworkStep> = None;
        let first = step.saturating_mul(self.task.spec().critic_steps as u64);
        for (number, real) in (first..).zip(real) {
            let (player, update) = (self.learner.critic)
                .update(factor, |critic| {
                    critic_update(
                        self.task,
                        &self.learner.generator.model,
                        critic,
                        real,
                        number,
                    )
                })
                .map_err(refused)?;
            self.learner.critic = player;
            self.learner.progress.clocks.optimizer += update.seconds;
            tally.add(GanLosses {
                critic_loss: update.step.loss,
                generator_loss: 0.0,
                wasserstein: update.seen.wasserstein,
                penalty: update.seen.penalty,
            });
            critic = Some(update.step);
        }
        // A step has at least one batch.
        let Some(critic) = critic else {
            return Ok(self);
        };

        let (
            player,
            Update {
                step: generator,
                seconds,
                ..
            },
        ) = (self.learner.generator)
            .update(factor, |generator| {
                generator_update(self.task, generator, &self.learner.critic.model, step)
            })
            .map_err(refused)?;
        self.learner.generator = player;
        if let Some(average) = &mut self.learner.average {
            average.after_step(&self.learner.generator.model);
        }
        let clocks = &mut self.learner.progress.clocks;
        clocks.optimizer += seconds;
        clocks.training += begun.elapsed().as_secs_f64();

        let losses = GanLosses {
            generator_loss: generator.loss,
            ..tally.losses()
        };
        self.learner.progress.tally.add(losses);
        let event = GanStepEvent {
            step,
            epoch,
            critic: NetworkStep {
                loss: losses.critic_loss,
                ..critic
            },
            generator,
            wasserstein: losses.wasserstein,
            penalty: losses.penalty,
            seconds: self.seconds(),
        };
        self.company
            .observer
            .observe(&Event::GanStep(Box::new(event)))?;
        let finite = losses.critic_loss.is_finite() && losses.generator_loss.is_finite();
        let progress = &mut self.learner.progress;
        progress.missing = self.plan.missing(progress.missing, finite, step)?;
        progress.step += 1;
        progress.batch += 1;
        Ok(self)
    }

    /// Evaluates at the end of an epoch, at the end of the run, and at intervals.
    fn evaluate_if_due(&mut self) -> Result<(), Error> {
        let GanProgress { step, batch, .. } = self.learner.progress;
        let whole = batch >= self.task.batches();
        if whole || step >= self.plan.steps {
            return self.end_epoch(whole);
        }
        if self.plan.evaluate_every > 0 && step.is_multiple_of(self.plan.evaluate_every) {
            let (judged, generator) = self.judge()?;
            let event = GanEvaluationEvent {
                step,
                epoch: self.learner.progress.epoch,
                judged,
                seconds: self.seconds(),
            };
            self.company
                .observer
                .observe(&Event::GanEvaluation(event))?;
            self.show_made(&generator)?;
        }
        Ok(())
    }

    fn end_epoch(&mut self, whole: bool) -> Result<(), Error> {
        let epoch = self.learner.progress.epoch + 1;
        if let Some(average) = &mut self.learner.average
            && whole
        {
            average.after_epoch(epoch as u64, &self.learner.generator.model);
        }
        let (judged, generator) = self.judge()?;
        let progress = &mut self.learner.progress;
        progress.train = Some(progress.tally);
        let event = GanEpochEvent {
            epoch,
            step: progress.step,
            train: progress.tally.losses(),
            judged,
            seconds: self.seconds(),
        };
        self.company.observer.observe(&Event::GanEpoch(event))?;
        self.show_made(&generator)?;
        let progress = &mut self.learner.progress;
        if whole {
            progress.epoch = epoch;
            progress.batch = 0;
            progress.tally = GanTally::default();
        }
        Ok(())
    }

    /// Compares images of the generator as it is with real ones, and keeps it if it is the best so far.
    fn judge(&mut self) -> Result<(FoundDistance, Generator), Error> {
        let generator = self.inference()?;
        let part = self.task.judge();
        let distance = self.task.distance(&generator, part);
        if self.learner.progress.judge(distance.clone()) {
            let mut weights = || Ok(weights_to_bytes(&generator)?);
            self.company.keeper.best(&mut weights)?;
        }
        let found = FoundDistance {
            samples: part.into(),
            distance,
        };
        Ok((found, generator))
    }

    fn show_made(&mut self, generator: &Generator) -> Result<(), Error> {
        let name = format!("step-{:09}", self.learner.progress.step);
        match self.task.pictures(generator) {
            Some(images) => self.show(name, images),
            None => Ok(()),
        }
    }

    fn show(&mut self, name: String, images: Pictures) -> Result<(), Error> {
        let step = self.learner.progress.step;
        let event = PicturesEvent { step, name, images };
        self.company.observer.observe(&Event::Pictures(event))
    }

    fn keep_if_due(&mut self, stop: bool) -> Result<(), Error> {
        let step = self.learner.progress.step;
        let last = stop || step >= self.plan.steps;
        if !self.company.keeper.due(step, last) {
            return Ok(());
        }
        self.learner.progress.clocks.seconds = self.seconds();
        let marks = self.company.observer.marks()?;
        let checkpoint = self.learner.checkpoint(marks)?;
        self.company.keeper.keep(checkpoint)
    }

    fn inference(&self) -> Result<Generator, Error> {
        let step = self.learner.progress.step;
        let generator = self.learner.inference(self.task);
        generator.map_err(|cause| Error::Optimizer { step, cause })
    }

    /// Seconds since the run began, those between its sessions left out.
    fn seconds(&self) -> f64 {
        self.before + self.start.elapsed().as_secs_f64()
    }

    fn end(mut self) -> Result<TrainedGan, Error> {
        let step = self.learner.progress.step;
        let interrupted = self.company.interrupt.is_set() && step < self.plan.steps;
        // The last loss of a run must be a number, however many may be missing on the way.
        if !interrupted && self.learner.progress.missing > 0 {
            return Err(Error::Diverged {
                steps: self.learner.progress.missing,
                step: step.saturating_sub(1),
                knob: self.plan.knob,
            });
        }
        let generator = self.inference()?;
        let critic = &self.learner.critic;
        let critic = critic.optimizer.evaluation(&critic.model);
        let critic = critic.map_err(|cause| Error::Optimizer { step, cause })?;
        let found = |part: Part, distance: Option<Distance>| FoundDistance {
            samples: part.into(),
            distance,
        };
        let part = self.task.judge();
        let judged = found(part, self.learner.progress.judged.clone());
        let (validation, test) = match part {
            Part::Test if interrupted && judged.distance.is_none() => (None, None),
            Part::Test => (None, Some(judged)),
            Part::Validation if interrupted => (Some(judged), None),
            Part::Validation => {
                let distance = self.task.distance(&generator, Part::Test);
                (Some(judged), Some(found(Part::Test, distance)))
            }
        };
        let held = self.learner.generator.optimizer.memory_bytes();
        let held = held.and_then(|bytes| Ok(bytes + self.learner.critic.optimizer.memory_bytes()?));
        let optimizer_bytes = held.map_err(|cause| Error::Optimizer { step, cause })?;
        self.learner.progress.clocks.seconds = self.seconds();
        let progress = self.learner.progress;
        Ok(TrainedGan {
            optimizer_bytes,
            generator,
            critic,
            train: progress.train.unwrap_or(progress.tally).losses(),
            progress,
            validation,
            test,
            interrupted,
        })
    }
}

/// What the critic loses on real images and on others made for this update. Nothing is learned by the generator, not even
/// how to make gradients; its running statistics move, as in every pass of training.
fn critic_update(
    task: &GanTask<'_>,
    generator: &Generator,
    critic: &Critic,
    real: HostBatch,
    update: u64,
) -> Losses<Seen> {
    let real = Batch::new(real, task.device()).images;
    let count = real.dims()[0];
    let noise = task.noise(NoisePurpose::Critic, update, Some(count));
    let made = generator.clone().no_grad().forward(noise);
    let shares = mixing_shares(task.seed(), update, count, task.device());
    let scores = CriticScores::new(critic, real, made, shares);
    let tensor = scores.losses(task.spec().penalty);
    // One read-back for all three.
    let all = [tensor.clone(), scores.difference, scores.penalty];
    let all = Tensor::cat(all.map(Tensor::inner).to_vec(), 0).into_data();
    let mut host = floats(all);
    let seen = Seen {
        wasserstein: mean(host.get(count..2 * count).unwrap_or_default()),
        penalty: mean(host.get(2 * count..).unwrap_or_default()),
    };
    host.truncate(count);
    Losses { tensor, host, seen }
}

/// What the generator loses on a batch of images.
fn generator_update(
    task: &GanTask<'_>,
    generator: &Generator,
    critic: &Critic,
    step: u64,
) -> Losses<()> {
    let noise = task.noise(NoisePurpose::Generator, step, None);
    let tensor = generator_losses(generator, critic, noise);
    let host = floats(tensor.clone().inner().into_data());
    Losses {
        tensor,
        host,
        seen: (),
    }
}
