//! Winograd's minimal filtering of kernels of 3 x 3: four results from 16 products instead of 36 (Lavin and Gray, "Fast Algorithms for
//! Convolutional Neural Networks", CVPR 2016, F(2 x 2, 3 x 3)).
//!
//! With g a kernel, d a patch of 4 x 4 and Y the results of 2 x 2 that it gives, Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. Both axes are alike,
//! so that each of the three is done along one and then along the other, many tiles or kernels at a time.

use multiversion::multiversion;

use super::lanes::LANES;
use super::{BLOCK, LINE};

/// Tiles that are transformed together.
pub(crate) const TILES: usize = LINE;
/// Products of a tile, an element of 4 x 4 each.
pub(crate) const PLACES: usize = 16;
/// Elements of a row that a row of so many tiles meets.
const ROW: usize = 2 * TILES + 2;

/// A number for each tile.
type OfTiles = [f32; TILES];

/// The patches of some rows of tiles of an image, of so many tiles each.
pub(crate) struct Patches {
    across: usize,
    /// Zeros before a row of the image.
    left: usize,
    /// Such a row with the zeros before and after it.
    padded: [f32; ROW],
    /// What the transform along rows makes of the even and of the odd rows that the patches meet, by column of a patch. A row of
    /// tiles meets two of each, and has the later ones in common with the next.
    rows: [[[f32; 2 * TILES]; 4]; 2],
}

impl Patches {
    pub fn new(across: usize, left: usize) -> Self {
        Self {
            across,
            left,
            padded: [0.0; ROW],
            rows: [[[0.0; 2 * TILES]; 4]; 2],
        }
    }

    /// Takes the rows of an image that the patches meet, all of one length; `None` is one of zeros.
    pub fn take<'a>(&mut self, rows: impl Iterator<Item = Option<&'a [f32]>>) {
        for (place, row) in rows.enumerate() {
            let at = place / 2 * self.across;
            let into = self.rows[place % 2].each_mut();
            let into = into.map(|into| &mut into[at..at + self.across]);
            let Some(row) = row else {
                into.into_iter().for_each(|into| into.fill(0.0));
                continue;
            };
            let reached = 2 * self.across + 2;
            let length = row.len().min(reached - self.left);
            self.padded[self.left..self.left + length].copy_from_slice(&row[..length]);
            along_rows(&self.padded[..reached], into);
        }
    }

    /// Bᵀ d B of so many tiles: their 16 elements, each `pitch` elements of `into` after the one before.
    pub fn transform(&self, tiles: usize, into: &mut [f32], pitch: usize) {
        let [even, odd] = &self.rows;
        for column in 0..4 {
            let (even, odd) = (&even[column], &odd[column]);
            let next = self.across..self.across + tiles;
            let met = [
                &even[..tiles],
                &odd[..tiles],
                &even[next.clone()],
                &odd[next],
            ];
            along_columns(met, &mut into[column * pitch..], 4 * pitch);
        }
    }
}

