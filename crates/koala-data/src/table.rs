//! Rows of numbers in memory, each with a number to tell of it.

use super::{DataError, SampleSet};

/// Rows of features with a target each, as a file of columns has them: what regression learns from.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: usize,
    /// Row by row.
    features: Vec<f32>,
    targets: Vec<f32>,
}

impl Table {
    /// A table of `columns` features a row, given row by row, and a target a row.
    ///
    /// # Errors
    ///
    /// [`DataError::Table`] if there is no column, not every row has all its features, or a number is not finite.
    pub fn new(columns: usize, features: Vec<f32>, targets: Vec<f32>) -> Result<Self, DataError> {
        let fault = |fault: String| Err(DataError::Table { fault });
        if columns == 0 {
            return fault("it has no column of features: give at least one".to_owned());
        }
        if targets.len().checked_mul(columns) != Some(features.len()) {
            return fault(format!(
                "{} features do not fill {} rows of {columns}: give each target a row of {columns} features",
                features.len(),
                targets.len()
            ));
        }
        let mut rows = features.chunks_exact(columns).zip(&targets);
        let finite = |(row, target): (&[f32], &f32)| {
            row.iter().all(|value| value.is_finite()) && target.is_finite()
        };
        match rows.position(|row| !finite(row)) {
            None => Ok(Self {
                columns,
                features,
                targets,
            }),
            Some(row) => fault(format!(
                "row {} has a number that is not finite: replace it or leave the row out",
                row + 1
            )),
        }
    }

    /// Features of a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The target of each row.
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// The features of one row; empty if there is no such row.
    pub fn row(&self, sample: usize) -> &[f32] {
        let start = sample.saturating_mul(self.columns);
        self.features
            .get(start..start.saturating_add(self.columns))
            .unwrap_or_default()
    }

    /// A batch of the given rows in the given order. Numbers of rows that do not exist are left out.
    pub fn batch(&self, samples: &[usize]) -> TableBatch {
        let known = || {
            samples
                .iter()
                .filter(|sample| **sample < self.targets.len())
        };
        TableBatch {
            columns: self.columns,
            features: known().flat_map(|s| self.row(*s)).copied().collect(),
            targets: known().map(|sample| self.targets[*sample]).collect(),
        }
    }
}

impl SampleSet for Table {
    fn len(&self) -> usize {
        self.targets.len()
    }

    fn truncate(&mut self, count: usize) {
        self.targets.truncate(count);
        self.features.truncate(count.saturating_mul(self.columns));
    }

    fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.targets.len());
        Self {
            columns: self.columns,
            features: self.features.split_off(at * self.columns),
            targets: self.targets.split_off(at),
        }
    }

    fn select(&self, samples: &[usize]) -> Self {
        let TableBatch {
            columns,
            features,
            targets,
        } = self.batch(samples);
        Self {
            columns,
            features,
            targets,
        }
    }
}

/// Rows of a batch on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct TableBatch {
    /// Features of a row.
    pub columns: usize,
    /// `[batch, columns]`, the last dimension running fastest.
    pub features: Vec<f32>,
    /// `[batch]`.
    pub targets: Vec<f32>,
}

impl TableBatch {
    /// The same rows in pieces of at most `size`, in order.
    pub fn pieces(self, size: usize) -> Vec<Self> {
        if size == 0 || size >= self.targets.len() {
            return vec![self];
        }
        let features = self
            .features
            .chunks(self.columns.max(1).saturating_mul(size));
        let parts = features.zip(self.targets.chunks(size));
        parts
            .map(|(features, targets)| Self {
                columns: self.columns,
                features: features.to_vec(),
                targets: targets.to_vec(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Split;
    use proptest::prelude::*;

    /// Three rows of two.
    fn three() -> Table {
        let features = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        Table::new(2, features, vec![0.1, 0.2, 0.3]).unwrap()
    }

    #[test]
    fn batches_are_in_the_order_that_is_asked_for() {
        let batch = three().batch(&[2, 0, 7]);
        assert_eq!(batch.features, [5.0, 6.0, 1.0, 2.0]);
        assert_eq!((batch.columns, batch.targets), (2, vec![0.3, 0.1]));
        assert_eq!(three().row(usize::MAX), [0.0f32; 0]);
    }

    #[test]
    fn rows_are_held_out_and_left_out_like_images() {
        let mut split = Split::new(three(), three());
        split.hold_out(2);
        let held = split.validation.as_ref().unwrap();
        assert_eq!(
            (split.train.targets(), held.targets()),
            (&[0.1][..], &[0.2, 0.3][..])
        );
        assert_eq!(held.row(1), [5.0, 6.0]);
        let mut table = three();
        table.truncate(1);
        assert_eq!(
            (table.len(), table.row(0), table.row(1)),
            (1, &[1.0, 2.0][..], &[][..])
        );
        assert!(table.split_off(9).is_empty());
    }

    #[test]
    fn faults_are_named_with_their_remedy() {
        let fault = |columns, features: &[f32], targets: &[f32]| {
            let table = Table::new(columns, features.to_vec(), targets.to_vec());
            table.unwrap_err().to_string()
        };
        assert_eq!(
            fault(0, &[], &[]),
            "table: it has no column of features: give at least one"
        );
        assert_eq!(
            fault(2, &[1.0; 3], &[1.0; 2]),
            "table: 3 features do not fill 2 rows of 2: give each target a row of 2 features"
        );
        let text = fault(usize::MAX, &[1.0; 3], &[1.0; 2]);
        assert!(text.starts_with("table: 3 features do not fill"), "{text}");
        for (features, target) in [([1.0, f32::NAN], 1.0), ([1.0, 1.0], f32::INFINITY)] {
            assert_eq!(
                fault(1, &features, &[1.0, target]),
                "table: row 2 has a number that is not finite: replace it or leave the row out"
            );
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_batch(rows in 0usize..9, columns in 1usize..4, size in 0usize..10) {
            let features: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let targets: Vec<f32> = (0..rows).map(|i| i as f32).collect();
            let table = Table::new(columns, features, targets).unwrap();
            let whole = table.batch(&(0..rows).collect::<Vec<_>>());
            let pieces = whole.clone().pieces(size);
            prop_assert!(size == 0 || pieces.iter().all(|piece| piece.targets.len() <= size));
            let features: Vec<f32> = pieces.iter().flat_map(|p| p.features.clone()).collect();
            let targets: Vec<f32> = pieces.iter().flat_map(|p| p.targets.clone()).collect();
            prop_assert_eq!((features, targets), (whole.features, whole.targets));
        }
    }
}
