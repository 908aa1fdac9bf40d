//! Reading a CSV file.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::column::{Kind, Said, kind};
use super::label::{Labels, labels};
use super::preparation::Met;
use super::rows::{Header, Rows, rows};
use super::value::is_missing;
use super::{ColumnPreparation, LabelKind, LabelPreparation, TablePreparation};
use crate::encoding::plain_text;
use crate::moments::Moments;
use crate::{DataError, LabelledTable, PartName, Parting, Parts, Split, Table, Warning, place};

/// Bytes of the largest file.
const FILE_LIMIT: usize = 1 << 30;
/// Features of all rows together: 8 GiB.
const MOST: usize = 1 << 31;
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
    if width.saturating_mul(rows.records.len()) > MOST {
        return Err(DataError::own(
            file,
            format!(
                "{} rows of {width} features take more than 8 GiB",
                rows.records.len()
            ),
            "Leave columns of many categories out with --ignore, or give fewer rows",
        ));
    }
    let source = Source {
        rows: &rows,
        places: &places,
        preparation: &preparation,
    };
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

/// The bytes of a file that is there.
pub(super) fn text_of(file: &Path) -> Result<Vec<u8>, DataError> {
    let open = File::open(file).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => {
            DataError::own(file, "there is no such file", "Name a CSV file with --file")
        }
        _ => DataError::Unreadable {
            file: file.to_owned(),
            cause,
        },
    })?;
    place::read_open(file, open, FILE_LIMIT)
        .map_err(|error| error.with_remedy("Give a part of it: some of the rows, or fewer columns"))
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

