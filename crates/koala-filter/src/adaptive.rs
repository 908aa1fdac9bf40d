//! KOALA-A, the adaptive method: Adam's metric as the covariance, its process noise found by the whiteness of the
//! innovations. This project's own; no paper has it.
//!
//! Four changes to KOALA-M, each a return to what a Kalman filter is. One innovation variance for the whole model, since
//! the measurement is one number. The covariance is P ⊗ A with a diagonal metric A: where a diagonal Kalman filter with the
//! same process noise everywhere is at rest, its covariance is Adam's preconditioner. And Q follows from the test that every
//! filter has (Mehra, 1970): the innovations of an optimal filter are white, so if gradients still point along the velocity
//! the filter moves too little, and if against it, too much; log Q follows by stochastic approximation with gains ~ 1/k
//! (Robbins and Monro, 1951). And a target out of reach is not run after: by its linearisation the loss is √(R/|h|²) away
//! from its target. Where that shrinks with the loss, as for squared errors, the target is near; where gradients vanish as
//! fast as the loss does, as those of a cross-entropy after a perfect fit, it lies at infinity. S then takes the gradient
//! for no smaller than a share γ of the largest there was, and the filter comes to rest. It is evaluated at x̄, the polynomially decaying mean of the iterates (Shamir and Zhang, 2013).
//!
//! ```text
//! start     p11, p12, p22 = Q_0, 0, Q_0 (1 - κ)/(1 + κ) ;  v = 0, s = 0, x̄ = x, k = 0, j = 0, ḡ = Γ = 0
//! predict   x_t <- x_t + v_t ; v_t <- κ v_t             (tensors t that had a gradient in the last update)
//!           p11, p12, p22 <- p11 + 2 p12 + p22,  κ (p12 + p22),  κ² p22 + Q (1 - κ)²
//! update    k <- k + 1 ;  h_t = g_t + w x_t ;  L <- L + w/2 Σ_t |x_t|²      (coupled decay only)
//!           s_t <- β s_t + (1 - β) h_t² ;  ŝ_t = s_t / (1 - β^k_t)          (k_t: updates of tensor t)
//!           D = √ŝ + ε max √ŝ + 1e-30 ;  A = c / D ,  c = Σ ŝ / Σ (ŝ / D)   (without metric: D = 1, c = 1)
//!           G = h . A h
//!           if k > 1 and G > 0:  ρ = - v . h / √(v . A⁻¹ v  G)  in [-1, 1] ;  ρ' <- β_ρ ρ' + (1 - β_ρ) ρ ;  j <- j + 1
//!                                ρ̂ = ρ' / (1 - β_ρ^j) ;  Q <- Q exp((a_up max(ρ̂, 0) - a_down max(-ρ̂, 0)) / (1 + k/k_0))
//!           if G > 0:  ḡ <- β_ρ ḡ + (1 - β_ρ) |h|² ;  Γ, R_Γ <- ḡ, R  where ḡ > Γ ;  F = γ² Γ min(1, (R / ḡ) / (R_Γ / Γ))
//!           S = p11 (G + F) + R ;  f = e (L - T) / S
//!           x <- x - f p11 A h ;  v <- v - f p12 A h
//!           p11, p12, p22 <- p11 - p11² G / S,  p12 - p11 p12 G / S,  p22 - p12² G / S        (if G > 0)
//!           x <- (1 - e w) x                                                (decoupled decay only)
//!           x̄ <- x̄ + min(1, (η + 1)/(k + η)) (x - x̄)
//! ```
//!
//! Memory: 3 numbers a parameter, 2 without the mean or without the metric, 1 without both.

use serde::{Deserialize, Serialize};

