//! From a configuration to trained adversaries.

use burn::module::Module;
use burn::tensor::Device;
use koala_data::Split;
use koala_models::gan::{Critic, Generator};
use koala_models::trainable_parameters;

use super::session::{Session, Size, refused};
use super::{Findings, Network, Outcome};
use crate::Error;
use crate::gan::{GanLearner, GanSpec, GanTask, Player, train_gan};
use crate::training::{Batches, Company, Still, shape_of};

impl Session<'_> {
    /// Trains a generator and a critic, each with an optimizer of its own of the configured kind.
    pub(super) fn adversaries(
        &self,
        spec: &GanSpec,
        split: &Split,
        device: &Device,
        mut company: Company<'_>,
    ) -> Result<Outcome, Error> {
        let config = self.config;
        let split = &*spec.fitted(split);
        let shape = shape_of(&split.train);
        let mut draws = self.draws(device);
        let generator = Generator::new(&spec.network, shape, &mut draws).map_err(refused)?;
        let critic = Critic::new(&spec.network, shape, &mut draws).map_err(refused)?;
        let still = [Still::of(&generator), Still::of(&critic)];
        let parameters = trainable_parameters(&generator) + trainable_parameters(&critic);

        let order = config.order(split.train.len());
        let augmentation = config.dataset.augmentation();
        let task = GanTask::new(split, order, augmentation, spec, device);
        let plan = self.plan(task.batches() as u64);
        let size = Size {
            train: order.samples,
            test: split.test.len(),
        };
        let start = self.start(parameters, size, plan.steps, None);
        let average = config.average.start(config.epochs as u64);
        let mut learner = GanLearner::new(self.player(generator)?, self.player(critic)?, average);
        self.begin(start, company.observer, |checkpoint| {
            learner.restore(checkpoint)?;
            Ok((learner.progress.step, learner.progress.epoch))
        })?;
        let (trained, critic) = train_gan(learner, &task, &plan, company.lent())?;
        let real_distance = (!trained.interrupted).then(|| task.real_distance());
        let counts = &trained.progress.counts;
        let findings = Findings::Made {
            train: counts.train(),
            validation: trained.validation.clone(),
            test: trained.test.clone(),
            real_distance: real_distance.flatten(),
            best: counts.best.clone(),
        };
        let mut result = self.result(parameters, &trained, findings);
        let warnings = still[0]
            .warning(&trained.model)
            .zip(still[1].warning(&critic));
        result.judge(warnings.map(|(generator, _)| generator), company.observer)?;
        result.tell(company.observer)?;
        Ok(Outcome {
            result,
            network: Network::Dcgan {
                generator: Box::new(trained.model),
                critic: Box::new(critic),
            },
        })
    }

    fn player<M: Module + 'static>(&self, model: M) -> Result<Player<M>, Error> {
        let optimizer = self.config.optimizer_for(&model)?;
        Ok(Player { model, optimizer })
    }
}
