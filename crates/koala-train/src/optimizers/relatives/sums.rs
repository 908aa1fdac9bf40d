//! Sums over all parameters, read back from the device at once.

use burn::tensor::{DType, Tensor};

use crate::optimizers::OptimizerError;

/// The device adds up so many elements at most; the host adds those sums in double precision. One flat sum of millions of
/// elements would lose digits.
const TIER: usize = 4096;

/// N sums a row.
pub(super) struct Sums<const N: usize> {
    parts: Vec<Tensor<1>>,
    /// How many numbers belong to each sum.
    counts: Vec<[usize; N]>,
}

impl<const N: usize> Sums<N> {
    pub fn new() -> Self {
        Self {
            parts: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// The sums of the elements of these tensors, of one row.
    pub fn add(&mut self, terms: [Tensor<1>; N]) {
        let counts = terms.map(|terms| self.part(terms));
        self.counts.push(counts);
    }

    /// How many numbers come of it.
    fn part(&mut self, terms: Tensor<1>) -> usize {
        let elements = terms.shape().num_elements();
        let rows = elements / TIER;
        let whole = rows * TIER;
        if rows > 0 {
            self.add_rows(terms.clone().narrow(0, 0, whole), [rows, TIER]);
        }
        if elements > whole {
            let rest = elements - whole;
            self.add_rows(terms.narrow(0, whole, rest), [1, rest]);
        }
        rows + usize::from(elements > whole)
    }

    /// The sum of each row. Also of a single one not by Burn's `sum`, which on most devices adds in whatever order comes first.
    fn add_rows(&mut self, terms: Tensor<1>, [rows, row]: [usize; 2]) {
        let sums = terms.reshape([rows, row]).sum_dim(1);
        self.parts.push(sums.reshape([rows]));
    }

    /// The sums of each row; nothing if one is not finite. The device is waited for once.
    pub fn read(self) -> Result<Option<Vec<[f64; N]>>, OptimizerError> {
        if self.parts.is_empty() {
            return Ok(Some(vec![[0.0; N]; self.counts.len()]));
        }
        let double = self.parts.iter().any(|part| part.dtype() == DType::F64);
        let parts = if double {
            let parts = self.parts.into_iter();
            parts.map(|part| part.cast(DType::F64)).collect()
        } else {
            self.parts
        };
        let data =
            Tensor::cat(parts, 0)
                .try_into_data()
                .map_err(|error| OptimizerError::Device {
                    reason: error.to_string(),
                })?;
        let mut numbers = data.iter::<f64>();
        let mut sum = |count: usize| numbers.by_ref().take(count).sum::<f64>();
        let sums: Vec<_> = (self.counts.into_iter())
            .map(|counts| counts.map(&mut sum))
            .collect();
        let finite = sums.iter().flatten().all(|sum| sum.is_finite());
        Ok(finite.then_some(sums))
    }
}

/// The sums of all rows together.
pub(super) fn total<const N: usize>(sums: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|at| sums.iter().map(|row| row[at]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn tensor(elements: usize, scale: f32) -> (Tensor<1>, f64) {
        let values: Vec<f32> = (0..elements)
            .map(|i| (i as f32).sin() * scale + 1.0)
            .collect();
        let sum = values.iter().map(|v| f64::from(*v)).sum();
        let data = TensorData::new(values, [elements]);
        (Tensor::from_data(data, &Device::flex()), sum)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_sum_is_its_own(
            rows in proptest::collection::vec((0..20_000usize, 0..3usize, -9.0..9.0f32), 0..5),
        ) {
            let mut sums = Sums::new();
            let mut expected = Vec::new();
            for (elements, tiers, scale) in rows {
                let (first, a) = tensor(elements, scale);
                let (second, b) = tensor(tiers * TIER, scale);
                sums.add([first, second]);
                expected.push([a, b]);
            }
            let found = sums.read().unwrap().unwrap();
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                prop_assert!((found - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{} {}", found, expected);
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_nothing() {
        let mut sums = Sums::new();
        sums.add([tensor(3, 1.0).0]);
        sums.add([tensor(3, f32::NAN).0]);
        assert!(sums.read().unwrap().is_none());
    }
}
