//! The options of KOALA's methods as configurations write them.

use koala_filter::{
    Config, DecayRule, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, MeasurementNoise,
    Metric, NegativeResidual, Options, Partition, PlusPlusVariant, PositionNoise, Target,
    WeightDecay,
};
use serde::{Deserialize, Serialize};

/// How R is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasurementNoiseRule {
    /// A running mean of the squared losses, from R_0.
    Adaptive,
    /// A running mean of the squared losses, corrected for its start at 0.
    BiasCorrected,
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
    /// The target is a share of the first loss.
    Relative,
}

/// Declares a method's options: its own fields, then those common to all methods, so that a configuration stays flat and
/// every option has one name everywhere.
macro_rules! koala_spec {
    (
        $(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty = $default:expr,)* }
        measurement noise $noise:ident, decay $rule:ident
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            /// e, the gain multiplier that schedules move. Default 1.
            pub gain: f64,
            $($(#[$field_docs])* pub $field: $type,)*
            /// Whether R adapts (default), from R_0 or without one (default of KOALA-A), or is fixed.
            pub measurement_noise: MeasurementNoiseRule,
            /// R_0, or the fixed R; of no effect if it is bias-corrected. Default 1.
            pub measurement_noise_initial: f64,
            /// beta_r, the share of the old R in the new one if it adapts. Default 0.9.
            pub measurement_noise_smoothing: f64,
            /// w. Default 0.
            pub weight_decay: f64,
            /// Where w enters: coupled (default), decoupled (default of KOALA-A) or gain-only.
            pub decay_rule: DecayRule,
            /// T, or the distance u between loss and target if the rule is offset, or T over the first loss if it is relative.
            /// Default 0.
            pub target: f64,
            /// Whether the target is a constant (default), follows the loss at a distance or is a share of the first loss.
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
                    measurement_noise: MeasurementNoiseRule::$noise,
                    measurement_noise_initial: 1.0,
                    measurement_noise_smoothing: 0.9,
                    weight_decay: 0.0,
                    decay_rule: DecayRule::$rule,
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
                    MeasurementNoiseRule::BiasCorrected => MeasurementNoise::BiasCorrected {
                        smoothing: self.measurement_noise_smoothing,
                    },
                };
                options.target = match self.target_rule {
                    TargetRule::Constant => Target::Constant(self.target),
                    TargetRule::Offset => Target::Offset(self.target),
                    TargetRule::Relative => Target::Relative(self.target),
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
    measurement noise Adaptive, decay Coupled
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
        /// Whether parameters without a gradient go on along their velocity. Default true.
        #[serde(default = "coasting")]
        coast: bool = true,
        /// How q_x is found: authors (default), paper or fixed.
        position_noise: PositionNoiseRule = PositionNoiseRule::Authors,
        /// The q_x that the authors' rule starts from, or the fixed q_x. Default 0.01.
        position_noise_initial: f64 = 1e-2,
    }
    measurement noise Adaptive, decay Coupled
}

/// What configurations say that were written before there was a choice.
fn coasting() -> bool {
    true
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
    measurement noise Adaptive, decay Coupled
}

koala_spec! {
    /// KOALA-A: Adam's metric as the covariance, the process noise found by whiteness, evaluated at a mean.
    KoalaASpec {
        /// Q_0. Default 0.07.
        initial_process_noise: f64 = 0.07,
        /// kappa. Default 0.9.
        velocity_decay: f64 = 0.9,
        /// diagonal (default) or none.
        metric: Metric = Metric::Diagonal,
        /// beta_2. Default 0.99.
        second_moment_smoothing: f64 = 0.99,
        /// eps. Default 1e-8.
        epsilon: f64 = 1e-8,
        /// a_up. Default 0.25.
        growth_rate: f64 = 0.25,
        /// a_down. Default 0.1.
        decline_rate: f64 = 0.1,
        /// k_0. Default 30.
        rate_horizon: f64 = 30.0,
        /// beta_rho. Default 0.9.
        whiteness_smoothing: f64 = 0.9,
        /// gamma, the least gradient that S believes in where the target is out of reach, as a share of the largest.
        /// Default 0.4.
        gradient_floor: f64 = 0.4,
        /// Whether the model is evaluated at the mean of the iterates. Default true.
        mean: bool = true,
        /// eta, how fast the mean forgets. Default 8.
        mean_eta: f64 = 8.0,
    }
    measurement noise BiasCorrected, decay Decoupled
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
            .with_coast(spec.coast)
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

impl From<&KoalaASpec> for Config {
    fn from(spec: &KoalaASpec) -> Self {
        let mut config = KoalaAConfig::new()
            .with_initial_process_noise(spec.initial_process_noise)
            .with_velocity_decay(spec.velocity_decay)
            .with_metric(spec.metric)
            .with_second_moment_smoothing(spec.second_moment_smoothing)
            .with_epsilon(spec.epsilon)
            .with_rates(spec.growth_rate, spec.decline_rate)
            .with_rate_horizon(spec.rate_horizon)
            .with_whiteness_smoothing(spec.whiteness_smoothing)
            .with_gradient_floor(spec.gradient_floor)
            .with_mean(spec.mean.then_some(spec.mean_eta));
        config.options = spec.options();
        config.into()
    }
}
