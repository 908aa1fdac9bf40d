//! The data sets by name.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DataError, Split, digits, fashion_mnist, find_fashion_mnist};

/// A data set that the laboratory can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DatasetName {
    /// The embedded 8 x 8 digits, see [`digits`].
    Digits,
    /// Fashion-MNIST from a folder, see [`fashion_mnist`].
    FashionMnist,
}

impl DatasetName {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Digits, Self::FashionMnist];

    /// The name used in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::FashionMnist => "fashion-mnist",
        }
    }

    /// Whether it is read from a folder, so that giving one means something.
    pub fn has_folder(self) -> bool {
        self != Self::Digits
    }

    /// Reads the data set, from `folder` or the places where it usually is.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(self, folder: Option<&Path>) -> Result<Split, DataError> {
        match self {
            Self::Digits => digits(),
            Self::FashionMnist => fashion_mnist(&find_fashion_mnist(folder)?),
        }
    }
}
