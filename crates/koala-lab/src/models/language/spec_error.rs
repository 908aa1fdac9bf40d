//! Options of a language model that cannot be.

/// An option of a language model that cannot be, with its cause and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {fault}")]
pub struct SpecError {
    /// The option.
    pub key: &'static str,
    /// What is wrong with it.
    pub fault: String,
}

/// Most of anything that a language model's options count.
const MOST: usize = 1 << 20;

/// Checks options that count something.
pub(super) fn counts(options: &[(&'static str, usize)]) -> Result<(), SpecError> {
    match options.iter().find(|(_, n)| !(1..=MOST).contains(n)) {
        None => Ok(()),
        Some((key, n)) => Err(SpecError {
            key,
            fault: format!("must be between 1 and {MOST}, not {n}"),
        }),
    }
}

/// Checks a share of values to drop.
pub(super) fn dropout(probability: f64) -> Result<(), SpecError> {
    if (0.0..1.0).contains(&probability) {
        return Ok(());
    }
    Err(SpecError {
        key: "dropout",
        fault: format!("must be in [0, 1), not {probability}"),
    })
}

/// Checks that the heads of attention share the channels evenly.
pub(super) fn heads(heads: usize, width: usize) -> Result<(), SpecError> {
    if width.is_multiple_of(heads) {
        return Ok(());
    }
    Err(SpecError {
        key: "heads",
        fault: format!("must divide the width {width}, which {heads} does not"),
    })
}