use crate::decay::WeightDecay;
use crate::demands::{Demands, Innovations, MemoryKind, SumsKind};
use crate::error::{Error, Result};
use crate::gain::{BlockGain, GainKind, quotient};
use crate::method::{Correction, Method, MethodConfig, covariance, damaged, rearranged, variance};
use crate::noise::MeasurementNoise;
use crate::number::power;
use crate::options::{Options, not_negative};
use crate::plan::{Memory, MetricStep, Motion};
use crate::report::{Covariance, ProcessNoise, Whiteness};
use crate::statistics::{BlockStatistics, MetricFloor, Sums};

/// Added to every D, so that a gradient that was always 0 divides nothing by 0.
const LEAST: f64 = 1e-30;

/// Where Q is kept whatever the rates: far outside of what makes sense, and P stays finite.
const PROCESS_NOISE: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

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

/// KOALA-A's state beside the vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adaptive {
    pub config: KoalaAConfig,
    pub p11: f64,
    pub p12: f64,
    pub p22: f64,
    /// Q.
    pub process_noise: f64,
    /// k.
    pub updates: u64,
    /// ρ', smoothed and not corrected.
    pub correlation: f64,
    /// j.
    pub tests: u64,
    /// What was added to the roots in the last D: about what the next will take. 0 before the first.
    #[serde(default)]
    pub floor: f64,
    /// How large gradients were; `None` in a state that was stored before S asked for it: it goes on as it was.
    #[serde(default)]
    pub gradients: Option<GradientSizes>,
    /// One a tensor.
    pub tensors: Vec<TensorState>,
}

/// How large the gradients of the whole model were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GradientSizes {
    /// ḡ, the smoothed |h|², not corrected: what comes once and not again counts for little.
    pub smoothed: f64,
    /// Γ, the largest of them.
    pub largest: f64,
    /// R_Γ, what R was then.
    pub noise: f64,
}

/// What is known of one tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TensorState {
    /// k_t, the updates in which it had a gradient.
    pub updates: u64,
    /// Whether the next predict moves it.
    pub moving: bool,
    /// Whether its mean has taken anything up; before, the mean is x itself.
    pub averaged: bool,
}

impl Adaptive {
    pub fn new(config: KoalaAConfig) -> Self {
        let (kappa, q) = (config.velocity_decay, config.initial_process_noise);
        Self {
            p11: q,
            p12: 0.0,
            p22: q * (1.0 - kappa) / (1.0 + kappa),
            process_noise: q,
            updates: 0,
            correlation: 0.0,
            tests: 0,
            floor: 0.0,
            gradients: Some(GradientSizes::default()),
            tensors: Vec::new(),
            config,
        }
    }

    /// c = Σ ŝ / Σ (ŝ / D), the scale of the metric.
    fn scale(&self, statistics: &BlockStatistics) -> f64 {
        match self.config.metric {
            Metric::Diagonal => quotient(
                statistics.metric.second_moment,
                statistics.metric.weighted_second_moment,
            ),
            Metric::None => 1.0,
        }
    }

