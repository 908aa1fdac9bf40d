//! The cells of a CSV file: which character parts them, and whether the first line names the columns.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::value::{is_missing, number};
use crate::DataError;
use crate::warning::listed;

/// What may part cells, the likeliest first: a comma may be one of decimals.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// Rows that the delimiter is told from.
const LOOKED_AT: usize = 50;

/// The cells of a file.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// The names of the columns: those of the first line, or 1, 2 and so on.
    pub names: Vec<String>,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Whether decimals may follow a comma, which they may where semicolons part cells.
    pub comma: bool,
    /// A row each, of as many cells as there are names.
    pub records: Vec<StringRecord>,
    /// The line each row begins in, from 1.
    pub lines: Vec<u64>,
    /// The number of each row in the file, from 0.
    pub numbers: Vec<u32>,
}

/// What is known of the first line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Header<'a> {
    /// It names the columns if this is one of them, or else if none of its cells is a number.
    Guessed(&'a str),
    /// It names the columns, or does not.
    Known(bool),
}

impl Rows {
    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The cells of a column.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.records
            .iter()
            .map(move |record| record.get(column).unwrap_or_default())
    }

    /// Where a cell stands, as messages begin.
    pub fn place(&self, row: usize, column: usize) -> String {
        let line = self.lines.get(row).copied().unwrap_or_default();
        let name = self.names.get(column).map_or("", String::as_str);
        format!("line {line}, column '{name}'")
    }

    /// The columns there are, for a message.
    pub fn columns(&self) -> String {
        format!("its columns are {}", listed(&self.names))
    }

    /// Keeps the rows that are wanted.
    pub fn retain(&mut self, wanted: &[bool]) {
        let kept = |at: usize| wanted.get(at).copied().unwrap_or(true);
        let mut at = 0..;
        self.records.retain(|_| at.next().is_some_and(kept));
        let mut at = 0..;
        self.lines.retain(|_| at.next().is_some_and(kept));
        let mut at = 0..;
        self.numbers.retain(|_| at.next().is_some_and(kept));
    }
}

/// Takes a text apart. The parser skips a byte order mark.
///
/// # Errors
///
/// [`DataError::Own`] if it has no row or one column, two columns have the same name, or a row has another number of cells.
pub(super) fn rows(file: &Path, text: &str, header: Header<'_>) -> Result<Rows, DataError> {
    if text.trim().is_empty() {
        return Err(DataError::own(
            file,
            "it is empty",
            "Name a CSV file with rows in it",
        ));
    }
    let delimiter = delimiter(text);
    let mut records = Vec::new();
    let mut lines = Vec::new();
    for record in parsed(text, delimiter) {
        let Ok(record) = record else {
            // The text is UTF-8 and rows may be of any length: there is no other fault.
            continue;
        };
        lines.push(line(text, &record));
        records.push(record);
    }
    let Some(first) = records.first() else {
        return Err(DataError::own(
            file,
            "it is empty",
            "Name a CSV file with rows in it",
        ));
    };
    let width = first.len();
    if width < 2 {
        return Err(DataError::own(
            file,
            "it has one column, where a label and a feature to tell it from are needed",
            "Part the cells by commas, semicolons or tabs",
        ));
    }
    let header = match header {
        Header::Known(header) => header,
        Header::Guessed(label) => {
            let is_label = |cell: &str| cell.trim() == label && number(label, false).is_none();
            let says_nothing = |cell: &str| number(cell, true).is_none();
            first.iter().any(is_label) || first.iter().all(says_nothing)
        }
    };
    let names = if header {
        let named = records.remove(0);
        lines.remove(0);
        names(file, &named)?
    } else {
        (1..=width).map(|column| column.to_string()).collect()
    };
    if records.is_empty() {
        return Err(DataError::own(
            file,
            "it has the names of columns, but no row below them",
            "Name a CSV file with rows in it",
        ));
    }
    let rows = Rows {
        names,
        header,
        comma: delimiter == b';',
        numbers: (0..).take(records.len()).collect(),
        records,
        lines,
    };
    match rows.records.iter().position(|record| record.len() != width) {
        None => Ok(rows),
        Some(row) => Err(uneven(file, &rows, row, width)),
    }
}

fn parsed(text: &str, delimiter: u8) -> csv::StringRecordsIntoIter<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
        .into_records()
}

/// The line a row begins in. The parser tells where the row before ended, and skips empty lines.
fn line(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else {
        return 0;
    };
    let rest = usize::try_from(position.byte())
        .ok()
        .and_then(|byte| text.get(byte..));
    let empty = rest
        .unwrap_or_default()
        .chars()
        .take_while(|c| "\r\n".contains(*c));
    position.line() + empty.filter(|c| *c == '\n').count() as u64
}

/// The delimiter that parts the most of the first rows into as many cells as the first of them, and at least two; the
/// likeliest of several.
fn delimiter(text: &str) -> u8 {
    let mut best = (0, b',');
    for delimiter in DELIMITERS {
        let counts: Vec<usize> = parsed(text, delimiter)
            .take(LOOKED_AT)
            .filter_map(Result::ok)
            .map(|record| record.len())
            .collect();
        let Some(first) = counts.first().filter(|first| **first > 1) else {
            continue;
        };
        let same = counts.iter().filter(|count| *count == first).count();
        if same > best.0 {
            best = (same, delimiter);
        }
    }
    best.1
}

