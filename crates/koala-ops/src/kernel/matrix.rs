//! Matrices in slices.

use std::marker::PhantomData;

/// A matrix to read, of any strides.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` elements, each `row_stride` after the one before.
    pub fn strided(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(spans(rows, columns, row_stride, 1) <= values.len());
        Self {
            values,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// Rows without gaps.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    pub fn transposed(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    #[cfg(miri)]
    pub fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.row_stride + column * self.column_stride]
    }

    pub fn as_ptr(&self) -> *const f32 {
        self.values.as_ptr()
    }
}

/// A matrix to write to, of rows that lie one after the other, with or without gaps.
///
/// The gaps are not its own: parts that are split off a matrix lie in each other's gaps.
pub(crate) struct MatrixMut<'a> {
    start: *mut f32,
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    values: PhantomData<&'a mut [f32]>,
}

// SAFETY: its elements are borrowed by nobody else, as those of a mutable slice, which may be sent as well.
unsafe impl Send for MatrixMut<'_> {}
// SAFETY: a shared reference gives no access to elements.
unsafe impl Sync for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// Rows without gaps.
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows of `columns` elements, each `row_stride` after the one before.
    pub fn strided(values: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(columns <= row_stride || rows <= 1, "rows overlap");
        assert!(spans(rows, columns, row_stride, 1) <= values.len());
        Self {
            start: values.as_mut_ptr(),
            rows,
            columns,
            row_stride,
            values: PhantomData,
        }
    }

    /// The first `columns` columns, and the others.
    pub fn split_columns(self, columns: usize) -> (Self, Self) {
        assert!(columns <= self.columns);
        // At most one past the last element of the first row. A matrix without rows has no memory to point to.
        let offset = if self.rows == 0 { 0 } else { columns };
        let part = |start, columns| Self {
            start,
            columns,
            ..Self { ..self }
        };
        (
            part(self.start, columns),
            part(self.start.wrapping_add(offset), self.columns - columns),
        )
    }

    /// Its columns in parts of `columns`, the last one with those that are left.
    pub fn column_parts(self, columns: usize) -> Vec<Self> {
        let mut parts = Vec::with_capacity(self.columns.div_ceil(columns.max(1)));
        let mut rest = self;
        while rest.columns > columns {
            let (part, others) = rest.split_columns(columns);
            parts.push(part);
            rest = others;
        }
        parts.push(rest);
        parts
    }

    /// One row.
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows);
        // SAFETY: the row lies in what `strided` checked or a split kept, and is borrowed as the matrix is.
        unsafe {
            std::slice::from_raw_parts_mut(self.start.add(row * self.row_stride), self.columns)
        }
    }

    /// All elements 0.
    pub fn clear(&mut self) {
        for row in 0..self.rows {
            self.row(row).fill(0.0);
        }
    }

    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start
    }
}

/// How many elements of a slice a matrix reaches over.
fn spans(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> usize {
    if rows == 0 || columns == 0 {
        0
    } else {
        (rows - 1) * row_stride + (columns - 1) * column_stride + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_columns_cover_a_matrix() {
        let mut values = [0.0; 14];
        let matrix = MatrixMut::strided(&mut values, 3, 4, 5);
        for (number, mut part) in matrix.column_parts(3).into_iter().enumerate() {
            for row in 0..3 {
                part.row(row).fill((10 * (number + 1) + row) as f32);
            }
        }
        let expected = [10.0, 10.0, 10.0, 20.0, 0.0];
        for (row, values) in values.chunks(5).enumerate() {
            for (found, expected) in values[..4].iter().zip(expected) {
                assert_eq!(*found, expected + row as f32);
            }
        }
        assert_eq!((values[4], values[9]), (0.0, 0.0));
    }

    #[test]
    #[should_panic]
    fn rows_beyond_the_slice_are_refused() {
        let _ = MatrixMut::strided(&mut [0.0; 13], 3, 4, 5);
    }

    #[test]
    #[should_panic]
    fn overlapping_rows_are_refused() {
        let _ = MatrixMut::strided(&mut [0.0; 20], 3, 4, 3);
    }
}