    /// The whiteness test: moves Q by ρ, the correlation of the gradient with the velocity, and returns ρ.
    fn test_whiteness(&mut self, statistics: &BlockStatistics, scale: f64, gradient: f64) -> f64 {
        let metric = &statistics.metric;
        let velocity = quotient(metric.weighted_velocity, scale);
        let length = (velocity * gradient).sqrt();
        let rho = if length > 0.0 {
            (-metric.velocity_gradient / length).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let smoothing = self.config.whiteness_smoothing;
        self.tests += 1;
        self.correlation = smoothing * self.correlation + (1.0 - smoothing) * rho;
        let corrected = self.corrected_correlation();
        let rate = self.config.growth_rate * corrected.max(0.0)
            - self.config.decline_rate * (-corrected).max(0.0);
        let slowing = 1.0 + self.updates as f64 / self.config.rate_horizon;
        self.process_noise = (self.process_noise * (rate / slowing).exp())
            .clamp(*PROCESS_NOISE.start(), *PROCESS_NOISE.end());
        rho
    }

    /// ρ̂ = ρ' / (1 - β_ρ^j); 0 before the first test.
    fn corrected_correlation(&self) -> f64 {
        let taken_up = 1.0 - power(self.config.whiteness_smoothing, self.tests);
        quotient(self.correlation, taken_up)
    }

    /// Takes up |h|².
    fn see_gradient(&mut self, squared: f64, r: f64) {
        if let Some(seen) = &mut self.gradients {
            let smoothing = self.config.whiteness_smoothing;
            seen.smoothed = smoothing * seen.smoothed + (1.0 - smoothing) * squared;
            if seen.smoothed > seen.largest {
                (seen.largest, seen.noise) = (seen.smoothed, r);
            }
        }
    }

    /// p11 F + R, what of S does not come from this step's gradient.
    fn noise(&self, r: f64) -> f64 {
        let share = self.config.gradient_floor;
        match self.gradients {
            Some(seen) if share > 0.0 => {
                // How far the target is, squared, beside how far it was when gradients were the largest.
                let distance = quotient(r, seen.smoothed) * quotient(seen.largest, seen.noise);
                self.p11 * (share * share * seen.largest * distance.min(1.0)) + r
            }
            _ => r,
        }
    }

    /// The floor that a first reading takes: that of the last update.
    fn assumed_floor(&self) -> f64 {
        self.floor.max(LEAST)
    }

    /// β and 1 / (1 - β^k_t) of the next update of a tensor; `None` without metric.
    fn second_moment(&self, position: usize) -> Option<(f64, f64)> {
        let smoothing = self.config.second_moment_smoothing;
        let updates = self.tensors[position].updates + 1;
        (self.config.metric == Metric::Diagonal)
            .then(|| (smoothing, 1.0 / (1.0 - power(smoothing, updates))))
    }
}

impl Method for Adaptive {
    fn settings(&self) -> &dyn MethodConfig {
        &self.config
    }

    fn validate(&self, tensors: usize, _blocks: usize) -> Result<()> {
        covariance(self.p11, self.p12, self.p22)?;
        if !PROCESS_NOISE.contains(&self.process_noise) {
            return Err(damaged(format!("Q is {}", self.process_noise)));
        }
        if !(-1.0..=1.0).contains(&self.correlation) {
            return Err(damaged(format!("rho is {}", self.correlation)));
        }
        variance("the metric's floor", self.floor)?;
        if let Some(seen) = self.gradients {
            variance("the smoothed squared gradient", seen.smoothed)?;
            variance("the largest squared gradient", seen.largest)?;
            variance("R at the largest gradient", seen.noise)?;
        }
        if self.tensors.len() == tensors {
            Ok(())
        } else {
            Err(damaged(format!(
                "updates of {} tensors, but {tensors} tensors",
                self.tensors.len()
            )))
        }
    }

    fn extend(&mut self, tensors: usize, _blocks: usize) {
        self.tensors.resize(tensors, TensorState::default());
    }

