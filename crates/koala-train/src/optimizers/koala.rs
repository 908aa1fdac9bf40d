//! KOALA-V, KOALA-M and KOALA++ in the training loop, and their options as configurations write them.

use burn::module::Module;
use burn::optim::GradientsParams;
use koala_filter::{
    Config, DecayRule, KoalaMConfig, KoalaPpConfig, KoalaVConfig, MeasurementNoise,
    NegativeResidual, Observation, Options, Partition, PlusPlusVariant, PositionNoise, Target,
    WeightDecay,
};
use serde::{Deserialize, Serialize};

use super::{Optimizer, OptimizerError, StepSummary};

/// How R is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasurementNoiseRule {
    /// A running mean of the squared losses.
    Adaptive,
    /// A constant.
    Fixed,
}

/// How KOALA-M finds its position noise q_x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionNoiseRule {
    /// As the published runs did.
    Authors,
    /// As the paper writes it.
    Paper,
    /// A constant.
    Fixed,
}

/// How the target of the loss is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetRule {
    /// The target is a constant.
    Constant,
    /// The target follows the loss at a constant distance.
    Offset,
}

/// Declares a method's options: its own fields, then those common to all methods, so that a configuration stays flat and
/// every option has one name everywhere.
macro_rules! koala_spec {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            /// e, the gain multiplier that schedules move. Default 1.
            pub gain: f64,
            $($(#[$field_docs])* pub $field: $type,)*
            /// Whether R adapts (default) or is fixed.
            pub measurement_noise: MeasurementNoiseRule,
            /// R_0, or the fixed R. Default 1.
            pub measurement_noise_initial: f64,
            /// beta_r, the share of the old R in the new one if it adapts. Default 0.9.
            pub measurement_noise_smoothing: f64,
            /// w. Default 0.
            pub weight_decay: f64,
            /// Where w enters: coupled (default), decoupled or gain-only.
            pub decay_rule: DecayRule,
            /// T, or the distance u between loss and target if the rule is offset. Default 0.
            pub target: f64,
            /// Whether the target is a constant (default) or follows the loss at a distance.
            pub target_rule: TargetRule,
            /// What a loss below its target does: clamp (default), allow or error.
            pub negative_residual: NegativeResidual,
            /// Blocks of the filter: per-tensor (default) or global.
            pub partition: Partition,
            /// Bound on the norm of a whole update. Default inf, none.
            pub max_update_norm: f64,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    gain: 1.0,
                    $($field: $default,)*
                    measurement_noise: MeasurementNoiseRule::Adaptive,
                    measurement_noise_initial: 1.0,
                    measurement_noise_smoothing: 0.9,
                    weight_decay: 0.0,
                    decay_rule: DecayRule::Coupled,
                    target: 0.0,
                    target_rule: TargetRule::Constant,
                    negative_residual: NegativeResidual::Clamp,
                    partition: Partition::PerTensor,
                    max_update_norm: f64::INFINITY,
                }
            }
        }

        impl $name {
            fn options(&self) -> Options {
                let initial = self.measurement_noise_initial;
                let mut options = Options::default();
                options.gain = self.gain;
                options.weight_decay = WeightDecay { rate: self.weight_decay, rule: self.decay_rule };
                options.measurement_noise = match self.measurement_noise {
                    MeasurementNoiseRule::Fixed => MeasurementNoise::Fixed(initial),
                    MeasurementNoiseRule::Adaptive => MeasurementNoise::Adaptive {
                        smoothing: self.measurement_noise_smoothing,
                        initial,
                    },
                };
                options.target = match self.target_rule {
                    TargetRule::Constant => Target::Constant(self.target),
                    TargetRule::Offset => Target::Offset(self.target),
                };
                options.negative_residual = self.negative_residual;
                options.partition = self.partition;
                options.max_update_norm =
                    (self.max_update_norm != f64::INFINITY).then_some(self.max_update_norm);
                options
            }
        }
    };
}

koala_spec! {
    /// KOALA-V: a scalar covariance, no memory.
    KoalaVSpec {
        /// P_0. Default 0.1.
        initial_covariance: f64 = 0.1,
        /// q. Default 1.
        process_noise: f64 = 1.0,
    }
}

koala_spec! {
    /// KOALA-M: position and velocity.
    KoalaMSpec {
        /// p11 of P_0. Default 0.1.
        initial_covariance: f64 = 0.1,
        /// p22 of P_0. Default 0.1.
        initial_velocity_covariance: f64 = 0.1,
        /// p12 of P_0. Default 0.
        initial_cross_covariance: f64 = 0.0,
        /// kappa. Default 0.9.
        velocity_decay: f64 = 0.9,
        /// q_v. Default 0.01.
        velocity_noise: f64 = 1e-2,
        /// How q_x is found: authors (default), paper or fixed.
        position_noise: PositionNoiseRule = PositionNoiseRule::Authors,
        /// The q_x that the authors' rule starts from, or the fixed q_x. Default 0.01.
        position_noise_initial: f64 = 1e-2,
    }
}

koala_spec! {
    /// KOALA++: the products of covariance and gradient.
    KoalaPpSpec {
        /// sigma. Default 0.1.
        initial_covariance: f64 = 0.1,
        /// Q. Default 0.1.
        process_noise: f64 = 0.1,
        /// symmetric (default) or minimum-norm.
        variant: PlusPlusVariant = PlusPlusVariant::Symmetric,
    }
}

impl From<&KoalaVSpec> for Config {
    fn from(spec: &KoalaVSpec) -> Self {
        let mut config = KoalaVConfig::new()
            .with_initial_covariance(spec.initial_covariance)
            .with_process_noise(spec.process_noise);
        config.options = spec.options();
        config.into()
    }
}

impl From<&KoalaMSpec> for Config {
    fn from(spec: &KoalaMSpec) -> Self {
        let mut config = KoalaMConfig::new()
            .with_initial_covariance(
                spec.initial_covariance,
                spec.initial_cross_covariance,
                spec.initial_velocity_covariance,
            )
            .with_velocity_decay(spec.velocity_decay)
            .with_velocity_noise(spec.velocity_noise)
            .with_position_noise(match spec.position_noise {
                PositionNoiseRule::Authors => PositionNoise::Authors {
                    initial: spec.position_noise_initial,
                },
                PositionNoiseRule::Paper => PositionNoise::Paper,
                PositionNoiseRule::Fixed => PositionNoise::Fixed(spec.position_noise_initial),
            });
        config.options = spec.options();
        config.into()
    }
}

impl From<&KoalaPpSpec> for Config {
    fn from(spec: &KoalaPpSpec) -> Self {
        let mut config = KoalaPpConfig::new()
            .with_initial_covariance(spec.initial_covariance)
            .with_process_noise(spec.process_noise)
            .with_variant(spec.variant);
        config.options = spec.options();
        config.into()
    }
}

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
        let lengths = ["koala-v", "koala-m", "koala-pp"].map(|name| {
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
