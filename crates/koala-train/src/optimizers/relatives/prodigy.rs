//! Prodigy (Mishchenko and Defazio, 2024): Adam that estimates its distance to the solution.

use serde::{Deserialize, Serialize};

use super::method::{Method, negative};
use super::rows::Row;
use super::sums::{Sums, total};
use crate::optimizers::OptimizerError;
use crate::optimizers::check::{Fault, not_negative, positive, share};

/// Where the weight decay of Prodigy enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProdigyDecay {
    /// Beside the step, as in AdamW.
    Decoupled,
    /// In the gradient.
    Coupled,
}

/// Prodigy (Mishchenko and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", ICML 2024, the Adam
/// version), with the defaults of the authors' `prodigyopt`.
///
/// With eta = rate d b, where b is Adam's bias correction (1 without it), x_0 the parameters before the first step and
/// beta_3 = sqrt(beta_2):
///
/// r <- beta_3 r + (d / d_0) eta g.(x_0 - x); s <- beta_3 s + (d / d_0) eta g; m <- beta_1 m + (1 - beta_1) d g;
/// v <- beta_2 v + (1 - beta_2) d^2 g^2; d_hat = distance_scale r / |s|_1;
/// d' = min(max of all d_hat and d_0, growth_rate d); x <- x - eta w x - eta m / (sqrt(v) + d' epsilon); d <- d'.
///
/// As long as d is d_0 itself, d_hat takes its place before growth_rate bounds it. All that follows the learning rate
/// stands still where that is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProdigySpec {
    /// Multiplies the estimated distance. Default 1, to be left there.
    pub learning_rate: f64,
    /// Default 0.9; at 0 nothing is averaged and no first moment remembered.
    pub beta_1: f64,
    /// Default 0.999.
    pub beta_2: f64,
    /// Default 1e-8.
    pub epsilon: f64,
    /// w. Default 0.
    pub weight_decay: f64,
    /// Decoupled (default) or coupled.
    pub decay_rule: ProdigyDecay,
    /// d_0, the first estimate of the distance. Default 1e-6.
    pub initial_distance: f64,
    /// Multiplies d_hat; the authors' way to tune the method. Default 1.
    pub distance_scale: f64,
    /// How many times larger d may become in one step. Default inf.
    pub growth_rate: f64,
    /// Whether Adam's bias correction is on. Default false.
    pub bias_correction: bool,
    /// Whether the learning rate is left out of s, for long warm-ups. Default false.
    pub safeguard_warmup: bool,
}

impl Default for ProdigySpec {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decay_rule: ProdigyDecay::Decoupled,
            initial_distance: 1e-6,
            distance_scale: 1.0,
            growth_rate: f64::INFINITY,
            bias_correction: false,
            safeguard_warmup: false,
        }
    }
}

/// The scalars that it remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct ProdigyNumbers {
    steps: u64,
    /// d.
    distance: f64,
    /// The largest d_hat so far, d_0 among them.
    largest: f64,
    /// r.
    numerator: f64,
}

impl ProdigySpec {
    /// What is wrong with the options: the key and the fault.
    pub(in crate::optimizers) fn fault(&self) -> Fault {
        not_negative("learning-rate", self.learning_rate)
            .or_else(|| share("beta-1", self.beta_1))
            .or_else(|| share("beta-2", self.beta_2))
            .or_else(|| positive("epsilon", self.epsilon))
            .or_else(|| not_negative("weight-decay", self.weight_decay))
            .or_else(|| positive("initial-distance", self.initial_distance))
            .or_else(|| positive("distance-scale", self.distance_scale))
            .or_else(|| {
                (self.growth_rate.is_nan() || self.growth_rate < 1.0).then(|| {
                    let value = self.growth_rate;
                    ("growth-rate", format!("must be 1 or more, not {value:?}"))
                })
            })
    }
}

impl Method for ProdigySpec {
    type Numbers = ProdigyNumbers;

