//! The training of two adversaries.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use koala_data::HostBatch;
use koala_models::gan::{
    Critic, CriticScores, Generator, NoisePurpose, generator_losses, mixing_shares,
};

use super::learner::{CRITIC, GENERATOR};
use super::{
    Distance, FoundDistance, GanCounts, GanEpochEvent, GanEvaluationEvent, GanLearner, GanLosses,
    GanProgress, GanStepEvent, GanTally, GanTask, NetworkStep, Pictures, Player,
};
use crate::Error;
use crate::optimizers::{OptimizerError, StepSummary};
use crate::training::{
    Batch, Checkpoint, Company, Event, Lesson, Part, Plan, Trained, Trainee, Trainer, floats,
};

/// A trained generator and how it came about.
pub type TrainedGan = Trained<Generator, GanCounts, FoundDistance>;

/// Trains both networks in turn from where the learner is to the end of the plan: each step is some updates of the critic,
/// each on real images of its own, then one of the generator. After every epoch, and as the plan says within it, the images
/// of the generator are compared with real ones and shown. Gives the critic, for inference, beside the generator.
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
) -> Result<(TrainedGan, Critic), Error> {
    let adversaries = Adversaries {
        generator: learner.generator,
        critic: learner.critic,
        task,
    };
    let trainer = Trainer::new(
        adversaries,
        learner.average,
        learner.progress,
        plan,
        company,
    );
    let (Adversaries { critic, .. }, trained) = trainer.run()?;
    let critic = critic.optimizer.evaluation(&critic.model);
    let critic = critic.map_err(Error::optimizer(trained.progress.step))?;
    Ok((trained, critic))
}

/// Both networks, what moves them, and what is to be made.
struct Adversaries<'a> {
    generator: Player<Generator>,
    critic: Player<Critic>,
    task: &'a GanTask<'a>,
}

impl<'a> Trainee<'a> for Adversaries<'a> {
    type Task = GanTask<'a>;
    type Network = Generator;
    type Counts = GanCounts;
    /// The mean losses, and what critic and generator did.
    type Seen = (GanLosses, [NetworkStep; 2]);

    fn task(&self) -> &'a GanTask<'a> {
        self.task
    }

    fn player(&self) -> &Player<Generator> {
        &self.generator
    }

    fn statistics(&self, generator: &Generator) -> Result<Generator, OptimizerError> {
        self.task.statistics(generator)
    }

    /// The critic's updates, then the generator's.
    fn step(
        mut self,
        real: Vec<HostBatch>,
        plan: &Plan,
        progress: &mut GanProgress,
    ) -> Result<(Self, Self::Seen), Error> {
        let step = progress.step;
        let factor = plan.schedule.factor(step);
        let clock = &mut progress.clocks.optimizer;
        let mut tally = GanTally::default();
        // A step has at least one batch.
        let mut critic = NetworkStep::default();
        let first = step.saturating_mul(self.task.spec().critic_steps as u64);
        for (number, real) in (first..).zip(real) {
            let generator = &self.generator.model;
            let (player, summary, losses) = (self.critic)
                .update(factor, clock, |critic| {
                    critic_lesson(self.task, generator, critic, real, number)
                })
                .map_err(Error::optimizer(step))?;
            self.critic = player;
            tally.add(losses);
            critic = network_step(losses.critic_loss, summary);
        }
        let (player, summary, loss) = (self.generator)
            .update(factor, clock, |generator| {
                generator_lesson(self.task, generator, &self.critic.model, step)
            })
            .map_err(Error::optimizer(step))?;
        self.generator = player;
        let losses = GanLosses {
            generator_loss: loss,
            ..tally.losses()
        };
        // Of the critic the mean loss over its updates, the rest of the last of them.
        critic.loss = losses.critic_loss;
        Ok((self, (losses, [critic, network_step(loss, summary)])))
    }

    fn count(
        (losses, [critic, generator]): Self::Seen,
        progress: &mut GanProgress,
    ) -> (Event, bool) {
        progress.counts.tally.add(losses);
        let event = GanStepEvent {
            step: progress.step,
            epoch: progress.epoch,
            critic,
            generator,
            wasserstein: losses.wasserstein,
            penalty: losses.penalty,
            seconds: progress.clocks.seconds,
        };
        let finite = losses.critic_loss.is_finite() && losses.generator_loss.is_finite();
        (Event::GanStep(Box::new(event)), finite)
    }

    fn part(&self) -> Part {
        self.task.judge()
    }

    fn evaluate(&self, generator: &Generator, part: Part) -> FoundDistance {
        found(part, self.task.distance(generator, part))
    }

    fn judged(&self, counts: &GanCounts) -> Option<FoundDistance> {
        let judged = found(self.part(), counts.judged.clone());
        // Held-out images are told of even if no distance from them is known.
        (self.part() == Part::Validation || judged.distance.is_some()).then_some(judged)
    }

    fn evaluated(&self, progress: &GanProgress, judged: FoundDistance) -> Event {
        Event::GanEvaluation(GanEvaluationEvent {
            step: progress.step,
            epoch: progress.epoch,
            judged,
            seconds: progress.clocks.seconds,
        })
    }

    fn epoch(&self, progress: &GanProgress, judged: FoundDistance) -> Event {
        Event::GanEpoch(GanEpochEvent {
            epoch: progress.epoch + 1,
            step: progress.step,
            train: progress.counts.train(),
            judged,
            seconds: progress.clocks.seconds,
        })
    }

    fn real(&self) -> Option<Pictures> {
        Some(self.task.real_pictures())
    }

    fn made(&self, generator: &Generator) -> Option<Pictures> {
        self.task.pictures(generator)
    }

    /// The last losses of a run must be numbers, however many may be missing on the way.
    fn diverged(missing: u32, interrupted: bool, _last: Option<&FoundDistance>) -> bool {
        !interrupted && missing > 0
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(self.generator.optimizer.memory_bytes()? + self.critic.optimizer.memory_bytes()?)
    }

    fn put(&self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        self.generator.put(GENERATOR, checkpoint)?;
        self.critic.put(CRITIC, checkpoint)
    }
}

