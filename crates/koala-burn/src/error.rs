//! What can go wrong, and what to do about it.

use std::path::PathBuf;

/// Result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of the optimizer for Burn modules. None of them changes the model or the optimizer, but for
/// [`TooManyMissing`](koala_filter::Error::TooManyMissing), which ends its step as any missing measurement does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the filter: a configuration that is not valid, predict and update out of turn, a damaged state.
    #[error(transparent)]
    Core(#[from] koala_filter::Error),

    /// A model without a parameter that requires a gradient.
    #[error(
        "the model has no parameter that requires a gradient; build it on an autodiff device (device.autodiff()), or \
         call train() on a model that valid() returned"
    )]
    NothingToTrain,

    /// The model's parameters are not those that the optimizer was made for.
    #[error(
        "the model is not the one this optimizer was made for: {difference}; pass the model it was made with, freeze \
         parameters with Group::frozen, or make a new optimizer"
    )]
    ModelChanged {
        /// The first difference found.
        difference: String,
    },

    /// `update` with a model that `predict` did not see.
    #[error(
        "update was called with another model than predict: '{parameter}' is not the same parameter; call predict and \
         update on one and the same model"
    )]
    AnotherModel {
        /// Path of the first parameter that differs.
        parameter: String,
    },

    /// Gradients of another model.
    #[error(
        "none of the {count} gradients belongs to a parameter of this model; make them with \
         GradientsParams::from_grads(loss.backward(), &model) from the model that predict was called on"
    )]
    ForeignGradients {
        /// Number of gradients given.
        count: usize,
    },

    /// A gradient that has not its parameter's shape.
    #[error("the gradient of '{parameter}' has shape {found:?}, the parameter {expected:?}")]
    GradientShape {
        /// Path of the parameter.
        parameter: String,
        /// Its shape.
        expected: Vec<usize>,
        /// The gradient's shape.
        found: Vec<usize>,
    },

    /// A bound on the gradients' norm that cannot be.
    #[error(
        "cannot clip gradients to a norm of {limit}: give 0 or more, or infinity to leave them as they are"
    )]
    ClipLimit {
        /// The bound.
        limit: f64,
    },

    /// A pattern that is not a glob.
    #[error(
        "group pattern '{pattern}': {reason}; a pattern is a glob over the parameter's path, such as '**.bias'"
    )]
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A group that holds no parameter, most likely a misspelt pattern.
    #[error("{group} matches no parameter; the model has {examples}")]
    EmptyGroup {
        /// The group's pattern or number.
        group: String,
        /// A few paths of the model.
        examples: String,
    },

    /// A device that failed while results were read from it.
    #[error("reading results back from the device failed: {reason}")]
    ReadBack {
        /// What the device reported.
        reason: String,
    },

    /// A file that could not be read or written.
    #[error("could not {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },

    /// A stored state that is not one, or is damaged.
    #[error(
        "{origin} is not a whole Koala optimizer state: {reason}; restore it from an earlier checkpoint"
    )]
    DamagedState {
        /// The file, or what else it was read from.
        origin: String,
        /// What is wrong.
        reason: String,
    },

    /// A vector of a stored state that is missing or does not fit.
    #[error("{origin}: tensor '{tensor}' {reason}; restore the state from an earlier checkpoint")]
    DamagedTensor {
        /// The file, or what else it was read from.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A stored state of another optimizer than the one that is to go on with it.
    #[error(
        "{origin} was saved by another optimizer: {difference}; make the optimizer with the configuration and groups of \
         the saved run, or take everything from the file with Koala::load"
    )]
    AnotherOptimizer {
        /// The file, or what else it was read from.
        origin: String,
        /// The first difference found.
        difference: String,
    },
}
