//! The state of any of the three methods.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::gain::BlockGain;
use crate::momentum::Momentum;
use crate::options::Options;
use crate::plan::Motion;
use crate::plusplus::PlusPlus;
use crate::report::{Covariance, ProcessNoise};
use crate::statistics::BlockStatistics;
use crate::vanilla::Vanilla;

/// The state of any of them, its configuration in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    KoalaV(Vanilla),
    KoalaM(Momentum),
    KoalaPp(PlusPlus),
}

impl Method {
    pub fn new(config: Config, blocks: usize) -> Self {
        match config {
            Config::KoalaV(config) => Self::KoalaV(Vanilla::new(config)),
            Config::KoalaM(config) => Self::KoalaM(Momentum::new(config)),
            Config::KoalaPp(config) => Self::KoalaPp(PlusPlus::new(config, blocks)),
        }
    }

    pub fn config(&self) -> Config {
        match self {
            Self::KoalaV(vanilla) => vanilla.config.clone().into(),
            Self::KoalaM(momentum) => momentum.config.clone().into(),
            Self::KoalaPp(plusplus) => plusplus.config.clone().into(),
        }
    }

    pub fn options(&self) -> &Options {
        match self {
            Self::KoalaV(vanilla) => &vanilla.config.options,
            Self::KoalaM(momentum) => &momentum.config.options,
            Self::KoalaPp(plusplus) => &plusplus.config.options,
        }
    }

    pub fn options_mut(&mut self) -> &mut Options {
        match self {
            Self::KoalaV(vanilla) => &mut vanilla.config.options,
            Self::KoalaM(momentum) => &mut momentum.config.options,
            Self::KoalaPp(plusplus) => &mut plusplus.config.options,
        }
    }

    /// Makes room for new blocks after the old ones, `blocks` in all.
    pub fn extend(&mut self, blocks: usize) {
        if let Self::KoalaPp(plusplus) = self {
            plusplus.innovation_variances.resize(blocks, None);
        }
    }

    pub fn motion(&self) -> Option<Motion> {
        match self {
            Self::KoalaM(momentum) => Some(momentum.motion()),
            Self::KoalaV(_) | Self::KoalaPp(_) => None,
        }
    }

    pub fn predict(&mut self, deviation: f64, elements: usize) {
        match self {
            Self::KoalaV(vanilla) => vanilla.predict(),
            Self::KoalaM(momentum) => momentum.predict(deviation, elements),
            Self::KoalaPp(_) => {}
        }
    }

    pub fn gain(&self, block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain {
        match self {
            Self::KoalaV(vanilla) => vanilla.gain(statistics.decayed_squared, r),
            Self::KoalaM(momentum) => momentum.gain(statistics.decayed_squared, r),
            Self::KoalaPp(plusplus) => plusplus.gain(block, statistics, r),
        }
    }

    /// The covariance after the measurement: from the largest |h_b|^2 for V and M, from each block's S for ++.
    pub fn correct(&mut self, largest: f64, r: f64, gains: &[Option<BlockGain>]) {
        match self {
            Self::KoalaV(vanilla) => vanilla.correct(largest, r),
            Self::KoalaM(momentum) => momentum.correct(largest, r),
            Self::KoalaPp(plusplus) => {
                for (variance, gain) in plusplus.innovation_variances.iter_mut().zip(gains) {
                    if let Some(gain) = gain {
                        *variance = Some(gain.innovation_variance);
                    }
                }
            }
        }
    }

    pub fn process_noise(&self) -> ProcessNoise {
        match self {
            Self::KoalaV(vanilla) => ProcessNoise::Scalar(vanilla.config.process_noise),
            Self::KoalaM(momentum) => ProcessNoise::PositionVelocity {
                position: momentum.position_noise,
                velocity: momentum.config.velocity_noise,
            },
            Self::KoalaPp(plusplus) => ProcessNoise::Scalar(plusplus.config.process_noise),
        }
    }

    pub fn covariance(&self) -> Covariance {
        match self {
            Self::KoalaV(vanilla) => Covariance::Scalar(vanilla.covariance),
            Self::KoalaM(momentum) => Covariance::Matrix {
                p11: momentum.p11,
                p12: momentum.p12,
                p22: momentum.p22,
            },
            Self::KoalaPp(_) => Covariance::Product,
        }
    }
}
