//! The data set of a run, as configurations write it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{DataError, DatasetName, Split};

/// A data set, by name, with where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DatasetSpec {
    /// The embedded digits.
    Digits {},
    /// Fashion-MNIST.
    FashionMnist {
        /// The folder with the original files; empty for the usual places.
        #[serde(rename = "data-dir")]
        data_dir: String,
    },
}

impl DatasetSpec {
    /// The data set of this name, in its usual place.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "digits" => Some(Self::Digits {}),
            "fashion-mnist" => Some(Self::FashionMnist {
                data_dir: String::new(),
            }),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> DatasetName {
        match self {
            Self::Digits {} => DatasetName::Digits,
            Self::FashionMnist { .. } => DatasetName::FashionMnist,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(&self) -> Result<Split, DataError> {
        let folder = match self {
            Self::Digits {} => None,
            Self::FashionMnist { data_dir } if data_dir.is_empty() => None,
            Self::FashionMnist { data_dir } => Some(Path::new(data_dir)),
        };
        self.name().load(folder)
    }
}
