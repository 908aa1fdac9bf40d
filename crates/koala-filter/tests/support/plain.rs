//! The equations as they stand on paper, one number after the other, with their cancellations: no fused passes, no
//! sums of products, no plans. One block a tensor.

use koala_filter::{
    Config, DecayRule, MeasurementNoise, PlusPlusVariant, PositionNoise, Target, WeightDecay,
};

use super::plain_adaptive::PlainAdaptive;
use super::problem::dot;

pub enum PlainMethod {
    V {
        p: f64,
        q: f64,
    },
    M {
        p: [f64; 3],
        kappa: f64,
        rule: PositionNoise,
        q_x: f64,
        q_v: f64,
        coast: bool,
    },
    Pp {
        sigma: f64,
        q: f64,
        symmetric: bool,
    },
    A(Box<PlainAdaptive>),
}

pub struct PlainConfig {
    pub decay: WeightDecay,
    pub noise: MeasurementNoise,
    pub target: Target,
}

pub struct Plain {
    pub method: PlainMethod,
    pub config: PlainConfig,
    pub r: f64,
    measurements: i32,
    /// L_1.
    first: Option<f64>,
    /// v of KOALA-M, v' of KOALA++.
    v: Vec<Vec<f64>>,
    /// Running mean of x.
    a: Vec<Vec<f64>>,
    /// Whether each block was updated, so that it may move without coasting.
    updated: Vec<bool>,
    /// H' and S' of KOALA++.
    previous: Vec<Option<(Vec<f64>, f64)>>,
}

impl Plain {
    pub fn new(config: &Config, lengths: &[usize]) -> Self {
        let zeros: Vec<Vec<f64>> = lengths.iter().map(|&n| vec![0.0; n]).collect();
        let method = match config {
            Config::KoalaV(c) => PlainMethod::V {
                p: c.initial_covariance,
                q: c.process_noise,
            },
            Config::KoalaM(c) => PlainMethod::M {
                p: [
                    c.initial_position_covariance,
                    c.initial_cross_covariance,
                    c.initial_velocity_covariance,
                ],
                kappa: c.velocity_decay,
                rule: c.position_noise,
                q_x: match c.position_noise {
                    PositionNoise::Authors { initial } => initial,
                    PositionNoise::Fixed(q_x) => q_x,
                    PositionNoise::Paper => 0.0,
                },
                q_v: c.velocity_noise,
                coast: c.coast,
            },
            Config::KoalaPp(c) => PlainMethod::Pp {
                sigma: c.initial_covariance,
                q: c.process_noise,
                symmetric: c.variant == PlusPlusVariant::Symmetric,
            },
            Config::KoalaA(c) => PlainMethod::A(Box::new(PlainAdaptive::new(c, lengths))),
        };
        let options = config.options();
        Self {
            method,
            config: PlainConfig {
                decay: options.weight_decay,
                noise: options.measurement_noise,
                target: options.target,
            },
            r: match options.measurement_noise {
                MeasurementNoise::Fixed(r) => r,
                MeasurementNoise::Adaptive { initial, .. } => initial,
                MeasurementNoise::BiasCorrected { .. } => 0.0,
            },
            v: zeros.clone(),
            a: zeros,
            measurements: 0,
            first: None,
            updated: vec![false; lengths.len()],
            previous: vec![None; lengths.len()],
        }
    }

    pub fn predict(&mut self, x: &mut [Vec<f64>]) {
        match &mut self.method {
            PlainMethod::V { p, q } => *p += *q,
            PlainMethod::Pp { .. } => {}
            PlainMethod::A(adaptive) => adaptive.predict(x),
            PlainMethod::M {
                p,
                kappa,
                rule,
                q_x,
                q_v,
                coast,
            } => {
                let n: usize = x.iter().map(Vec::len).sum();
                if *rule == PositionNoise::Paper {
                    for (a, x) in self.a.iter_mut().flatten().zip(x.iter().flatten()) {
                        *a = 0.9 * *a + 0.1 * x;
                    }
                }
                let squared: f64 = self
                    .a
                    .iter()
                    .flatten()
                    .zip(x.iter().flatten())
                    .map(|(a, x)| (a - x) * (a - x))
                    .sum();
                match rule {
                    PositionNoise::Authors { .. } => {
                        *q_x = 0.9 * *q_x + 0.1 * squared.sqrt() / n as f64;
                    }
                    PositionNoise::Paper => *q_x = squared / n as f64,
                    PositionNoise::Fixed(_) => {}
                }
                for (block, &updated) in self.updated.iter().enumerate() {
                    for (x, v) in x[block].iter_mut().zip(&mut self.v[block]) {
                        if *coast || updated {
                            *x += *v;
                            *v *= *kappa;
                        }
                    }
                }
                *p = [
                    p[0] + 2.0 * p[1] + p[2] + *q_x,
                    *kappa * (p[1] + p[2]),
                    *kappa * *kappa * p[2] + *q_v,
                ];
            }
        }
    }

