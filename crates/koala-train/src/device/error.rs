//! What can be wrong with a device.

/// A text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceNameError {
    /// There is no such back end.
    #[error("no device is called '{name}'{hint}")]
    Unknown {
        /// The text.
        name: String,
        /// The nearest known name, or all of them, in words.
        hint: String,
    },
    /// What follows the colon is no number.
    #[error("'{name}': after {back_end}: comes a number, 0 for the first device")]
    Index {
        /// The text.
        name: String,
        /// What stands before the colon.
        back_end: String,
    },
    /// A number for the processor.
    #[error("'{name}': there is one processor, called cpu")]
    OneProcessor {
        /// The text.
        name: String,
    },
}

/// A device that cannot be had here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// It was left out when the program was built.
    #[error(
        "device {device}: this koala was built without {back_end}. Build one with it: cargo install --path \
         crates/koala-lab --features {back_end}"
    )]
    NotBuilt {
        /// The device asked for.
        device: String,
        /// The back end, which is the name of the missing feature.
        back_end: &'static str,
    },
    /// No driver has one.
    #[error(
        "device {device}: {back_end} finds no device on this machine. Install its driver, or train on another --device"
    )]
    None {
        /// The device asked for.
        device: String,
        /// The back end.
        back_end: &'static str,
    },
    /// Its number is too high.
    #[error("device {device}: {back_end} finds {count} here, the last of them {back_end}:{}", count.saturating_sub(1))]
    NoSuch {
        /// The device asked for.
        device: String,
        /// The back end.
        back_end: &'static str,
        /// How many there are, at least one.
        count: usize,
    },
    /// It is there and does not work.
    #[error(
        "device {device} cannot be used: {cause}. Look after its driver, or train on another --device"
    )]
    Broken {
        /// The device asked for.
        device: String,
        /// What its driver or back end said.
        cause: String,
    },
}
