//! What a column holds, and what of it is learned from.

use std::collections::BTreeSet;
use std::path::Path;

use super::rows::Rows;
use super::value::{is_missing, number, shown};
use crate::{DataError, LeftOut};

/// Columns of texts with more different ones than this are looked at twice.
const FEW: usize = 20;
/// Texts that are one-hot at most.
const MOST: usize = 1000;
/// Rows that are surely not numbered by accident.
const NUMBERED: usize = 10;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers.
    Numbers,
    /// Categories.
    Categories,
    /// Nothing to learn from.
    LeftOut(LeftOut),
}

/// What the reader says of columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// It is of numbers.
    pub numbers: bool,
    /// It is of categories.
    pub categories: bool,
}

/// Whether so many of the values are numbers that the others are mistakes: nine in ten.
pub(super) fn mostly_numbers(values: &[Option<f64>]) -> bool {
    10 * values.iter().flatten().count() >= 9 * values.len()
}

/// What a column holds, over all rows.
///
/// # Errors
///
/// [`DataError::Own`] if nearly all of its values are numbers and one is none, or it has too many categories.
pub(super) fn kind(file: &Path, rows: &Rows, column: usize, said: Said) -> Result<Kind, DataError> {
    let present: Vec<(usize, &str)> = rows
        .cells(column)
        .enumerate()
        .filter(|(_, cell)| !is_missing(cell))
        .collect();
    let numbers: Vec<Option<f64>> = present
        .iter()
        .map(|(_, cell)| number(cell, rows.comma))
        .collect();
    let texts: BTreeSet<&str> = present.iter().map(|(_, cell)| cell.trim()).collect();
    let name = &rows.names[column];
    let whole = present.len() == rows.records.len();
    if present.is_empty() || (texts.len() == 1 && whole) {
        return Ok(Kind::LeftOut(LeftOut::Constant));
    }
    let all_numbers = numbers.iter().all(Option::is_some);
    if all_numbers && !said.categories {
        let leaves_out = whole && !said.numbers && counts_rows(&numbers, &rows.numbers);
        return Ok(if leaves_out {
            Kind::LeftOut(LeftOut::RowNumbers)
        } else {
            Kind::Numbers
        });
    }
    if said.numbers || (mostly_numbers(&numbers) && !said.categories) {
        let strange = present
            .iter()
            .zip(&numbers)
            .find(|(_, number)| number.is_none());
        // There is one, since not all are numbers.
        let (row, cell) = strange.map_or((0, ""), |(present, _)| *present);
        return Err(DataError::own(
            file,
            format!(
                "{}: {} is no number, as {} of {} values of the column are",
                rows.place(row, column),
                shown(cell),
                numbers.iter().flatten().count(),
                numbers.len()
            ),
            format!(
                "Correct it, or remove it and it counts as missing; or, if the column is of categories, name it with --categories '{name}'"
            ),
        ));
    }
    if texts.len() > FEW && 2 * texts.len() > present.len() && !said.categories {
        return Ok(Kind::LeftOut(LeftOut::Identifier));
    }
    if texts.len() > MOST {
        return Err(DataError::own(
            file,
            format!(
                "column '{name}' has {} different categories: more than {MOST}",
                texts.len()
            ),
            format!("Put them into fewer groups, or leave the column out with --ignore '{name}'"),
        ));
    }
    Ok(Kind::Categories)
}

/// Whether the values are the numbers of the rows in the file, from 0 or from 1.
fn counts_rows(values: &[Option<f64>], numbers: &[u32]) -> bool {
    let from = |first: f64| {
        let mut pairs = values.iter().zip(numbers);
        pairs.all(|(value, number)| *value == Some(first + f64::from(*number)))
    };
    values.len() >= NUMBERED && (from(0.0) || from(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Header, rows};
    use super::*;

    const NOTHING: Said = Said {
        numbers: false,
        categories: false,
    };

    fn of(cells: &[impl AsRef<str>], said: Said) -> Result<Kind, String> {
        let text: String = cells
            .iter()
            .map(|cell| format!("{},1\n", cell.as_ref()))
            .collect();
        let rows = rows(
            Path::new("a.csv"),
            &format!("x,y\n{text}"),
            Header::Guessed("y"),
        )
        .unwrap();
        kind(Path::new("a.csv"), &rows, 0, said).map_err(|error| error.to_string())
    }

    fn many(count: usize, name: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(name).collect()
    }

    #[test]
    fn content_tells_the_kind() {
        for (cells, expected) in [
            (vec!["1", "2.5", "", "NA"], Kind::Numbers),
            (vec!["red", "blue", "?"], Kind::Categories),
            (vec!["red", "1"], Kind::Categories),
            (vec!["x", ""], Kind::Categories),
            (vec!["7", ""], Kind::Numbers),
            (vec!["x", "x"], Kind::LeftOut(LeftOut::Constant)),
            (vec!["", "NA"], Kind::LeftOut(LeftOut::Constant)),
        ] {
            assert_eq!(of(&cells, NOTHING), Ok(expected), "{cells:?}");
        }
        let names = many(30, |at| format!("name {at}"));
        assert_eq!(of(&names, NOTHING), Ok(Kind::LeftOut(LeftOut::Identifier)));
        for start in [0, 1] {
            let numbers = many(30, |at| (at + start).to_string());
            assert_eq!(
                of(&numbers, NOTHING),
                Ok(Kind::LeftOut(LeftOut::RowNumbers))
            );
        }
        assert_eq!(
            of(&many(30, |at| (at + 2).to_string()), NOTHING),
            Ok(Kind::Numbers)
        );
    }

    #[test]
    fn the_kind_can_be_given() {
        let numbers = Said {
            numbers: true,
            ..NOTHING
        };
        let categories = Said {
            categories: true,
            ..NOTHING
        };
        let rows = many(30, |at| at.to_string());
        assert_eq!(
            (of(&rows, numbers), of(&rows, categories)),
            (Ok(Kind::Numbers), Ok(Kind::Categories))
        );
        let names = many(30, |at| format!("name {at}"));
        assert_eq!(of(&names, categories), Ok(Kind::Categories));
        assert!(
            of(&["1", "2", "x"], numbers)
                .unwrap_err()
                .contains("line 4, column 'x': 'x' is no number, as 2 of 3")
        );
    }

    #[test]
    fn mistakes_are_named_with_line_and_column() {
        let mut cells = many(20, |at| format!("{at}.5"));
        cells[7] = "8.5 cm".to_owned();
        let text = of(&cells, NOTHING).unwrap_err();
        assert_eq!(
            text,
            "a.csv: line 9, column 'x': '8.5 cm' is no number, as 19 of 20 values of the column are. Correct it, or remove it and it \
             counts as missing; or, if the column is of categories, name it with --categories 'x'"
        );
        let cells = many(4000, |at| format!("city {}", at % 1500));
        let text = of(&cells, NOTHING).unwrap_err();
        assert!(
            text.contains("column 'x' has 1500 different categories: more than 1000. Put them"),
            "{text}"
        );
    }
}
