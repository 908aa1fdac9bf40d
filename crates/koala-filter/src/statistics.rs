//! What an adapter measures: sums over one parameter tensor, all that the filter learns of it.

use std::ops::AddAssign;

use crate::exact_sum::ExactSum;

/// What an adapter has to reduce for one parameter in this step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction {
    /// w of h = g + w x in the measurement; with 0, h is g and x need not be read.
    pub decay: f64,
    /// Which sums are needed beside |g|^2, |h|^2 and |x|^2.
    pub sums: Sums,
}

/// Sums of a method, with the numbers that they need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sums {
    /// None.
    Gradient,
    /// [`Products`] with the stored H' and v' (KOALA++).
    Products,
    /// [`MetricSums`] with D = 1 (KOALA-A without metric).
    UnitMetric,
    /// [`MetricSums`] (KOALA-A), where ŝ = `correction` (`smoothing` s + (1 - `smoothing`) h^2) and D = sqrt(ŝ) + floor. The
    /// [floor](crate::Filter::metric_floor) follows from the largest ŝ of all tensors, which a first reading must find; it
    /// may take the sums with the floor of the last update, and with them what another floor changes. Where that
    /// [does not tell](Reduction::settles) enough, a second reading takes them again. The stored s is left as it is.
    DiagonalMetric {
        /// Weight of s.
        smoothing: f64,
        /// What corrects the bias of s towards its start at 0.
        correction: f64,
        /// The floor of the last update, or the least there is before the first.
        floor: f64,
    },
}

/// The floor of a metric: `epsilon` √(the largest ŝ of all tensors) + `least`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricFloor {
    /// ε, the part of the largest root.
    pub epsilon: f64,
    /// What is added, so that nothing is divided by 0.
    pub least: f64,
}

impl MetricFloor {
    /// The floor where `largest` is the largest ŝ of all tensors.
    pub fn at(&self, largest: f64) -> f64 {
        self.epsilon * largest.sqrt() + self.least
    }
}

/// Sums over one parameter tensor (and, added up, over one block). Accumulated in f64, or in tiers of f32, whatever
/// the tensor's type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockStatistics {
    /// |g|^2; may be |h|^2 if the whole model has one innovation.
    pub gradient_squared: f64,
    /// |h|^2 with h = g + w x; |g|^2 if w is 0.
    pub decayed_squared: f64,
    /// |x|^2; may be 0 if w is 0.
    pub parameter_squared: f64,
    /// Dot products with KOALA++'s memory; zeros for the other methods.
    pub products: Products,
    /// Sums in KOALA-A's metric; zeros for the other methods.
    pub metric: MetricSums,
}

/// Sums in KOALA-A's metric A = c / D, without its scale c: ŝ the second moment of this step, v the velocity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MetricSums {
    /// The largest ŝ; 0 without a diagonal metric.
    pub largest: f64,
    /// Σ ŝ; 0 without a diagonal metric.
    pub second_moment: f64,
    /// Σ ŝ / D; 0 without a diagonal metric.
    pub weighted_second_moment: f64,
    /// Σ h^2 / D.
    pub weighted_gradient: f64,
    /// Σ h^2 / D^2.
    pub direction_squared: f64,
    /// v . h.
    pub velocity_gradient: f64,
    /// Σ v^2 D.
    pub weighted_velocity: f64,
    /// What another floor changes; zeros if they were taken with the floor itself.
    pub slopes: FloorSlopes,
}

/// How the sums in a metric change with its floor, where they were taken with the last update's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FloorSlopes {
    /// Σ ŝ / D^2.
    pub second_moment: f64,
    /// Σ h^2 / D^2.
    pub gradient: f64,
    /// Σ h^2 / D^3.
    pub direction: f64,
    /// Σ v^2.
    pub velocity: f64,
}

/// Dot products of KOALA++: H = h now, H' = h at the block's last update, v' = its stored gradient-covariance product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Products {
    /// H . H'.
    pub gradient_previous: f64,
    /// |H'|^2.
    pub previous_squared: f64,
    /// H . v'.
    pub gradient_covariance: f64,
    /// H' . v'.
    pub previous_covariance: f64,
    /// |v'|^2.
    pub covariance_squared: f64,
}

impl BlockStatistics {
    /// Whether everything that makes a measurement is finite (the products are not: they can only restart a block).
    pub fn is_finite(&self) -> bool {
        self.gradient_squared.is_finite()
            && self.decayed_squared.is_finite()
            && self.parameter_squared.is_finite()
            && self.metric.is_finite()
    }

    /// Takes up the sums of a second reading, which has not looked for the largest ŝ.
    pub fn weigh_anew(&mut self, second: MetricSums) {
        self.metric = MetricSums {
            largest: self.metric.largest,
            ..second
        };
    }
}

impl BlockStatistics {
    /// Its sums, all but those that say how they change with a floor, and the largest ŝ, which is no sum.
    fn sums(&mut self) -> [&mut f64; 14] {
        let (products, metric) = (&mut self.products, &mut self.metric);
        [
            &mut self.gradient_squared,
            &mut self.decayed_squared,
            &mut self.parameter_squared,
            &mut products.gradient_previous,
            &mut products.previous_squared,
            &mut products.gradient_covariance,
            &mut products.previous_covariance,
            &mut products.covariance_squared,
            &mut metric.second_moment,
            &mut metric.weighted_second_moment,
            &mut metric.weighted_gradient,
            &mut metric.direction_squared,
            &mut metric.velocity_gradient,
            &mut metric.weighted_velocity,
        ]
    }
}

