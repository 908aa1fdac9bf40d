//! Reading a CSV file.

use std::path::Path;

use super::column::{Kind, Said, kind};
use super::label::{Labels, labels};
use super::preparation::Met;
use super::rows::{Header, Rows, rows};
use super::text::text_of;
use super::value::is_missing;
use super::{ColumnPreparation, LabelKind, LabelPreparation, TablePreparation};
use crate::encoding::plain_text;
use crate::moments::Moments;
use crate::room;
use crate::{DataError, LabelledTable, PartName, Parting, Parts, Split, Table, Warning};

/// Unknown categories that a warning names.
const EXAMPLES: usize = 3;

/// How a CSV file is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableOptions {
    /// The column to tell: its name, or its number from 1 if the first line names none.
    pub label: String,
    /// Whether it is of classes or of numbers.
    pub label_kind: LabelKind,
    /// Columns of numbers, whatever they look like: also one that numbers the rows.
    pub numbers: Vec<String>,
    /// Columns of categories, whatever they look like: numbers that are codes, names that come back.
    pub categories: Vec<String>,
    /// Columns that are not learned from.
    pub ignore: Vec<String>,
    /// Whether (number - mean) / deviation is learned of a label that is a number, by mean and deviation of the training
    /// part, rather than the number itself.
    pub normalise_label: bool,
    /// How rows are parted.
    pub parting: Parting,
    /// How many rows of the training part are kept, in a drawn order, of each class its share.
    pub train_limit: Option<usize>,
}

/// The rows of a table of one's own.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnRows {
    /// With a class each.
    Classes(Split<LabelledTable>),
    /// With a number each.
    Numbers(Split<Table>),
}

/// A table of one's own, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnTable {
    /// The parts. The training part is in a drawn order, in which classes alternate.
    pub rows: OwnRows,
    /// What was done to the rows, and the names of their features and classes.
    pub preparation: TablePreparation,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
}

/// Reads a CSV file of which one column is to be told from the others.
///
/// Cells are parted by commas, semicolons or tabs, whichever part all rows alike. The first line names the columns if it
/// has the label among them, or if none of its cells is a number; otherwise they are called 1, 2 and so on. Where
/// semicolons part cells, decimals may follow a comma.
///
/// A column of which all values are numbers is one feature, normalised by mean and deviation of the training part. Any
/// other is of categories, and has a feature for each that the training part has. What is missing (an empty cell, `NA`,
/// `N/A`, `NaN`, `?` or `null`) is the training part's mean, told by a feature of its own, or a category of its own. Left
/// out are columns that are the same in all rows, that number the rows, or in which nearly every row has another text;
/// rows without a label too. All this is told by [`OwnTable::warnings`]. [`LabelKind`] says what is a class.
///
/// # Errors
///
/// [`DataError::Own`] with line, column and remedy if the file is no such table, the label is no column of it, or a
/// column is nearly all numbers and has a value that is none; [`DataError::Format`] if it is not UTF-8;
/// [`DataError::Parts`] if the parts cannot be drawn; [`DataError::Unreadable`].
pub fn table_file(file: &Path, options: &TableOptions) -> Result<OwnTable, DataError> {
    let bytes = text_of(file)?;
    let mut rows = rows(
        file,
        plain_text(file, &bytes)?,
        Header::Guessed(&options.label),
    )?;
    let label = label_column(file, &rows, &options.label)?;
    let mut warnings = Vec::new();
    leave_out_unlabelled(file, &mut rows, label, &mut warnings)?;
    let labels = labels(file, &rows, label, options.label_kind)?;
    let parting = &options.parting;
    let mut parts = match &labels {
        Labels::Classes(_, labels) => parting.stratified(labels),
        Labels::Numbers(numbers) => parting.drawn(numbers.len()),
    }?;
    parts
        .train
        .truncate(options.train_limit.unwrap_or(usize::MAX));
    let (places, columns) = columns(file, &rows, label, &parts.train, options, &mut warnings)?;
    let preparation = TablePreparation {
        header: rows.header,
        label: label_preparation(&rows.names[label], &labels, &parts.train, options),
        columns,
    };
    let width = preparation.width();
    let numbers = (width as u64).saturating_mul(rows.records.len() as u64);
    room::check(
        file,
        &format!("{} rows of {width} features", rows.records.len()),
        numbers.saturating_mul(size_of::<f32>() as u64),
        "Leave columns of many categories out with --ignore, or give fewer rows",
    )?;
    let source = Source {
        rows: &rows,
        places: &places,
        preparation: &preparation,
    };
    let name = &rows.names[label];
    let rows = match &labels {
        Labels::Classes(names, labels) => {
            let set = |samples: &[usize], features| {
                let labels = samples.iter().map(|row| labels[*row]).collect();
                LabelledTable::new(width, names.len(), features, labels)
            };
            let split = source.split(&parts, set, &mut warnings)?;
            warnings.extend(split.warnings(names));
            OwnRows::Classes(split)
        }
        Labels::Numbers(numbers) => {
            let (mean, deviation) = match preparation.label {
                LabelPreparation::Numbers {
                    mean, deviation, ..
                } => (mean, deviation),
                LabelPreparation::Classes { .. } => (0.0, 1.0),
            };
            let set = |samples: &[usize], features| {
                let target = |row: &usize| ((numbers[*row] - mean) / deviation) as f32;
                Table::new(width, features, samples.iter().map(target).collect())
            };
            let split = source.split(&parts, set, &mut warnings)?;
            warnings.extend(one_number(name, numbers, &parts.train));
            warnings.extend(split.warnings(&[]));
            OwnRows::Numbers(split)
        }
    };
    Ok(OwnTable {
        rows,
        preparation,
        warnings,
    })
}

