//! Rows of numbers in memory, each of a class.

use super::{DataError, HostBatch, SampleSet};

/// Rows of features with a class each: what a table with classes is learned as. Its batches are those of images, of one
/// channel and one row of pixels, so that what learns to tell images apart tells rows apart.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledTable {
    columns: usize,
    classes: usize,
    /// Row by row.
    features: Vec<f32>,
    labels: Vec<u16>,
}

impl LabelledTable {
    /// A table of `columns` features a row, given row by row, and a class below `classes` a row.
    ///
    /// # Errors
    ///
    /// [`DataError::Table`] if there is no column, not every row has all its features, a number is not finite, or a label
    /// is not below `classes`.
    pub fn new(
        columns: usize,
        classes: usize,
        features: Vec<f32>,
        labels: Vec<u16>,
    ) -> Result<Self, DataError> {
        let fault = |fault: String| Err(DataError::Table { fault });
        if columns == 0 {
            return fault("it has no column of features: give at least one".to_owned());
        }
        if labels.len().checked_mul(columns) != Some(features.len()) {
            return fault(format!(
                "{} features do not fill {} rows of {columns}: give each label a row of {columns} features",
                features.len(),
                labels.len()
            ));
        }
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            return fault(format!(
                "row {} has a number that is not finite: replace it or leave the row out",
                at / columns + 1
            ));
        }
        if let Some(row) = labels
            .iter()
            .position(|label| usize::from(*label) >= classes)
        {
            return fault(format!(
                "row {} has the label {}: labels are from 0 to below {classes}, the number of classes",
                row + 1,
                labels[row]
            ));
        }
        Ok(Self {
            columns,
            classes,
            features,
            labels,
        })
    }

    /// Features of a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of classes; every label is below it.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The class of each row.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The features of one row; empty if there is no such row.
    pub fn row(&self, sample: usize) -> &[f32] {
        let start = sample.saturating_mul(self.columns);
        self.features
            .get(start..start.saturating_add(self.columns))
            .unwrap_or_default()
    }

    /// A batch of the given rows in the given order: images of the shape `[1, 1, columns]`. Numbers of rows that do not
    /// exist are left out.
    pub fn host_batch(&self, samples: &[usize]) -> HostBatch {
        let known = || samples.iter().filter(|sample| **sample < self.labels.len());
        HostBatch {
            images: known().flat_map(|s| self.row(*s)).copied().collect(),
            labels: known().map(|sample| self.labels[*sample]).collect(),
            shape: [1, 1, self.columns],
        }
    }
}

impl SampleSet for LabelledTable {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
        self.features.truncate(count.saturating_mul(self.columns));
    }

    fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.labels.len());
        Self {
            columns: self.columns,
            classes: self.classes,
            features: self.features.split_off(at * self.columns),
            labels: self.labels.split_off(at),
        }
    }

    fn select(&self, samples: &[usize]) -> Self {
        let HostBatch { images, labels, .. } = self.host_batch(samples);
        Self {
            columns: self.columns,
            classes: self.classes,
            features: images,
            labels,
        }
    }

    fn strata(&self) -> &[u16] {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Split;

    /// Three rows of two.
    fn three() -> LabelledTable {
        let features = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        LabelledTable::new(2, 3, features, vec![2, 0, 1]).unwrap()
    }

    #[test]
    fn batches_are_images_of_one_row_of_pixels() {
        let batch = three().host_batch(&[2, 0, 7]);
        assert_eq!(batch.images, [5.0, 6.0, 1.0, 2.0]);
        assert_eq!((batch.labels, batch.shape), (vec![1, 2], [1, 1, 2]));
        assert_eq!((three().columns(), three().classes()), (2, 3));
    }

    #[test]
    fn rows_are_parted_like_images() {
        let mut split = Split::new(three(), three());
        split.hold_out(2);
        let held = split.validation.as_ref().unwrap();
        assert_eq!(
            (split.train.labels(), held.labels()),
            (&[2][..], &[0, 1][..])
        );
        assert_eq!((held.row(1), held.row(2)), (&[5.0, 6.0][..], &[][..]));
        let mut table = three();
        table.truncate(1);
        assert_eq!((table.len(), table.row(0)), (1, &[1.0, 2.0][..]));
        let some = three().select(&[2, 2]);
        assert_eq!((some.strata(), some.row(1)), (&[1, 1][..], &[5.0, 6.0][..]));
    }

    #[test]
    fn faults_are_named_with_their_remedy() {
        let fault = |columns, features: &[f32], labels: &[u16]| {
            let table = LabelledTable::new(columns, 2, features.to_vec(), labels.to_vec());
            table.unwrap_err().to_string()
        };
        assert_eq!(
            fault(0, &[], &[]),
            "table: it has no column of features: give at least one"
        );
        assert_eq!(
            fault(2, &[1.0; 3], &[1; 2]),
            "table: 3 features do not fill 2 rows of 2: give each label a row of 2 features"
        );
        assert_eq!(
            fault(1, &[1.0, f32::NAN], &[1; 2]),
            "table: row 2 has a number that is not finite: replace it or leave the row out"
        );
        assert_eq!(
            fault(1, &[1.0, 1.0], &[1, 2]),
            "table: row 2 has the label 2: labels are from 0 to below 2, the number of classes"
        );
    }
}
