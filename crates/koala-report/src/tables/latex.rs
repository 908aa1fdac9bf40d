//! LaTeX, with the packages `booktabs` and `longtable`.

use super::{Document, Table, Writer, on_one_line, write};
use crate::Comparison;

/// A comparison as a part of a document: a floating table a workload, the verdict, warnings, and what the verdict rests on in
/// tables that may go over pages. The document has to load `booktabs` and `longtable`, and with names beyond Latin letters to be
/// set by LuaLaTeX or XeLaTeX.
pub fn document(comparison: &Comparison) -> String {
    write(comparison, &Latex)
}

pub(super) struct Latex;

impl Writer for Latex {
    fn table(&self, out: &mut String, table: &Table) {
        out.push_str(&format!(
            "\\begin{{table}}\n\\centering{}\\setlength{{\\tabcolsep}}{{3pt}}\n",
            size(table)
        ));
        out.push_str(&format!("\\caption{{{}}}\n", escaped(&table.caption)));
        out.push_str(&format!(
            "\\begin{{tabular}}{{@{{}}{}@{{}}}}\n\\toprule\n",
            columns(table)
        ));
        head(out, table);
        out.push_str("\\midrule\n");
        body(out, table);
        out.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n\n");
    }
}

/// Letters of a cell that are put on one line.
const CELL: usize = 26;
/// Letters of `\footnotesize` in a line, with what is between columns.
const LINE: usize = 72;

/// Letters with which a table fits an article's page.
fn size(table: &Table) -> &'static str {
    let columns = 0..table.columns.len();
    let width: usize = columns.map(|at| longest(table, at).min(CELL)).sum();
    if width > LINE {
        "\\scriptsize"
    } else {
        "\\footnotesize"
    }
}

fn longest(table: &Table, at: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.get(at));
    let head = table.columns.get(at).map(|column| &column.head);
    let widths = cells.chain(head).map(|cell| cell.chars().count());
    widths.max().unwrap_or(0)
}

fn columns(table: &Table) -> String {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| match column.numbers {
            true => "r",
            false if longest(table, at) > CELL => "p{2.9cm}",
            false => "l",
        })
        .collect()
}

fn head(out: &mut String, table: &Table) {
    row(out, table.columns.iter().map(|column| column.head.as_str()));
}

fn body(out: &mut String, table: &Table) {
    for cells in &table.rows {
        row(out, cells.iter().map(String::as_str));
    }
}

/// A table that may go over pages, with its head on each.
fn long(out: &mut String, table: &Table) {
    out.push_str(&format!(
        "\\begin{{longtable}}{{@{{}}{}@{{}}}}\n",
        columns(table)
    ));
    out.push_str(&format!(
        "\\caption{{{}}}\\\\\n\\toprule\n",
        escaped(&table.caption)
    ));
    head(out, table);
    out.push_str("\\midrule\n\\endfirsthead\n\\toprule\n");
    head(out, table);
    out.push_str("\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n");
    body(out, table);
    out.push_str("\\end{longtable}\n\n");
}

impl Document for Latex {
    fn title(&self, out: &mut String, title: &str) {
        out.push_str(&format!("\\section*{{{}}}\n\n", escaped(title)));
    }

    fn remarks(&self, out: &mut String, heading: &str, remarks: &[&str]) {
        out.push_str(&format!("\\subsection*{{{}}}\n\n", escaped(heading)));
        out.push_str("\\begin{itemize}\n");
        for remark in remarks {
            out.push_str(&format!("\\item {}\n", escaped(remark)));
        }
        out.push_str("\\end{itemize}\n\n");
    }

    fn appendix(&self, out: &mut String, heading: &str, note: &str, tables: &[Table]) {
        out.push_str(&format!(
            "\\subsection*{{{}}}\n\n{}\n\n",
            escaped(heading),
            escaped(note)
        ));
        for table in tables {
            out.push_str(&format!(
                "{{{}\\setlength{{\\tabcolsep}}{{3pt}}\n",
                size(table)
            ));
            long(out, table);
            out.push_str("}\n\n");
        }
    }
}

fn row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<String> = cells
        .map(|cell| {
            if cell.is_empty() {
                "--".to_owned()
            } else {
                escaped(cell)
            }
        })
        .collect();
    out.push_str(&cells.join(" & "));
    out.push_str(" \\\\\n");
}

/// Every character that LaTeX reads otherwise, as the command that prints it, on one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in on_one_line(text).chars() {
        match character {
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '`' => escaped.push_str("\\textasciigrave{}"),
            '±' => escaped.push_str("$\\pm$"),
            '≤' => escaped.push_str("$\\le$"),
            '≥' => escaped.push_str("$\\ge$"),
            // After the end of a row or `\item` they would be its arguments.
            '[' | ']' | '*' => escaped.extend(['{', character, '}']),
            _ => escaped.push(character),
        }
    }
    escaped
}
