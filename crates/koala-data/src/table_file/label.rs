//! What there is to tell of a row: a class or a number.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::column::mostly_numbers;
use super::rows::Rows;
use super::value::{number, shown};
use crate::DataError;

/// So many different whole numbers are classes.
const FEW: usize = 20;
/// More classes than labels can number.
const MOST: usize = 1 << 16;

/// What a column of labels is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Classes if there is a label that is no number, or if all are whole numbers, at most 20 different ones and each
    /// twice on the average; otherwise numbers.
    #[default]
    Detected,
    /// Classes, whatever they are called.
    Classes,
    /// Numbers.
    Number,
}

impl LabelKind {
    /// Those that can be asked for, as configurations and the command line name them.
    pub const NAMES: [&'static str; 3] = ["detected", "classes", "number"];
}

/// What the labels that a network has learned are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LabelPreparation {
    /// Classes.
    Classes {
        /// The column.
        name: String,
        /// The names of the classes, in the order of their numbers.
        classes: Vec<String>,
    },
    /// Numbers, of which (number - mean) / deviation is learned.
    Numbers {
        /// The column.
        name: String,
        /// 0 if the targets are those of the file.
        mean: f64,
        /// 1 if the targets are those of the file.
        deviation: f64,
    },
}

impl LabelPreparation {
    /// The column of the labels.
    pub fn name(&self) -> &str {
        match self {
            Self::Classes { name, .. } | Self::Numbers { name, .. } => name,
        }
    }
}

/// The labels of all rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Labels {
    /// Names of classes, sorted, and the number of that of each row.
    Classes(Vec<String>, Vec<u16>),
    /// A number a row.
    Numbers(Vec<f64>),
}

/// The labels of a column in which none is missing.
///
/// # Errors
///
/// [`DataError::Own`] if numbers are asked for, or nearly all are numbers, and one is none; or there are too many classes.
pub(super) fn labels(
    file: &Path,
    rows: &Rows,
    column: usize,
    kind: LabelKind,
) -> Result<Labels, DataError> {
    let cells = || rows.cells(column);
    let numbers: Vec<Option<f64>> = cells().map(|cell| number(cell, rows.comma)).collect();
    let all: Option<Vec<f64>> = numbers.iter().copied().collect();
    let strange = || {
        let row = numbers.iter().position(Option::is_none)?;
        let cell = cells().nth(row).unwrap_or_default();
        Some(DataError::own(
            file,
            format!(
                "{}: {} is no number, as {} of {} labels are",
                rows.place(row, column),
                shown(cell),
                numbers.iter().flatten().count(),
                numbers.len()
            ),
            "Correct it, or remove it and its row is left out; or, if the labels are classes, say so with --label-kind classes",
        ))
    };
    match (kind, all) {
        (LabelKind::Number, Some(all)) => return Ok(Labels::Numbers(all)),
        (LabelKind::Detected, Some(all)) if !are_classes(&all) => return Ok(Labels::Numbers(all)),
        (LabelKind::Number, None) => {
            return strange().map_or(Ok(Labels::Numbers(Vec::new())), Err);
        }
        (LabelKind::Detected, None) if mostly_numbers(&numbers) => {
            return strange().map_or(Ok(Labels::Numbers(Vec::new())), Err);
        }
        (LabelKind::Detected | LabelKind::Classes, _) => {}
    }
    let (names, labels) = numbered(cells().zip(numbers.iter().copied()));
    let text = numbers.iter().any(Option::is_none);
    let nearly_all = names.len() > FEW && 2 * names.len() > labels.len();
    if names.len() > MOST || (kind == LabelKind::Detected && text && nearly_all) {
        return Err(DataError::own(
            file,
            format!(
                "column '{}' has {} different labels in {} rows: too many to be classes",
                rows.names[column],
                names.len(),
                labels.len()
            ),
            "Name another column with --label, or, if they are classes all the same, say so with --label-kind classes",
        ));
    }
    Ok(Labels::Classes(names, labels))
}

/// Whether numbers are the names of classes.
fn are_classes(labels: &[f64]) -> bool {
    let mut sorted = labels.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    labels.iter().all(|label| label.fract() == 0.0)
        && sorted.len() <= FEW
        && 2 * sorted.len() <= labels.len()
}