/// The names of the first line; a column without one is called by its number.
fn names(file: &Path, first: &StringRecord) -> Result<Vec<String>, DataError> {
    let mut names: Vec<String> = Vec::with_capacity(first.len());
    for (at, name) in first.iter().enumerate() {
        let name = match name.trim() {
            "" => format!("column {}", at + 1),
            name => name.to_owned(),
        };
        if let Some(before) = names.iter().position(|known| *known == name) {
            return Err(DataError::own(
                file,
                format!(
                    "its columns {} and {} are both called '{name}'",
                    before + 1,
                    at + 1
                ),
                "Give each column a name of its own",
            ));
        }
        names.push(name);
    }
    Ok(names)
}

/// The fault of a row of another number of cells.
fn uneven(file: &Path, rows: &Rows, row: usize, width: usize) -> DataError {
    let cells = rows.records[row].len();
    let fault = format!(
        "line {}: {cells} cell{}, where {} {width}",
        rows.lines[row],
        if cells == 1 { "" } else { "s" },
        if rows.header {
            "the first line names"
        } else {
            "the first line has"
        },
    );
    // A mark that is never closed takes all that follows for one cell.
    let open = rows.records[row].iter().any(|cell| cell.contains('\n'));
    let empty = rows.records[row].iter().all(is_missing);
    let remedy = if open {
        "Close the quotation mark in that line, or double it if it is meant"
    } else if empty {
        "Remove the line"
    } else {
        "Correct the line: a cell with a delimiter in it wants quotation marks around it"
    };
    DataError::own(file, fault, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Rows {
        rows(Path::new("a.csv"), text, Header::Guessed("y")).unwrap()
    }

    fn fault(text: &str) -> String {
        rows(Path::new("a.csv"), text, Header::Guessed("y"))
            .unwrap_err()
            .to_string()
    }

    fn cells(rows: &Rows) -> Vec<Vec<&str>> {
        rows.records
            .iter()
            .map(|record| record.iter().collect())
            .collect()
    }

    #[test]
    fn commas_semicolons_and_tabs_part_cells() {
        for (text, comma) in [
            ("x,y\n1,a\n2,b\n", false),
            ("x;y\r\n1;a\r\n2;b", true),
            ("x\ty\n1\ta\n2\tb\n", false),
        ] {
            let rows = read(text);
            assert_eq!(
                (rows.names.as_slice(), rows.comma),
                (&["x".to_owned(), "y".to_owned()][..], comma)
            );
            assert_eq!(cells(&rows), [["1", "a"], ["2", "b"]]);
        }
        // Commas within are of decimals, or of quoted text.
        assert_eq!(
            cells(&read("1,5;2,5;3,5\n4,5;5,5;6,5\n")),
            [["1,5", "2,5", "3,5"], ["4,5", "5,5", "6,5"]]
        );
        assert_eq!(
            cells(&read("x,y\n\"a, \"\"b\"\"\",1\n\"two\nlines\",2\n")),
            [["a, \"b\"", "1"], ["two\nlines", "2"]]
        );
        assert_eq!(
            cells(&read("x,y\na;b,1\nc,2\n")),
            [["a;b", "1"], ["c", "2"]]
        );
    }

    #[test]
    fn the_first_line_names_columns_or_is_a_row() {
        assert!(read("x,y\n1,2\n").header);
        assert!(read("\u{feff}x,z\na,b\n").header);
        // Years as names, beside that of the label.
        assert!(read("1990,1991,y\n1,2,3\n").header);
        let rows = read("5.1,3.5,setosa\n4.9,3.0,setosa\n");
        assert_eq!(
            (rows.header, rows.records.len(), rows.column("3")),
            (false, 2, Some(2))
        );
        assert_eq!(rows.place(1, 2), "line 2, column '3'");
        assert_eq!(read(",y\n1,2\n").names, ["column 1", "y"]);
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let rows = read("\nx,y\n1,a\n\n\r\n\"b\nc\",2\n3,d\n");
        assert_eq!(rows.lines, [3, 6, 8]);
        let mut some = rows.clone();
        some.retain(&[true, false, true]);
        assert_eq!(some.numbers, [0, 2]);
        assert_eq!(
            (some.lines.as_slice(), cells(&some)),
            (&[3, 8][..], vec![vec!["1", "a"], vec!["3", "d"]])
        );
    }

    #[test]
    fn faults_are_named_with_line_and_remedy() {
        for empty in ["", "\n \n", "\u{feff}"] {
            assert_eq!(
                fault(empty),
                "a.csv: it is empty. Name a CSV file with rows in it"
            );
        }
        assert!(
            fault("x,y\n")
                .starts_with("a.csv: it has the names of columns, but no row below them.")
        );
        assert!(fault("x\n1\n").starts_with("a.csv: it has one column, where a label"));
        assert_eq!(
            fault("x,y\n1,2\n\n1,2,3\n"),
            "a.csv: line 4: 3 cells, where the first line names 2. Correct the line: a cell with a delimiter in it wants \
             quotation marks around it"
        );
        assert!(fault("x,y\n1,2\n\"3,4\n5,6\n").ends_with("line 3: 1 cell, where the first line names 2. Close the quotation \
                                                            mark in that line, or double it if it is meant"));
        assert_eq!(
            fault("x,x,y\n1,2,3\n"),
            "a.csv: its columns 1 and 2 are both called 'x'. Give each column a name of its own"
        );
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "[xy1,;\t\"\r\n é]{0,60}") {
            if let Ok(rows) = rows(Path::new("a"), &text, Header::Guessed("y")) {
                prop_assert_eq!(rows.lines.len(), rows.records.len());
                prop_assert!(rows.records.iter().all(|record| record.len() == rows.names.len()));
                prop_assert!(rows.lines.is_sorted());
            }
        }
    }
}
