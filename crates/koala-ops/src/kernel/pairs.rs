//! Loops over two rows of pixels, two pixels of each at a time.

use multiversion::multiversion;

/// The largest of each two pixels of two rows, and which it is: the first of equal ones, and the last that is not a number.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn largest_of_four(
    above: &[f32],
    below: &[f32],
    results: &mut [f32],
    places: &mut [u8],
) {
    let pairs = above
        .as_chunks::<2>()
        .0
        .iter()
        .zip(below.as_chunks::<2>().0);
    for ((result, place), (above, below)) in results.iter_mut().zip(places).zip(pairs) {
        let (mut largest, mut at) = (above[0], 0);
        for (place, value) in [(1, above[1]), (2, below[0]), (3, below[1])] {
            let larger = value > largest || value.is_nan();
            largest = if larger { value } else { largest };
            at = if larger { place } else { at };
        }
        *result = largest;
        *place = at;
    }
}

/// Writes each result's gradient to the pixel that it was, and 0 to the other three.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn to_largest(gradient: &[f32], places: &[u8], above: &mut [f32], below: &mut [f32]) {
    let above = above.as_chunks_mut::<2>().0;
    let below = below.as_chunks_mut::<2>().0;
    let pixels = above.iter_mut().zip(below);
    for ((gradient, place), (above, below)) in gradient.iter().zip(places).zip(pixels) {
        let at = |this: u8| if *place == this { *gradient } else { 0.0 };
        *above = [at(0), at(1)];
        *below = [at(2), at(3)];
    }
}