/// The names of all classes, sorted as numbers if all are, and otherwise as texts; and the number of each label. Numbers
/// that are written in different ways are the same class.
fn numbered<'a>(
    cells: impl Iterator<Item = (&'a str, Option<f64>)> + Clone,
) -> (Vec<String>, Vec<u16>) {
    let all_numbers = cells.clone().all(|(_, number)| number.is_some());
    let name = |(cell, number): (&str, Option<f64>)| match number {
        // No negative zero.
        Some(number) if all_numbers => (number + 0.0).to_string(),
        _ => cell.trim().to_owned(),
    };
    let mut names: BTreeMap<String, Option<f64>> = BTreeMap::new();
    for (cell, number) in cells.clone() {
        names.insert(name((cell, number)), number);
    }
    let mut names: Vec<(String, Option<f64>)> = names.into_iter().collect();
    if all_numbers {
        names.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap_or(std::cmp::Ordering::Equal));
    }
    let index: BTreeMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.as_str(), at))
        .collect();
    // Whoever asks checks that there are not more than can be numbered.
    let labels = cells
        .map(|cell| index.get(name(cell).as_str()).map_or(0, |at| *at as u16))
        .collect();
    (names.into_iter().map(|(name, _)| name).collect(), labels)
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Header, rows};
    use super::*;

    fn of(cells: &[&str], kind: LabelKind) -> Result<Labels, String> {
        let text: String = cells.iter().map(|cell| format!("1;{cell}\n")).collect();
        let rows = rows(
            Path::new("a.csv"),
            &format!("x;y\n{text}"),
            Header::Guessed("y"),
        )
        .unwrap();
        labels(Path::new("a.csv"), &rows, 1, kind).map_err(|error| error.to_string())
    }

    fn classes(names: &[&str], labels: &[u16]) -> Labels {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Labels::Classes(names, labels.to_vec())
    }

    #[test]
    fn texts_and_few_whole_numbers_are_classes() {
        let detected = |cells: &[&str]| of(cells, LabelKind::Detected).unwrap();
        assert_eq!(
            detected(&["b", "a", " b"]),
            classes(&["a", "b"], &[1, 0, 1])
        );
        assert_eq!(
            detected(&["10", "9", "9.0", "10", "-1", "-1"]),
            classes(&["-1", "9", "10"], &[2, 1, 1, 2, 0, 0])
        );
        assert_eq!(
            detected(&["1", "2", "3"]),
            Labels::Numbers(vec![1.0, 2.0, 3.0])
        );
        assert_eq!(
            detected(&["1,5", "1,5", "2", "2"]),
            Labels::Numbers(vec![1.5, 1.5, 2.0, 2.0])
        );
        let many: Vec<String> = (0..84).map(|at| (at % 21).to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(detected(&many), Labels::Numbers(_)));
        assert!(
            matches!(detected(&many[..20].repeat(2)), Labels::Classes(names, _) if names.len() == 20)
        );
    }

    #[test]
    fn the_kind_can_be_given() {
        assert_eq!(
            of(&["1", "1", "2", "2"], LabelKind::Number).unwrap(),
            Labels::Numbers(vec![1.0, 1.0, 2.0, 2.0])
        );
        assert_eq!(
            of(&["1,5", "2"], LabelKind::Classes).unwrap(),
            classes(&["1.5", "2"], &[0, 1])
        );
    }

    #[test]
    fn faults_are_named_with_line_and_column() {
        let mut cells = vec!["1.5"; 19];
        cells.push("abc");
        for kind in [LabelKind::Detected, LabelKind::Number] {
            let text = of(&cells, kind).unwrap_err();
            assert!(text.starts_with("a.csv: line 21, column 'y': 'abc' is no number, as 19 of 20 labels are. Correct"), "{text}");
        }
        assert!(of(&cells, LabelKind::Classes).is_ok());
        let names: Vec<String> = (0..30).map(|at| format!("name {at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = of(&names, LabelKind::Detected).unwrap_err();
        assert!(
            text.starts_with(
                "a.csv: column 'y' has 30 different labels in 30 rows: too many to be classes. "
            ),
            "{text}"
        );
        assert!(of(&names, LabelKind::Classes).is_ok());
    }
}
