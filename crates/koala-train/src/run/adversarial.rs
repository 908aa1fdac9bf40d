//! From a configuration to trained adversaries.

use burn::module::Module;
use burn::tensor::Device;
use koala_data::Split;
use koala_models::gan::{Critic, Generator};
use koala_models::{SpecError, trainable_parameters};

use super::session::{Session, Size};
use super::{ConfigError, Findings, Network, Outcome};
use crate::Error;
use crate::gan::{GanLearner, GanSpec, GanTask, Player, TrainedGan, train_gan};
use crate::training::{Batches, Company, EndEvent, Event, shape_of};

impl Session<'_> {
    /// Trains a generator and a critic, each with an optimizer of its own of the configured kind.
    pub(super) fn adversaries(
        &self,
        spec: &GanSpec,
        split: &Split,
        device: &Device,
        company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let split = &*spec.fitted(split);
        let shape = shape_of(&split.train);
        let mut draws = self.draws(device);
        let refused = |error: SpecError| -> Error {
            ConfigError::Value {
                origin: format!("model.{}", error.key),
                fault: error.fault,
            }
            .into()
        };
        let generator = Generator::new(&spec.network, shape, &mut draws).map_err(refused)?;
        let critic = Critic::new(&spec.network, shape, &mut draws).map_err(refused)?;
        let parameters = trainable_parameters(&generator) + trainable_parameters(&critic);

        let order = config.order(split.train.len());
        let augmentation = config.dataset.augmentation();
        let task = GanTask::new(split, order, augmentation, spec, device);
        let plan = self.plan(task.batches() as u64);
        let size = Size {
            train: order.samples,
            test: split.test.len(),
        };
        let start = self.start(parameters, size, plan.steps);
        let average = config.average.start(config.epochs as u64);
        let mut learner = GanLearner::new(self.player(generator)?, self.player(critic)?, average);
        let Company {
            observer,
            keeper,
            interrupt,
        } = company;
        self.begin(start, observer, |checkpoint| {
            learner.restore(checkpoint)?;
            Ok((learner.progress.step, learner.progress.epoch))
        })?;
        let company = Company {
            observer: &mut *observer,
            keeper,
            interrupt,
        };
        let trained = train_gan(learner, &task, &plan, company)?;

        let TrainedGan {
            generator,
            critic,
            progress,
            train,
            validation,
            test,
            interrupted,
            optimizer_bytes,
        } = trained;
        let real_distance = (!interrupted).then(|| task.real_distance()).flatten();
        let findings = Findings::Made {
            train,
            validation,
            test: test.clone(),
            real_distance,
            best: progress.best,
        };
        let end = (progress.step, progress.epoch, progress.clocks);
        let sizes = (parameters, optimizer_bytes);
        let result = self.result(interrupted, sizes, end, findings);
        observer.observe(&Event::End(EndEvent {
            status: result.status,
            steps: result.steps,
            test: None,
            distance: test,
            seconds: result.seconds,
        }))?;
        Ok(Outcome {
            result,
            network: Network::Dcgan {
                generator: Box::new(generator),
                critic: Box::new(critic),
            },
        })
    }

    fn player<M: Module + 'static>(&self, model: M) -> Result<Player<M>, Error> {
        let optimizer = self.config.optimizer_for(&model)?;
        Ok(Player { model, optimizer })
    }
}