/// The columns that are learned from, and what is to be done to them.
fn columns(
    file: &Path,
    rows: &Rows,
    label: usize,
    train: &[usize],
    options: &TableOptions,
    warnings: &mut Vec<Warning>,
) -> Result<(Vec<usize>, Vec<ColumnPreparation>), DataError> {
    for (flag, names) in [
        ("--numbers", &options.numbers),
        ("--categories", &options.categories),
        ("--ignore", &options.ignore),
    ] {
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
mod tests {
    use super::*;
    use crate::{SampleSet, Share};
    use proptest::prelude::*;
    use std::fs;

    fn options(label: &str) -> TableOptions {
        TableOptions {
            label: label.to_owned(),
            ..TableOptions::default()
        }
    }

    fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.csv");
        fs::write(&file, text).unwrap();
        (folder, file)
    }

    fn read(text: impl AsRef<[u8]>, options: &TableOptions) -> Result<OwnTable, String> {
        let (folder, file) = written(text);
        table_file(&file, options).map_err(|error| {
            let text = error.to_string();
            text.replace(&format!("{}/", folder.path().display()), "")
        })
    }

    fn classes(table: OwnTable) -> (Split<LabelledTable>, TablePreparation, Vec<String>) {
        let OwnRows::Classes(split) = table.rows else {
            panic!("numbers")
        };
        (
            split,
            table.preparation,
            table.warnings.iter().map(Warning::to_string).collect(),
        )
    }

    /// Forty rows sorted by class: a number that tells it, a colour, a number that is missing in each tenth row.
    fn pets(delimiter: char, decimal: char) -> String {
        let mut text = format!("weight{delimiter}colour{delimiter}\"ear, cm\"{delimiter}kind\n");
        for row in 0..40 {
            let class = ["cat", "dog"][row / 20];
            let colour = ["grey", "\"black, white\"", "brown"][row % 3];
            let ear = if row % 10 == 9 {
                "NA".to_owned()
            } else {
                format!("{}{decimal}5", row % 4)
            };
            let weight = 10 * (row / 20) + row % 5;
            text += &format!("{weight}{delimiter}{colour}{delimiter}{ear}{delimiter}{class}\n");
        }
        text
    }

    #[test]
    fn classes_numbers_categories_and_missing_values() {
        let table = read(pets(',', '.'), &options("kind")).unwrap();
        let (split, preparation, warnings) = classes(table);
        assert_eq!(
            (split.train.len(), split.test.len(), split.train.classes()),
            (32, 8, 2)
        );
        for (set, each) in [(&split.train, 16), (&split.test, 4)] {
            assert_eq!(
                set.labels().iter().filter(|label| **label == 0).count(),
                each
            );
        }
        assert_eq!(
            preparation.features(),
            [
                "weight",
                "colour=black, white",
                "colour=brown",
                "colour=grey",
                "ear, cm",
                "ear, cm is missing"
            ]
        );
        assert_eq!(
            warnings,
            [
                "column 'ear, cm': 4 of 40 values are missing: the training part's mean stands for them, and a column of its own \
                 says where",
                "the test part has 8 samples: an error rate of 10 % has a standard error of 10.6 percentage points there",
            ]
        );
        // Mean 0 and deviation 1 in the training part, and 0 where a value is missing.
        for column in [0, 4] {
            let values: Vec<f64> = (0..32)
                .map(|row| f64::from(split.train.row(row)[column]))
                .collect();
            let present: Vec<f64> = (0..32)
                .filter(|row| column == 0 || split.train.row(*row)[5] == 0.0)
                .map(|row| values[row])
                .collect();
            let mean = present.iter().sum::<f64>() / present.len() as f64;
            let square = present.iter().map(|v| v * v).sum::<f64>() / present.len() as f64;
            assert!(
                mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5,
                "{mean} {square}"
            );
        }
        let sets = [&split.train, &split.test];
        let rows: Vec<&[f32]> = sets
            .iter()
            .flat_map(|set| (0..set.len()).map(|row| set.row(row)))
            .collect();
        let missing: Vec<_> = rows.iter().filter(|row| row[5] == 1.0).collect();
        assert!(missing.len() == 4 && missing.iter().all(|row| row[4] == 0.0));
        assert!(rows.iter().all(|row| row[1] + row[2] + row[3] == 1.0));
        // Those of one class weigh less than 5, those of the other 10 and more.
        for set in sets {
            for (row, label) in set.labels().iter().enumerate() {
                assert_eq!(set.row(row)[0] > 0.0, *label == 1);
            }
        }
    }

    #[test]
    fn semicolons_tabs_and_decimal_commas_give_the_same() {
        let plain = read(pets(',', '.'), &options("kind")).unwrap();
        for (delimiter, decimal) in [(';', ','), (';', '.'), ('\t', '.')] {
            assert_eq!(
                read(pets(delimiter, decimal), &options("kind")).unwrap(),
                plain
            );
        }
        let marked = format!("\u{feff}{}", pets(',', '.').replace('\n', "\r\n"));
        assert_eq!(read(marked, &options("kind")).unwrap(), plain);
    }

    #[test]
    fn numbers_are_told_as_they_are_or_normalised() {
        let text: String = (0..50)
            .map(|row| format!("{},{}\n", row % 7, 1000.5 + f64::from(row)))
            .collect();
        let table = read(&text, &options("2")).unwrap();
        assert!(!table.preparation.header);
        let OwnRows::Numbers(split) = &table.rows else {
            panic!("classes")
        };
        assert_eq!(
            (split.train.len(), split.test.len(), split.train.columns()),
            (40, 10, 1)
        );
        let mut all = [split.train.targets(), split.test.targets()].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!((all[0], all[49]), (1000.5, 1049.5));
        let text_of_part = table.warnings[0].to_string();
        assert!(
            text_of_part.contains("mean squared error"),
            "{text_of_part}"
        );
        let scaled = TableOptions {
            normalise_label: true,
            ..options("2")
        };
        let table = read(&text, &scaled).unwrap();
        let OwnRows::Numbers(split) = &table.rows else {
            panic!("classes")
        };
        let LabelPreparation::Numbers {
            mean, deviation, ..
        } = table.preparation.label
        else {
            panic!("classes")
        };
        let targets = split.train.targets();
        let sum: f32 = targets.iter().sum();
        assert!(sum.abs() < 1e-3 && (mean - 1025.0).abs() < 5.0 && (deviation - 14.4).abs() < 2.0);
        let back = f64::from(targets[0]) * deviation + mean;
        assert!((back.fract() - 0.5).abs() < 1e-3, "{back}");
    }

    #[test]
    fn the_limit_and_the_validation_part_are_of_the_training_rows() {
        let some = TableOptions {
            parting: Parting {
                validation: Share::Count(8),
                ..Parting::default()
            },
            train_limit: Some(10),
            ..options("kind")
        };
        let (split, preparation, _) = classes(read(pets(',', '.'), &some).unwrap());
        let held_out = split.validation.unwrap();
        assert_eq!(
            (split.train.len(), held_out.len(), split.test.len()),
            (10, 8, 8)
        );
        assert_eq!(
            split
                .train
                .labels()
                .iter()
                .filter(|label| **label == 0)
                .count(),
            5
        );
        // The normalisation is that of the ten rows that are left.
        let sum: f32 = (0..10).map(|row| split.train.row(row)[0]).sum();
        assert!(sum.abs() < 1e-5 && preparation.width() >= 5);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let mut text = "id,name,same,x,y\n".to_owned();
        for row in 1..=30 {
            let label = if row == 7 { "" } else { ["a", "b"][row % 2] };
            text += &format!("{row},name {row},0,{},{label}\n", row * row);
        }
        let (split, preparation, warnings) = classes(read(&text, &options("y")).unwrap());
        assert_eq!(preparation.features(), ["x"]);
        assert_eq!(split.train.len() + split.test.len(), 29);
        assert_eq!(
            warnings[..4],
            [
                "column 'y': 1 row without a label is left out, the first in line 8",
                "column 'id' is left out: it numbers the rows, which tells their order in the file",
                "column 'name' is left out: nearly every row has a text of its own there",
                "column 'same' is left out: it is the same in all rows",
            ]
        );
    }

    #[test]
    fn unknown_categories_are_told_and_none_of_the_known() {
        let mut text = "x,y\n".to_owned();
        for row in 0..40 {
            text += &format!("{},{}\n", ["p", "q"][row % 2], ["a", "b"][row % 2]);
        }
        text += "rare,a\n";
        let mut some = options("y");
        let table = (0..50).find_map(|seed| {
            some.parting.seed = seed;
            let (split, _, warnings) = classes(read(&text, &some).unwrap());
            let told = "column 'x': 1 row of the test part has a category that the training part has not ('rare')";
            warnings.iter().any(|warning| warning == told).then_some(split)
        });
        let test = table.unwrap().test;
        assert!((0..test.len()).any(|row| test.row(row) == [0.0, 0.0]));
    }

    #[test]
    fn faults_are_named_with_their_remedy() {
        let fault = |text: &str, label: &str| read(text, &options(label)).unwrap_err();
        assert_eq!(
            fault("x,z\n1,2\n", "y"),
            "own.csv: it has no column 'y'; its columns are 'x', 'z'. Name one of them with --label"
        );
        assert_eq!(
            fault("x,z\n1,2\n", ""),
            "own.csv: it is not said which column is to be told; its columns are 'x', 'z'. Name one of them with --label"
        );
        assert!(fault("1,2\n", "y").ends_with("give the number of one with --label"));
        assert!(
            fault("x,y\n1,NA\n2,?\n", "y")
                .starts_with("own.csv: column 'y' has no label in any row.")
        );
        let text = fault("x,y\n1,a\n1,b\n1,a\n", "y");
        assert!(
            text.starts_with(
                "own.csv: no column is left to learn from (column 'x' is left out: it is the same"
            ),
            "{text}"
        );
        assert!(fault("x,y\n1,2\n", "y").starts_with("parts: 1 to test on"));
        let numbers: String = (0..20).map(|row| format!("{}.5,a\n", row % 9)).collect();
        let text = fault(&format!("x,y\n{numbers}oops,b\n"), "y");
        assert!(
            text.starts_with(
                "own.csv: line 22, column 'x': 'oops' is no number, as 20 of 21 values"
            ),
            "{text}"
        );
        for (numbers, categories, ignore) in [("y", "x", "x"), ("x", "q", "x"), ("x", "x", "q")] {
            let some = TableOptions {
                numbers: vec![numbers.to_owned()],
                categories: vec![categories.to_owned()],
                ignore: vec![ignore.to_owned()],
                ..options("y")
            };
            let text = read("x,y\n1,2\n2,2\n3,1\n4,1\n5,1\n", &some).unwrap_err();
            assert!(
                text.contains("is no column of features; its columns are 'x', 'y'"),
                "{text}"
            );
        }
    }

    #[test]
    fn files_that_are_no_text_are_named() {
        assert!(
            read(b"x;y\nGr\xfc\xdfe;1\n", &options("y"))
                .unwrap_err()
                .contains("iconv -f latin1 -t utf-8 own.csv")
        );
        assert!(
            read(b"PK\x03\x04...", &options("y"))
                .unwrap_err()
                .contains("the spreadsheet as CSV")
        );
        let text = table_file(Path::new("nowhere.csv"), &options("y"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "nowhere.csv: there is no such file. Name a CSV file with --file"
        );
    }

    #[test]
    fn the_kind_of_columns_can_be_given() {
        let mut text = "id,code,y\n".to_owned();
        for row in 1..=20 {
            text += &format!("{row},{},{}\n", row % 3, ["a", "b"][row % 2]);
        }
        let (_, preparation, warnings) = classes(read(&text, &options("y")).unwrap());
        assert_eq!(preparation.features(), ["code"]);
        assert!(
            warnings[0].contains("'id' is left out: it numbers the rows"),
            "{warnings:?}"
        );
        let some = TableOptions {
            numbers: vec!["id".to_owned()],
            categories: vec!["code".to_owned()],
            ..options("y")
        };
        let (_, preparation, _) = classes(read(&text, &some).unwrap());
        assert_eq!(preparation.features(), ["id", "code=0", "code=1", "code=2"]);
        let ignored = TableOptions {
            ignore: vec!["code".to_owned()],
            ..some
        };
        let (_, preparation, _) = classes(read(&text, &ignored).unwrap());
        assert_eq!(preparation.features(), ["id"]);
    }

    #[test]
    fn what_is_stored_prepares_rows_as_training_did() {
        let (split, preparation, _) = classes(read(pets(',', '.'), &options("kind")).unwrap());
        let stored = toml::to_string(&preparation).unwrap();
        let preparation: TablePreparation = toml::from_str(&stored).unwrap();
        // Other columns, in another order, without labels.
        let mut text = "more;ear, cm;colour;weight\n".to_owned();
        for row in 0..40 {
            let ear = if row % 10 == 9 {
                String::new()
            } else {
                format!("{},5", row % 4)
            };
            let colour = ["grey", "black, white", "brown"][row % 3];
            text += &format!("?;{ear};{colour};{}\n", 10 * (row / 20) + row % 5);
        }
        let (folder, file) = written(&text);
        let rows = preparation.rows(&file).unwrap();
        let mut ours: Vec<&[f32]> = rows.chunks(preparation.width()).collect();
        let sets = [&split.train, &split.test];
        let mut theirs: Vec<&[f32]> = sets
            .iter()
            .flat_map(|set| (0..set.len()).map(|row| set.row(row)))
            .collect();
        for rows in [&mut ours, &mut theirs] {
            rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        }
        assert_eq!(ours, theirs);
        fs::write(&file, "colour,weight\nred,1\n").unwrap();
        let text = preparation.rows(&file).unwrap_err().to_string();
        assert!(text.contains("it has no column 'ear, cm', which the network has learned from; its columns are 'colour'"), "{text}");
        fs::write(&file, "colour,weight,\"ear, cm\"\nred,1,2\ngreen,heavy,\n").unwrap();
        let text = preparation.rows(&file).unwrap_err().to_string();
        assert!(
            text.contains("line 3, column 'weight': 'heavy' is no number. Correct it"),
            "{text}"
        );
        drop(folder);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn damaged_files_give_an_answer(cut in 0usize..700, flips in proptest::collection::vec((any::<usize>(), 1u8..), 0..5)) {
            let mut bytes = pets(',', '.').into_bytes();
            bytes.truncate(cut);
            for (at, flip) in flips {
                let length = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at % length) { *byte ^= flip; }
            }
            match read(&bytes, &options("kind")) {
                Ok(OwnTable { rows: OwnRows::Classes(split), preparation, .. }) => {
                    prop_assert_eq!(split.train.columns(), preparation.width());
                }
                Ok(OwnTable { rows: OwnRows::Numbers(split), preparation, .. }) => {
                    prop_assert_eq!(split.train.columns(), preparation.width());
                }
                Err(text) => prop_assert!(text.starts_with("own.csv: ") || text.starts_with("parts: "), "{}", text),
            }
        }
    }
}
