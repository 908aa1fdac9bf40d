//! Batch normalisation of one channel of one image.

use multiversion::multiversion;

use super::rows::let_through;

/// Lanes of a sum: so many that additions need not wait for each other.
const LANES: usize = 32;

/// Normalised values are `(x - mean) scale + shift`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    pub mean: f32,
    pub scale: f32,
    pub shift: f32,
}

/// The sum of x - mean, and that of its squares.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn centred_sums(values: &[f32], mean: f32) -> [f32; 2] {
    let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let centred = chunk[lane] - mean;
            sums[lane] += centred;
            squares[lane] += centred * centred;
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        let centred = value - mean;
        sums[lane] += centred;
        squares[lane] += centred * centred;
    }
    [sums.iter().sum(), squares.iter().sum()]
}

/// Writes the normalised values, plus those to be added, 0 for what is not above 0 if `relu`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn normalise(
    values: &[f32],
    added: Option<&[f32]>,
    affine: Affine,
    relu: bool,
    into: &mut [f32],
) {
    let Affine { mean, scale, shift } = affine;
    // Not a number stays one.
    let finish = |value: f32| if relu && value <= 0.0 { 0.0 } else { value };
    match added {
        None => {
            for (into, value) in into.iter_mut().zip(values) {
                *into = finish((value - mean) * scale + shift);
            }
        }
        Some(added) => {
            for ((into, value), added) in into.iter_mut().zip(values).zip(added) {
                *into = finish((value - mean) * scale + shift + added);
            }
        }
    }
}

/// Sets the gradient 0 where the results, if there are any, are those of ReLU and 0; gives the sum of it, and that of it times
/// x - mean.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn mask_and_sum(
    gradient: &mut [f32],
    results: Option<&[f32]>,
    values: &[f32],
    mean: f32,
) -> [f32; 2] {
    let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
    if let Some(results) = results {
        for (gradient, result) in gradient.iter_mut().zip(results) {
            *gradient = let_through(*result, *gradient);
        }
    }
    let (chunks, rest) = gradient.as_chunks::<LANES>();
    let (value_chunks, value_rest) = values.as_chunks::<LANES>();
    for (chunk, values) in chunks.iter().zip(value_chunks) {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
            products[lane] += chunk[lane] * (values[lane] - mean);
        }
    }
    for (lane, (gradient, value)) in rest.iter().zip(value_rest).enumerate() {
        sums[lane] += gradient;
        products[lane] += gradient * (value - mean);
    }
    [sums.iter().sum(), products.iter().sum()]
}

/// The gradient of x: `scale (gradient - offset - slope (x - mean))`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slope {
    pub mean: f32,
    pub scale: f32,
    pub offset: f32,
    pub slope: f32,
}

impl Slope {
    #[inline(always)]
    fn at(self, gradient: f32, value: f32) -> f32 {
        self.scale * (gradient - self.offset - self.slope * (value - self.mean))
    }
}

/// Replaces the gradient of the results by that of x.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn normalise_back(gradient: &mut [f32], values: &[f32], slope: Slope) {
    for (gradient, value) in gradient.iter_mut().zip(values) {
        *gradient = slope.at(*gradient, *value);
    }
}

/// Writes the gradient of x beside that of the results.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn normalise_back_into(
    gradient: &[f32],
    values: &[f32],
    slope: Slope,
    into: &mut [f32],
) {
    for ((into, gradient), value) in into.iter_mut().zip(gradient).zip(values) {
        *into = slope.at(*gradient, *value);
    }
}
