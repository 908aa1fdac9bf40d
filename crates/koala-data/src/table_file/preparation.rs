//! What is done to a row before a network sees it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::LabelPreparation;
use super::rows::{Header, Rows, rows};
use super::text::text_of;
use super::value::{is_missing, number, shown};
use crate::moments::Moments;
use crate::{DataError, encoding::plain_text};

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ColumnPreparation {
    /// A feature: (number - mean) / deviation, 0 for what is missing; and, if `indicator`, another that is 1 where it is.
    Numbers {
        /// The column.
        name: String,
        /// Mean of the training part's numbers.
        mean: f64,
        /// Standard deviation of the training part's numbers; 1 if all are the same.
        deviation: f64,
        /// Whether the training part lacks some.
        indicator: bool,
    },
    /// A feature for each category, 1 in the rows that have it and 0 in the others; and, if `missing`, one for rows that
    /// have none. A category that the training part has not is 0 in all.
    Categories {
        /// The column.
        name: String,
        /// Those of the training part, sorted.
        categories: Vec<String>,
        /// Whether the training part lacks some.
        missing: bool,
    },
}

/// What was done to the rows that a network has learned from, and so what is to be done to those that it is to judge. To
/// be stored with a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TablePreparation {
    /// Whether the first line of the file names its columns; otherwise they are called 1, 2 and so on.
    pub header: bool,
    /// The column of the labels.
    pub label: LabelPreparation,
    /// The columns that are learned from, in the order of their features.
    pub columns: Vec<ColumnPreparation>,
}

/// What a cell turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Known,
    Missing,
    /// A category that the training part has not.
    Unknown,
    /// No number where one belongs.
    Strange,
}

impl ColumnPreparation {
    /// Of numbers, from those of the training part.
    pub(super) fn numbers<'a>(
        name: &str,
        cells: impl Iterator<Item = &'a str>,
        comma: bool,
    ) -> Self {
        let mut moments = Moments::default();
        let mut indicator = false;
        for cell in cells {
            match number(cell, comma) {
                Some(value) => moments.add(value, 1),
                None => indicator = true,
            }
        }
        Self::Numbers {
            name: name.to_owned(),
            mean: moments.mean(),
            deviation: moments.deviation(),
            indicator,
        }
    }

    /// Of categories, from those of the training part.
    pub(super) fn categories<'a>(name: &str, cells: impl Iterator<Item = &'a str>) -> Self {
        let mut categories = BTreeSet::new();
        let mut missing = false;
        for cell in cells {
            if is_missing(cell) {
                missing = true;
            } else {
                categories.insert(cell.trim().to_owned());
            }
        }
        Self::Categories {
            name: name.to_owned(),
            categories: categories.into_iter().collect(),
            missing,
        }
    }

    /// The column.
    pub fn name(&self) -> &str {
        match self {
            Self::Numbers { name, .. } | Self::Categories { name, .. } => name,
        }
    }

    /// The names of its features.
    pub fn features(&self) -> Vec<String> {
        let (mut names, name, missing) = match self {
            Self::Numbers {
                name, indicator, ..
            } => (vec![name.clone()], name, *indicator),
            Self::Categories {
                name,
                categories,
                missing,
            } => {
                let each = categories
                    .iter()
                    .map(|category| format!("{name}={category}"));
                (each.collect(), name, *missing)
            }
        };
        if missing {
            names.push(format!("{name} is missing"));
        }
        names
    }

    /// Number of its features.
    pub fn width(&self) -> usize {
        match self {
            Self::Numbers { indicator, .. } => 1 + usize::from(*indicator),
            Self::Categories {
                categories,
                missing,
                ..
            } => categories.len() + usize::from(*missing),
        }
    }

    /// Adds the features of a cell.
    pub(super) fn write(&self, cell: &str, comma: bool, features: &mut Vec<f32>) -> Met {
        let is_missing = is_missing(cell);
        let met = match self {
            Self::Numbers {
                mean, deviation, ..
            } => {
                let value = number(cell, comma);
                // Within what single precision holds, however small the deviation is.
                let most = f64::from(f32::MAX);
                let normalised = value.map_or(0.0, |value| (value - mean) / deviation);
                features.push(normalised.clamp(-most, most) as f32);
                if value.is_some() {
                    Met::Known
                } else {
                    Met::Strange
                }
            }
            Self::Categories { categories, .. } => {
                let found = categories.binary_search_by(|known| known.as_str().cmp(cell.trim()));
                let found = found.ok().filter(|_| !is_missing);
                features
                    .extend((0..categories.len()).map(|at| f32::from(u8::from(found == Some(at)))));
                if found.is_some() {
                    Met::Known
                } else {
                    Met::Unknown
                }
            }
        };
        if let Self::Numbers {
            indicator: true, ..
        }
        | Self::Categories { missing: true, .. } = self
        {
            features.push(f32::from(u8::from(is_missing)));
        }
        if is_missing { Met::Missing } else { met }
    }
}

