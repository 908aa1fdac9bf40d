//! A comparison at a glance.

use serde::Serialize;

use crate::{ArmKind, MeanRatio};

/// A comparison at a glance: each optimizer in one arm, tuned where it was tuned.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Overview {
    /// The answer in a line: how the first KOALA arm stands against the reference, or against the best of the others if there is
    /// none; without any of these, who has the lowest means.
    pub answer: String,
    /// The numbers behind it.
    pub grounds: String,
    /// The answer at other lengths, a line each.
    pub at_other_lengths: Vec<String>,
    /// The arms that are held against each other, in the suite's order.
    pub field: Vec<Entrant>,
    /// Every pair of them, the first standing before the second in the field.
    pub duels: Vec<Duel>,
    /// The field against the reference of the answer, over all workloads of the answer's length; nothing without one.
    pub over_all: Option<OverAll>,
}

/// The field against a reference, over all workloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverAll {
    /// The reference as it stands in a sentence.
    pub against: String,
    /// How many workloads there are.
    pub workloads: usize,
    /// Their length as a multiple of their own, where there are several lengths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<f64>,
    /// In the order of the field; nothing for an arm that is nowhere held against it.
    pub arms: Vec<Option<OverAllOf>>,
}

impl OverAll {
    /// "all 12 problems", and at which length.
    pub(crate) fn problems(&self) -> String {
        let (problems, their) = match self.workloads {
            1 => ("the problem".to_owned(), "its"),
            several => (format!("all {several} problems"), "their"),
        };
        match self.length {
            None => problems,
            Some(1.0) => format!("{problems} at {their} own length"),
            Some(factor) => format!("{problems} at {factor} times {their} length"),
        }
    }
}

/// An arm against a reference, over all workloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverAllOf {
    /// The geometric mean of its ratios.
    pub result: MeanRatio,
    /// The ratio on each workload that has one, by name.
    pub on: Vec<(String, f64)>,
    /// On how many workloads it fails.
    pub fails: usize,
}

/// An arm of the field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Entrant {
    /// Its name, which is that of the optimizer for one as it is.
    pub optimizer: String,
    /// The optimizer, where it is a configuration of it under another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether it was tuned.
    pub kind: ArmKind,
}

/// Two arms of the field over all workloads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Duel {
    /// Number of the first in the field.
    pub first: usize,
    /// Number of the second.
    pub second: usize,
    /// Workloads on which the first is better, by the interval of the paired differences; and on which it came to its end with every
    /// seed where the second failed with every seed.
    pub better: Verdicts,
    /// The same the other way round.
    pub worse: Verdicts,
    /// Workloads on which they cannot be told apart.
    pub undecided: usize,
    /// Workloads on which there are too few seeds of both to say anything.
    pub unknown: usize,
}

/// How often something was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// On so many workloads.
    pub all: usize,
    /// On so many of them also when p is adjusted (Holm) for all pairs of the field there.
    pub adjusted: usize,
}
