//! KOALA's methods in the training loop.

use burn::module::Module;
use burn::optim::GradientsParams;
use koala_filter::{Config, Observation};

use super::{Optimizer, OptimizerError, StepSummary};

/// One of KOALA's methods in the training loop.
pub struct KoalaOptimizer {
    koala: koala_burn::Koala,
    gain: f64,
}

impl KoalaOptimizer {
    /// The method for the parameters of `model`. The loop's schedule moves its gain; the schedule of `config` would come
    /// on top.
    ///
    /// # Errors
    ///
    /// [`OptimizerError`] if the configuration is wrong or the model has nothing to train.
    pub fn new<M: Module>(config: Config, model: &M) -> Result<Self, OptimizerError> {
        let gain = config.options().gain;
        let koala = koala_burn::Koala::new(config, model)?;
        Ok(Self { koala, gain })
    }
}

impl<M: Module> Optimizer<M> for KoalaOptimizer {
    fn prepare(&mut self, model: &mut M) -> Result<(), OptimizerError> {
        Ok(self.koala.predict(model)?)
    }

    fn step(
        &mut self,
        mut model: M,
        gradients: GradientsParams,
        losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        self.koala.set_gain(self.gain * factor)?;
        let observation = Observation::from_losses(losses);
        let report = self.koala.update(&mut model, gradients, observation)?;
        let summary = StepSummary {
            gain: report.gain,
            effective_learning_rate: report.effective_learning_rate(),
            report: Some(report),
        };
        Ok((model, summary))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        Ok(self.koala.evaluation(model)?)
    }

    fn needs_statistics(&self) -> bool {
        let memory = self.koala.filter().config().memory();
        memory.mean_slot().is_some()
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(self.koala.memory_bytes())
    }

    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError> {
        Ok(self.koala.to_bytes(model)?)
    }

    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError> {
        Ok(self.koala.restore_from_bytes(bytes, model)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::OptimizerSpec;
    use crate::training::testing::images;
    use burn::tensor::Device;
    use koala_models::stored::module_tensors;
    use koala_models::{Classifier, Draws, Mlp, MlpSpec};

    fn values(model: &Mlp) -> Vec<f32> {
        let tensors = module_tensors("weights", model).unwrap();
        let numbers = tensors.into_iter().flat_map(|(_, data)| {
            let numbers: Vec<f32> = data.try_into_vec().unwrap();
            numbers
        });
        numbers.collect()
    }

    /// Length of the first update of each method.
    fn lengths(bound: Option<f64>) -> Vec<f64> {
        let device = Device::flex().autodiff();
        let shape = koala_models::ImageShape {
            channels: 1,
            height: 8,
            width: 8,
            classes: 4,
        };
        let lengths = ["koala-v", "koala-m", "koala-pp", "koala-a"].map(|name| {
            let mut table = toml::Table::try_from(OptimizerSpec::named(name).unwrap()).unwrap();
            if let Some(bound) = bound {
                table.insert("max-update-norm".to_owned(), bound.into());
            }
            let spec: OptimizerSpec = table.try_into().unwrap();
            let mut model = Mlp::new(
                &MlpSpec { hidden: vec![5] },
                shape,
                &mut Draws::new(1, &device),
            );
            let mut optimizer = KoalaOptimizer::new(spec.koala().unwrap(), &model).unwrap();
            optimizer.prepare(&mut model).unwrap();
            let before = values(&model);
            let (images, targets) = images([6, 1, 8, 8], 4, &device);
            let losses = koala_models::cross_entropy(model.forward(images), targets);
            let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec().unwrap();
            let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
            let (model, _) = optimizer.step(model, gradients, &host, 1.0).unwrap();
            let moved = values(&model).into_iter().zip(before);
            moved
                .map(|(after, before)| f64::from(after - before).powi(2))
                .sum::<f64>()
                .sqrt()
        });
        lengths.to_vec()
    }

    #[test]
    fn the_option_bounds_the_update() {
        let free = lengths(None);
        let bounded = lengths(Some(1e-3));
        for (free, bounded) in free.into_iter().zip(bounded) {
            assert!(free > 2e-3, "{free}");
            assert!((bounded - 1e-3).abs() < 1e-6, "{bounded}");
        }
    }
}
