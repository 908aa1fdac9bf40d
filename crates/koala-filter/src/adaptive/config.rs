//! The options of KOALA-A.

use serde::{Deserialize, Serialize};

use crate::decay::WeightDecay;
use crate::demands::{Demands, Innovations, MemoryKind, SumsKind};
use crate::error::{Error, Result};
use crate::noise::MeasurementNoise;
use crate::options::{Options, not_negative};

/// Where Q is kept whatever the rates: far outside of what makes sense, and P stays finite.
pub(super) const PROCESS_NOISE: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

/// The shape of KOALA-A's covariance over the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Adam's: the inverse root of the gradient's second moment, scaled so that the innovation variance keeps its size.
    #[default]
    Diagonal,
    /// The same for every parameter; no second moment is stored.
    None,
}

/// Configuration of KOALA-A.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct KoalaAConfig {
    /// Q_0, the process noise at the start and the position variance of P_0. Default 0.07.
    pub initial_process_noise: f64,
    /// κ, the decay of velocities. Default 0.9.
    pub velocity_decay: f64,
    /// The shape of the covariance. Default diagonal.
    pub metric: Metric,
    /// β of the gradient's second moment s. Default 0.99.
    pub second_moment_smoothing: f64,
    /// ε, the least √ŝ of a parameter beside the largest. Default 1e-8.
    pub epsilon: f64,
    /// a_up, the rate at which log Q grows while innovations say that the filter moves too little. Default 0.25.
    pub growth_rate: f64,
    /// a_down, the rate at which log Q falls while they say that it moves too much. Default 0.1.
    pub decline_rate: f64,
    /// k_0, the updates after which both rates have halved; they go on as 1/k. Default 30.
    pub rate_horizon: f64,
    /// β_ρ of the correlation of gradient and velocity. Default 0.9.
    pub whiteness_smoothing: f64,
    /// γ, the least gradient that S believes in where the target is out of reach, as a share of the largest there was; 0:
    /// whatever it is. Default 0.4.
    pub gradient_floor: f64,
    /// η of the mean x̄ at which the model is evaluated: the larger, the shorter its memory. Default 8; `None`: no mean.
    pub mean: Option<f64>,
    /// Options common to all methods; by default R is bias-corrected and weight decay decoupled. There is one innovation
    /// whatever the partition, which says by which blocks is reported.
    #[serde(deserialize_with = "options_over_defaults")]
    pub options: Options,
}

impl Default for KoalaAConfig {
    fn default() -> Self {
        Self {
            initial_process_noise: 0.07,
            velocity_decay: 0.9,
            metric: Metric::default(),
            second_moment_smoothing: 0.99,
            epsilon: 1e-8,
            growth_rate: 0.25,
            decline_rate: 0.1,
            rate_horizon: 30.0,
            whiteness_smoothing: 0.9,
            gradient_floor: 0.4,
            mean: Some(8.0),
            options: default_options(),
        }
    }
}

fn default_options() -> Options {
    Options {
        measurement_noise: MeasurementNoise::BiasCorrected { smoothing: 0.9 },
        weight_decay: WeightDecay::decoupled(0.0),
        ..Options::default()
    }
}

/// Options of which those that are left out are KOALA-A's own defaults, not those of the other methods.
fn options_over_defaults<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Options, D::Error> {
    Options::over(default_options(), from)
}

impl KoalaAConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets Q_0.
    #[must_use]
    pub fn with_initial_process_noise(mut self, process_noise: f64) -> Self {
        self.initial_process_noise = process_noise;
        self
    }

    /// Sets κ.
    #[must_use]
    pub fn with_velocity_decay(mut self, velocity_decay: f64) -> Self {
        self.velocity_decay = velocity_decay;
        self
    }

    /// Sets the shape of the covariance.
    #[must_use]
    pub fn with_metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Sets β of the gradient's second moment.
    #[must_use]
    pub fn with_second_moment_smoothing(mut self, smoothing: f64) -> Self {
        self.second_moment_smoothing = smoothing;
        self
    }

    /// Sets ε.
    #[must_use]
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Sets a_up and a_down; with zeros Q stays Q_0.
    #[must_use]
    pub fn with_rates(mut self, growth: f64, decline: f64) -> Self {
        (self.growth_rate, self.decline_rate) = (growth, decline);
        self
    }

    /// Sets k_0.
    #[must_use]
    pub fn with_rate_horizon(mut self, horizon: f64) -> Self {
        self.rate_horizon = horizon;
        self
    }

    /// Sets β_ρ.
    #[must_use]
    pub fn with_whiteness_smoothing(mut self, smoothing: f64) -> Self {
        self.whiteness_smoothing = smoothing;
        self
    }

    /// Sets γ.
    #[must_use]
    pub fn with_gradient_floor(mut self, share: f64) -> Self {
        self.gradient_floor = share;
        self
    }

    /// Sets η, or that no mean is kept.
    #[must_use]
    pub fn with_mean(mut self, eta: Option<f64>) -> Self {
        self.mean = eta;
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidField`] naming the first field that is wrong.
    pub fn validate(&self) -> Result<()> {
        if !PROCESS_NOISE.contains(&self.initial_process_noise) {
            return Err(Error::invalid(
                "initial-process-noise",
                self.initial_process_noise,
                "between 1e-100 and 1e100",
            ));
        }
        if !(0.0..=1.0).contains(&self.velocity_decay) {
            return Err(Error::invalid(
                "velocity-decay",
                self.velocity_decay,
                "in [0, 1]",
            ));
        }
        for (field, smoothing) in [
            ("second-moment-smoothing", self.second_moment_smoothing),
            ("whiteness-smoothing", self.whiteness_smoothing),
        ] {
            if !(0.0..1.0).contains(&smoothing) {
                return Err(Error::invalid(field, smoothing, "at least 0 and below 1"));
            }
        }
        not_negative("epsilon", self.epsilon)?;
        not_negative("growth-rate", self.growth_rate)?;
        not_negative("decline-rate", self.decline_rate)?;
        not_negative("gradient-floor", self.gradient_floor)?;
        if !(self.rate_horizon.is_finite() && self.rate_horizon > 0.0) {
            return Err(Error::invalid(
                "rate-horizon",
                self.rate_horizon,
                "finite and positive",
            ));
        }
        if let Some(eta) = self.mean {
            not_negative("mean", eta)?;
        }
        self.options.validate()
    }

    /// What the method asks of the passes over memory.
    pub(crate) fn demands(&self) -> Demands {
        let diagonal = self.metric == Metric::Diagonal;
        Demands {
            memory: MemoryKind::Adaptive {
                second_moment: diagonal,
                mean: self.mean.is_some(),
            },
            sums: SumsKind::Metric { diagonal },
            moves: true,
            innovation: Innovations::WholeModel,
            gain_only_decay: false,
        }
    }
}
