//! KOALA-A's equations as they stand on paper, one number after the other, over all tensors.

use koala_filter::{DecayRule, KoalaAConfig, MeasurementNoise, Metric, Target};

use super::problem::dot;

pub struct PlainAdaptive {
    pub config: KoalaAConfig,
    pub p: [f64; 3],
    pub q: f64,
    pub rho: f64,
    k: i32,
    j: i32,
    r_prime: f64,
    v: Vec<Vec<f64>>,
    s: Vec<Vec<f64>>,
    pub mean: Vec<Vec<f64>>,
    counts: Vec<i32>,
    moving: Vec<bool>,
    /// L_1.
    first: Option<f64>,
    /// Of |h|²: smoothed, and the largest of that.
    smoothed: f64,
    largest: f64,
    /// R at that one.
    noise: f64,
}

impl PlainAdaptive {
    pub fn new(config: &KoalaAConfig, lengths: &[usize]) -> Self {
        let zeros: Vec<Vec<f64>> = lengths.iter().map(|&n| vec![0.0; n]).collect();
        let (q, kappa) = (config.initial_process_noise, config.velocity_decay);
        Self {
            config: config.clone(),
            p: [q, 0.0, q * (1.0 - kappa) / (1.0 + kappa)],
            q,
            rho: 0.0,
            k: 0,
            j: 0,
            r_prime: match config.options.measurement_noise {
                MeasurementNoise::Adaptive { initial, .. } => initial,
                _ => 0.0,
            },
            v: zeros.clone(),
            s: zeros.clone(),
            mean: zeros,
            counts: vec![0; lengths.len()],
            moving: vec![false; lengths.len()],
            first: None,
            smoothed: 0.0,
            largest: 0.0,
            noise: 0.0,
        }
    }

    pub fn predict(&mut self, x: &mut [Vec<f64>]) {
        let kappa = self.config.velocity_decay;
        for (t, x) in x.iter_mut().enumerate().filter(|(t, _)| self.moving[*t]) {
            for (x, v) in x.iter_mut().zip(&mut self.v[t]) {
                *x += *v;
                *v *= kappa;
            }
        }
        let p = self.p;
        self.p = [
            p[0] + 2.0 * p[1] + p[2],
            kappa * (p[1] + p[2]),
            kappa * kappa * p[2] + self.q * (1.0 - kappa) * (1.0 - kappa),
        ];
    }

