//! The configuration of any of the three methods.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::momentum::KoalaMConfig;
use crate::options::Options;
use crate::plusplus::KoalaPpConfig;
use crate::vanilla::KoalaVConfig;

/// Configuration of any of the three methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Config {
    /// KOALA-V.
    KoalaV(KoalaVConfig),
    /// KOALA-M.
    KoalaM(KoalaMConfig),
    /// KOALA++.
    KoalaPp(KoalaPpConfig),
}

impl Config {
    /// `koala-v`, `koala-m` or `koala-pp`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KoalaV(_) => "koala-v",
            Self::KoalaM(_) => "koala-m",
            Self::KoalaPp(_) => "koala-pp",
        }
    }

    /// Options common to all methods.
    pub fn options(&self) -> &Options {
        match self {
            Self::KoalaV(config) => &config.options,
            Self::KoalaM(config) => &config.options,
            Self::KoalaPp(config) => &config.options,
        }
    }

    /// Options common to all methods, to be changed.
    pub fn options_mut(&mut self) -> &mut Options {
        match self {
            Self::KoalaV(config) => &mut config.options,
            Self::KoalaM(config) => &mut config.options,
            Self::KoalaPp(config) => &mut config.options,
        }
    }

    /// What the method stores beside the parameters.
    pub fn memory(&self) -> MemoryKind {
        match self {
            Self::KoalaV(_) => MemoryKind::None,
            Self::KoalaM(config) => MemoryKind::Velocity {
                average: config.keeps_average(),
            },
            Self::KoalaPp(_) => MemoryKind::Covariance,
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidField`](crate::Error::InvalidField) naming the first field that is wrong.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::KoalaV(config) => config.validate(),
            Self::KoalaM(config) => config.validate(),
            Self::KoalaPp(config) => config.validate(),
        }
    }
}

/// What a method stores beside the parameters, in vectors of each parameter's shape and type, all zeros at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Nothing.
    None,
    /// Velocities v and, with `average`, the running mean a of x.
    Velocity {
        /// Whether a is stored.
        average: bool,
    },
    /// The gradient-covariance product v' and the previous decayed gradient H'.
    Covariance,
}

impl MemoryKind {
    /// Names of the stored vectors, in order: as they stand in stored states.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Velocity { average: false } => &["velocity"],
            Self::Velocity { average: true } => &["velocity", "average"],
            Self::Covariance => &["covariance", "gradient"],
        }
    }
}

macro_rules! option_builders {
    ($($config:ident => $variant:ident),*) => {$(
        impl From<$config> for Config {
            fn from(config: $config) -> Self {
                Self::$variant(config)
            }
        }

        impl $config {
            /// Sets e, the gain multiplier.
            #[must_use]
            pub fn with_gain(mut self, gain: f64) -> Self {
                self.options.gain = gain;
                self
            }

            /// Sets the gain schedule.
            #[must_use]
            pub fn with_schedule(mut self, schedule: crate::schedule::Schedule) -> Self {
                self.options.schedule = schedule;
                self
            }

            /// Sets the weight decay.
            #[must_use]
            pub fn with_weight_decay(mut self, weight_decay: crate::decay::WeightDecay) -> Self {
                self.options.weight_decay = weight_decay;
                self
            }

            /// Sets how R is found.
            #[must_use]
            pub fn with_measurement_noise(mut self, noise: crate::noise::MeasurementNoise) -> Self {
                self.options.measurement_noise = noise;
                self
            }

            /// Sets the target of the loss.
            #[must_use]
            pub fn with_target(mut self, target: crate::target::Target) -> Self {
                self.options.target = target;
                self
            }

            /// Sets what a loss below its target does.
            #[must_use]
            pub fn with_negative_residual(mut self, policy: crate::options::NegativeResidual) -> Self {
                self.options.negative_residual = policy;
                self
            }

            /// Sets the partition into blocks.
            #[must_use]
            pub fn with_partition(mut self, partition: crate::layout::Partition) -> Self {
                self.options.partition = partition;
                self
            }

            /// Sets the number of measurements missing in a row that is an error.
            #[must_use]
            pub fn with_missing_limit(mut self, limit: u32) -> Self {
                self.options.missing_limit = limit;
                self
            }

            /// Sets the bound on the norm of the whole update.
            #[must_use]
            pub fn with_max_update_norm(mut self, bound: Option<f64>) -> Self {
                self.options.max_update_norm = bound;
                self
            }
        }
    )*};
}

option_builders!(KoalaVConfig => KoalaV, KoalaMConfig => KoalaM, KoalaPpConfig => KoalaPp);
