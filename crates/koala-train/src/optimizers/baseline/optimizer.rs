//! Burn's own optimizers in the training loop.

use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use koala_burn::clip_by_global_norm;

use super::record::{self, Form};
use super::{AdamSpec, AdamWSpec, SgdSpec};
use crate::optimizers::{Optimizer, OptimizerError, StepSummary};

/// One of Burn's optimizers in the training loop.
pub struct Baseline {
    optimizer: ModuleOptimizer,
    form: Form,
    learning_rate: f64,
    /// Infinite if nothing is clipped.
    clip_norm: f64,
}

/// What Adam and AdamW remember.
const fn moments(name: &'static str) -> Form {
    Form {
        name,
        tensors: &["momentum.moment_1", "momentum.moment_2"],
        counters: &["momentum.time"],
    }
}

impl From<&SgdSpec> for Baseline {
    fn from(spec: &SgdSpec) -> Self {
        let config = SgdConfig::new()
            .with_momentum((spec.momentum > 0.0).then_some(MomentumConfig {
                momentum: spec.momentum,
                dampening: 0.0,
                nesterov: spec.nesterov,
            }))
            .with_weight_decay(penalty(spec.weight_decay));
        Self {
            optimizer: config.init(),
            form: Form {
                name: "sgd",
                tensors: if spec.momentum > 0.0 {
                    &["momentum.velocity"]
                } else {
                    &[]
                },
                counters: &[],
            },
            learning_rate: spec.learning_rate,
            clip_norm: spec.clip_norm,
        }
    }
}

impl From<&AdamSpec> for Baseline {
    fn from(spec: &AdamSpec) -> Self {
        let config = AdamConfig::new()
            .with_beta_1(spec.beta_1 as f32)
            .with_beta_2(spec.beta_2 as f32)
            .with_epsilon(spec.epsilon as f32)
            .with_weight_decay(penalty(spec.weight_decay));
        Self {
            optimizer: config.init(),
            form: moments("adam"),
            learning_rate: spec.learning_rate,
            clip_norm: spec.clip_norm,
        }
    }
}

impl From<&AdamWSpec> for Baseline {
    fn from(spec: &AdamWSpec) -> Self {
        let config = AdamWConfig::new()
            .with_beta_1(spec.beta_1 as f32)
            .with_beta_2(spec.beta_2 as f32)
            .with_epsilon(spec.epsilon as f32)
            .with_weight_decay(spec.weight_decay as f32);
        Self {
            optimizer: config.init(),
            form: moments("adamw"),
            learning_rate: spec.learning_rate,
            clip_norm: spec.clip_norm,
        }
    }
}

fn penalty(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32))
}

impl<M: Module> Optimizer<M> for Baseline {
    fn prepare(&mut self, _model: &mut M) -> Result<(), OptimizerError> {
        Ok(())
    }

    fn step(
        &mut self,
        model: M,
        mut gradients: GradientsParams,
        _losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        let learning_rate = self.learning_rate * factor;
        let clipped = if self.clip_norm < f64::INFINITY {
            clip_by_global_norm(&model, &mut gradients, self.clip_norm)?.factor
        } else {
            1.0
        };
        let model = self.optimizer.step(learning_rate, model, gradients);
        let summary = StepSummary {
            gain: learning_rate,
            effective_learning_rate: learning_rate * clipped,
            report: None,
        };
        Ok((model, summary))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        Ok(model.valid())
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(record::tensor_bytes(&self.optimizer)?)
    }

    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError> {
        Ok(record::to_bytes(self.form, &self.optimizer, model)?)
    }

    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError> {
        self.optimizer = record::from_bytes(self.form, self.optimizer.clone(), bytes, model)?;
        Ok(())
    }
}
