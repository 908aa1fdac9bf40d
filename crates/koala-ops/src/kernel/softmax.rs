//! Softmax of the rows of an attention, with their dropout.
//!
//! A probability that is dropped is kept with its sign turned: its magnitude is that of the softmax.

use multiversion::multiversion;

use super::lanes::LANES;
use super::math::exp;

/// The softmax of `scale` times the scores, in their place.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn softmax_row(scores: &mut [f32], scale: f32) {
    let largest = |a: f32, b: f32| if b > a { b } else { a };
    let (pieces, rest) = scores.as_chunks::<LANES>();
    let mut highest = [f32::NEG_INFINITY; LANES];
    for piece in pieces {
        for (highest, score) in highest.iter_mut().zip(piece) {
            *highest = largest(*highest, *score);
        }
    }
    let highest = highest.into_iter().chain(rest.iter().copied());
    let highest = highest.fold(f32::NEG_INFINITY, largest);
    let (pieces, rest) = scores.as_chunks_mut::<LANES>();
    let mut sums = [0.0; LANES];
    for piece in pieces {
        for (sum, score) in sums.iter_mut().zip(piece) {
            *score = exp((*score - highest) * scale);
            *sum += *score;
        }
    }
    for (sum, score) in sums.iter_mut().zip(rest) {
        *score = exp((*score - highest) * scale);
        *sum += *score;
    }
    let share = 1.0 / sums.iter().sum::<f32>();
    for score in scores {
        *score *= share;
    }
}

/// Turns the signs of the probabilities that are not kept, and writes what is left of them after dropout.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
pub(crate) fn drop_marked(
    probabilities: &mut [f32],
    dropped: &mut [f32],
    kept: &[u8],
    factor: f32,
) {
    for ((probability, dropped), kept) in probabilities.iter_mut().zip(dropped).zip(kept) {
        let kept = *kept != 0;
        *dropped = *probability * if kept { factor } else { 0.0 };
        *probability = if kept { *probability } else { -*probability };
    }
}

/// What dropout left of probabilities that [`drop_marked`] marked.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn dropped_marked(dropped: &mut [f32], probabilities: &[f32], factor: f32) {
    for (dropped, probability) in dropped.iter_mut().zip(probabilities) {
        let kept = probability.is_sign_positive();
        *dropped = probability * if kept { factor } else { 0.0 };
    }
}

/// The gradient of the scores in place of that of the probabilities after dropout by this factor, 1 if
/// there was none.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn softmax_row_back(
    gradient: &mut [f32],
    probabilities: &[f32],
    scale: f32,
    factor: f32,
) {
    let (whole, rest) = gradient.as_chunks_mut::<LANES>();
    let (whole_probabilities, rest_probabilities) = probabilities.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    let through = |gradient: f32, probability: f32| {
        let kept = probability.is_sign_positive();
        gradient * if kept { factor } else { 0.0 }
    };
    for (gradient, probabilities) in whole.iter_mut().zip(whole_probabilities) {
        for lane in 0..LANES {
            gradient[lane] = through(gradient[lane], probabilities[lane]);
            sums[lane] += gradient[lane] * probabilities[lane].abs();
        }
    }
    let rest = rest.iter_mut().zip(rest_probabilities);
    for (sum, (gradient, probability)) in sums.iter_mut().zip(rest) {
        *gradient = through(*gradient, *probability);
        *sum += *gradient * probability.abs();
    }
    let mean = sums.iter().sum::<f32>();
    for (gradient, probability) in gradient.iter_mut().zip(probabilities) {
        *gradient = probability.abs() * (*gradient - mean) * scale;
    }
}
