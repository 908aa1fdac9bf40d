//! Sums of many elements that keep their digits, and whose bits depend on nothing but the elements.

use burn::Tensor;

/// Sums of more elements than twice this are taken in rows of so many, whose sums are summed again: one flat `f32` sum would lose
/// digits, and on most devices a row is the work of one thread.
pub(crate) const ROW: usize = 256;

/// The sum of all elements, as a tensor of one.
pub(super) fn sum(terms: Tensor<1>) -> Tensor<1> {
    sum_by(ROW, terms)
}

/// The sum of all elements, as a tensor of one, in rows of `row` elements, whose sums are summed again, with what is left over.
///
/// Never by Burn's `sum`: cubecl's adds up by atomic addition where a device has it, and flex's of 4 Mi elements and more in as many
/// parts as there are idle threads. Both add in whatever order comes first.
pub(crate) fn sum_by(row: usize, terms: Tensor<1>) -> Tensor<1> {
    let elements = terms.dims()[0];
    let rows = elements / row;
    if rows < 2 {
        return rows_of(elements, terms);
    }
    let whole = rows * row;
    let rest = elements - whole;
    let sums = rows_of(row, terms.clone().narrow(0, 0, whole));
    if rest == 0 {
        return sum_by(row, sums);
    }
    sum_by(
        row,
        Tensor::cat(vec![sums, terms.narrow(0, whole, rest)], 0),
    )
}

/// The sum of each row of so many elements; of none it is 0.
fn rows_of(row: usize, terms: Tensor<1>) -> Tensor<1> {
    if row == 0 {
        return Tensor::zeros([1], (&terms.device(), terms.dtype()));
    }
    let rows = terms.dims()[0] / row;
    terms.reshape([rows, row]).sum_dim(1).reshape([rows])
}

pub(super) fn dot(left: &Tensor<1>, right: &Tensor<1>) -> Tensor<1> {
    sum(left.clone() * right.clone())
}

/// The largest element, as a tensor of one; 0 if there is none.
pub(super) fn largest(values: Tensor<1>) -> Tensor<1> {
    if values.dims()[0] == 0 {
        sum(values)
    } else {
        values.max()
    }
}

/// On the device that `BURN_DEVICE` names, if Burn was built with such a one.
#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Device, TensorData};
    use proptest::prelude::*;

    /// Numbers whose sums in different orders differ.
    fn numbers(elements: usize) -> Vec<f32> {
        let uneven = |at: usize| (at as f32 * 0.7).sin() * 10f32.powi((at / 64 % 9) as i32 - 4);
        (0..elements).map(uneven).collect()
    }

    fn tensor(values: &[f32]) -> Tensor<1> {
        Tensor::from_data(
            TensorData::new(values.to_vec(), [values.len()]),
            &Device::default(),
        )
    }

    fn summed(row: usize, values: &[f32]) -> f32 {
        sum_by(row, tensor(values)).into_scalar()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_element_counts_once(elements in 0..9_000_usize, row in 2..700_usize) {
            let values = numbers(elements);
            let exact: f64 = values.iter().map(|v| f64::from(*v)).sum();
            let size: f64 = values.iter().map(|v| f64::from(v.abs())).sum();
            let found = f64::from(summed(row, &values));
            prop_assert!((found - exact).abs() <= 1e-6 * size, "{} is not {}", found, exact);
        }
    }

    #[test]
    fn the_same_elements_have_the_same_sum_in_every_bit() {
        for elements in [1, 257, 511, 1_023, 2_047, 70_001, 1_200_003] {
            let values = numbers(elements);
            let first = summed(ROW, &values);
            for _ in 0..20 {
                assert_eq!(
                    summed(ROW, &values).to_bits(),
                    first.to_bits(),
                    "{elements}"
                );
            }
        }
    }

    #[test]
    fn nothing_sums_to_zero_of_its_type() {
        for dtype in [DType::F32, DType::F64] {
            let none = Tensor::<1>::zeros([0], (&Device::flex(), dtype));
            let zero = largest(none);
            assert_eq!((zero.dims(), zero.dtype()), ([1], dtype));
            assert_eq!(zero.into_scalar::<f64>(), 0.0);
        }
    }
}
