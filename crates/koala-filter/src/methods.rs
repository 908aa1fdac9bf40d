//! The list of methods, and what holds of each of them by being in it: a configuration and a state of any of them.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use crate::adaptive::{Adaptive, KoalaAConfig};
use crate::demands::{Demands, MemoryKind};
use crate::error::Result;
use crate::method::{Method, MethodConfig};
use crate::momentum::{KoalaMConfig, Momentum};
use crate::options::Options;
use crate::plusplus::{KoalaPpConfig, PlusPlus};
use crate::vanilla::{KoalaVConfig, Vanilla};

macro_rules! methods {
    ($($(#[$doc:meta])* $name:literal: $variant:ident($config:ident => $state:ident);)*) => {
        /// Configuration of any of the methods.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Config {
            $($(#[$doc])* $variant($config),)*
        }

        impl Config {
            /// Names of all methods.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The method's name, as in configurations and stored states.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            fn any(&self) -> &dyn MethodConfig {
                match self {
                    $(Self::$variant(config) => config,)*
                }
            }

            fn any_mut(&mut self) -> &mut dyn MethodConfig {
                match self {
                    $(Self::$variant(config) => config,)*
                }
            }
        }

        /// The state of any of the methods, its configuration in it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum AnyMethod {
            $($variant($state),)*
        }

        impl AnyMethod {
            /// The state at the start, of a layout of so many tensors in so many blocks.
            pub fn new(config: Config, tensors: usize, blocks: usize) -> Self {
                let mut method = match config {
                    $(Config::$variant(config) => Self::$variant($state::new(config)),)*
                };
                method.extend(tensors, blocks);
                method
            }

            pub fn config(&self) -> Config {
                match self {
                    $(Self::$variant(method) => method.config.clone().into(),)*
                }
            }

            pub fn options_mut(&mut self) -> &mut Options {
                match self {
                    $(Self::$variant(method) => &mut method.config.options,)*
                }
            }
        }

        impl Deref for AnyMethod {
            type Target = dyn Method;

            fn deref(&self) -> &(dyn Method + 'static) {
                match self {
                    $(Self::$variant(method) => method,)*
                }
            }
        }

        impl DerefMut for AnyMethod {
            fn deref_mut(&mut self) -> &mut (dyn Method + 'static) {
                match self {
                    $(Self::$variant(method) => method,)*
                }
            }
        }

        $(
            impl From<$config> for Config {
                fn from(config: $config) -> Self {
                    Self::$variant(config)
                }
            }

            impl MethodConfig for $config {
                fn options(&self) -> &Options {
                    &self.options
                }

                fn options_mut(&mut self) -> &mut Options {
                    &mut self.options
                }

                fn demands(&self) -> Demands {
                    $config::demands(self)
                }

                fn check(&self) -> Result<()> {
                    self.validate()
                }
            }

            option_builders!($config);
        )*
    };
}

macro_rules! option_builders {
    ($config:ident) => {
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
            pub fn with_negative_residual(
                mut self,
                policy: crate::options::NegativeResidual,
            ) -> Self {
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
    };
}

methods! {
    /// KOALA-V.
    "koala-v": KoalaV(KoalaVConfig => Vanilla);
    /// KOALA-M.
    "koala-m": KoalaM(KoalaMConfig => Momentum);
    /// KOALA++.
    "koala-pp": KoalaPp(KoalaPpConfig => PlusPlus);
    /// KOALA-A.
    "koala-a": KoalaA(KoalaAConfig => Adaptive);
}

impl Config {
    /// Options common to all methods.
    pub fn options(&self) -> &Options {
        self.any().options()
    }

    /// Options common to all methods, to be changed.
    pub fn options_mut(&mut self) -> &mut Options {
        self.any_mut().options_mut()
    }

    /// What the method asks of the passes over memory.
    pub fn demands(&self) -> Demands {
        self.any().demands()
    }

    /// What the method stores beside the parameters.
    pub fn memory(&self) -> MemoryKind {
        self.demands().memory
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidField`](crate::Error::InvalidField) naming the first field that is wrong.
    pub fn validate(&self) -> Result<()> {
        self.any().check()
    }
}
