//! Sums of many elements that keep their digits.

use burn::Tensor;

/// Sums of more elements than this are taken in two tiers: one flat `f32` sum would lose digits.
const TIER: usize = 1024;

/// The sum of all elements, as a tensor of one.
pub(super) fn sum(terms: Tensor<1>) -> Tensor<1> {
    let elements = terms.dims()[0];
    let rows = elements / TIER;
    if rows < 2 {
        return terms.sum();
    }
    let whole = rows * TIER;
    let body = terms.clone().narrow(0, 0, whole).reshape([rows, TIER]);
    let body = body.sum_dim(1).reshape([rows]).sum();
    if whole == elements {
        body
    } else {
        body + terms.narrow(0, whole, elements - whole).sum()
    }
}

pub(super) fn dot(left: &Tensor<1>, right: &Tensor<1>) -> Tensor<1> {
    sum(left.clone() * right.clone())
}

/// The largest element, as a tensor of one; 0 if there is none.
pub(super) fn largest(values: Tensor<1>) -> Tensor<1> {
    if values.dims()[0] == 0 {
        values.sum()
    } else {
        values.max()
    }
}
