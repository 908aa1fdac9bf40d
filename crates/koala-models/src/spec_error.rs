//! Options of a network that cannot be.

/// An option of a network that cannot be, with its cause and remedy.
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

/// Checks options of a language model that count something.
pub(super) fn counts(options: &[(&'static str, usize)]) -> Result<(), SpecError> {
    options
        .iter()
        .try_for_each(|&(key, n)| at_most(key, n, MOST))
}

/// Checks an option that counts something, from 1 to `most`.
///
/// # Errors
///
/// [`SpecError`] that names the option.
pub fn at_most(key: &'static str, n: usize, most: usize) -> Result<(), SpecError> {
    if (1..=most).contains(&n) {
        return Ok(());
    }
    Err(SpecError {
        key,
        fault: format!("must be between 1 and {most}, not {n}"),
    })
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
