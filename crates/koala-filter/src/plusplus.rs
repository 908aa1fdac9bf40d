//! KOALA++, the method that tracks gradient-covariance products (Xia et al. 2025).
//!
//! Per block, with v' the stored product, H' the previous h and S' the previous S:
//!
//! ```text
//! H = h_b ;  first step of a block: v' = sigma H, H' = H, S' = H'.v' + Q |H'|^2 + R
//! alpha = H.H' / |H'|^2 ;  lambda = (H.v' + Q H.H') / S'
//! rho = H.v'/|H'|^2 - (H.H')(H'.v')/|H'|^4            (symmetric; 0 in the minimum-norm variant)
//! v = (alpha - lambda) v' + Q (H - lambda H') + rho H'
//! S = H.v + Q |H|^2 + R
//! x_b <- x_b - e (L_b - T) (v + Q H) / S
//! ```
//!
//! predict does nothing. If S is not positive, or v might not be a number in f32, the block restarts as in its first step.
//! Memory: 2 numbers a parameter.

use serde::{Deserialize, Serialize};

use crate::demands::{Demands, Innovations, MemoryKind, SumsKind};
use crate::error::Result;
use crate::gain::{BlockGain, GainKind, quotient};
use crate::method::{Correction, Method, MethodConfig, damaged, rearranged, variance};
use crate::options::{Options, not_negative};
use crate::plan::PreviousCovariance;
use crate::report::{Covariance, ProcessNoise};
use crate::statistics::{BlockStatistics, Sums};

/// What the norm of each part of v may be: v + Q H, of four parts, is then a number in f32 with room to spare. The same for
/// every type of tensor, so that all decide alike.
const REACH: f64 = f32::MAX as f64 / 8.0;

/// Which solution of the covariance equation KOALA++ takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlusPlusVariant {
    /// The symmetric covariance; S > 0 in every case tried with sigma at most Q (far above it, a small block may restart).
    #[default]
    Symmetric,
    /// The covariance of least norm, symmetric or not: rho = 0.
    MinimumNorm,
}

/// Configuration of KOALA++.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct KoalaPpConfig {
    /// sigma, the covariance that a block starts from. Default 0.1.
    pub initial_covariance: f64,
    /// Q. Default 0.1.
    pub process_noise: f64,
    /// Symmetric (default) or minimum-norm.
    pub variant: PlusPlusVariant,
    /// Options common to all methods.
    pub options: Options,
}

impl Default for KoalaPpConfig {
    fn default() -> Self {
        Self {
            initial_covariance: 0.1,
            process_noise: 0.1,
            variant: PlusPlusVariant::default(),
            options: Options::default(),
        }
    }
}

impl KoalaPpConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets sigma.
    #[must_use]
    pub fn with_initial_covariance(mut self, covariance: f64) -> Self {
        self.initial_covariance = covariance;
        self
    }

    /// Sets Q.
    #[must_use]
    pub fn with_process_noise(mut self, process_noise: f64) -> Self {
        self.process_noise = process_noise;
        self
    }

    /// Sets the variant.
    #[must_use]
    pub fn with_variant(mut self, variant: PlusPlusVariant) -> Self {
        self.variant = variant;
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
            memory: MemoryKind::Covariance,
            sums: SumsKind::Products,
            moves: false,
            innovation: Innovations::PerBlock,
            // Its covariance product carries the decayed gradient.
            gain_only_decay: false,
        }
    }
}

/// KOALA++'s state beside the vectors: per block the previous S, `None` before its first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlusPlus {
    pub config: KoalaPpConfig,
    pub innovation_variances: Vec<Option<f64>>,
}

impl PlusPlus {
    pub fn new(config: KoalaPpConfig) -> Self {
        Self {
            config,
            innovation_variances: Vec::new(),
        }
    }