fn label_column(file: &Path, rows: &Rows, name: &str) -> Result<usize, DataError> {
    let fault = |fault: String| {
        let remedy = if rows.header {
            "Name one of them with --label"
        } else {
            "The first line names none, since it has numbers: give the number of one with --label"
        };
        DataError::own(file, format!("{fault}; {}", rows.columns()), remedy)
    };
    if name.trim().is_empty() {
        return Err(fault(
            "it is not said which column is to be told".to_owned(),
        ));
    }
    rows.column(name.trim())
        .ok_or_else(|| fault(format!("it has no column '{name}'")))
}

/// Leaves rows without a label out.
fn leave_out_unlabelled(
    file: &Path,
    rows: &mut Rows,
    label: usize,
    warnings: &mut Vec<Warning>,
) -> Result<(), DataError> {
    let labelled: Vec<bool> = rows.cells(label).map(|cell| !is_missing(cell)).collect();
    let Some(first) = labelled.iter().position(|labelled| !labelled) else {
        return Ok(());
    };
    let without = labelled.iter().filter(|labelled| !**labelled).count();
    if without == labelled.len() {
        return Err(DataError::own(
            file,
            format!("column '{}' has no label in any row", rows.names[label]),
            "Name another column with --label",
        ));
    }
    warnings.push(Warning::RowsWithoutLabel {
        column: rows.names[label].clone(),
        rows: without,
        line: rows.lines[first],
    });
    rows.retain(&labelled);
    Ok(())
}

/// Whether what is said of columns names columns of features, each once, and no column of numbers and of categories: of two
/// sayings one would be passed over. What is ignored may be said to be either.
fn check_named(
    file: &Path,
    rows: &Rows,
    label: usize,
    options: &TableOptions,
) -> Result<(), DataError> {
    let said = [
        ("--numbers", &options.numbers),
        ("--categories", &options.categories),
        ("--ignore", &options.ignore),
    ];
    for (flag, names) in said {
        if let Some(name) = names
            .iter()
            .find(|name| rows.column(name).is_none_or(|at| at == label))
        {
            return Err(DataError::own(
                file,
                format!(
                    "'{name}', given by {flag}, is no column of features; {}",
                    rows.columns()
                ),
                format!("Give names of columns other than the label with {flag}"),
            ));
        }
    }
    let twice = |fault: String| Err(DataError::own(file, fault, "Leave one of both out"));
    for (flag, names) in said {
        let mut places = names.iter().enumerate();
        if let Some((_, name)) = places.find(|(at, name)| names[..*at].contains(name)) {
            return twice(format!("column '{name}' is there twice behind {flag}"));
        }
    }
    let both = |name: &&String| options.categories.contains(name);
    match options.numbers.iter().find(both) {
        None => Ok(()),
        Some(name) => twice(format!(
            "column '{name}' is given by --numbers and by --categories"
        )),
    }
}