/// Whole vectors and the rest are loops of their own, a vector is written at once, and there are no closures: else the compiler takes
/// numbers one by one.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn along_rows(padded: &[f32], [first, second, third, fourth]: [&mut [f32]; 4]) {
    let (pairs, _) = padded.as_chunks::<2>();
    let (here, last_here) = pairs[..first.len()].as_chunks::<LANES>();
    let (next, last_next) = pairs[1..].as_chunks::<LANES>();
    let (first, last_first) = first.as_chunks_mut::<LANES>();
    let (second, last_second) = second.as_chunks_mut::<LANES>();
    let (third, last_third) = third.as_chunks_mut::<LANES>();
    let (fourth, last_fourth) = fourth.as_chunks_mut::<LANES>();
    for at in 0..here.len() {
        let ([a, b], [c, d]) = (apart(&here[at]), apart(&next[at]));
        [first[at], second[at], third[at], fourth[at]] = patches(&a, &b, &c, &d);
    }
    for at in 0..last_here.len() {
        let ([a, b], [c, d]) = (last_here[at], last_next[at]);
        last_first[at] = a - c;
        last_second[at] = b + c;
        last_third[at] = c - b;
        last_fourth[at] = b - d;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn along_columns([a, b, c, d]: [&[f32]; 4], into: &mut [f32], pitch: usize) {
    let tiles = a.len();
    let (first, into) = into.split_at_mut(pitch);
    let (second, into) = into.split_at_mut(pitch);
    let (third, fourth) = into.split_at_mut(pitch);
    let (a, last_a) = a.as_chunks::<LANES>();
    let (b, last_b) = b.as_chunks::<LANES>();
    let (c, last_c) = c.as_chunks::<LANES>();
    let (d, last_d) = d.as_chunks::<LANES>();
    let (first, last_first) = first[..tiles].as_chunks_mut::<LANES>();
    let (second, last_second) = second[..tiles].as_chunks_mut::<LANES>();
    let (third, last_third) = third[..tiles].as_chunks_mut::<LANES>();
    let (fourth, last_fourth) = fourth[..tiles].as_chunks_mut::<LANES>();
    for at in 0..a.len() {
        [first[at], second[at], third[at], fourth[at]] = patches(&a[at], &b[at], &c[at], &d[at]);
    }
    for at in 0..last_a.len() {
        last_first[at] = last_a[at] - last_c[at];
        last_second[at] = last_b[at] + last_c[at];
        last_third[at] = last_c[at] - last_b[at];
        last_fourth[at] = last_b[at] - last_d[at];
    }
}

/// A vector of tiles.
type Vector = [f32; LANES];

/// The transform of a vector of patches along one axis.
#[inline(always)]
fn patches(a: &Vector, b: &Vector, c: &Vector, d: &Vector) -> [Vector; 4] {
    let mut found = [[0.0; LANES]; 4];
    for lane in 0..LANES {
        found[0][lane] = a[lane] - c[lane];
    }
    for lane in 0..LANES {
        found[1][lane] = b[lane] + c[lane];
    }
    for lane in 0..LANES {
        found[2][lane] = c[lane] - b[lane];
    }
    for lane in 0..LANES {
        found[3][lane] = b[lane] - d[lane];
    }
    found
}

/// The first and the second of pairs, as halves of numbers of their bits: those the compiler takes apart many at a time.
#[inline(always)]
fn apart(pairs: &[[f32; 2]; LANES]) -> [Vector; 2] {
    let mut bits = [0; LANES];
    for lane in 0..LANES {
        let [first, second] = pairs[lane].map(|number| u64::from(number.to_bits()));
        bits[lane] = first | second << 32;
    }
    let mut found = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        found[0][lane] = f32::from_bits(bits[lane] as u32);
    }
    for lane in 0..LANES {
        found[1][lane] = f32::from_bits((bits[lane] >> 32) as u32);
    }
    found
}

/// Results of tiles, by row and column of a tile.
pub(crate) struct Results([[OfTiles; 2]; 2]);

impl Results {
    pub const fn new() -> Self {
        Self([[[0.0; TILES]; 2]; 2])
    }

    /// Aᵀ M A: from the 16 elements of all tiles, each `pitch` elements after the one before.
    pub fn transform(&mut self, products: &[f32], pitch: usize) {
        results_of(&mut self.0, products, pitch);
    }

