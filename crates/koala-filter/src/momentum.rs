//! KOALA-M, the method with velocities: a 2x2 covariance of position and velocity (Davtyan et al. 2022, Algorithm 2).
//!
//! ```text
//! predict   q_x: see PositionNoise ; x <- x + v ; v <- kappa v
//!           p11, p12, p22 <- p11 + 2 p12 + p22 + q_x,  kappa (p12 + p22),  kappa^2 p22 + q_v
//! update    S_b = p11 |h_b|^2 + R
//!           x_b <- x_b - e (L_b - T) p11 / S_b h_b
//!           v_b <- v_b - e (L_b - T) p12 / S_b h_b
//!           a_b <- 0.9 a_b + 0.1 x_b                    (only blocks that were updated)
//!           G = max_b |h_b|^2, s = p11 G + R :
//!           p11, p12, p22 <- p11 R / s,  p12 R / s,  p22 - p12^2 G / s
//! ```
//!
//! The last line is p - (p e_1)(p e_1)^T H with H = 1 / (p11 + R / G), written without cancellation and without a
//! division by G. Memory: 2 numbers a parameter, or 1 with fixed position noise. With P_0 = diag(p, 0) and q_v = 0 it is
//! KOALA-V with q = q_x.
//!
//! Predict moves every parameter, as the papers' does: one that has got no gradient coasts on its velocity until that has
//! decayed. Without `coast` only tensors that took part in the last update move, as with KOALA-A.

use serde::{Deserialize, Serialize};

use crate::demands::{Demands, Innovations, MemoryKind, SumsKind};
use crate::error::{Error, Result};
use crate::gain::{BlockGain, GainKind, quotient};
use crate::method::{Correction, Method, MethodConfig, covariance, damaged, rearranged, variance};
use crate::options::{Options, not_negative};
use crate::plan::{Deviation, Motion, TensorStep};
use crate::report::{Covariance, ProcessNoise};
use crate::statistics::BlockStatistics;

/// Weight of the old value in the running mean a of x, and in the running mean of q_x.
const AVERAGING: f64 = 0.9;

/// How KOALA-M finds its position noise q_x, in predict, before x moves, over all n parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PositionNoise {
    /// q_x <- 0.9 q_x + 0.1 |a - x| / n, with a_0 = 0: what the published runs used, and the default.
    Authors {
        /// The q_x that the running mean starts from; 1e-2 by default.
        initial: f64,
    },
    /// q_x = |a - x|^2 / n, with a <- 0.9 a + 0.1 x before it is used (a_0 = 0): what the paper writes.
    Paper,
    /// A constant q_x; the running mean a is then not stored.
    Fixed(f64),
}

impl Default for PositionNoise {
    fn default() -> Self {
        Self::Authors { initial: 1e-2 }
    }
}

/// Configuration of KOALA-M.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct KoalaMConfig {
    /// p11 of P_0. Default 0.1.
    pub initial_position_covariance: f64,
    /// p12 of P_0. Default 0.
    pub initial_cross_covariance: f64,
    /// p22 of P_0. Default 0.1.
    pub initial_velocity_covariance: f64,
    /// kappa, the decay of velocities. Default 0.9.
    pub velocity_decay: f64,
    /// q_x. Default the authors' rule.
    pub position_noise: PositionNoise,
    /// q_v, the real process-noise knob. Default 1e-2.
    pub velocity_noise: f64,
    /// Whether a tensor that had no usable gradient in the last update goes on along its velocity. Default true, the paper's
    /// rule.
    pub coast: bool,
    /// Options common to all methods.
    pub options: Options,
}

impl Default for KoalaMConfig {
    fn default() -> Self {
        Self {
            initial_position_covariance: 0.1,
            initial_cross_covariance: 0.0,
            initial_velocity_covariance: 0.1,
            velocity_decay: 0.9,
            position_noise: PositionNoise::default(),
            velocity_noise: 1e-2,
            coast: true,
            options: Options::default(),
        }
    }
}

