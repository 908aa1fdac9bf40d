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
/// Elements of the rows that some rows of tiles meet, with the zeros before and after each: (2 r + 2) (2 c + 2) for r rows of c tiles,
/// which is most where either is 1.
const MET: usize = 4 * (2 * TILES + 2);

/// Does the tiles of a row, or of all rows, in vectors of 16, then of 8, then of 4 and one by one: the last ones of a row, and all of a
/// narrow image, are too few for the widest. `by::<N>(at, ..)` does from the `at`-th on as many times N as there are, and gives the
/// first that is left.
macro_rules! in_vectors {
    ($by:ident($($arguments:expr),*)) => {{
        let at = $by::<LANES>(0, $($arguments),*);
        let at = $by::<8>(at, $($arguments),*);
        let at = $by::<4>(at, $($arguments),*);
        $by::<1>(at, $($arguments),*)
    }};
}

/// A number for each tile.
type OfTiles = [f32; TILES];

/// The patches of some rows of tiles of an image, of so many tiles each.
pub(crate) struct Patches {
    across: usize,
    /// Zeros before a row of the image.
    left: usize,
    /// The rows that the patches meet, with the zeros before and after each.
    padded: [f32; MET],
    /// What the transform along rows makes of the even and of the odd rows that the patches meet, by column of a patch. A row of
    /// tiles meets two of each, and has the later ones in common with the next.
    rows: [[[f32; 2 * TILES]; 4]; 2],
}

impl Patches {
    pub fn new(across: usize, left: usize) -> Self {
        Self {
            across,
            left,
            padded: [0.0; MET],
            rows: [[[0.0; 2 * TILES]; 4]; 2],
        }
    }

    /// Takes the rows of an image that the patches meet, all of one length; `None` is one of zeros.
    pub fn take<'a>(&mut self, rows: impl Iterator<Item = Option<&'a [f32]>>) {
        take(self, rows);
    }

    /// Bᵀ d B of so many tiles: their 16 elements, each `pitch` elements of `into` after the one before.
    pub fn transform(&self, tiles: usize, into: &mut [f32], pitch: usize) {
        along_columns(self, tiles, into, pitch);
    }
}

/// All rows are laid out before the first is read, so that none waits for what was just written.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn take<'a>(patches: &mut Patches, rows: impl Iterator<Item = Option<&'a [f32]>>) {
    let Patches {
        across,
        left,
        padded,
        rows: into,
    } = patches;
    let reached = 2 * *across + 2;
    let mut taken = 0;
    for (padded, row) in padded.chunks_exact_mut(reached).zip(rows) {
        match row {
            Some(row) => {
                let length = row.len().min(reached - *left);
                copy(&row[..length], &mut padded[*left..*left + length]);
            }
            None => padded.fill(0.0),
        }
        taken += 1;
    }
    for (place, padded) in padded.chunks_exact(reached).take(taken).enumerate() {
        let at = place / 2 * *across;
        let [a, b, c, d] = &mut into[place % 2];
        let here = at..at + *across;
        let into = [
            &mut a[here.clone()],
            &mut b[here.clone()],
            &mut c[here.clone()],
            &mut d[here],
        ];
        along_row(padded, into);
    }
}

/// A copy that is too short for a call.
#[inline(always)]
fn copy(from: &[f32], into: &mut [f32]) {
    let (whole, last) = from.as_chunks::<8>();
    let (into_whole, into_last) = into.as_chunks_mut::<8>();
    for (into, from) in into_whole.iter_mut().zip(whole) {
        *into = *from;
    }
    for (into, from) in into_last.iter_mut().zip(last) {
        *into = *from;
    }
}

/// The transform along a row of tiles, by column of a patch.
#[inline(always)]
fn along_row(padded: &[f32], mut into: [&mut [f32]; 4]) {
    let (pairs, _) = padded.as_chunks::<2>();
    in_vectors!(along_row_by(pairs, &mut into));
}

