//! What tests of operations share: that values and gradients are those of Burn's own operations.

#![allow(clippy::unwrap_used, dead_code)]

use burn::tensor::{Device, Tensor, TensorData};
use koala_ops::with_burn;
use rayon::ThreadPoolBuilder;

/// Largest difference from Burn's, relative to the largest magnitude in the tensor.
pub const TOLERANCE: f32 = 1e-5;

/// A made tensor of an operation.
#[derive(Clone, Debug)]
pub struct Made {
    pub elements: usize,
    /// Whether its gradient is asked for.
    pub tracked: bool,
}

/// A tensor whose gradient is asked for.
pub fn tracked(shape: &[usize]) -> Made {
    Made {
        elements: shape.iter().product(),
        tracked: true,
    }
}

/// A tensor without a gradient, as an image or a frozen weight.
pub fn constant(shape: &[usize]) -> Made {
    Made {
        tracked: false,
        ..tracked(shape)
    }
}

/// Made tensors of these shapes, with and without gradients.
pub fn made<'a>(shapes: impl IntoIterator<Item = (&'a Vec<usize>, bool)>) -> Vec<Made> {
    let of = |(shape, wanted): (&'a Vec<usize>, bool)| match wanted {
        true => tracked(shape),
        false => constant(shape),
    };
    shapes.into_iter().map(of).collect()
}

/// A made tensor as images, or as the weight of a convolution.
pub fn shaped(leaf: &Tensor<1>, shape: &[usize]) -> Tensor<4> {
    leaf.clone()
        .reshape([shape[0], shape[1], shape[2], shape[3]])
}

/// What an operation gives: its values, then the gradient of each tensor that has one.
pub type Found = Vec<Vec<f32>>;

/// Values from -1 to 1 that repeat nowhere.
pub fn values(elements: usize, seed: usize) -> Vec<f32> {
    let mut state = seed as u64 + 1;
    (0..elements)
        .map(|_| {
            // Knuth's multiplier, upper bits.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// Values and gradients on a device, of a sum of the results with made weights.
pub fn run<const D: usize>(
    device: &Device,
    tensors: &[Made],
    forward: impl Fn(&[Tensor<1>]) -> Tensor<D>,
) -> Found {
    let leaves: Vec<Tensor<1>> = tensors
        .iter()
        .enumerate()
        .map(|(seed, made)| {
            let data = TensorData::new(values(made.elements, seed), [made.elements]);
            let tensor = Tensor::from_data(data, device);
            if device.is_autodiff() && made.tracked {
                tensor.require_grad()
            } else {
                tensor
            }
        })
        .collect();
    let results = forward(&leaves);
    let mut found = vec![floats(results.clone())];
    if device.is_autodiff() && tensors.iter().any(|made| made.tracked) {
        let shape = results.dims();
        let elements = shape.iter().product();
        let weights = TensorData::new(values(elements, 100), shape);
        let sum = (results * Tensor::from_data(weights, device)).sum();
        let gradients = sum.backward();
        for (leaf, made) in leaves.iter().zip(tensors).filter(|(_, made)| made.tracked) {
            let gradient = leaf.grad(&gradients);
            found.push(gradient.map_or(vec![0.0; made.elements], floats));
        }
    }
    found
}

/// Checks an operation against Burn's: values with and without automatic differentiation, and gradients; and that the bits are
/// the same again, with one thread, two and five.
pub fn agree<const D: usize>(tensors: &[Made], forward: impl Fn(&[Tensor<1>]) -> Tensor<D> + Sync) {
    let device = Device::flex().autodiff();
    let fused = run(&device, tensors, &forward);
    let burn = with_burn(|| run(&device, tensors, &forward));
    close(&fused, &burn);
    let plain = run(&Device::flex(), tensors, &forward);
    assert!(
        bits(&plain) == bits(&fused[..1]),
        "without automatic differentiation"
    );
    for threads in [1, 2, 5] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let again = pool.install(|| run(&device, tensors, &forward));
        assert!(bits(&again) == bits(&fused), "{threads} threads");
    }
}

/// Checks that two lists of tensors are the same up to rounding: beside the largest of each tensor, or, where a sum of terms near
/// 1 cancels, beside a third of such a term.
pub fn close(found: &Found, expected: &Found) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "tensor {at}");
        let largest = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(
                difference <= TOLERANCE * largest.max(0.3),
                "tensor {at}: {found}, not {expected}"
            );
        }
    }
}

pub fn bits(found: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let of = |values: &Vec<f32>| values.iter().map(|v| v.to_bits()).collect();
    found.iter().map(of).collect()
}

pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}