impl AddAssign for BlockStatistics {
    fn add_assign(&mut self, other: Self) {
        self.gradient_squared += other.gradient_squared;
        self.decayed_squared += other.decayed_squared;
        self.parameter_squared += other.parameter_squared;
        let (mine, theirs) = (&mut self.products, other.products);
        mine.gradient_previous += theirs.gradient_previous;
        mine.previous_squared += theirs.previous_squared;
        mine.gradient_covariance += theirs.gradient_covariance;
        mine.previous_covariance += theirs.previous_covariance;
        mine.covariance_squared += theirs.covariance_squared;
        self.metric += other.metric;
    }
}

impl MetricSums {
    /// Whether all are finite: in narrow types a gradient can be whose square is not.
    pub fn is_finite(&self) -> bool {
        [
            self.largest,
            self.second_moment,
            self.weighted_second_moment,
            self.weighted_gradient,
            self.direction_squared,
            self.velocity_gradient,
            self.weighted_velocity,
        ]
        .iter()
        .all(|sum| sum.is_finite())
    }

    /// The sums with a floor that is higher by `shift`, to first order; to all orders where there are no slopes.
    #[must_use]
    pub(crate) fn shifted(&self, shift: f64) -> Self {
        let slopes = &self.slopes;
        Self {
            weighted_second_moment: self.weighted_second_moment - shift * slopes.second_moment,
            weighted_gradient: self.weighted_gradient - shift * slopes.gradient,
            direction_squared: self.direction_squared - 2.0 * shift * slopes.direction,
            weighted_velocity: self.weighted_velocity + shift * slopes.velocity,
            slopes: FloorSlopes::default(),
            ..*self
        }
    }
}

impl Reduction {
    /// Whether `sums`, taken with the floor of the last update, tell those with this `floor` as well as if they had been
    /// taken with it and rounded by the part `rounding`. If not, they must be.
    ///
    /// With D' = D + δ: 1/D' = 1/D - δ/D² + δ²/(D² D'), and 1/D'² = 1/D² - 2δ/D³ + δ² (D + 2 D')/(D³ D'²); no D' is below
    /// the floor, nor D/D' above 1 + |δ|/floor.
    pub fn settles(&self, sums: &MetricSums, floor: f64, rounding: f64) -> bool {
        let Sums::DiagonalMetric { floor: assumed, .. } = self.sums else {
            return true;
        };
        let shift = floor - assumed;
        let shifted = sums.shifted(shift);
        let slopes = &sums.slopes;
        let rest = shift * (shift / floor);
        let within = |slope: f64, sum: f64| slope.is_finite() && rest * slope <= rounding * sum;
        slopes.velocity.is_finite()
            && within(slopes.second_moment, shifted.weighted_second_moment)
            && within(slopes.gradient, shifted.weighted_gradient)
            && within(
                (3.0 + (shift / floor).abs()) * slopes.direction,
                shifted.direction_squared,
            )
    }
}

impl AddAssign for MetricSums {
    fn add_assign(&mut self, other: Self) {
        self.largest = larger(self.largest, other.largest);
        self.second_moment += other.second_moment;
        self.weighted_second_moment += other.weighted_second_moment;
        self.weighted_gradient += other.weighted_gradient;
        self.direction_squared += other.direction_squared;
        self.velocity_gradient += other.velocity_gradient;
        self.weighted_velocity += other.weighted_velocity;
        let (mine, theirs) = (&mut self.slopes, other.slopes);
        mine.second_moment += theirs.second_moment;
        mine.gradient += theirs.gradient;
        mine.direction += theirs.direction;
        mine.velocity += theirs.velocity;
    }
}

/// The larger of two, and NaN if one of them is: what is not finite must not get lost.
pub(crate) fn larger(left: f64, right: f64) -> f64 {
    if left > right || left.is_nan() {
        left
    } else {
        right
    }
}

/// The largest ŝ of all tensors.
pub(crate) fn largest(statistics: &[Option<BlockStatistics>]) -> f64 {
    let each = statistics.iter().flatten();
    each.map(|found| found.metric.largest).fold(0.0, larger)
}

/// The statistics of a block of several tensors, each sum free of the tensors' order. Slopes have gone into the sums by now.
pub(crate) fn combined<'a>(
    parts: impl IntoIterator<Item = &'a BlockStatistics>,
) -> Option<BlockStatistics> {
    let mut parts = parts.into_iter();
    let first = parts.next()?;
    let Some(second) = parts.next() else {
        return Some(*first);
    };
    let mut all = BlockStatistics::default();
    let mut exact = all.sums().map(|_| ExactSum::ZERO);
    for part in [first, second].into_iter().chain(parts) {
        let mut part = *part;
        all.metric.largest = larger(all.metric.largest, part.metric.largest);
        for (exact, value) in exact.iter_mut().zip(part.sums()) {
            exact.add(*value);
        }
    }
    for (sum, exact) in all.sums().into_iter().zip(exact) {
        *sum = exact.rounded();
    }
    Some(all)
}