    /// Returns R.
    pub fn update(
        &mut self,
        x: &mut [Vec<f64>],
        gradients: &[Option<Vec<f64>>],
        losses: &[f64],
        e: f64,
    ) -> f64 {
        self.k += 1;
        let c = self.config.clone();
        let decay = c.options.weight_decay;
        let coupled = if decay.rule == DecayRule::Coupled {
            decay.rate
        } else {
            0.0
        };
        let count = losses.len() as f64;
        let loss = losses.iter().sum::<f64>() / count;
        let first = *self.first.get_or_insert(loss);
        let target = match c.options.target {
            Target::Constant(target) => target,
            Target::Offset(offset) => loss - offset,
            Target::Relative(share) => share * first,
        };
        let moment = losses.iter().map(|l| (l - target).powi(2)).sum::<f64>() / count;
        let r = match c.options.measurement_noise {
            MeasurementNoise::Fixed(r) => r,
            MeasurementNoise::Adaptive { smoothing, .. } => {
                self.r_prime = smoothing * self.r_prime + (1.0 - smoothing) * moment;
                self.r_prime
            }
            MeasurementNoise::BiasCorrected { smoothing } => {
                self.r_prime = smoothing * self.r_prime + (1.0 - smoothing) * moment;
                self.r_prime / (1.0 - smoothing.powi(self.k))
            }
        };
        let tensors: Vec<usize> = (0..x.len()).filter(|&t| gradients[t].is_some()).collect();
        let h: Vec<Vec<f64>> = (0..x.len())
            .map(|t| {
                let g = gradients[t].iter().flatten();
                g.zip(&x[t]).map(|(g, x)| g + coupled * x).collect()
            })
            .collect();
        let penalty: f64 = tensors.iter().map(|&t| dot(&x[t], &x[t])).sum();
        let penalised = loss + coupled / 2.0 * penalty;

        let mut root: Vec<Vec<f64>> = vec![Vec::new(); x.len()];
        for &t in &tensors {
            self.counts[t] += 1;
            let beta = c.second_moment_smoothing;
            for (s, h) in self.s[t].iter_mut().zip(&h[t]) {
                *s = beta * *s + (1.0 - beta) * h * h;
            }
            let correction = 1.0 - beta.powi(self.counts[t]);
            root[t] = self.s[t].iter().map(|s| (s / correction).sqrt()).collect();
        }
        let top = root.iter().flatten().fold(0.0_f64, |m, &r| m.max(r));
        let d: Vec<Vec<f64>> = root
            .iter()
            .map(|root| root.iter().map(|r| r + c.epsilon * top + 1e-30).collect())
            .collect();
        let over = |numerator: &dyn Fn(usize, usize) -> f64| -> f64 {
            let elements = tensors
                .iter()
                .flat_map(|&t| (0..h[t].len()).map(move |i| (t, i)));
            elements.map(|(t, i)| numerator(t, i)).sum()
        };
        let scale =
            over(&|t, i| root[t][i] * root[t][i]) / over(&|t, i| root[t][i] * root[t][i] / d[t][i]);
        let scale = if scale.is_nan() { 0.0 } else { scale };
        let metric = |t: usize, i: usize| match c.metric {
            Metric::Diagonal => scale / d[t][i],
            Metric::None => 1.0,
        };
        let g = over(&|t, i| metric(t, i) * h[t][i] * h[t][i]);

        if self.k > 1 && g > 0.0 {
            let along = over(&|t, i| self.v[t][i] * h[t][i]);
            let length = over(&|t, i| self.v[t][i] * self.v[t][i] / metric(t, i));
            let rho = if length * g > 0.0 {
                (-along / (length * g).sqrt()).clamp(-1.0, 1.0)
            } else {
                0.0
            };
            self.j += 1;
            let smoothing = c.whiteness_smoothing;
            self.rho = smoothing * self.rho + (1.0 - smoothing) * rho;
            let corrected = self.rho / (1.0 - smoothing.powi(self.j));
            let rate = c.growth_rate * corrected.max(0.0) - c.decline_rate * (-corrected).max(0.0);
            self.q *= (rate / (1.0 + f64::from(self.k) / c.rate_horizon)).exp();
        }
        if g > 0.0 {
            let beta = c.whiteness_smoothing;
            self.smoothed = beta * self.smoothed + (1.0 - beta) * over(&|t, i| h[t][i] * h[t][i]);
            if self.smoothed > self.largest {
                (self.largest, self.noise) = (self.smoothed, r);
            }
        }
        let nearer = (r / self.smoothed) / (self.noise / self.largest);
        let floor = if self.largest * self.noise > 0.0 {
            c.gradient_floor.powi(2) * self.largest * nearer.min(1.0)
        } else {
            0.0
        };
        let s = self.p[0] * (g + floor) + r;
        let residual = match c.options.target {
            Target::Offset(offset) => offset,
            Target::Constant(_) | Target::Relative(_) => (penalised - target).max(0.0),
        };
        let f = e * residual / s;
        for (moving, gradient) in self.moving.iter_mut().zip(gradients) {
            *moving = g > 0.0 && gradient.is_some();
        }
        for &t in &tensors {
            for i in 0..x[t].len() {
                x[t][i] -= f * self.p[0] * metric(t, i) * h[t][i];
                self.v[t][i] -= f * self.p[1] * metric(t, i) * h[t][i];
                if decay.rule == DecayRule::Decoupled {
                    x[t][i] *= 1.0 - e * decay.rate;
                }
            }
        }
        if g > 0.0 {
            let p = self.p;
            self.p = [
                p[0] - p[0] * p[0] * g / s,
                p[1] - p[0] * p[1] * g / s,
                p[2] - p[1] * p[1] * g / s,
            ];
        }
        if let Some(eta) = c.mean {
            let weight = ((eta + 1.0) / (f64::from(self.k) + eta)).min(1.0);
            for (mean, x) in self.mean.iter_mut().flatten().zip(x.iter().flatten()) {
                *mean += weight * (x - *mean);
            }
        }
        r
    }
}
