//! A whole comparison: the answer, arms against the reference if there is one, a table a workload, what tuning chose, what may be said, what it rests on, and what one should know before believing it.

use super::{Table, Writer, arms, choices, evidence, reference};
use crate::Comparison;
use crate::compare::BY_ITSELF;

/// A notation of more than tables.
pub(super) trait Document: Writer {
    /// Appends the title of all.
    fn title(&self, out: &mut String, title: &str);

    /// Appends remarks below a heading.
    fn remarks(&self, out: &mut String, heading: &str, remarks: &[&str]);

    /// Appends tables below a heading, with a note on all of them.
    fn appendix(&self, out: &mut String, heading: &str, note: &str, tables: &[Table]);
}

/// A comparison in a notation.
pub(super) fn write(comparison: &Comparison, notation: &impl Document) -> String {
    let mut out = String::new();
    notation.title(&mut out, &comparison.name);
    let overview = &comparison.overview;
    let answers: Vec<&str> = [&overview.answer, &overview.grounds]
        .into_iter()
        .chain(&overview.at_other_lengths)
        .map(String::as_str)
        .filter(|line| !line.is_empty())
        .collect();
    notation.remarks(&mut out, "The answer", &answers);
    if let Some(against) = &comparison.reference {
        for table in reference(against, true) {
            notation.table(&mut out, &table);
        }
        let notes: Vec<&str> = against.notes.iter().map(String::as_str).collect();
        notation.remarks(&mut out, "How to read these ratios", &notes);
    }
    for workload in &comparison.workloads {
        notation.table(&mut out, &arms::table(workload));
    }
    if let Some(table) = choices::table(comparison) {
        notation.table(&mut out, &table);
    }
    let verdict = comparison.verdict.iter().map(|sentence| &*sentence.text);
    let warnings = comparison.warnings.iter().map(String::as_str);
    for (heading, remarks) in [
        ("Verdict", verdict.collect::<Vec<&str>>()),
        ("Warnings", warnings.collect()),
    ] {
        if !remarks.is_empty() {
            notation.remarks(&mut out, heading, &remarks);
        }
    }
    let tables = evidence::tables(comparison);
    if !tables.is_empty() {
        notation.appendix(&mut out, "Evidence", BY_ITSELF, &tables);
    }
    out
}