#[inline(always)]
fn along_row_by<const N: usize>(
    mut at: usize,
    pairs: &[[f32; 2]],
    into: &mut [&mut [f32]; 4],
) -> usize {
    while at + N <= into[0].len() {
        let [a, b] = apart::<N>(&pairs[at..]);
        let [c, d] = apart::<N>(&pairs[at + 1..]);
        for (into, found) in into.iter_mut().zip(patches_of([a, b, c, d])) {
            into[at..at + N].copy_from_slice(&found);
        }
        at += N;
    }
    at
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn along_columns(patches: &Patches, tiles: usize, into: &mut [f32], pitch: usize) {
    in_vectors!(along_columns_by(patches, tiles, into, pitch));
}

#[inline(always)]
fn along_columns_by<const N: usize>(
    mut at: usize,
    Patches { across, rows, .. }: &Patches,
    tiles: usize,
    into: &mut [f32],
    pitch: usize,
) -> usize {
    let [even, odd] = rows;
    while at + N <= tiles {
        for column in 0..4 {
            let (even, odd) = (&even[column][at..], &odd[column][at..]);
            let (a, b) = (vector(even), vector(odd));
            let (c, d) = (vector(&even[*across..]), vector(&odd[*across..]));
            for (row, found) in patches_of::<N>([a, b, c, d]).into_iter().enumerate() {
                into[(4 * row + column) * pitch + at..][..N].copy_from_slice(&found);
            }
        }
        at += N;
    }
    at
}

/// The first numbers, of which there are enough.
#[inline(always)]
fn vector<const N: usize>(values: &[f32]) -> [f32; N] {
    let mut vector = [0.0; N];
    vector.copy_from_slice(&values[..N]);
    vector
}

/// The transform of N patches along one axis.
#[inline(always)]
fn patches_of<const N: usize>([a, b, c, d]: [[f32; N]; 4]) -> [[f32; N]; 4] {
    [minus(a, c), plus(b, c), minus(c, b), minus(b, d)]
}

#[inline(always)]
fn plus<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    let mut sums = [0.0; N];
    for lane in 0..N {
        sums[lane] = a[lane] + b[lane];
    }
    sums
}

#[inline(always)]
fn minus<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    let mut differences = [0.0; N];
    for lane in 0..N {
        differences[lane] = a[lane] - b[lane];
    }
    differences
}

/// The first and the second numbers of pairs, as halves of numbers of their bits: those the compiler takes apart many at a time.
#[inline(always)]
fn apart<const N: usize>(pairs: &[[f32; 2]]) -> [[f32; N]; 2] {
    let mut bits = [0; N];
    let pairs = &pairs[..N];
    for lane in 0..N {
        let [first, second] = pairs[lane];
        bits[lane] = u64::from(first.to_bits()) | u64::from(second.to_bits()) << 32;
    }
    let mut found = [[0.0; N]; 2];
    for lane in 0..N {
        found[0][lane] = f32::from_bits(bits[lane] as u32);
    }
    for lane in 0..N {
        found[1][lane] = f32::from_bits((bits[lane] >> 32) as u32);
    }
    found
}

/// The reverse of [`apart`].
#[inline(always)]
fn together<const N: usize>([first, second]: [[f32; N]; 2], pairs: &mut [[f32; 2]]) {
    let mut bits = [0; N];
    for lane in 0..N {
        bits[lane] = u64::from(first[lane].to_bits()) | u64::from(second[lane].to_bits()) << 32;
    }
    let pairs = &mut pairs[..N];
    for lane in 0..N {
        let (low, high) = (bits[lane] as u32, (bits[lane] >> 32) as u32);
        pairs[lane] = [f32::from_bits(low), f32::from_bits(high)];
    }
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
        give(&self.0, at, rows);
    }

    /// Takes the gradients of results as [`give`](Self::give) gives results; there are none beyond the image.
    pub fn take<'a>(&mut self, at: usize, tiles: usize, rows: impl Iterator<Item = &'a [f32]>) {
        take_gradients(&mut self.0, at, tiles, rows);
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
    for at in (0..TILES).step_by(LANES) {
        // By row of a tile and column of its products.
        let mut rows = [[[0.0; LANES]; 4]; 2];
        for column in 0..4 {
            let mut met = [[0.0; LANES]; 4];
            for row in 0..4 {
                met[row] = vector(&products[(4 * row + column) * pitch + at..]);
            }
            let [upper, lower] = sums_of(met);
            rows[0][column] = upper;
            rows[1][column] = lower;
        }
        for (results, row) in results.iter_mut().zip(rows) {
            for (into, found) in results.iter_mut().zip(sums_of(row)) {
                into[at..at + LANES].copy_from_slice(&found);
            }
        }
    }
}

