//! The data set of a run, as configurations write it.

use std::path::Path;

use koala_data::{Augmentation, Data, DataError, DataKind, DatasetName};
use serde::{Deserialize, Serialize};

/// A data set, by name, with where it is and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DatasetSpec {
    /// The embedded digits.
    Digits {
        /// Whether training images are changed at random. Default none.
        augment: Augmentation,
    },
    /// Fashion-MNIST.
    FashionMnist(ImageFolder),
    /// MNIST.
    Mnist(ImageFolder),
    /// CIFAR-10.
    Cifar10(ImageFolder),
    /// CIFAR-100.
    Cifar100(ImageFolder),
    /// ImageNet in 32 x 32.
    Imagenet32(ImageFolder),
    /// The embedded tiny Shakespeare.
    TinyShakespeare {
        /// Tokens of a window, through which gradients go. Default 64.
        window: usize,
    },
    /// The same by words.
    TinyShakespeareWords {
        /// Tokens of a window, through which gradients go. Default 35.
        window: usize,
    },
    /// Penn Treebank.
    Ptb(TextFolder),
    /// WikiText-2.
    Wikitext2(TextFolder),
    /// Any text file.
    Text {
        /// The file.
        file: String,
        /// Tokens of a window, through which gradients go. Default 64.
        window: usize,
    },
    /// Friedman's first function.
    Friedman {},
}

/// Images in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageFolder {
    /// The folder with the original files; empty (default) for the usual places.
    pub data_dir: String,
    /// Whether training images are changed at random. Default none.
    pub augment: Augmentation,
}

/// A text in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TextFolder {
    /// The folder with the original files; empty (default) for the usual places.
    pub data_dir: String,
    /// Tokens of a window, through which gradients go. Default 35.
    pub window: usize,
}

impl Default for TextFolder {
    fn default() -> Self {
        Self {
            data_dir: String::new(),
            window: WORDS,
        }
    }
}

/// Tokens of a window of characters by default.
const CHARACTERS: usize = 64;
/// Tokens of a window of words by default.
const WORDS: usize = 35;
/// Tokens of the longest window.
const LONGEST: usize = 1 << 16;