    fn rearrange(&mut self, from: &[Option<usize>], _blocks: &[Option<usize>]) {
        self.tensors = rearranged(&self.tensors, from);
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            velocity_decay: self.config.velocity_decay,
            deviation: None,
        })
    }

    fn moves(&self, position: usize) -> bool {
        self.tensors[position].moving
    }

    fn predict(&mut self, _deviation: f64, _elements: usize) {
        let kappa = self.config.velocity_decay;
        let (p11, p12, p22) = (self.p11, self.p12, self.p22);
        self.p11 = p11 + 2.0 * p12 + p22;
        self.p12 = kappa * (p12 + p22);
        self.p22 = kappa * kappa * p22 + self.process_noise * (1.0 - kappa).powi(2);
    }

    fn sums(&self, position: usize) -> Sums {
        match self.second_moment(position) {
            Some((smoothing, correction)) => Sums::DiagonalMetric {
                smoothing,
                correction,
                floor: self.assumed_floor(),
            },
            None => Sums::UnitMetric,
        }
    }

    fn floor(&self) -> Option<MetricFloor> {
        (self.config.metric == Metric::Diagonal).then_some(MetricFloor {
            epsilon: self.config.epsilon,
            least: LEAST,
        })
    }

    fn settle(&self, statistics: &mut BlockStatistics, largest: f64) {
        // Where something is not finite the measurement is missing, and the tensor is to be named that it is of.
        if let Some(floor) = self.floor().map(|rule| rule.at(largest))
            && floor.is_finite()
        {
            let shift = floor - self.assumed_floor();
            statistics.metric = statistics.metric.shifted(shift);
        }
    }

    fn measured(&mut self) {
        self.updates += 1;
    }

    fn gain(&mut self, _block: usize, statistics: &BlockStatistics, r: f64) -> BlockGain {
        let floor = self
            .floor()
            .map(|floor| floor.at(statistics.metric.largest));
        self.floor = floor.unwrap_or_default();
        let scale = self.scale(statistics);
        let gradient = scale * statistics.metric.weighted_gradient;
        let tested = self.updates > 1 && gradient > 0.0;
        let correlation = if tested {
            self.test_whiteness(statistics, scale, gradient)
        } else {
            0.0
        };
        if gradient > 0.0 {
            self.see_gradient(statistics.decayed_squared, r);
        }
        let s = self.p11 * gradient + self.noise(r);
        BlockGain {
            gradient_squared: gradient,
            innovation_variance: s,
            position: quotient(scale * self.p11, s),
            kind: GainKind::Adaptive {
                velocity: quotient(scale * self.p12, s),
                scale,
                floor,
                whiteness: Whiteness {
                    gradient_squared: gradient,
                    correlation,
                    smoothed_correlation: self.correlation,
                    corrected_correlation: self.corrected_correlation(),
                },
            },
        }
    }

    fn memory(&self, position: usize, gain: &BlockGain, scale: f64) -> Memory {
        let GainKind::Adaptive {
            velocity, floor, ..
        } = gain.kind
        else {
            return gain.memory(scale);
        };
        let metric = self.second_moment(position).zip(floor);
        Memory::Adaptive {
            velocity: scale * velocity,
            metric: metric.map(|((smoothing, correction), floor)| MetricStep {
                smoothing,
                correction,
                floor,
            }),
            averaging: self.averaging(position),
        }
    }

    fn averaging(&self, position: usize) -> Option<f64> {
        let weight = |eta: f64| {
            // The mean of a tensor that is new starts at its x.
            if self.tensors[position].averaged {
                ((eta + 1.0) / (self.updates as f64 + eta)).min(1.0)
            } else {
                1.0
            }
        };
        self.config.mean.map(weight)
    }

    fn averaged(&self, position: usize) -> bool {
        self.config.mean.is_some() && self.tensors[position].averaged
    }

    fn correct(&mut self, correction: &Correction) {
        let noise = self.noise(correction.r);
        let gradient = correction.gradient.unwrap_or(0.0);
        let s = self.p11 * gradient + noise;
        if gradient > 0.0 && s > 0.0 {
            let (p11, p12, p22) = (self.p11, self.p12, self.p22);
            self.p11 = p11 * (noise / s);
            self.p12 = p12 * (noise / s);
            // Rounding may take a vanishing variance below 0.
            self.p22 = (p22 - p12 * (p12 * (gradient / s))).max(0.0);
        }
        for (position, tensor) in self.tensors.iter_mut().enumerate() {
            let taking_part = correction.taking_part[position];
            tensor.updates += u64::from(taking_part);
            tensor.moving = taking_part && gradient > 0.0;
            tensor.averaged |= correction.averaging[position];
        }
    }

    fn process_noise(&self) -> ProcessNoise {
        ProcessNoise::Scalar(self.process_noise)
    }

    fn covariance(&self) -> Covariance {
        Covariance::Matrix {
            p11: self.p11,
            p12: self.p12,
            p22: self.p22,
        }
    }
}
