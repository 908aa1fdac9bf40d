//! A matrix with its rows as columns.

/// Rows that are written side by side.
const TILE: usize = 16;

/// The matrix of rows of `columns` elements in `values`, transposed.
pub(crate) fn transpose(target: &mut [f32], values: &[f32], columns: usize) {
    let rows = values.len() / columns.max(1);
    for start in (0..rows).step_by(TILE) {
        let end = (start + TILE).min(rows);
        for column in 0..columns {
            let target = &mut target[column * rows..][start..end];
            for (target, row) in target.iter_mut().zip(start..end) {
                *target = values[row * columns + column];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(1, 1), (3, 5), (16, 2), (37, 33)] {
            let values: Vec<f32> = (0..rows * columns).map(|n| n as f32).collect();
            let mut found = vec![0.0; values.len()];
            transpose(&mut found, &values, columns);
            for (at, value) in found.iter().enumerate() {
                assert_eq!(*value, values[at % rows * columns + at / rows]);
            }
        }
        transpose(&mut [], &[], 0);
    }
}
