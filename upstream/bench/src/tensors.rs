//! Tensors that are the same for both contenders.

use burn_backend::tensor::FloatTensor;
use burn_backend::{Backend, TensorData, read_sync};

pub type Tensor<B> = FloatTensor<B>;

/// Values between -`bound` and `bound`, which depend on these arguments alone.
pub fn random<B: Backend>(shape: impl Into<Vec<usize>>, bound: f32, seed: u64) -> Tensor<B> {
    let shape = shape.into();
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * bound
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    B::float_from_data(TensorData::new(values, shape), &Default::default())
}

/// The values of a tensor.
pub fn values<B: Backend>(tensor: Tensor<B>) -> Vec<f64> {
    let data = read_sync(B::float_into_data(tensor)).expect("the values are in memory");
    let data = data.convert::<f64>();
    data.try_into_vec().expect("they are f64 now")
}

/// The largest difference between two lists of values, over the largest value.
pub fn difference(one: &[f64], other: &[f64]) -> f64 {
    assert_eq!(one.len(), other.len());
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.fold(0.0, |largest: f64, value| largest.max(value.abs()))
    };
    let differences = &mut one.iter().zip(other).map(|(one, other)| one - other);
    largest(differences) / largest(&mut one.iter().copied())
}
