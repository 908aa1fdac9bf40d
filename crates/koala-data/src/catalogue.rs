//! The data sets by name.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Corpus, DataError, Split, cifar10, cifar100, digits, fashion_mnist, imagenet32, mnist,
    penn_treebank, place, text, tiny_shakespeare, wikitext2,
};

/// A data set that the laboratory can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// The embedded 8 x 8 digits, see [`digits`].
    Digits,
    /// Fashion-MNIST, see [`fashion_mnist`].
    FashionMnist,
    /// MNIST, see [`mnist`].
    Mnist,
    /// CIFAR-10, see [`cifar10`].
    Cifar10,
    /// CIFAR-100, see [`cifar100`].
    Cifar100,
    /// ImageNet in 32 x 32, see [`imagenet32`].
    Imagenet32,
    /// The embedded tiny Shakespeare by characters, see [`tiny_shakespeare`].
    TinyShakespeare,
    /// Penn Treebank by words, see [`penn_treebank`].
    Ptb,
    /// WikiText-2 by words, see [`wikitext2`].
    Wikitext2,
    /// Any text file by characters, see [`text`].
    Text,
}

/// What a data set is made of, and so which networks it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataKind {
    /// Labelled images.
    Images,
    /// A row of tokens.
    Text,
}

/// A data set in memory.
#[derive(Debug, Clone, PartialEq)]
// There is one of it, and megabytes behind it: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Data {
    /// Labelled images.
    Images(Split),
    /// A row of tokens.
    Text(Corpus),
}

impl DatasetName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Digits,
        Self::FashionMnist,
        Self::Mnist,
        Self::Cifar10,
        Self::Cifar100,
        Self::Imagenet32,
        Self::TinyShakespeare,
        Self::Ptb,
        Self::Wikitext2,
        Self::Text,
    ];

    /// The data set of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// The name used in configurations and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::FashionMnist => "fashion-mnist",
            Self::Mnist => "mnist",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::Imagenet32 => "imagenet32",
            Self::TinyShakespeare => "tiny-shakespeare",
            Self::Ptb => "ptb",
            Self::Wikitext2 => "wikitext2",
            Self::Text => "text",
        }
    }

    /// What it is made of.
    pub fn kind(self) -> DataKind {
        match self {
            Self::TinyShakespeare | Self::Ptb | Self::Wikitext2 | Self::Text => DataKind::Text,
            _ => DataKind::Images,
        }
    }

    /// Whether it is read from a folder, so that giving one means something.
    pub fn has_folder(self) -> bool {
        !matches!(self, Self::Digits | Self::TinyShakespeare | Self::Text)
    }

    /// Whether it is part of the program.
    pub fn is_embedded(self) -> bool {
        matches!(self, Self::Digits | Self::TinyShakespeare)
    }

    /// The folders that are looked at if none is given, in order.
    pub fn places(self) -> Vec<PathBuf> {
        if !self.has_folder() {
            return Vec::new();
        }
        let own = Path::new("data").join(self.name());
        match self {
            // Where Debian's package puts it.
            Self::FashionMnist => vec![own, PathBuf::from("/usr/share/datasets/fashion-mnist")],
            _ => vec![own],
        }
    }

    /// The folder that has it: `folder`, or else the first of the usual places that does.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if none has, or if it is not read from a folder.
    pub fn find(self, folder: Option<&Path>) -> Result<PathBuf, DataError> {
        place::find(self, folder)
    }

    /// What someone can do who does not have it.
    pub(super) fn remedy(self) -> String {
        let name = self.name();
        let fetch = format!("`koala data fetch {name}`");
        match self {
            Self::Text => "Name a plain UTF-8 text file with --file".to_owned(),
            Self::Imagenet32 => format!(
                "It is given out after registration: {fetch} says where; then name its folder with --data-dir"
            ),
            Self::FashionMnist => format!(
                "{fetch} downloads it to data/{name}, and on Debian and Ubuntu `apt-get install dataset-fashion-mnist` \
                 brings it; or name a folder that has it with --data-dir"
            ),
            _ => format!(
                "{fetch} downloads it to data/{name}; or name a folder that has it with --data-dir"
            ),
        }
    }

    /// Reads the data set. `path` is its folder, or the file of [`DatasetName::Text`]; without it the usual places are
    /// looked at. Of images only the first `limit` of the training part are kept, and of ImageNet32 only the files that
    /// hold them are read; a text is always read whole.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(self, path: Option<&Path>, limit: Option<usize>) -> Result<Data, DataError> {
        let mut data = match self {
            Self::Digits => Data::Images(digits()?),
            Self::FashionMnist => Data::Images(fashion_mnist(path)?),
            Self::Mnist => Data::Images(mnist(path)?),
            Self::Cifar10 => Data::Images(cifar10(path)?),
            Self::Cifar100 => Data::Images(cifar100(path)?),
            Self::Imagenet32 => Data::Images(imagenet32(path, limit)?),
            Self::TinyShakespeare => Data::Text(tiny_shakespeare()?),
            Self::Ptb => Data::Text(penn_treebank(path)?),
            Self::Wikitext2 => Data::Text(wikitext2(path)?),
            Self::Text => Data::Text(text(path)?),
        };
        if let (Data::Images(split), Some(limit)) = (&mut data, limit) {
            split.train.truncate(limit);
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn names_are_those_of_configurations() {
        for dataset in DatasetName::ALL {
            let value = toml::Value::try_from(dataset).unwrap();
            assert_eq!(value.as_str(), Some(dataset.name()));
            assert_eq!(DatasetName::named(dataset.name()), Some(dataset));
        }
        assert_eq!(DatasetName::named("cifar-10"), None);
    }

    #[test]
    fn all_are_read_where_made_ones_are_written() {
        for dataset in DatasetName::ALL {
            let folder = tempfile::tempdir().unwrap();
            let path = sample::write(dataset, folder.path(), 30, 1).unwrap();
            assert_eq!(path.is_none(), dataset.is_embedded());
            let data = dataset.load(path.as_deref(), Some(7)).unwrap();
            match data {
                Data::Images(split) => {
                    assert_eq!((split.train.len(), dataset.kind()), (7, DataKind::Images));
                }
                Data::Text(corpus) => {
                    assert_eq!(dataset.kind(), DataKind::Text);
                    assert!(corpus.train.len() > 100);
                }
            }
            let Some(path) = path else { continue };
            let nowhere = path.join("nowhere");
            assert!(dataset.load(Some(&nowhere), None).is_err());
        }
    }
}