/// The columns that are learned from, and what is to be done to them.
fn columns(
    file: &Path,
    rows: &Rows,
    label: usize,
    train: &[usize],
    options: &TableOptions,
    warnings: &mut Vec<Warning>,
) -> Result<(Vec<usize>, Vec<ColumnPreparation>), DataError> {
    check_named(file, rows, label, options)?;
    let (mut places, mut columns) = (Vec::new(), Vec::new());
    for (at, name) in rows.names.iter().enumerate() {
        if at == label || options.ignore.contains(name) {
            continue;
        }
        let said = Said {
            numbers: options.numbers.contains(name),
            categories: options.categories.contains(name),
        };
        let cells = train
            .iter()
            .filter_map(|row| rows.records.get(*row)?.get(at));
        let kind = match kind(file, rows, at, said)? {
            Kind::LeftOut(cause) => {
                warnings.push(Warning::ColumnLeftOut {
                    column: name.clone(),
                    cause,
                });
                continue;
            }
            kind => kind,
        };
        columns.push(match kind {
            Kind::Categories => ColumnPreparation::categories(name, cells),
            _ => ColumnPreparation::numbers(name, cells, rows.comma),
        });
        places.push(at);
        let missing = rows.cells(at).filter(|cell| is_missing(cell)).count();
        if missing > 0 {
            warnings.push(Warning::MissingValues {
                column: name.clone(),
                rows: missing,
                of: rows.records.len(),
                numbers: kind == Kind::Numbers,
            });
        }
    }
    if columns.iter().all(|column| column.width() == 0) {
        let left_out: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        return Err(DataError::own(
            file,
            format!("no column is left to learn from ({})", left_out.join("; ")),
            "Give columns that differ between rows; --numbers and --categories keep one that is left out for another cause",
        ));
    }
    Ok((places, columns))
}

/// That there is only one number to learn, if so.
fn one_number(column: &str, numbers: &[f64], train: &[usize]) -> Option<Warning> {
    let mut learned = train.iter().map(|row| numbers[*row]);
    let first = learned.next()?;
    learned
        .all(|number| number == first)
        .then(|| Warning::OneNumber {
            column: column.to_owned(),
            number: first,
        })
}

fn label_preparation(
    name: &str,
    labels: &Labels,
    train: &[usize],
    options: &TableOptions,
) -> LabelPreparation {
    let name = name.to_owned();
    match labels {
        Labels::Classes(classes, _) => LabelPreparation::Classes {
            name,
            classes: classes.clone(),
        },
        Labels::Numbers(numbers) => {
            let mut moments = Moments::default();
            if options.normalise_label {
                train.iter().for_each(|row| moments.add(numbers[*row], 1));
            }
            // Of nothing they are 0 and 1.
            LabelPreparation::Numbers {
                name,
                mean: moments.mean(),
                deviation: moments.deviation(),
            }
        }
    }
}

/// Where features come from.
struct Source<'a> {
    rows: &'a Rows,
    places: &'a [usize],
    preparation: &'a TablePreparation,
}

impl Source<'_> {
    /// The parts, each made by `set` of its rows and their features.
    fn split<S>(
        &self,
        parts: &Parts,
        set: impl Fn(&[usize], Vec<f32>) -> Result<S, DataError>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Split<S>, DataError> {
        let mut part = |part: PartName, samples: &[usize]| {
            let features = self.features(part, samples, warnings);
            set(samples, features)
        };
        Ok(Split {
            train: part(PartName::Train, &parts.train)?,
            validation: match &parts.validation[..] {
                [] => None,
                samples => Some(part(PartName::Validation, samples)?),
            },
            test: part(PartName::Test, &parts.test)?,
        })
    }

    /// The features of rows; categories that the training part has not are told.
    fn features(&self, part: PartName, samples: &[usize], warnings: &mut Vec<Warning>) -> Vec<f32> {
        let columns = &self.preparation.columns;
        let mut features = Vec::with_capacity(samples.len() * self.preparation.width());
        let mut unknown: Vec<(usize, Vec<String>)> = vec![(0, Vec::new()); columns.len()];
        for row in samples {
            let cells = self
                .places
                .iter()
                .map(|place| self.rows.records[*row].get(*place));
            for ((column, cell), unknown) in columns.iter().zip(cells).zip(&mut unknown) {
                let cell = cell.unwrap_or_default();
                // What is no number is none of a column of numbers: its kind has been told from all rows.
                if column.write(cell, self.rows.comma, &mut features) == Met::Unknown {
                    unknown.0 += 1;
                    let cell = cell.trim().to_owned();
                    if unknown.1.len() < EXAMPLES && !unknown.1.contains(&cell) {
                        unknown.1.push(cell);
                    }
                }
            }
        }
        for (column, (rows, examples)) in columns.iter().zip(unknown) {
            if rows > 0 {
                warnings.push(Warning::UnknownCategories {
                    part,
                    column: column.name().to_owned(),
                    rows,
                    examples,
                });
            }
        }
        features
    }
}

#[cfg(test)]
mod tests;
