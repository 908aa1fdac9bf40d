//! The logarithm of a sum of exponentials of a row, and the softmax that is its gradient.

use multiversion::multiversion;

use super::lanes::LANES;
use super::math::exp;

/// The logarithm of the sum of exponentials, without overflow: the largest score is taken off first.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn log_sum_exp(scores: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (pieces, rest) = scores.as_chunks::<LANES>();
    let mut highest = [f32::NEG_INFINITY; LANES];
    for piece in pieces {
        for (highest, score) in highest.iter_mut().zip(piece) {
            *highest = larger(*highest, *score);
        }
    }
    let highest = highest.iter().chain(rest);
    let highest = highest.fold(f32::NEG_INFINITY, |a, b| larger(a, *b));
    let mut sums = [0.0; LANES];
    for piece in pieces {
        for (sum, score) in sums.iter_mut().zip(piece) {
            *sum += exp(score - highest);
        }
    }
    for (sum, score) in sums.iter_mut().zip(rest) {
        *sum += exp(score - highest);
    }
    highest + sums.iter().sum::<f32>().ln()
}

/// Replaces scores by their softmax times a number. `normaliser` is the scores' [`log_sum_exp`].
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn scaled_softmax(scores: &mut [f32], normaliser: f32, scale: f32) {
    for score in scores {
        *score = exp(*score - normaliser) * scale;
    }
}