fn found(part: Part, distance: Option<Distance>) -> FoundDistance {
    FoundDistance {
        samples: part.into(),
        distance,
    }
}

/// What the critic learns from real images and others made for this update. Nothing is learned by the generator, not even
/// how to make gradients; its running statistics move, as in every pass of training.
fn critic_lesson(
    task: &GanTask<'_>,
    generator: &Generator,
    critic: &Critic,
    real: HostBatch,
    update: u64,
) -> Lesson<GanLosses> {
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
    let penalty = mean(host.get(2 * count..).unwrap_or_default());
    let wasserstein = mean(host.get(count..2 * count).unwrap_or_default());
    host.truncate(count);
    let seen = GanLosses {
        critic_loss: mean(&host),
        generator_loss: 0.0,
        wasserstein,
        penalty,
    };
    lesson(critic, tensor, host, seen)
}

/// What the generator learns from what the critic says of a batch of images; its mean loss.
fn generator_lesson(
    task: &GanTask<'_>,
    generator: &Generator,
    critic: &Critic,
    step: u64,
) -> Lesson<f64> {
    let noise = task.noise(NoisePurpose::Generator, step, None);
    let tensor = generator_losses(generator, critic, noise);
    let host = floats(tensor.clone().inner().into_data());
    let loss = mean(&host);
    lesson(generator, tensor, host, loss)
}

fn lesson<M: Module, S>(model: &M, tensor: Tensor<1>, losses: Vec<f32>, seen: S) -> Lesson<S> {
    Lesson {
        gradients: GradientsParams::from_grads(tensor.mean().backward(), model),
        losses,
        seen,
    }
}

fn network_step(loss: f64, summary: StepSummary) -> NetworkStep {
    NetworkStep {
        loss,
        gain: summary.gain,
        effective_learning_rate: summary.effective_learning_rate,
        filter: summary.report,
    }
}

/// Mean of values; not a number if there are none.
fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{AdamSpec, Baseline};
    use crate::training::shape_of;
    use burn::tensor::Device;
    use koala_data::digits;
    use koala_models::Draws;
    use koala_models::gan::DcganSpec;
    use koala_models::gan::noise;

    /// A critic alone, against a generator that never learns: its gradients come to a length near 1, and it tells real
    /// images from made ones.
    #[test]
    fn a_critic_alone_gets_gradients_of_length_one() {
        let device = Device::flex().autodiff();
        let spec = DcganSpec { noise: 8, width: 8 };
        let set = digits().unwrap().train;
        let mut draws = Draws::new(1, &device);
        let generator = Generator::new(&spec, shape_of(&set), &mut draws).unwrap();
        let model = Critic::new(&spec, shape_of(&set), &mut draws).unwrap();
        let adam = AdamSpec {
            learning_rate: 5e-3,
            ..AdamSpec::default()
        };
        let optimizer = Box::new(Baseline::from(&adam));
        let mut critic = Player { model, optimizer };
        let mut penalties = Vec::new();
        let mut differences = Vec::new();
        for step in 0..150 {
            let samples: Vec<usize> = (0..32).map(|i| (i + 32 * step) % set.len()).collect();
            let real = Batch::new(set.signed_batch(&samples, None), &device).images;
            let noise = noise(1, NoisePurpose::Critic, step as u64, [32, 8], &device);
            let made = generator.clone().no_grad().forward(noise);
            let shares = mixing_shares(1, step as u64, 32, &device);
            let (next, _, seen) = critic
                .update(1.0, &mut 0.0, |critic| {
                    let scores = CriticScores::new(critic, real, made, shares);
                    let tensor = scores.losses(10.0);
                    let values = |tensor: Tensor<1>| floats(tensor.inner().into_data());
                    let seen = [scores.penalty, scores.difference].map(|t| mean(&values(t)));
                    lesson(critic, tensor.clone(), values(tensor), seen)
                })
                .unwrap();
            critic = next;
            penalties.push(seen[0]);
            differences.push(seen[1]);
        }
        assert!(penalties[0] > 0.9, "{}", penalties[0]);
        let last = penalties[140..].iter().sum::<f64>() / 10.0;
        assert!(last < 0.1, "{last}");
        assert!(
            differences[0].abs() < 0.1 && differences[149] > 1.0,
            "{differences:?}"
        );
    }
}
