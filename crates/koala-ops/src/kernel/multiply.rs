//! Products of matrices.

use super::{Matrix, MatrixMut};

/// What becomes of what was there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// It is replaced, and not read.
    Set,
    /// The product is added to it.
    Add,
}

/// Who computes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread alone.
    One,
    /// All of the pool, if the product is worth it.
    All,
}

/// `target = a b`, or `target += a b`. The same bits whatever the number of threads: no sum is divided among them.
pub(crate) fn multiply(
    target: &mut MatrixMut<'_>,
    store: Store,
    a: Matrix<'_>,
    b: Matrix<'_>,
    threads: Threads,
) {
    assert_eq!(
        (target.rows, target.columns, a.columns),
        (a.rows, b.columns, b.rows),
        "sizes of a product"
    );
    if target.rows == 0 || target.columns == 0 {
        return;
    }
    if a.columns == 0 {
        if store == Store::Set {
            target.clear();
        }
        return;
    }
    compute(target, store, a, b, threads);
}

#[cfg(not(miri))]
fn compute(
    target: &mut MatrixMut<'_>,
    store: Store,
    a: Matrix<'_>,
    b: Matrix<'_>,
    threads: Threads,
) {
    let parallelism = match threads {
        Threads::One => gemm::Parallelism::None,
        Threads::All => gemm::Parallelism::Rayon(0),
    };
    // SAFETY: the three matrices are of fitting sizes, as the caller checked, and lie with these strides in memory that their
    // types hold borrowed, the target's for writing. Strides are below `isize::MAX` since slices are.
    unsafe {
        gemm::gemm(
            target.rows,
            target.columns,
            a.columns,
            target.as_mut_ptr(),
            1,
            target.row_stride as isize,
            store == Store::Add,
            a.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// What Miri can follow: the library's kernels are in instructions that it does not know.
#[cfg(miri)]
fn compute(target: &mut MatrixMut<'_>, store: Store, a: Matrix<'_>, b: Matrix<'_>, _: Threads) {
    for row in 0..target.rows {
        for column in 0..target.columns {
            let product = (0..a.columns).map(|k| a.at(row, k) * b.at(k, column));
            let before = if store == Store::Add {
                target.row(row)[column]
            } else {
                0.0
            };
            target.row(row)[column] = before + product.sum::<f32>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, -1.0, 2.0, 0.0, 3.0, 1.0];
        let mut c = [100.0; 5];
        let (a, b) = (Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2));
        let mut target = MatrixMut::strided(&mut c, 2, 2, 3);
        multiply(&mut target, Store::Set, a, b, Threads::One);
        assert_eq!(c, [14.0, 2.0, 100.0, 32.0, 2.0]);
        let mut target = MatrixMut::strided(&mut c, 2, 2, 3);
        multiply(
            &mut target,
            Store::Add,
            b.transposed(),
            a.transposed(),
            Threads::All,
        );
        assert_eq!(c, [28.0, 34.0, 100.0, 34.0, 4.0]);
    }

    #[test]
    fn empty_products_are_zeros() {
        let mut c = [7.0; 4];
        let (a, b) = (Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 2));
        multiply(
            &mut MatrixMut::new(&mut c, 2, 2),
            Store::Add,
            a,
            b,
            Threads::All,
        );
        assert_eq!(c, [7.0; 4]);
        multiply(
            &mut MatrixMut::new(&mut c, 2, 2),
            Store::Set,
            a,
            b,
            Threads::All,
        );
        assert_eq!(c, [0.0; 4]);
        multiply(
            &mut MatrixMut::new(&mut [], 2, 0),
            Store::Set,
            a,
            Matrix::new(&[], 0, 0),
            Threads::All,
        );
    }
}