    /// The step of a block that has a previous one; `None` if S does not come out positive and finite.
    fn continued(
        &self,
        s_previous: f64,
        statistics: &BlockStatistics,
        r: f64,
    ) -> Option<BlockGain> {
        let q = self.config.process_noise;
        let dot = statistics.products;
        let squared = statistics.decayed_squared;
        let alpha = dot.gradient_previous / dot.previous_squared;
        let lambda = (dot.gradient_covariance + q * dot.gradient_previous) / s_previous;
        let rho = match self.config.variant {
            PlusPlusVariant::Symmetric => {
                (dot.gradient_covariance - alpha * dot.previous_covariance) / dot.previous_squared
            }
            PlusPlusVariant::MinimumNorm => 0.0,
        };
        let previous = PreviousCovariance {
            covariance: alpha - lambda,
            gradient: rho - q * lambda,
        };
        // H.v of v = (alpha - lambda) v' + Q H + (rho - Q lambda) H'
        let product = previous.covariance * dot.gradient_covariance
            + q * squared
            + previous.gradient * dot.gradient_previous;
        let s = product + q * squared + r;
        let usable = s > 0.0
            && s.is_finite()
            && within_reach(previous.covariance, dot.covariance_squared)
            && within_reach(previous.gradient, dot.previous_squared)
            && within_reach(q, squared);
        usable.then_some(BlockGain {
            gradient_squared: squared,
            innovation_variance: s,
            position: 1.0 / s,
            kind: GainKind::PlusPlus {
                previous: Some(previous),
                gradient: q,
                direction: q,
            },
        })
    }

    /// The first step of a block: with v' = sigma H and H' = H, alpha = 1, rho = 0 and
    /// v = (1 - lambda) (sigma + Q) H. Where not even that is within reach, the block stands still.
    fn started(&self, squared: f64, r: f64) -> BlockGain {
        let (sigma, q) = (self.config.initial_covariance, self.config.process_noise);
        let s_previous = (sigma + q) * squared + r;
        // 1 - lambda = R / S', without cancellation.
        let v = (sigma + q) * quotient(r, s_previous);
        // An S that is stored has to be a number.
        let s = ((v + q) * squared + r).min(f64::MAX);
        let (position, v, q) = match within_reach(v + q, squared) {
            true => (quotient(1.0, s), v, q),
            false => (0.0, 0.0, 0.0),
        };
        BlockGain {
            gradient_squared: squared,
            innovation_variance: s,
            position,
            kind: GainKind::PlusPlus {
                previous: None,
                gradient: v,
                direction: q,
            },
        }
    }
}

/// Whether `coefficient` times a vector of this squared norm may be part of v; not, if either is no number.
fn within_reach(coefficient: f64, squared: f64) -> bool {
    coefficient.abs() <= REACH && coefficient * coefficient * squared <= REACH * REACH
}

impl Method for PlusPlus {
    fn settings(&self) -> &dyn MethodConfig {
        &self.config
    }

    fn validate(&self, _tensors: usize, blocks: usize) -> Result<()> {
        let stored = self.innovation_variances.len();
        if stored != blocks {
            return Err(damaged(format!(
                "S of {stored} blocks, but {blocks} blocks"
            )));
        }
        self.innovation_variances
            .iter()
            .flatten()
            .try_for_each(|&s| variance("S", s))
    }

    fn extend(&mut self, _tensors: usize, blocks: usize) {
        self.innovation_variances.resize(blocks, None);
    }

    fn rearrange(&mut self, _from: &[Option<usize>], blocks: &[Option<usize>]) {
        self.innovation_variances = rearranged(&self.innovation_variances, blocks);
    }

    fn sums(&self, _position: usize) -> Sums {
        Sums::Products
    }

    fn gain(&mut self, block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain {
        self.innovation_variances[block]
            .and_then(|previous| self.continued(previous, statistics, r))
            .unwrap_or_else(|| self.started(statistics.decayed_squared, r))
    }

    fn correct(&mut self, correction: &Correction) {
        let variances = self.innovation_variances.iter_mut();
        for (variance, innovation) in variances.zip(correction.innovations) {
            if let Some(innovation) = innovation {
                *variance = Some(innovation.gain.innovation_variance);
            }
        }
    }

    fn process_noise(&self) -> ProcessNoise {
        ProcessNoise::Scalar(self.config.process_noise)
    }

    fn covariance(&self) -> Covariance {
        Covariance::Product
    }
}
