//! What an adapter measures: sums over one parameter tensor, all that the filter learns of it.

use std::ops::AddAssign;

/// What an adapter has to reduce for one parameter in this step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction {
    /// w of h = g + w x in the measurement; with 0, h is g and x need not be read.
    pub decay: f64,
    /// Whether [`Products`] are needed (KOALA++): sums with the stored H' and v'.
    pub products: bool,
}

/// Sums over one parameter tensor (and, added up, over one block). Accumulated in f64, or in tiers of f32, whatever
/// the tensor's type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockStatistics {
    /// |g|^2.
    pub gradient_squared: f64,
    /// |h|^2 with h = g + w x; |g|^2 if w is 0.
    pub decayed_squared: f64,
    /// |x|^2; may be 0 if w is 0.
    pub parameter_squared: f64,
    /// Dot products with KOALA++'s memory; zeros for the other methods.
    pub products: Products,
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
    }
}

/// The sum of `values` in ascending order, so that the order of blocks changes not a bit.
pub(crate) fn order_free_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.into_iter().sum()
}

/// The statistics of a block of several tensors, each sum free of the tensors' order.
pub(crate) fn combined(parts: &[BlockStatistics]) -> BlockStatistics {
    if let [single] = parts {
        return *single;
    }
    let sum = |field: fn(&BlockStatistics) -> f64| order_free_sum(parts.iter().map(field));
    BlockStatistics {
        gradient_squared: sum(|part| part.gradient_squared),
        decayed_squared: sum(|part| part.decayed_squared),
        parameter_squared: sum(|part| part.parameter_squared),
        products: Products {
            gradient_previous: sum(|part| part.products.gradient_previous),
            previous_squared: sum(|part| part.products.previous_squared),
            gradient_covariance: sum(|part| part.products.gradient_covariance),
            previous_covariance: sum(|part| part.products.previous_covariance),
            covariance_squared: sum(|part| part.products.covariance_squared),
        },
    }
}