/// Aᵀ along one axis.
#[inline(always)]
fn sums_of([a, b, c, d]: [[f32; LANES]; 4]) -> [[f32; LANES]; 2] {
    [plus(plus(a, b), c), minus(minus(b, c), d)]
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn products_of(gradients: &[[OfTiles; 2]; 2], into: &mut [f32], pitch: usize) {
    for at in (0..TILES).step_by(LANES) {
        let [[a, b], [c, d]] = gradients;
        let upper = spread_of([vector(&a[at..]), vector(&b[at..])]);
        let lower = spread_of([vector(&c[at..]), vector(&d[at..])]);
        for column in 0..4 {
            let found = spread_of([upper[column], lower[column]]);
            for (row, found) in found.into_iter().enumerate() {
                into[(4 * row + column) * pitch + at..][..LANES].copy_from_slice(&found);
            }
        }
    }
}

/// A along one axis.
#[inline(always)]
fn spread_of([a, b]: [[f32; LANES]; 2]) -> [[f32; LANES]; 4] {
    let mut opposite = b;
    for lane in 0..LANES {
        opposite[lane] = -b[lane];
    }
    [a, plus(a, b), minus(a, b), opposite]
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn give<'a>(results: &[[OfTiles; 2]; 2], at: usize, rows: impl Iterator<Item = &'a mut [f32]>) {
    for ([even, odd], row) in results.iter().zip(rows) {
        let (pairs, last) = row.as_chunks_mut::<2>();
        let (even, odd) = (&even[at..], &odd[at..]);
        in_vectors!(give_by(even, odd, pairs));
        // The last tile may have no second column.
        if let [last] = last {
            *last = even[pairs.len()];
        }
    }
}

#[inline(always)]
fn give_by<const N: usize>(
    mut at: usize,
    even: &[f32],
    odd: &[f32],
    pairs: &mut [[f32; 2]],
) -> usize {
    while at + N <= pairs.len() {
        let found = [vector::<N>(&even[at..]), vector(&odd[at..])];
        together(found, &mut pairs[at..]);
        at += N;
    }
    at
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn take_gradients<'a>(
    gradients: &mut [[OfTiles; 2]; 2],
    at: usize,
    tiles: usize,
    mut rows: impl Iterator<Item = &'a [f32]>,
) {
    for [even, odd] in gradients {
        let (even, odd) = (&mut even[at..at + tiles], &mut odd[at..at + tiles]);
        let (pairs, last) = rows.next().unwrap_or_default().as_chunks::<2>();
        let done = in_vectors!(take_by(pairs, even, odd));
        even[done..].fill(0.0);
        odd[done..].fill(0.0);
        if let [last] = last {
            even[done] = *last;
        }
    }
}

#[inline(always)]
fn take_by<const N: usize>(
    mut at: usize,
    pairs: &[[f32; 2]],
    even: &mut [f32],
    odd: &mut [f32],
) -> usize {
    while at + N <= pairs.len() {
        let [first, second] = apart::<N>(&pairs[at..]);
        even[at..at + N].copy_from_slice(&first);
        odd[at..at + N].copy_from_slice(&second);
        at += N;
    }
    at
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
