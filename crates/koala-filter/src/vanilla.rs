//! KOALA-V, the vanilla method: a scalar covariance (Davtyan et al. 2022, Algorithm 1).
//!
//! ```text
//! predict   P <- P + q
//! update    S_b = P |h_b|^2 + R
//!           x_b <- x_b - e (L_b - T) P / S_b h_b
//!           G = max_b |h_b|^2 ;  P <- P R / (P G + R)
//! ```
//!
//! The covariance takes the block with the largest |h_b|^2 / S_b, which is always the one with the largest norm; the
//! form P R / (P G + R) has no cancellation. Memory: no number a parameter.

use serde::{Deserialize, Serialize};

use crate::demands::{Demands, Innovations, MemoryKind, SumsKind};
use crate::error::Result;
use crate::gain::{BlockGain, GainKind, quotient};
use crate::method::{Correction, Method, MethodConfig, variance};
use crate::options::{Options, not_negative};
use crate::report::{Covariance, ProcessNoise};
use crate::statistics::BlockStatistics;

/// Configuration of KOALA-V.
///
/// ```
/// use koala_filter::{KoalaVConfig, WeightDecay};
/// let config = KoalaVConfig::new().with_process_noise(0.5).with_weight_decay(WeightDecay::coupled(5e-4));
/// assert_eq!(config.initial_covariance, 0.1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct KoalaVConfig {
    /// P_0. Default 0.1.
    pub initial_covariance: f64,
    /// q. Default 1.
    pub process_noise: f64,
    /// Options common to all methods.
    pub options: Options,
}

impl Default for KoalaVConfig {
    fn default() -> Self {
        Self {
            initial_covariance: 0.1,
            process_noise: 1.0,
            options: Options::default(),
        }
    }
}

impl KoalaVConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets P_0.
    #[must_use]
    pub fn with_initial_covariance(mut self, covariance: f64) -> Self {
        self.initial_covariance = covariance;
        self
    }

    /// Sets q.
    #[must_use]
    pub fn with_process_noise(mut self, process_noise: f64) -> Self {
        self.process_noise = process_noise;
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidField`](crate::Error::InvalidField) naming the first field that is wrong.
    pub fn validate(&self) -> Result<()> {
        not_negative("initial-covariance", self.initial_covariance)?;
        not_negative("process-noise", self.process_noise)?;
        self.options.validate()
    }

    /// What the method asks of the passes over memory.
    pub(crate) fn demands(&self) -> Demands {
        Demands {
            memory: MemoryKind::None,
            sums: SumsKind::Gradient,
            moves: false,
            innovation: Innovations::PerBlock,
            gain_only_decay: true,
        }
    }
}

/// KOALA-V's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vanilla {
    pub config: KoalaVConfig,
    /// P.
    pub covariance: f64,
}

impl Vanilla {
    pub fn new(config: KoalaVConfig) -> Self {
        Self {
            covariance: config.initial_covariance,
            config,
        }
    }
}

impl Method for Vanilla {
    fn settings(&self) -> &dyn MethodConfig {
        &self.config
    }

    fn validate(&self, _tensors: usize, _blocks: usize) -> Result<()> {
        variance("P", self.covariance)
    }

    fn predict(&mut self, _deviation: f64, _elements: usize) {
        self.covariance += self.config.process_noise;
    }

    fn gain(&mut self, _block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain {
        let p = self.covariance;
        let s = p * statistics.decayed_squared + r;
        BlockGain {
            gradient_squared: statistics.decayed_squared,
            innovation_variance: s,
            position: quotient(p, s),
            kind: GainKind::Vanilla,
        }
    }

    fn correct(&mut self, correction: &Correction) {
        let (p, r) = (self.covariance, correction.r);
        let Some(largest) = correction.gradient else {
            return;
        };
        let s = p * largest + r;
        if s > 0.0 {
            self.covariance = p * (r / s);
        }
    }

    fn process_noise(&self) -> ProcessNoise {
        ProcessNoise::Scalar(self.config.process_noise)
    }

    fn covariance(&self) -> Covariance {
        Covariance::Scalar(self.covariance)
    }
}
