//! Markdown, with the tables of GitHub.

use super::{Document, Table, Writer, on_one_line, write};
use crate::Comparison;

/// A comparison as a document: a table a workload, the verdict, warnings, and what the verdict rests on.
pub fn document(comparison: &Comparison) -> String {
    write(comparison, &Markdown)
}

pub(super) struct Markdown;

impl Writer for Markdown {
    fn table(&self, out: &mut String, table: &Table) {
        titled(out, "##", table);
    }
}

fn titled(out: &mut String, level: &str, table: &Table) {
    out.push_str(&format!("{level} {}\n\n", escaped(&table.caption)));
    row(out, table.columns.iter().map(|column| column.head.as_str()));
    out.push('|');
    for column in &table.columns {
        out.push_str(if column.numbers { " ---: |" } else { " --- |" });
    }
    out.push('\n');
    for cells in &table.rows {
        row(out, cells.iter().map(String::as_str));
    }
    out.push('\n');
}

impl Document for Markdown {
    fn title(&self, out: &mut String, title: &str) {
        out.push_str(&format!("# {}\n\n", escaped(title)));
    }

    fn remarks(&self, out: &mut String, heading: &str, remarks: &[&str]) {
        out.push_str(&format!("## {}\n\n", escaped(heading)));
        for remark in remarks {
            out.push_str(&format!("- {}\n", escaped(remark)));
        }
        out.push('\n');
    }

    fn appendix(&self, out: &mut String, heading: &str, note: &str, tables: &[Table]) {
        out.push_str(&format!("## {}\n\n{}\n\n", escaped(heading), escaped(note)));
        for table in tables {
            titled(out, "###", table);
        }
    }
}

fn row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    out.push('|');
    for cell in cells {
        let cell = if cell.is_empty() { "–" } else { cell };
        out.push_str(&format!(" {} |", escaped(cell)));
    }
    out.push('\n');
}

/// Every character that means something somewhere in Markdown after a backslash, on one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in on_one_line(text).chars().enumerate() {
        match character {
            '\\' | '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '&' | '~' | '$' | '#' => {
                escaped.extend(['\\', character]);
            }
            // Only there they begin a list.
            '-' | '+' if at == 0 => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}