    /// Gives the results of a row of tiles, of which the first is the `at`-th: one or two rows of an image, which may end within the
    /// last tile.
    pub fn give<'a>(&self, at: usize, rows: impl Iterator<Item = &'a mut [f32]>) {
        for ([even, odd], row) in self.0.iter().zip(rows) {
            interleave(&even[at..], &odd[at..], row);
        }
    }

    /// Takes the gradients of results as [`give`](Self::give) gives results; there are none beyond the image.
    pub fn take<'a>(&mut self, at: usize, tiles: usize, rows: impl Iterator<Item = &'a [f32]>) {
        let mut rows = rows;
        for [even, odd] in &mut self.0 {
            let (even, odd) = (&mut even[at..at + tiles], &mut odd[at..at + tiles]);
            let row = rows.next().unwrap_or_default();
            separate(row, even, odd);
        }
    }

    /// No gradients where no more are taken.
    pub fn clear_from(&mut self, at: usize) {
        for into in self.0.as_flattened_mut() {
            into[at..].fill(0.0);
        }
    }

    /// A Y Aᵀ, the transpose of [`transform`](Self::transform): the gradients of the 16 elements of all tiles.
    pub fn transform_back(&self, into: &mut [f32], pitch: usize) {
        products_of(&self.0, into, pitch);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn results_of(results: &mut [[OfTiles; 2]; 2], products: &[f32], pitch: usize) {
    let mut rows = [[[0.0; TILES]; 4]; 2];
    for column in 0..4 {
        let [first, second, third, fourth] =
            [0, 1, 2, 3].map(|row| &products[(4 * row + column) * pitch..][..TILES]);
        for tile in 0..TILES {
            rows[0][column][tile] = first[tile] + second[tile] + third[tile];
            rows[1][column][tile] = second[tile] - third[tile] - fourth[tile];
        }
    }
    for (results, [first, second, third, fourth]) in results.iter_mut().zip(&rows) {
        for tile in 0..TILES {
            results[0][tile] = first[tile] + second[tile] + third[tile];
            results[1][tile] = second[tile] - third[tile] - fourth[tile];
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn products_of(gradients: &[[OfTiles; 2]; 2], into: &mut [f32], pitch: usize) {
    let mut rows = [[[0.0; TILES]; 4]; 2];
    for (row, [even, odd]) in rows.iter_mut().zip(gradients) {
        for tile in 0..TILES {
            row[0][tile] = even[tile];
            row[1][tile] = even[tile] + odd[tile];
            row[2][tile] = even[tile] - odd[tile];
            row[3][tile] = -odd[tile];
        }
    }
    for column in 0..4 {
        let [upper, lower] = [&rows[0][column], &rows[1][column]];
        let mut found = [[0.0; TILES]; 4];
        for tile in 0..TILES {
            found[0][tile] = upper[tile];
            found[1][tile] = upper[tile] + lower[tile];
            found[2][tile] = upper[tile] - lower[tile];
            found[3][tile] = -lower[tile];
        }
        for (row, found) in found.iter().enumerate() {
            into[(4 * row + column) * pitch..][..TILES].copy_from_slice(found);
        }
    }
}

/// Writes the elements in turns; the last may have no second.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn interleave(even: &[f32], odd: &[f32], into: &mut [f32]) {
    let mut pairs = into.chunks_exact_mut(2);
    let mut at = 0;
    for pair in &mut pairs {
        pair[0] = even[at];
        pair[1] = odd[at];
        at += 1;
    }
    if let [last] = pairs.into_remainder() {
        *last = even[at];
    }
}

/// The reverse of [`interleave`], zeros where there is nothing.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn separate(row: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let (whole, last) = row.split_at(row.len() / 2 * 2);
    let pairs = whole.len() / 2;
    let into = even.iter_mut().zip(odd.iter_mut());
    for ((even, odd), pair) in into.zip(whole.chunks_exact(2)) {
        *even = pair[0];
        *odd = pair[1];
    }
    even[pairs..].fill(0.0);
    odd[pairs..].fill(0.0);
    if let [last] = last {
        even[pairs] = *last;
    }
}

/// A number for each of the kernels that are transformed together.
type OfKernels = [f32; BLOCK];

/// G g Gᵀ of [`BLOCK`] kernels, element by element: those of `kernels` by row and column.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn transform_kernels(kernels: &[OfKernels; 9], mut write: impl FnMut(usize, OfKernels)) {
    // By row of the kernels and column of what becomes of them.
    let mut rows = [[[0.0; BLOCK]; 4]; 3];
    for (row, kernel) in rows.iter_mut().zip(kernels.chunks_exact(3)) {
        *row = spread(kernel[0], kernel[1], kernel[2]);
    }
    let [first, middle, last] = rows;
    let columns = first.into_iter().zip(middle).zip(last);
    for (column, ((first, middle), last)) in columns.enumerate() {
        let found = spread(first, middle, last);
        for (row, found) in found.into_iter().enumerate() {
            write(4 * row + column, found);
        }
    }
}

#[inline(always)]
fn spread(first: OfKernels, middle: OfKernels, last: OfKernels) -> [OfKernels; 4] {
    let mut found = [first, [0.0; BLOCK], [0.0; BLOCK], last];
    for kernel in 0..BLOCK {
        let ends = first[kernel] + last[kernel];
        found[1][kernel] = 0.5 * (ends + middle[kernel]);
        found[2][kernel] = 0.5 * (ends - middle[kernel]);
    }
    found
}

/// Gᵀ U G, the transpose of [`transform_kernels`], of one kernel after the other: `gradients` are 16 rows of as many elements as there
/// are kernels, `into` has nine for each kernel.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn gather_kernels(gradients: [&[f32]; PLACES], into: &mut [f32]) {
    for (kernel, into) in into.chunks_exact_mut(9).enumerate() {
        let mut rows = [[0.0; 4]; 3];
        for column in 0..4 {
            let [first, second, third, fourth] =
                [0, 1, 2, 3].map(|row| gradients[4 * row + column][kernel]);
            let found = gathered(first, second, third, fourth);
            for (row, found) in rows.iter_mut().zip(found) {
                row[column] = found;
            }
        }
        for (into, [first, second, third, fourth]) in into.chunks_exact_mut(3).zip(rows) {
            into.copy_from_slice(&gathered(first, second, third, fourth));
        }
    }
}

#[inline(always)]
fn gathered(first: f32, second: f32, third: f32, fourth: f32) -> [f32; 3] {
    let sum = 0.5 * (second + third);
    [first + sum, 0.5 * (second - third), sum + fourth]
}
