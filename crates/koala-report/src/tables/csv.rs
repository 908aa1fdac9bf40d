//! Comma-separated values (RFC 4180, with line ends of one character), all digits kept, for other programs.
//!
//! Spreadsheets take text that begins with `=`, `+`, `-` or `@` for a formula, and names come from people: such text has an
//! apostrophe before it. Numbers are left as they are.

use koala_system::visible_lines;

use super::{Column, Table, Writer, data, tidy};
use crate::Comparison;

/// Every reported run in a row, every measure in a column.
pub fn runs(comparison: &Comparison) -> String {
    written(&data::runs(comparison))
}

/// Every arm in a row, summed up over its seeds.
pub fn arms(comparison: &Comparison) -> String {
    written(&data::arms(comparison))
}

/// Every arm against the reference in a row; nothing if there is no reference.
pub fn reference(comparison: &Comparison) -> Option<String> {
    let reference = comparison.reference.as_ref()?;
    Some(written(&tidy::arms(reference)))
}

/// Every arm against the reference on every workload in a row; nothing if there is no reference.
pub fn ratios(comparison: &Comparison) -> Option<String> {
    let reference = comparison.reference.as_ref()?;
    Some(written(&tidy::ratios(reference)))
}

fn written(table: &Table) -> String {
    let mut out = String::new();
    Csv.table(&mut out, table);
    out
}

pub(super) struct Csv;

impl Writer for Csv {
    fn table(&self, out: &mut String, table: &Table) {
        row(out, table.columns.iter().map(|column| column.head.as_str()));
        for cells in &table.rows {
            let cells: Vec<String> = table.columns.iter().zip(cells).map(harmless).collect();
            row(out, cells.iter().map(String::as_str));
        }
    }
}

fn row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<String> = cells.map(|cell| quoted(&visible_lines(cell))).collect();
    out.push_str(&cells.join(","));
    out.push('\n');
}

fn harmless((column, cell): (&Column, &String)) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !column.numbers {
        true => format!("'{cell}"),
        false => cell.clone(),
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
