//! Plain text for terminals.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table as Aligned};
use koala_system::visible;

use super::{Document, Table, Writer, write};
use crate::Comparison;

/// Columns that lines of words have at most; tables stay below it too, unless a workload has a longer name.
const WIDTH: usize = 110;
/// Characters of a cell that are shown, half of them of its end: names of arms differ there.
const CELL: usize = 19;

/// A comparison for the terminal: a table a workload, the verdict, warnings.
pub fn table(comparison: &Comparison) -> String {
    write(comparison, &Text)
}

/// What tuning chose; nothing if nothing was tuned.
pub fn choices(comparison: &Comparison) -> Option<String> {
    let mut out = String::new();
    Text.table(&mut out, &super::choices(comparison)?);
    Some(out)
}

struct Text;

impl Writer for Text {
    fn table(&self, out: &mut String, table: &Table) {
        wrap(out, "", "  ", &visible(&table.caption));
        let mut aligned = Aligned::new();
        aligned.load_style(NOTHING);
        aligned.set_header(table.columns.iter().map(|column| visible(&column.head)));
        for row in &table.rows {
            aligned.add_row(row.iter().map(|cell| shown(cell)));
        }
        for (column, described) in aligned.column_iter_mut().zip(&table.columns) {
            if described.numbers {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in aligned.trim_fmt().lines() {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
}

impl Document for Text {
    fn title(&self, out: &mut String, title: &str) {
        wrap(out, "", "  ", &visible(title));
        out.push('\n');
    }

    fn remarks(&self, out: &mut String, heading: &str, remarks: &[&str]) {
        out.push_str(heading);
        out.push('\n');
        for remark in remarks {
            wrap(out, "- ", "  ", &visible(remark));
        }
        out.push('\n');
    }

    /// Hundreds of lines: a terminal is told where they are.
    fn appendix(&self, out: &mut String, _: &str, _: &str, tables: &[Table]) {
        let pairs: usize = tables.iter().map(|table| table.rows.len()).sum();
        wrap(
            out,
            "",
            "  ",
            &format!(
                "What the verdict rests on ({pairs} paired differences with intervals and p) stands in the report: koala report FOLDER"
            ),
        );
    }
}

fn shown(cell: &str) -> String {
    let cell = visible(cell);
    if cell.is_empty() {
        "-".to_owned()
    } else {
        shortened(cell)
    }
}

fn shortened(cell: String) -> String {
    let letters: Vec<char> = cell.chars().collect();
    if letters.len() <= CELL {
        return cell;
    }
    let half = CELL / 2;
    let ends = letters[..half].iter().chain(&['…']);
    ends.chain(&letters[letters.len() - half..]).collect()
}

/// Words in lines of at most [`WIDTH`], but for words that are longer themselves.
fn wrap(out: &mut String, first: &str, rest: &str, text: &str) {
    out.push_str(first);
    let mut column = first.len();
    let mut fresh = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !fresh && column + 1 + width > WIDTH {
            out.push('\n');
            out.push_str(rest);
            column = rest.len();
        } else if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        fresh = false;
    }
    out.push('\n');
}
