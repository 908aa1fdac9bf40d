//! KOALA-A's sums in its metric.

use multiversion::multiversion;

use super::metric::Metric;
use super::sums::across;
use crate::demands::SLOTS;
use crate::dense::real::Real;
use crate::plan::MetricStep;
use crate::statistics::{FloorSlopes, MetricSums, Reduction, Sums};

/// Elements that are worked on at once, each lane with sums of its own. Fixed: part of the bits of every sum.
const LANES: usize = 16;

/// Rounds of the lanes after which their sums go on in f64: of so few numbers single precision loses next to nothing.
const ROUNDS: usize = 32;

/// Sums in the elements' own type beside |h|^2, in the order in which [`add`] takes them.
const SUMS: usize = 9;

/// The sums of a diagonal metric with another `floor` than the reduction's: a second reading, all but the largest ŝ, which
/// is 0 here. Zeros for other sums.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn weigh<F: Real>(
    reduction: &Reduction,
    floor: f64,
    parameters: &[F],
    gradients: &[F],
    memory: [&[F]; SLOTS],
) -> MetricSums {
    let Sums::DiagonalMetric {
        smoothing,
        correction,
        ..
    } = reduction.sums
    else {
        return MetricSums::default();
    };
    let step = MetricStep {
        smoothing,
        correction,
        floor,
    };
    let (_, sums) = metric_sums(&step, reduction.decay, parameters, gradients, memory);
    MetricSums {
        largest: 0.0,
        slopes: FloorSlopes::default(),
        ..sums
    }
}

/// |h|^2 and the sums in the metric of this step.
#[inline(always)]
pub(super) fn metric_sums<F: Real>(
    step: &MetricStep,
    decay: f64,
    parameters: &[F],
    gradients: &[F],
    memory: [&[F]; SLOTS],
) -> (f64, MetricSums) {
    let [velocity, second_moment, _] = memory;
    let metric = Metric::new(step);
    let w = F::from_f64(decay);
    // Without decay x is not read: g stands in for it, and w = 0 takes it out again.
    let parameters = if decay == 0.0 { gradients } else { parameters };
    let rows = [parameters, gradients, velocity, second_moment];
    let length = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let rows = rows.map(|row| row[..length].as_chunks::<LANES>());
    let [(x, x_rest), (g, g_rest), (v, v_rest), (s, s_rest)] = rows;

    let mut totals = Totals::new();
    // Roots and quotients take long: those of a block are on their way while the block before it is added up.
    let mut ready = Block::of_zeros();
    let blocks = x.len();
    for start in (0..blocks).step_by(ROUNDS) {
        let tier = start..blocks.min(start + ROUNDS);
        let [x, g, v, s] = [x, g, v, s].map(|row| &row[tier.clone()]);
        let mut sums = [[F::default(); LANES]; SUMS];
        for (((x, g), v), s) in x.iter().zip(g).zip(v).zip(s) {
            let next = Block::new(&metric, w, [x, g, v, s]);
            totals.add(&ready, &mut sums);
            ready = next;
        }
        totals.take(&sums);
    }
    let mut sums = [[F::default(); LANES]; SUMS];
    totals.add(&ready, &mut sums);
    let padded = |rest: &[F]| {
        let mut block = [F::default(); LANES];
        block[..rest.len()].copy_from_slice(rest);
        block
    };
    let [x, g, v, s] = [x_rest, g_rest, v_rest, s_rest].map(padded);
    totals.add(&Block::new(&metric, w, [&x, &g, &v, &s]), &mut sums);
    totals.take(&sums);
    totals.sums()
}

/// What the sums are taken of, one element a lane.
struct Block<F> {
    h: [F; LANES],
    v: [F; LANES],
    /// ŝ.
    hat: [F; LANES],
    /// D.
    denominator: [F; LANES],
    /// 1 / D.
    inverse: [F; LANES],
}

impl<F: Real> Block<F> {
    /// Of zeros every sum is 0.
    #[inline(always)]
    fn of_zeros() -> Self {
        let zeros = [F::default(); LANES];
        Self {
            h: zeros,
            v: zeros,
            hat: zeros,
            denominator: zeros,
            inverse: zeros,
        }
    }

    #[inline(always)]
    fn new(metric: &Metric<F>, w: F, [x, g, v, s]: [&[F; LANES]; 4]) -> Self {
        let mut block = Self::of_zeros();
        for lane in 0..LANES {
            let h = g[lane] + w * x[lane];
            let hat = metric.corrected(metric.second_moment(s[lane], h));
            let denominator = metric.root(hat);
            block.h[lane] = h;
            block.v[lane] = v[lane];
            block.hat[lane] = hat;
            block.denominator[lane] = denominator;
            block.inverse[lane] = F::from_f64(1.0) / denominator;
        }
        block
    }
}

/// Sums of each lane over all tiers.
struct Totals<F> {
    largest: [F; LANES],
    squared: [f64; LANES],
    sums: [[f64; LANES]; SUMS],
}

impl<F: Real> Totals<F> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            largest: [F::default(); LANES],
            squared: [0.0; LANES],
            sums: [[0.0; LANES]; SUMS],
        }
    }

    /// Adds one element to the sums of each lane.
    #[inline(always)]
    fn add(&mut self, block: &Block<F>, sums: &mut [[F; LANES]; SUMS]) {
        for lane in 0..LANES {
            let (h, v, hat) = (block.h[lane], block.v[lane], block.hat[lane]);
            let inverse = block.inverse[lane];
            let d = h * inverse;
            let share = hat * inverse;
            let terms = [
                hat,
                share,
                h * d,
                d * d,
                v * h,
                v * v * block.denominator[lane],
                share * inverse,
                d * d * inverse,
                v * v,
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[lane] = sum[lane] + term;
            }
            self.largest[lane] = if hat > self.largest[lane] {
                hat
            } else {
                self.largest[lane]
            };
        }
        // Apart: beside f64, a loop takes half as many numbers at once.
        for (squared, h) in self.squared.iter_mut().zip(block.h) {
            *squared += h.to_f64() * h.to_f64();
        }
    }

    /// Takes a tier's sums up.
    #[inline(always)]
    fn take(&mut self, tier: &[[F; LANES]; SUMS]) {
        for (total, sum) in self.sums.iter_mut().zip(tier) {
            for (total, sum) in total.iter_mut().zip(sum) {
                *total += sum.to_f64();
            }
        }
    }

    /// |h|^2 and the sums over all lanes.
    #[inline(always)]
    fn sums(&self) -> (f64, MetricSums) {
        let [hat, share, hd, dd, vh, vvd, share_slope, d_slope, vv] = across(&self.sums);
        let larger = |found: F, &value: &F| if value > found { value } else { found };
        let sums = MetricSums {
            largest: self.largest.iter().fold(F::default(), larger).to_f64(),
            second_moment: hat,
            weighted_second_moment: share,
            weighted_gradient: hd,
            direction_squared: dd,
            velocity_gradient: vh,
            weighted_velocity: vvd,
            slopes: FloorSlopes {
                second_moment: share_slope,
                gradient: dd,
                direction: d_slope,
                velocity: vv,
            },
        };
        let [squared] = across(&[self.squared]);
        (squared, sums)
    }
}
