//! Pixels in the order in which a convolution multiplies them.

use std::ops::Range;

/// One channel of an image, and where a kernel goes over it.
#[derive(Clone, Copy)]
pub(crate) struct Plane {
    /// Height and width.
    pub size: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros above and to the left.
    pub padding: [usize; 2],
    /// Width of what is written.
    pub out_width: usize,
}

impl Plane {
    /// The row that output `row` meets at the tap in row `tap`, if it is not one of zeros.
    fn row(&self, row: usize, tap: usize) -> Option<usize> {
        let row = (row * self.stride[0] + tap).checked_sub(self.padding[0])?;
        (row < self.size[0]).then_some(row)
    }

    /// The columns of the output that meet a pixel at the tap in column `tap`.
    fn columns(&self, tap: usize) -> Range<usize> {
        let stride = self.stride[1];
        let first = self.padding[1].saturating_sub(tap).div_ceil(stride);
        let end = (self.size[1] + self.padding[1])
            .saturating_sub(tap)
            .div_ceil(stride);
        let end = end.min(self.out_width);
        first.min(end)..end
    }

    /// The pixel of the first of `columns`.
    fn first(&self, columns: &Range<usize>, tap: usize) -> usize {
        columns.start * self.stride[1] + tap - self.padding[1]
    }
}

/// Writes what the output's `rows` meet at `tap`, row by row: pixels of `image`, zeros beside it.
pub(crate) fn gather(
    plane: Plane,
    image: &[f32],
    tap: [usize; 2],
    rows: Range<usize>,
    into: &mut [f32],
) {
    let columns = plane.columns(tap[1]);
    for (row, into) in rows.zip(into.chunks_exact_mut(plane.out_width)) {
        let Some(row) = plane.row(row, tap[0]) else {
            into.fill(0.0);
            continue;
        };
        into[..columns.start].fill(0.0);
        into[columns.end..].fill(0.0);
        if columns.is_empty() {
            continue;
        }
        let from = &image[row * plane.size[1]..][plane.first(&columns, tap[1])..plane.size[1]];
        let into = &mut into[columns.clone()];
        if plane.stride[1] == 1 {
            into.copy_from_slice(&from[..into.len()]);
        } else {
            for (into, from) in into.iter_mut().zip(from.iter().step_by(plane.stride[1])) {
                *into = *from;
            }
        }
    }
}

/// The transpose of [`gather`]: adds to each pixel of `image` what stands where it would be gathered.
pub(crate) fn scatter(
    plane: Plane,
    from: &[f32],
    tap: [usize; 2],
    rows: Range<usize>,
    image: &mut [f32],
) {
    let columns = plane.columns(tap[1]);
    if columns.is_empty() {
        return;
    }
    for (row, from) in rows.zip(from.chunks_exact(plane.out_width)) {
        let Some(row) = plane.row(row, tap[0]) else {
            continue;
        };
        let into = &mut image[row * plane.size[1]..][plane.first(&columns, tap[1])..plane.size[1]];
        let from = &from[columns.clone()];
        if plane.stride[1] == 1 {
            for (into, from) in into.iter_mut().zip(from) {
                *into += from;
            }
        } else {
            for (into, from) in into.iter_mut().step_by(plane.stride[1]).zip(from) {
                *into += from;
            }
        }
    }
}