    const NAME: &'static str = "prodigy";

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn vectors(&self, _path: &str) -> &'static [&'static str] {
        if self.beta_1 > 0.0 {
            &["start", "sum", "moment_2", "moment_1"]
        } else {
            &["start", "sum", "moment_2"]
        }
    }

    fn start(&self) -> ProdigyNumbers {
        ProdigyNumbers {
            steps: 0,
            distance: self.initial_distance,
            largest: self.initial_distance,
            numerator: 0.0,
        }
    }

    fn damage(numbers: &ProdigyNumbers) -> Option<String> {
        let distances = [("distance", numbers.distance), ("largest", numbers.largest)];
        negative(&distances).or_else(|| negative(&[("numerator", numbers.numerator.abs())]))
    }

    fn step(
        &self,
        numbers: &mut ProdigyNumbers,
        rows: &mut [Row],
        _loss: f64,
        rate: f64,
    ) -> Result<Option<f64>, OptimizerError> {
        if rate == 0.0 {
            return Ok(None);
        }
        let (beta_1, beta_2, beta_3) = (self.beta_1, self.beta_2, self.beta_2.sqrt());
        let (d, d_0) = (numbers.distance, self.initial_distance);
        let k = numbers.steps as f64 + 1.0;
        let correction = if self.bias_correction {
            (1.0 - beta_2.powf(k)).sqrt() / (1.0 - beta_1.powf(k))
        } else {
            1.0
        };
        let eta = d * rate * correction;
        let share = d / d_0 * if self.safeguard_warmup { d } else { eta };

        let mut sums = Sums::new();
        for row in rows.iter_mut() {
            let x = row.x.clone();
            if self.decay_rule == ProdigyDecay::Coupled && self.weight_decay > 0.0 {
                let penalty = x.clone().mul_scalar(self.weight_decay);
                row.gradient = row.gradient.clone() + penalty;
            }
            let g = row.gradient.clone();
            let mut held = std::mem::take(&mut row.memory).into_iter();
            let start = held.next().unwrap_or_else(|| x.clone());
            let [s, v, m] = [(); 3].map(|()| held.next().unwrap_or_else(|| x.zeros_like()));
            let s = s.mul_scalar(beta_3) + g.clone().mul_scalar(share);
            let v = v.mul_scalar(beta_2) + g.clone().square().mul_scalar(d * d * (1.0 - beta_2));
            // The last so that a moment that has overflowed is noticed: it would hold its weight still for ever.
            let product = g.clone() * (start.clone() - x);
            sums.add([product, s.clone().abs(), v.clone()]);
            row.memory = vec![start, s, v];
            if beta_1 > 0.0 {
                let m = m.mul_scalar(beta_1) + g.mul_scalar(d * (1.0 - beta_1));
                row.memory.push(m);
            }
        }
        let Some(sums) = sums.read()? else {
            return Ok(None);
        };
        let [product, denominator, _] = total(&sums);
        if denominator == 0.0 {
            // No gradient yet.
            return Ok(Some(0.0));
        }
        let numerator = beta_3 * numbers.numerator + d / d_0 * eta * product;
        let d_hat = self.distance_scale * numerator / denominator;
        let largest = numbers.largest.max(d_hat);
        let before = if d == d_0 { d.max(d_hat) } else { d };
        let next = largest.min(before * self.growth_rate);
        if ![numerator, largest, next].iter().all(|v| v.is_finite()) {
            return Ok(None);
        }
        *numbers = ProdigyNumbers {
            steps: numbers.steps + 1,
            distance: next,
            largest,
            numerator,
        };

        let decay = match self.decay_rule {
            ProdigyDecay::Decoupled => self.weight_decay * eta,
            ProdigyDecay::Coupled => 0.0,
        };
        for row in rows {
            let scale = row.memory[2].clone().sqrt().add_scalar(next * self.epsilon);
            let direction = match row.memory.get(3) {
                Some(m) => m.clone(),
                None => row.gradient.clone().mul_scalar(next),
            };
            let x = row.x.clone();
            let x = if decay > 0.0 {
                // Rounded as theirs: the first distances are of the size of roundings.
                x.clone() - x.mul_scalar(decay)
            } else {
                x
            };
            row.x = x - (direction / scale).mul_scalar(eta);
        }
        Ok(Some(eta))
    }
}