impl KoalaMConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets P_0 = [[p11, p12], [p12, p22]].
    #[must_use]
    pub fn with_initial_covariance(mut self, p11: f64, p12: f64, p22: f64) -> Self {
        self.initial_position_covariance = p11;
        self.initial_cross_covariance = p12;
        self.initial_velocity_covariance = p22;
        self
    }

    /// Sets kappa.
    #[must_use]
    pub fn with_velocity_decay(mut self, velocity_decay: f64) -> Self {
        self.velocity_decay = velocity_decay;
        self
    }

    /// Sets the rule for q_x.
    #[must_use]
    pub fn with_position_noise(mut self, position_noise: PositionNoise) -> Self {
        self.position_noise = position_noise;
        self
    }

    /// Sets q_v.
    #[must_use]
    pub fn with_velocity_noise(mut self, velocity_noise: f64) -> Self {
        self.velocity_noise = velocity_noise;
        self
    }

    /// Sets whether tensors without a gradient go on along their velocity.
    #[must_use]
    pub fn with_coast(mut self, coast: bool) -> Self {
        self.coast = coast;
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidField`] naming the first field that is wrong.
    pub fn validate(&self) -> Result<()> {
        let (p11, p12, p22) = (
            self.initial_position_covariance,
            self.initial_cross_covariance,
            self.initial_velocity_covariance,
        );
        not_negative("initial-position-covariance", p11)?;
        not_negative("initial-velocity-covariance", p22)?;
        if !(p12.is_finite() && p12 * p12 <= p11 * p22) {
            return Err(Error::invalid(
                "initial-cross-covariance",
                p12,
                "finite, its square at most the product of the two variances",
            ));
        }
        if !(0.0..=1.0).contains(&self.velocity_decay) {
            return Err(Error::invalid(
                "velocity-decay",
                self.velocity_decay,
                "in [0, 1]",
            ));
        }
        match self.position_noise {
            PositionNoise::Authors { initial } => {
                not_negative("position-noise.authors.initial", initial)?;
            }
            PositionNoise::Fixed(q_x) => not_negative("position-noise.fixed", q_x)?,
            PositionNoise::Paper => {}
        }
        not_negative("velocity-noise", self.velocity_noise)?;
        self.options.validate()
    }

    /// Whether a running mean of x has to be stored.
    pub fn keeps_average(&self) -> bool {
        !matches!(self.position_noise, PositionNoise::Fixed(_))
    }

    /// What the method asks of the passes over memory.
    pub(crate) fn demands(&self) -> Demands {
        Demands {
            memory: MemoryKind::Velocity {
                average: self.keeps_average(),
            },
            sums: SumsKind::Gradient,
            moves: true,
            innovation: Innovations::PerBlock,
            gain_only_decay: true,
        }
    }
}

/// KOALA-M's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Momentum {
    pub config: KoalaMConfig,
    pub p11: f64,
    pub p12: f64,
    pub p22: f64,
    /// q_x of the last predict.
    pub position_noise: f64,
    /// Without `coast`, one a tensor: whether it took part in the last update, so that predict moves it. Else empty, as in
    /// states of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moving: Vec<bool>,
}

impl Momentum {
    pub fn new(config: KoalaMConfig) -> Self {
        Self {
            p11: config.initial_position_covariance,
            p12: config.initial_cross_covariance,
            p22: config.initial_velocity_covariance,
            position_noise: match config.position_noise {
                PositionNoise::Authors { initial } => initial,
                PositionNoise::Paper => 0.0,
                PositionNoise::Fixed(q_x) => q_x,
            },
            moving: Vec::new(),
            config,
        }
    }
}

impl Method for Momentum {
    fn settings(&self) -> &dyn MethodConfig {
        &self.config
    }

    fn validate(&self, tensors: usize, _blocks: usize) -> Result<()> {
        covariance(self.p11, self.p12, self.p22)?;
        variance("q_x", self.position_noise)?;
        let expected = if self.config.coast { 0 } else { tensors };
        if self.moving.len() == expected {
            Ok(())
        } else {
            Err(damaged(format!(
                "motion of {} tensors, but {expected} tensors that stand or move",
                self.moving.len()
            )))
        }
    }

    fn extend(&mut self, tensors: usize, _blocks: usize) {
        if !self.config.coast {
            self.moving.resize(tensors, false);
        }
    }

    fn rearrange(&mut self, from: &[Option<usize>], _blocks: &[Option<usize>]) {
        if !self.config.coast {
            self.moving = rearranged(&self.moving, from);
        }
    }

    fn moves(&self, position: usize) -> bool {
        self.config.coast || self.moving[position]
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            velocity_decay: self.config.velocity_decay,
            deviation: match self.config.position_noise {
                PositionNoise::Authors { .. } => Some(Deviation { averaging: None }),
                PositionNoise::Paper => Some(Deviation {
                    averaging: Some(AVERAGING),
                }),
                PositionNoise::Fixed(_) => None,
            },
        })
    }

    /// A deviation that is not finite leaves q_x as it was: the parameters are broken already, and the next measurement
    /// will be found missing.
    fn predict(&mut self, deviation: f64, elements: usize) {
        if deviation.is_finite() && elements > 0 {
            let n = elements as f64;
            match self.config.position_noise {
                PositionNoise::Authors { .. } => {
                    self.position_noise = AVERAGING * self.position_noise
                        + (1.0 - AVERAGING) * (deviation.sqrt() / n);
                }
                PositionNoise::Paper => self.position_noise = deviation / n,
                PositionNoise::Fixed(_) => {}
            }
        }
        let (kappa, q_x, q_v) = (
            self.config.velocity_decay,
            self.position_noise,
            self.config.velocity_noise,
        );
        let (p11, p12, p22) = (self.p11, self.p12, self.p22);
        self.p11 = p11 + 2.0 * p12 + p22 + q_x;
        self.p12 = kappa * (p12 + p22);
        self.p22 = kappa * kappa * p22 + q_v;
    }

    fn gain(&mut self, _block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain {
        let s = self.p11 * statistics.decayed_squared + r;
        BlockGain {
            gradient_squared: statistics.decayed_squared,
            innovation_variance: s,
            position: quotient(self.p11, s),
            kind: GainKind::Momentum {
                velocity: quotient(self.p12, s),
                averaging: match self.config.position_noise {
                    PositionNoise::Authors { .. } => Some(AVERAGING),
                    PositionNoise::Paper | PositionNoise::Fixed(_) => None,
                },
            },
        }
    }

    fn correct(&mut self, correction: &Correction) {
        if !self.config.coast {
            let moving = correction.steps.iter().map(TensorStep::is_move);
            self.moving
                .iter_mut()
                .zip(moving)
                .for_each(|(old, new)| *old = new);
        }
        let r = correction.r;
        let Some(largest) = correction.gradient else {
            return;
        };
        let (p11, p12, p22) = (self.p11, self.p12, self.p22);
        let s = p11 * largest + r;
        if s > 0.0 {
            self.p11 = p11 * (r / s);
            self.p12 = p12 * (r / s);
            // Rounding may take a vanishing variance below 0.
            self.p22 = (p22 - p12 * (p12 * (largest / s))).max(0.0);
        }
    }

    fn process_noise(&self) -> ProcessNoise {
        ProcessNoise::PositionVelocity {
            position: self.position_noise,
            velocity: self.config.velocity_noise,
        }
    }

    fn covariance(&self) -> Covariance {
        Covariance::Matrix {
            p11: self.p11,
            p12: self.p12,
            p22: self.p22,
        }
    }
}
