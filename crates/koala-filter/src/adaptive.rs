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

mod config;
mod gradients;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::gain::{BlockGain, GainKind, quotient, representable};
use crate::method::{Correction, Method, MethodConfig, covariance, damaged, rearranged, variance};
use crate::number::power;
use crate::plan::{Memory, MetricStep, Motion, TensorStep};
use crate::report::{Covariance, ProcessNoise, Whiteness};
use crate::statistics::{BlockStatistics, MetricFloor, Sums};
use config::PROCESS_NOISE;
pub use config::{KoalaAConfig, Metric};
use gradients::GradientSizes;

/// Added to every D, so that a gradient that was always 0 divides nothing by 0.
const LEAST: f64 = 1e-30;

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

    /// p11 F + R, what of S does not come from this step's gradient: a number, so that its share of S is one.
    fn noise(&self, r: f64) -> f64 {
        let floor = self
            .gradients
            .map_or(0.0, |seen| seen.floor(self.config.gradient_floor, r));
        (self.p11 * floor + r).min(f64::MAX / 2.0)
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
            seen.validate()?;
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
            let smoothing = self.config.whiteness_smoothing;
            if let Some(seen) = &mut self.gradients {
                seen.take_up(statistics.decayed_squared, smoothing, r);
            }
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
            velocity: representable(scale * velocity),
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
        for (tensor, step) in self.tensors.iter_mut().zip(correction.steps) {
            let taking_part = step.is_move();
            tensor.updates += u64::from(taking_part);
            tensor.moving = taking_part && gradient > 0.0;
            tensor.averaged |= *step != TensorStep::Skip;
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