impl DatasetSpec {
    /// The data set of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        Some(match DatasetName::named(name)? {
            DatasetName::Digits => Self::Digits {
                augment: Augmentation::None,
            },
            DatasetName::FashionMnist => Self::FashionMnist(ImageFolder::default()),
            DatasetName::Mnist => Self::Mnist(ImageFolder::default()),
            DatasetName::Cifar10 => Self::Cifar10(ImageFolder::default()),
            DatasetName::Cifar100 => Self::Cifar100(ImageFolder::default()),
            DatasetName::Imagenet32 => Self::Imagenet32(ImageFolder::default()),
            DatasetName::TinyShakespeare => Self::TinyShakespeare { window: CHARACTERS },
            DatasetName::TinyShakespeareWords => Self::TinyShakespeareWords { window: WORDS },
            DatasetName::Ptb => Self::Ptb(TextFolder::default()),
            DatasetName::Wikitext2 => Self::Wikitext2(TextFolder::default()),
            DatasetName::Text => Self::Text {
                file: String::new(),
                window: CHARACTERS,
            },
            DatasetName::Friedman => Self::Friedman {},
        })
    }

    /// Its name.
    pub fn name(&self) -> DatasetName {
        match self {
            Self::Digits { .. } => DatasetName::Digits,
            Self::FashionMnist(_) => DatasetName::FashionMnist,
            Self::Mnist(_) => DatasetName::Mnist,
            Self::Cifar10(_) => DatasetName::Cifar10,
            Self::Cifar100(_) => DatasetName::Cifar100,
            Self::Imagenet32(_) => DatasetName::Imagenet32,
            Self::TinyShakespeare { .. } => DatasetName::TinyShakespeare,
            Self::TinyShakespeareWords { .. } => DatasetName::TinyShakespeareWords,
            Self::Ptb(_) => DatasetName::Ptb,
            Self::Wikitext2(_) => DatasetName::Wikitext2,
            Self::Text { .. } => DatasetName::Text,
            Self::Friedman {} => DatasetName::Friedman,
        }
    }

    /// What is done to training images at random.
    pub fn augmentation(&self) -> Augmentation {
        match self {
            Self::Digits { augment } => *augment,
            Self::FashionMnist(images)
            | Self::Mnist(images)
            | Self::Cifar10(images)
            | Self::Cifar100(images)
            | Self::Imagenet32(images) => images.augment,
            Self::TinyShakespeare { .. }
            | Self::TinyShakespeareWords { .. }
            | Self::Ptb(_)
            | Self::Wikitext2(_)
            | Self::Text { .. }
            | Self::Friedman {} => Augmentation::None,
        }
    }

    /// Tokens of a window of text; 0 for what is none.
    pub fn window(&self) -> usize {
        match self {
            Self::TinyShakespeare { window }
            | Self::TinyShakespeareWords { window }
            | Self::Text { window, .. } => *window,
            Self::Ptb(text) | Self::Wikitext2(text) => text.window,
            _ => 0,
        }
    }

    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        let texts = self.name().kind() == DataKind::Text;
        (texts && !(1..=LONGEST).contains(&self.window())).then(|| {
            let window = self.window();
            let fault = format!("must be between 1 and {LONGEST}, not {window}");
            ("window", fault)
        })
    }

    /// The folder or file that is given, if one is.
    fn path(&self) -> Option<&Path> {
        let path = match self {
            Self::Digits { .. }
            | Self::TinyShakespeare { .. }
            | Self::TinyShakespeareWords { .. }
            | Self::Friedman {} => "",
            Self::FashionMnist(images)
            | Self::Mnist(images)
            | Self::Cifar10(images)
            | Self::Cifar100(images)
            | Self::Imagenet32(images) => &images.data_dir,
            Self::Ptb(text) | Self::Wikitext2(text) => &text.data_dir,
            Self::Text { file, .. } => file,
        };
        (!path.is_empty()).then(|| Path::new(path))
    }

    /// Reads it, with the first `limit` training images or rows only, see [`DatasetName::load`].
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(&self, limit: Option<usize>) -> Result<Data, DataError> {
        self.name().load(self.path(), limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use koala_data::sample;

    #[test]
    fn every_data_set_has_its_keys_and_reads_back() {
        for dataset in DatasetName::ALL {
            let spec = DatasetSpec::named(dataset.name()).unwrap();
            assert_eq!(spec.name(), dataset);
            assert_eq!(spec.augmentation(), Augmentation::None);
            let stored = toml::Table::try_from(&spec).unwrap();
            assert_eq!(stored["name"].as_str(), Some(dataset.name()));
            assert_eq!(stored.contains_key("data-dir"), dataset.has_folder());
            let images = dataset.kind() == DataKind::Images;
            assert_eq!(stored.contains_key("augment"), images);
            assert_eq!(stored.clone().try_into::<DatasetSpec>().unwrap(), spec);
            let mut unknown = stored;
            unknown.insert("x".to_owned(), 1.into());
            assert!(unknown.try_into::<DatasetSpec>().is_err(), "{dataset:?}");
        }
        assert_eq!(DatasetSpec::named("cifar"), None);
    }

    #[test]
    fn the_folder_that_is_given_is_read() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Cifar10, folder.path(), 10, 0).unwrap();
        let spec = DatasetSpec::Cifar10(ImageFolder {
            data_dir: folder.path().display().to_string(),
            augment: Augmentation::CropFlip,
        });
        let Data::Images(split) = spec.load(Some(3)).unwrap() else {
            panic!("no images")
        };
        assert_eq!(split.train.len(), 3);
        assert_eq!(spec.augmentation(), Augmentation::CropFlip);
    }
}
