//! What can be wrong with a stored state.

/// A state that cannot be stored, or stored bytes that are not the state that is asked for. Whoever read them from a file
/// adds its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Bytes that were cut off or changed.
    #[error("the stored {what} is damaged: {reason}; take an earlier copy")]
    Damaged {
        /// What was expected, such as `optimizer state`.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The whole state of something else.
    #[error(
        "the stored {what} is of {found}, not of {expected}; choose what it was stored with, or start anew"
    )]
    Another {
        /// What was expected, such as `optimizer state`.
        what: &'static str,
        /// What stored it.
        found: String,
        /// What is to go on with it.
        expected: String,
    },
    /// A tensor that is missing, too many, or of another shape or type.
    #[error("the stored {what}: tensor '{tensor}' {fault}; was it stored with another network?")]
    Tensor {
        /// What was expected, such as `weights`.
        what: &'static str,
        /// The tensor's name: path of a parameter, for a state followed by `/` and what it is.
        tensor: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Values that could not be read from the device, or have a form that is not stored.
    #[error("the {what} cannot be stored: {reason}")]
    Unstorable {
        /// What was to be stored.
        what: &'static str,
        /// Why not.
        reason: String,
    },
}
