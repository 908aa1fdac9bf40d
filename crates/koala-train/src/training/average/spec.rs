//! Averages of weights, as configurations write them.

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::{Average, Ema, Swa};

/// An average of the weights, by name, with its options. It is what is tested and stored; training does not see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AverageSpec {
    /// The weights of the last step.
    None {},
    /// An exponential moving average over the steps: [`Ema`].
    Ema {
        /// Share of the old average in the new one. Default 0.999.
        #[serde(rename = "ema-decay")]
        ema_decay: f64,
        /// Whether the share starts low and rises with the steps. Default true.
        #[serde(rename = "ema-warm-up")]
        ema_warm_up: bool,
    },
    /// Stochastic weight averaging, over the ends of epochs: [`Swa`].
    Swa {
        /// First epoch, from 1, whose end is averaged; 0 (default) for the last quarter of all epochs.
        #[serde(rename = "swa-start")]
        swa_start: u64,
        /// Epochs from one that is averaged to the next. Default 1.
        #[serde(rename = "swa-every")]
        swa_every: u64,
    },
}

impl AverageSpec {
    /// The names of all averages.
    pub const NAMES: [&'static str; 3] = ["none", "ema", "swa"];

    /// The average of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None {}),
            "ema" => Some(Self::Ema {
                ema_decay: 0.999,
                ema_warm_up: true,
            }),
            "swa" => Some(Self::Swa {
                swa_start: 0,
                swa_every: 1,
            }),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None {} => "none",
            Self::Ema { .. } => "ema",
            Self::Swa { .. } => "swa",
        }
    }

    /// The average of a run of `epochs` epochs, with nothing in it yet; none if there is to be none.
    pub fn start<M: Module>(&self, epochs: u64) -> Option<Average<M>> {
        match *self {
            Self::None {} => None,
            Self::Ema {
                ema_decay,
                ema_warm_up,
            } => Some(Average::Ema(Ema::new(ema_decay, ema_warm_up))),
            Self::Swa {
                swa_start,
                swa_every,
            } => {
                let start = match swa_start {
                    0 => epochs - epochs / 4,
                    epoch => epoch,
                };
                Some(Average::Swa(Swa::new(start, swa_every)))
            }
        }
    }

    /// What is wrong with the options: the key and the fault.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        match self {
            Self::None {} => None,
            Self::Ema { ema_decay, .. } => (!(0.0..1.0).contains(ema_decay))
                .then(|| ("ema-decay", format!("must be in [0, 1), not {ema_decay:?}"))),
            Self::Swa { swa_every, .. } => {
                (*swa_every == 0).then(|| ("swa-every", "must be at least 1".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_defaults_agree() {
        for name in AverageSpec::NAMES {
            let spec = AverageSpec::named(name).unwrap();
            assert_eq!((spec.name(), spec.fault()), (name, None));
            let written = toml::Table::try_from(&spec).unwrap();
            assert_eq!(written["name"].as_str(), Some(name));
            assert_eq!(written.try_into::<AverageSpec>().unwrap(), spec);
        }
    }

    #[test]
    fn faults_are_named() {
        let ema = |ema_decay| AverageSpec::Ema {
            ema_decay,
            ema_warm_up: false,
        };
        for wrong in [1.0, -0.1, f64::NAN] {
            assert_eq!(ema(wrong).fault().unwrap().0, "ema-decay");
        }
        let swa = AverageSpec::Swa {
            swa_start: 3,
            swa_every: 0,
        };
        assert_eq!(swa.fault().unwrap().0, "swa-every");
    }
}
