//! The names of the data sets, and what is known of each before it is read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::idx_files::PARTS;

/// A data set that the laboratory can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// The embedded 8 x 8 digits, see [`digits`](super::digits).
    Digits,
    /// Fashion-MNIST, see [`fashion_mnist`](super::fashion_mnist).
    FashionMnist,
    /// MNIST, see [`mnist`](super::mnist).
    Mnist,
    /// CIFAR-10, see [`cifar10`](super::cifar10).
    Cifar10,
    /// CIFAR-100, see [`cifar100`](super::cifar100).
    Cifar100,
    /// ImageNet in 32 x 32, see [`imagenet32`](super::imagenet32).
    Imagenet32,
    /// The embedded tiny Shakespeare by characters, see [`tiny_shakespeare`](super::tiny_shakespeare).
    TinyShakespeare,
    /// The same by words, see [`tiny_shakespeare_words`](super::tiny_shakespeare_words).
    TinyShakespeareWords,
    /// Penn Treebank by words, see [`penn_treebank`](super::penn_treebank).
    Ptb,
    /// WikiText-2 by words, see [`wikitext2`](super::wikitext2).
    Wikitext2,
    /// Any text file by characters, see [`text`](super::text).
    Text,
    /// Friedman's first function, made here, see [`friedman`](super::friedman).
    Friedman,
    /// A folder of pictures of one's own, see [`image_folder`](super::image_folder).
    Images,
    /// Pictures of one's own in the files of MNIST, see [`idx_folder`](super::idx_folder).
    Idx,
    /// A CSV file of one's own, see [`table_file`](super::table_file).
    Table,
}

/// What a data set is made of, and so which networks it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataKind {
    /// Labelled images.
    Images,
    /// A row of tokens.
    Text,
    /// Rows of numbers with a number or a class to tell of each.
    Table,
}

impl DatasetName {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Digits,
        Self::FashionMnist,
        Self::Mnist,
        Self::Cifar10,
        Self::Cifar100,
        Self::Imagenet32,
        Self::TinyShakespeare,
        Self::TinyShakespeareWords,
        Self::Ptb,
        Self::Wikitext2,
        Self::Text,
        Self::Friedman,
        Self::Images,
        Self::Idx,
        Self::Table,
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
            Self::TinyShakespeareWords => "tiny-shakespeare-words",
            Self::Ptb => "ptb",
            Self::Wikitext2 => "wikitext2",
            Self::Text => "text",
            Self::Friedman => "friedman",
            Self::Images => "images",
            Self::Idx => "idx",
            Self::Table => "table",
        }
    }

    /// What it is made of.
    pub fn kind(self) -> DataKind {
        match self {
            Self::TinyShakespeare
            | Self::TinyShakespeareWords
            | Self::Ptb
            | Self::Wikitext2
            | Self::Text => DataKind::Text,
            Self::Friedman | Self::Table => DataKind::Table,
            _ => DataKind::Images,
        }
    }

    /// Whether it is read from a folder, so that giving one means something.
    pub fn has_folder(self) -> bool {
        !self.is_embedded() && !matches!(self, Self::Text | Self::Table)
    }

    /// Whether it is the reader's own, so that it is nowhere unless its folder or file is given.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Text | Self::Images | Self::Idx | Self::Table)
    }

    /// Whether it is part of the program, or made by it.
    pub fn is_embedded(self) -> bool {
        matches!(
            self,
            Self::Digits | Self::TinyShakespeare | Self::TinyShakespeareWords | Self::Friedman
        )
    }

    /// The folders that are looked at if none is given, in order.
    pub fn places(self) -> Vec<PathBuf> {
        if !self.has_folder() || self.is_own() {
            return Vec::new();
        }
        let own = Path::new("data").join(self.name());
        match self {
            // Where Debian's package puts it.
            Self::FashionMnist => vec![own, PathBuf::from("/usr/share/datasets/fashion-mnist")],
            _ => vec![own],
        }
    }

    /// What someone can do who does not have it.
    pub(super) fn remedy(self) -> String {
        let name = self.name();
        let fetch = format!("`koala data fetch {name}`");
        match self {
            Self::Text => "Name a plain UTF-8 text file with --file".to_owned(),
            Self::Images => {
                "Name the folder that has one folder of pictures for each class with --data-dir"
                    .to_owned()
            }
            Self::Idx => format!(
                "Name the folder that has {} with --data-dir, each packed by gzip or not",
                PARTS.as_flattened().join(", ")
            ),
            Self::Table => {
                "Name a CSV file with --file, and the column of it that is to be told with --label"
                    .to_owned()
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_configurations() {
        for dataset in DatasetName::ALL {
            let value = toml::Value::try_from(dataset).unwrap();
            assert_eq!(value.as_str(), Some(dataset.name()));
            assert_eq!(DatasetName::named(dataset.name()), Some(dataset));
        }
        assert_eq!(DatasetName::named("cifar-10"), None);
    }
}