    pub fn update(
        &mut self,
        x: &mut [Vec<f64>],
        gradients: &[Option<Vec<f64>>],
        losses: &[f64],
        e: f64,
    ) {
        if let PlainMethod::A(adaptive) = &mut self.method {
            self.r = adaptive.update(x, gradients, losses, e);
            return;
        }
        let count = losses.len() as f64;
        let loss = losses.iter().sum::<f64>() / count;
        let first = *self.first.get_or_insert(loss);
        let target = match self.config.target {
            Target::Constant(target) => target,
            Target::Offset(offset) => loss - offset,
            Target::Relative(share) => share * first,
        };
        let moment = losses.iter().map(|l| (l - target).powi(2)).sum::<f64>() / count;
        self.measurements += 1;
        match self.config.noise {
            MeasurementNoise::Fixed(_) => {}
            MeasurementNoise::Adaptive { smoothing, .. } => {
                self.r = smoothing * self.r + (1.0 - smoothing) * moment;
            }
            MeasurementNoise::BiasCorrected { smoothing } => {
                let taken_up = |count: i32| 1.0 - smoothing.powi(count);
                let sum = smoothing * self.r * taken_up(self.measurements - 1)
                    + (1.0 - smoothing) * moment;
                self.r = sum / taken_up(self.measurements);
            }
        }
        let r = self.r;
        let WeightDecay { rate: w, rule } = self.config.decay;
        let measured = if rule == DecayRule::Decoupled { 0.0 } else { w };
        let moved = if rule == DecayRule::Coupled { w } else { 0.0 };
        let mut largest = 0.0_f64;
        self.updated = gradients.iter().map(Option::is_some).collect();
        for (block, g) in gradients.iter().enumerate() {
            let Some(g) = g else { continue };
            let x = &mut x[block];
            let h: Vec<f64> = g.iter().zip(&*x).map(|(g, x)| g + measured * x).collect();
            let along: Vec<f64> = g.iter().zip(&*x).map(|(g, x)| g + moved * x).collect();
            let residual = match self.config.target {
                Target::Offset(offset) => offset,
                Target::Constant(_) | Target::Relative(_) => {
                    (loss + measured / 2.0 * dot(x, x) - target).max(0.0)
                }
            };
            let h2 = dot(&h, &h);
            largest = largest.max(h2);
            match &self.method {
                PlainMethod::V { p, .. } => {
                    let s = p * h2 + r;
                    for (x, d) in x.iter_mut().zip(&along) {
                        *x -= e * residual * p / s * d;
                    }
                }
                PlainMethod::M { p, rule, .. } => {
                    let s = p[0] * h2 + r;
                    for (i, d) in along.iter().enumerate() {
                        x[i] -= e * residual * p[0] / s * d;
                        self.v[block][i] -= e * residual * p[1] / s * d;
                        if matches!(rule, PositionNoise::Authors { .. }) {
                            self.a[block][i] = 0.9 * self.a[block][i] + 0.1 * x[i];
                        }
                    }
                }
                PlainMethod::A(_) => {}
                PlainMethod::Pp {
                    sigma,
                    q,
                    symmetric,
                } => {
                    let start = || {
                        let v: Vec<f64> = h.iter().map(|h| sigma * h).collect();
                        let s = dot(&h, &v) + q * h2 + r;
                        (v, h.clone(), s)
                    };
                    let (mut v, mut s) = (Vec::new(), -1.0);
                    let mut previous = self.previous[block]
                        .take()
                        .map(|(h1, s1)| (self.v[block].clone(), h1, s1));
                    // A second time only if S does not come out positive.
                    while s <= 0.0 {
                        let (v1, h1, s1) = previous.take().unwrap_or_else(start);
                        let p2 = dot(&h1, &h1);
                        let alpha = dot(&h, &h1) / p2;
                        let lambda = (dot(&h, &v1) + q * dot(&h, &h1)) / s1;
                        let rho = if *symmetric {
                            dot(&h, &v1) / p2 - dot(&h, &h1) * dot(&h1, &v1) / (p2 * p2)
                        } else {
                            0.0
                        };
                        v = (0..h.len())
                            .map(|i| {
                                (alpha - lambda) * v1[i] + q * (h[i] - lambda * h1[i]) + rho * h1[i]
                            })
                            .collect();
                        s = dot(&h, &v) + q * h2 + r;
                    }
                    for i in 0..h.len() {
                        x[i] -= e * residual * (v[i] + q * h[i]) / s;
                    }
                    self.v[block] = v;
                    self.previous[block] = Some((h, s));
                }
            }
            if rule == DecayRule::Decoupled {
                for (i, x) in x.iter_mut().enumerate() {
                    // The running mean follows the decayed x.
                    let undecayed = *x;
                    *x *= 1.0 - e * w;
                    if let PlainMethod::M {
                        rule: PositionNoise::Authors { .. },
                        ..
                    } = self.method
                    {
                        self.a[block][i] += 0.1 * (*x - undecayed);
                    }
                }
            }
        }
        if largest > 0.0 {
            match &mut self.method {
                PlainMethod::V { p, .. } => *p -= *p * *p * largest / (*p * largest + r),
                PlainMethod::M { p, .. } => {
                    let h = 1.0 / (p[0] + r / largest);
                    *p = [
                        p[0] - p[0] * p[0] * h,
                        p[1] - p[0] * p[1] * h,
                        p[2] - p[1] * p[1] * h,
                    ];
                }
                PlainMethod::Pp { .. } | PlainMethod::A(_) => {}
            }
        }
    }
}
