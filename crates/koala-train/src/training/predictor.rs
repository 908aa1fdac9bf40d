//! The training of one network that predicts.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::TensorData;
use koala_models::Masks;
use koala_models::stored::StateError;

use super::learner::{CARRY, PLAYER, carry_to_bytes};
use super::player::Lesson;
use super::trainer::Trainer;
use super::{
    Checkpoint, Company, Counts, EpochEvent, Evaluation, EvaluationEvent, Event, Figures, Learner,
    Part, Plan, Player, Progress, Samples, StepEvent, Tally, Task, Trained, Trainee, enough,
    recompute_statistics,
};
use crate::Error;
use crate::optimizers::{OptimizerError, StepSummary};

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
    let predictor = Predictor {
        player: learner.player,
        task,
        carry: None,
        carried: learner.carried,
    };
    let trainer = Trainer::new(predictor, learner.average, learner.progress, plan, company);
    let (_, mut trained) = trainer.run()?;
    if let Some(best) = &mut trained.best_test {
        best.samples = Samples::BestTest;
    }
    Ok(trained)
}

/// A network, what moves it, and what it is to learn to predict.
struct Predictor<'a, M: Module, T: Task<M>> {
    player: Player<M>,
    task: &'a T,
    /// What the next batch starts with.
    carry: Option<T::Carry>,
    /// The same from a checkpoint.
    carried: Option<Vec<Vec<TensorData>>>,
}

impl<'a, M: Module, T: Task<M>> Predictor<'a, M, T> {
    /// The carry that a step starts with.
    fn carry_for(&mut self, pieces: usize, batch: usize) -> Result<T::Carry, Error> {
        let model = &self.player.model;
        if let Some(carried) = self.carried.take()
            && batch > 0
        {
            let carry = self.task.restore(model, carried);
            return carry.ok_or_else(|| {
                Error::State(StateError::Damaged {
                    what: "carried state",
                    reason: "it is of another network".to_owned(),
                })
            });
        }
        Ok(match self.carry.take() {
            Some(carry) if batch > 0 => carry,
            _ => self.task.start(model, pieces),
        })
    }

    fn figures(&self, samples: impl Into<Samples>, evaluation: Evaluation) -> Figures {
        Figures::new(samples, evaluation, self.task.measure())
    }
}

impl<'a, M: Module, T: Task<M>> Trainee<'a> for Predictor<'a, M, T> {
    type Task = T;
    type Network = M;
    type Counts = Counts;
    type Seen = (StepSummary, Tally);

    fn task(&self) -> &'a T {
        self.task
    }

    fn player(&self) -> &Player<M> {
        &self.player
    }

    /// They come from the first batches of the first epoch.
    fn statistics(&self, network: &M) -> Result<M, OptimizerError> {
        let task = self.task;
        let drawn = task.epoch(0);
        let batches = (0..task.batches()).map(|index| task.batch(&drawn, 0, index));
        let batches = enough(batches, |batch| task.samples(batch));
        recompute_statistics(network, batches, |network, batch| {
            let mut carry = task.start(network, 1);
            task.losses(network, batch, 0, &mut carry, &mut Masks::off());
            Ok(())
        })
    }

    fn step(
        mut self,
        batch: T::Batch,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<(Self, Self::Seen), Error> {
        let pieces = match plan.piece {
            0 => vec![batch],
            size => self.task.pieces(batch, size),
        };
        let mut carry = self.carry_for(pieces.len(), progress.batch)?;
        let masks = Masks::new(plan.seed, progress.step);
        let factor = plan.schedule.factor(progress.step);
        let clock = &mut progress.clocks.optimizer;
        let (player, summary, tally) = (self.player)
            .update(factor, clock, |model| {
                lesson(self.task, model, pieces, &mut carry, masks)
            })
            .map_err(Error::optimizer(progress.step))?;
        self.player = player;
        self.carry = Some(carry);
        Ok((self, (summary, tally)))
    }

    fn count((summary, tally): Self::Seen, progress: &mut Progress) -> (Event, bool) {
        progress.counts.tally.add(tally);
        (progress.counts).add_length(summary.effective_learning_rate);
        let seen = tally.evaluation();
        let event = StepEvent {
            step: progress.step,
            epoch: progress.epoch,
            loss: seen.loss,
            misread: seen.misread,
            gain: summary.gain,
            effective_learning_rate: summary.effective_learning_rate,
            seconds: progress.clocks.seconds,
            filter: summary.report,
        };
        (Event::Step(event), seen.loss.is_finite())
    }

    fn part(&self) -> Part {
        self.task.judge()
    }

    fn evaluate(&self, network: &M, part: Part) -> Figures {
        self.figures(part, self.task.evaluate(network, part))
    }

    fn judged(&self, counts: &Counts) -> Option<Figures> {
        let judged = counts.judged?;
        Some(self.figures(self.part(), judged))
    }

    fn evaluated(&self, progress: &Progress, judged: Figures) -> Event {
        Event::Evaluation(EvaluationEvent {
            step: progress.step,
            epoch: progress.epoch,
            judged,
            seconds: progress.clocks.seconds,
            training_seconds: progress.clocks.training,
        })
    }

    fn epoch(&self, progress: &Progress, judged: Figures) -> Event {
        Event::Epoch(EpochEvent {
            epoch: progress.epoch + 1,
            step: progress.step,
            train: self.figures(Samples::Train, progress.counts.train()),
            judged,
            seconds: progress.clocks.seconds,
            training_seconds: progress.clocks.training,
        })
    }

    fn diverged(_missing: u32, _interrupted: bool, last: Option<&Figures>) -> bool {
        last.is_some_and(|last| !last.evaluation.loss.is_finite())
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        self.player.optimizer.memory_bytes()
    }

    fn put(&self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        self.player.put(PLAYER, checkpoint)?;
        let carry = self.carry.as_ref().map(|carry| self.task.carried(carry));
        match carry {
            Some(carry) if !carry.is_empty() => checkpoint.put(CARRY, carry_to_bytes(carry)?),
            _ => {}
        }
        Ok(())
    }
}