impl TablePreparation {
    /// Features of a row.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnPreparation::width).sum()
    }

    /// The names of the features.
    pub fn features(&self) -> Vec<String> {
        self.columns
            .iter()
            .flat_map(ColumnPreparation::features)
            .collect()
    }

    /// The features of the rows of another file, row by row, [`TablePreparation::width`] each: its columns are found by
    /// their names, in any order; it may have others, and need not have the labels. A value that is missing, or a
    /// category that training has not met, is taken as there.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the file is missing, unreadable or no table, lacks a column, or has a text where a number
    /// belongs; or if the preparation does not agree with itself.
    pub fn rows(&self, file: &Path) -> Result<Vec<f32>, DataError> {
        self.check(file)?;
        let bytes = text_of(file)?;
        let rows = rows(file, plain_text(file, &bytes)?, Header::Known(self.header))?;
        let mut places = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let name = column.name();
            places.push(rows.column(name).ok_or_else(|| {
                DataError::own(
                    file,
                    format!(
                        "it has no column '{name}', which the network has learned from; {}",
                        rows.columns()
                    ),
                    "Add the column, empty where a value is not known",
                )
            })?);
        }
        self.fill(file, &rows, &places)
    }

    fn fill(&self, file: &Path, rows: &Rows, places: &[usize]) -> Result<Vec<f32>, DataError> {
        let mut features = Vec::with_capacity(rows.records.len().saturating_mul(self.width()));
        for (row, record) in rows.records.iter().enumerate() {
            for (column, place) in self.columns.iter().zip(places) {
                let cell = record.get(*place).unwrap_or_default();
                if column.write(cell, rows.comma, &mut features) == Met::Strange {
                    return Err(DataError::own(
                        file,
                        format!("{}: {} is no number", rows.place(row, *place), shown(cell)),
                        "Correct it, or remove it and it counts as missing",
                    ));
                }
            }
        }
        Ok(features)
    }

    /// A stored one may have been written by hand.
    fn check(&self, file: &Path) -> Result<(), DataError> {
        let sound = self.columns.iter().all(|column| match column {
            ColumnPreparation::Numbers {
                mean, deviation, ..
            } => mean.is_finite() && deviation.is_normal() && *deviation > 0.0,
            ColumnPreparation::Categories { categories, .. } => categories.is_sorted(),
        });
        if sound && self.width() > 0 {
            return Ok(());
        }
        Err(DataError::own(
            file,
            "what is to be done to it, stored with the run, does not agree with itself",
            "Take it from the folder of the run as it was written",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(column: &ColumnPreparation, cell: &str) -> (Vec<f32>, Met) {
        let mut features = Vec::new();
        let met = column.write(cell, false, &mut features);
        assert_eq!(
            (features.len(), column.features().len()),
            (column.width(), column.width())
        );
        (features, met)
    }

    #[test]
    fn numbers_are_normalised_and_what_is_missing_is_the_mean() {
        let column = ColumnPreparation::numbers("age", ["1", "NA", "3"].into_iter(), false);
        assert_eq!(column.features(), ["age", "age is missing"]);
        assert_eq!(written(&column, "1"), (vec![-1.0, 0.0], Met::Known));
        assert_eq!(written(&column, " ? "), (vec![0.0, 1.0], Met::Missing));
        assert_eq!(written(&column, "x"), (vec![0.0, 0.0], Met::Strange));
        let column = ColumnPreparation::numbers("age", ["1", "1"].into_iter(), false);
        assert_eq!(written(&column, "3"), (vec![2.0], Met::Known));
        assert_eq!(written(&column, ""), (vec![0.0], Met::Missing));
        // However far from the others, a feature is finite.
        let column = ColumnPreparation::numbers("age", ["1e-30", "2e-30"].into_iter(), false);
        assert_eq!(written(&column, "1e38"), (vec![f32::MAX], Met::Known));
    }

    #[test]
    fn categories_are_one_hot() {
        let column =
            ColumnPreparation::categories("colour", ["red", " blue", "", "red"].into_iter());
        assert_eq!(
            column.features(),
            ["colour=blue", "colour=red", "colour is missing"]
        );
        assert_eq!(written(&column, "red "), (vec![0.0, 1.0, 0.0], Met::Known));
        assert_eq!(
            written(&column, "null"),
            (vec![0.0, 0.0, 1.0], Met::Missing)
        );
        assert_eq!(written(&column, "green"), (vec![0.0; 3], Met::Unknown));
        let column = ColumnPreparation::categories("colour", ["red"].into_iter());
        assert_eq!(written(&column, ""), (vec![0.0], Met::Missing));
    }
}
