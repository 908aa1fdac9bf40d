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

use crate::error::Result;
use crate::gain::{BlockGain, GainKind, quotient};
use crate::options::{Options, not_negative};

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

    pub fn predict(&mut self) {
        self.covariance += self.config.process_noise;
    }

    pub fn gain(&self, gradient_squared: f64, r: f64) -> BlockGain {
        let p = self.covariance;
        let s = p * gradient_squared + r;
        BlockGain {
            innovation_variance: s,
            position: quotient(p, s),
            kind: GainKind::Vanilla,
        }
    }

    /// The covariance after a measurement whose largest block norm is `largest` (G).
    pub fn correct(&mut self, largest: f64, r: f64) {
        let p = self.covariance;
        let s = p * largest + r;
        if s > 0.0 {
            self.covariance = p * (r / s);
        }
    }
}