/// The gradients of the mean loss of a batch that may come in pieces, and what each of its samples lost.
fn lesson<M: Module, T: Task<M>>(
    task: &T,
    model: &M,
    pieces: Vec<T::Batch>,
    carry: &mut T::Carry,
    mut masks: Masks,
) -> Lesson<Tally> {
    let samples: usize = pieces.iter().map(|piece| task.samples(piece)).sum();
    let whole = pieces.len() == 1;
    let mut gradients = GradientsAccumulator::new();
    let mut host = Vec::with_capacity(samples);
    let mut tally = Tally::default();
    for (number, piece) in pieces.into_iter().enumerate() {
        let losses = task.losses(model, piece, number, carry, &mut masks);
        let mean = if whole {
            losses.tensor.mean()
        } else {
            losses.tensor.sum().div_scalar(samples as f64)
        };
        gradients.accumulate(model, GradientsParams::from_grads(mean.backward(), model));
        host.extend(losses.host);
        tally.add(losses.tally);
    }
    Lesson {
        gradients: gradients.grads(),
        losses: host,
        seen: tally,
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape_of;
    use super::super::testing::{Paced, SEED};
    use super::super::{Batches, ImageTask};
    use super::*;
    use crate::optimizers::OptimizerSpec;
    use burn::tensor::Device;
    use koala_data::{Augmentation, BatchOrder, digits};
    use koala_models::stored::weights_to_bytes;
    use koala_models::{Cnn, CnnSpec, Draws};
    use std::time::Duration;

    /// Batch normalisation of an average that no batch went through gets statistics of its own.
    #[test]
    fn weights_that_an_optimizer_averages_get_their_own_statistics() {
        let split = digits().unwrap();
        let task = &Paced::new(&split, Duration::ZERO).images;
        let spec = CnnSpec {
            channels: vec![3, 4],
            hidden: 0,
            ..CnnSpec::default()
        };
        for (name, averages) in [("schedule-free-sgd", true), ("sgd", false)] {
            let mut draws = Draws::new(SEED, &Device::flex().autodiff());
            let model = Cnn::new(&spec, shape_of(&split.train), &mut draws);
            let optimizer = OptimizerSpec::named(name).unwrap().start(&model, 10);
            let mut player = Player {
                model,
                optimizer: optimizer.unwrap(),
            };
            let order = task.epoch(0);
            for index in 0..5 {
                let pieces = vec![task.batch(&order, 0, index)];
                let updated = player.update(1.0, &mut 0.0, |model| {
                    lesson(task, model, pieces, &mut (), Masks::off())
                });
                player = updated.unwrap().0;
            }
            let evaluated = player.optimizer.evaluation(&player.model).unwrap();
            let batches = (0..task.batches()).map(|index| task.batch(&order, 0, index));
            let expected = recompute_statistics(&evaluated, batches, |model, batch| {
                task.losses(model, batch, 0, &mut (), &mut Masks::off());
                Ok::<_, OptimizerError>(())
            });
            let predictor = Predictor {
                player,
                task,
                carry: None,
                carried: None,
            };
            let found = (predictor.player).inference(None, |network| predictor.statistics(network));
            let bytes = |model: &Cnn| weights_to_bytes(model).unwrap();
            let found = bytes(&found.unwrap());
            assert_eq!(found == bytes(&expected.unwrap()), averages, "{name}");
            assert_eq!(found == bytes(&evaluated), !averages, "{name}");
        }
    }

    /// An evaluation costs the same however many samples there are to train on.
    #[test]
    fn statistics_come_from_no_more_batches_than_are_enough() {
        let split = digits().unwrap();
        let order = BatchOrder {
            seed: SEED,
            samples: split.train.len(),
            batch_size: 64,
            drop_last: false,
        };
        let device = Device::flex();
        let task = &ImageTask::new(&split, order, Augmentation::None, 0, &device);
        let spec = CnnSpec {
            channels: vec![3],
            hidden: 0,
            ..CnnSpec::default()
        };
        let mut draws = Draws::new(SEED, &device.autodiff());
        let model = Cnn::new(&spec, shape_of(&split.train), &mut draws);
        let drawn = task.epoch(0);
        let of_the_first = |count: usize| {
            let batches = (0..count).map(|index| task.batch(&drawn, 0, index));
            let found = recompute_statistics(&model, batches, |model, batch| {
                task.losses(model, batch, 0, &mut (), &mut Masks::off());
                Ok::<_, OptimizerError>(())
            });
            weights_to_bytes(&found.unwrap()).unwrap()
        };
        let optimizer = OptimizerSpec::named("koala-a").unwrap().start(&model, 10);
        let predictor = Predictor {
            player: Player {
                model: model.clone(),
                optimizer: optimizer.unwrap(),
            },
            task,
            carry: None,
            carried: None,
        };
        let found = weights_to_bytes(&predictor.statistics(&model).unwrap()).unwrap();
        assert_eq!(found, of_the_first(16));
        assert_ne!(found, of_the_first(task.batches()));
    }
}
