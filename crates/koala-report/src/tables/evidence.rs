//! What the verdict rests on, pair by pair.

use super::{Column, Table};
use crate::compare::{interval, probability, signed};
use crate::{Comparison, Evidence, Measure, Sentence};

/// A table for each sentence that rests on pairs.
pub(super) fn tables(comparison: &Comparison) -> Vec<Table> {
    let told = comparison.verdict.iter();
    told.filter_map(|sentence| of(comparison, sentence))
        .collect()
}

/// What a sentence rests on; nothing if it rests on no pairs.
pub(crate) fn of(comparison: &Comparison, sentence: &Sentence) -> Option<Table> {
    let mut workloads = comparison.workloads.iter();
    let workload = workloads.find(|workload| Some(&workload.name) == sentence.workload.as_ref())?;
    (!sentence.evidence.is_empty()).then(|| table(sentence, workload.measure))
}

fn table(sentence: &Sentence, measure: Measure) -> Table {
    Table {
        caption: sentence.subject.clone(),
        columns: vec![
            Column::words("optimizer"),
            Column::words("against"),
            Column::numbers(measure.difference()),
            Column::numbers("95 % interval"),
            Column::numbers("n"),
            Column::numbers("p, signs"),
            Column::numbers("p, t, Holm"),
            Column::words("finding"),
        ],
        rows: sentence
            .evidence
            .iter()
            .map(|pair| row(pair, measure.digits()))
            .collect(),
    }
}

fn row(pair: &Evidence, digits: usize) -> Vec<String> {
    let told = |value: Option<String>| value.unwrap_or_default();
    vec![
        pair.optimizer.clone(),
        pair.against.clone(),
        told(pair.difference.map(|mean| signed(mean, digits))),
        told(pair.interval.map(|ends| interval(ends, digits))),
        match pair.standing {
            crate::Standing::Same => String::new(),
            _ => pair.n.to_string(),
        },
        told(pair.p.map(probability)),
        told(pair.adjusted.map(probability)),
        pair.standing.words().to_owned(),
    ]
}
