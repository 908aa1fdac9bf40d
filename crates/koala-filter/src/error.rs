//! What can go wrong, each with its cause and its remedy.

use crate::phase::Phase;

/// Result of this crate's fallible operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of the filter and of the dense optimizers. None of them changes any parameter or any state, but for
/// [`Error::TooManyMissing`], which ends its step as any missing measurement does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of a configuration holds a value that the mathematics does not allow.
    #[error("{field} = {value}: must be {requirement}")]
    InvalidField {
        /// Path of the field, such as `options.gain`.
        field: String,
        /// The value found.
        value: String,
        /// What the field may hold.
        requirement: &'static str,
    },

    /// `predict` and `update` must alternate, beginning with `predict`.
    #[error("{called} was called {when}; {remedy}")]
    OutOfPhase {
        /// The operation that was called.
        called: &'static str,
        /// Where in the predict/update cycle it was called.
        when: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },

    /// The number of parameters given is not the number the optimizer was made for.
    #[error(
        "{what}: {found} given, but this optimizer was made for {expected}; pass all of them, in the same order, \
         or make a new optimizer for the new model"
    )]
    CountMismatch {
        /// What was counted.
        what: &'static str,
        /// How many the optimizer holds.
        expected: usize,
        /// How many were given.
        found: usize,
    },

    /// A parameter or gradient has another length than the one the optimizer was made for.
    #[error("{what} of '{name}' has {found} elements, but this optimizer was made for {expected}")]
    LengthMismatch {
        /// Parameter or gradient.
        what: &'static str,
        /// Name of the parameter.
        name: String,
        /// Length the optimizer holds.
        expected: usize,
        /// Length given.
        found: usize,
    },

    /// The layout (names, shapes or partition) is not the one that the state was saved with.
    #[error(
        "the model does not fit this optimizer's state: {difference}; load the state with the model it was saved with, or start anew"
    )]
    LayoutMismatch {
        /// The first difference found.
        difference: String,
    },

    /// An observation without a single loss.
    #[error(
        "the observation holds no loss (count 0); observe the per-sample losses of the minibatch before update"
    )]
    EmptyObservation,

    /// Sums that no losses can have.
    #[error("observation: {field} = {value}: must be {requirement}")]
    InvalidObservation {
        /// The sum or count that is wrong.
        field: &'static str,
        /// The value found.
        value: String,
        /// What it may be.
        requirement: &'static str,
    },

    /// The loss fell below its target under the policy [`NegativeResidual::Error`](crate::NegativeResidual::Error).
    #[error(
        "block '{block}': loss {loss} lies below its target {target}; lower the target, or choose the policy clamp or allow"
    )]
    LossBelowTarget {
        /// Name of the block.
        block: String,
        /// The block's loss, penalty included.
        loss: f64,
        /// The target.
        target: f64,
    },

    /// Too many measurements in a row were missing: the run has most likely diverged.
    #[error(
        "{count} measurements in a row were missing (last cause: {cause}); parameters and filter are as the last good \
         measurement left them, moved by predictions alone; lower the gain or look for the source of non-finite numbers"
    )]
    TooManyMissing {
        /// How many in a row.
        count: u32,
        /// What was not finite in the last of them.
        cause: String,
    },

    /// A stored state that this version cannot read.
    #[error(
        "optimizer state has version {found}; this version of Koala reads {supported}; use the Koala that wrote it, or a newer one"
    )]
    UnsupportedVersion {
        /// Version found.
        found: u32,
        /// Version supported.
        supported: u32,
    },

    /// A stored state that contradicts itself.
    #[error("optimizer state is damaged: {what}; restore it from an earlier checkpoint")]
    DamagedState {
        /// What is wrong.
        what: String,
    },
}

impl Error {
    pub(crate) fn invalid(
        field: impl Into<String>,
        value: impl std::fmt::Debug,
        requirement: &'static str,
    ) -> Self {
        Self::InvalidField {
            field: field.into(),
            value: format!("{value:?}"),
            requirement,
        }
    }

    pub(crate) fn out_of_phase(called: &'static str, phase: Phase) -> Self {
        let (when, remedy) = match phase {
            Phase::Updated => (
                "before predict",
                "call predict on the parameters first, then compute loss and gradients there, then update",
            ),
            Phase::Predicted => (
                "between predict and update",
                "the parameters stand at their prediction; call update first (with the loss and gradients measured there), \
                 or abandon to give the step up",
            ),
        };
        Self::OutOfPhase {
            called,
            when,
            remedy,
        }
    }
}
