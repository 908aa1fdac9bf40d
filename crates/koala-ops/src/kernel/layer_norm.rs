//! Layer norm of one row.

use multiversion::multiversion;

use super::lanes::LANES;

/// What a row was normalised by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowMoments {
    pub mean: f32,
    /// 1/sqrt(variance + epsilon).
    pub scale: f32,
}

/// The normalised `row` times `gamma` plus `beta`, in `target`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn normalise_row(
    target: &mut [f32],
    row: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
) -> RowMoments {
    let count = row.len() as f32;
    let (pieces, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for piece in pieces {
        for (sum, value) in sums.iter_mut().zip(piece) {
            *sum += value;
        }
    }
    let mean = (sums.iter().sum::<f32>() + rest.iter().sum::<f32>()) / count;
    let mut squares = [0.0; LANES];
    for piece in pieces {
        for (square, value) in squares.iter_mut().zip(piece) {
            let centred = value - mean;
            *square += centred * centred;
        }
    }
    let rest = rest.iter().map(|value| (value - mean) * (value - mean));
    let variance = (squares.iter().sum::<f32>() + rest.sum::<f32>()) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    let parameters = gamma.iter().zip(beta);
    for ((target, value), (gamma, beta)) in target.iter_mut().zip(row).zip(parameters) {
        *target = (value - mean) * scale * gamma + beta;
    }
    RowMoments { mean, scale }
}

/// The gradient of `row` in place of the `gradient` of its result; adds those of gamma and beta.
///
/// With h = (x - mean) scale and g = gradient gamma: scale (g - mean(g) - h mean(g h)).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn normalise_row_back(
    gradient: &mut [f32],
    row: &[f32],
    gamma: &[f32],
    moments: RowMoments,
    [gamma_gradient, beta_gradient]: [&mut [f32]; 2],
) {
    let RowMoments { mean, scale } = moments;
    let count = row.len();
    // Equal lengths, said once, so that the loops need no checks.
    let (gradient, gamma) = (&mut gradient[..count], &gamma[..count]);
    let (gamma_gradient, beta_gradient) =
        (&mut gamma_gradient[..count], &mut beta_gradient[..count]);
    let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            let weighted = gradient[start + lane] * gamma[start + lane];
            sums[lane] += weighted;
            products[lane] += weighted * (row[start + lane] - mean);
        }
    }
    for at in whole..count {
        let weighted = gradient[at] * gamma[at];
        sums[at - whole] += weighted;
        products[at - whole] += weighted * (row[at] - mean);
    }
    let mean_gradient = sums.iter().sum::<f32>() / count as f32;
    let slope = products.iter().sum::<f32>() * scale * scale / count as f32;
    for at in 0..count {
        let centred = row[at] - mean;
        gamma_gradient[at] += gradient[at] * centred * scale;
        beta_gradient[at] += gradient[at];
        gradient[at] = scale * (gradient[at] * gamma[at] - mean_gradient - centred * slope);
    }
}
