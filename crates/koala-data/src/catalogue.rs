//! Finding and reading the data sets by name.

use std::path::{Path, PathBuf};

use super::{
    Corpus, DataError, DatasetName, SampleSet, Split, Table, cifar10_limited, cifar100_limited,
    digits, fashion_mnist, friedman, imagenet32, mnist, penn_treebank, place, text,
    tiny_shakespeare, tiny_shakespeare_words, wikitext2,
};

/// A data set in memory.
#[derive(Debug, Clone, PartialEq)]
// There is one of it, and megabytes behind it: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Data {
    /// Labelled images.
    Images(Split),
    /// A row of tokens.
    Text(Corpus),
    /// Rows of numbers with a target each.
    Table(Split<Table>),
}

impl DatasetName {
    /// The folder that has it: `folder`, or else the first of the usual places that does.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if none has, or if it is not read from a folder.
    pub fn find(self, folder: Option<&Path>) -> Result<PathBuf, DataError> {
        place::find(self, folder)
    }

    /// Reads the data set. `path` is its folder, or the file of [`DatasetName::Text`]; without it the usual places are
    /// looked at. Of images and rows only the first `limit` of the training part are kept, and of CIFAR and ImageNet32 only
    /// the files that hold them are read; a text is always read whole.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(self, path: Option<&Path>, limit: Option<usize>) -> Result<Data, DataError> {
        let mut data = match self {
            Self::Digits => Data::Images(digits()?),
            Self::FashionMnist => Data::Images(fashion_mnist(path)?),
            Self::Mnist => Data::Images(mnist(path)?),
            Self::Cifar10 => Data::Images(cifar10_limited(path, limit)?),
            Self::Cifar100 => Data::Images(cifar100_limited(path, limit)?),
            Self::Imagenet32 => Data::Images(imagenet32(path, limit)?),
            Self::TinyShakespeare => Data::Text(tiny_shakespeare()?),
            Self::TinyShakespeareWords => Data::Text(tiny_shakespeare_words()?),
            Self::Ptb => Data::Text(penn_treebank(path)?),
            Self::Wikitext2 => Data::Text(wikitext2(path)?),
            Self::Text => Data::Text(text(path)?),
            Self::Friedman => Data::Table(friedman()?),
        };
        match (&mut data, limit) {
            (Data::Images(split), Some(limit)) => split.train.truncate(limit),
            (Data::Table(split), Some(limit)) => split.train.truncate(limit),
            (Data::Text(_), _) | (_, None) => {}
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataKind, sample};

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
                Data::Table(split) => {
                    assert_eq!((split.train.len(), dataset.kind()), (7, DataKind::Table));
                }
            }
            let Some(path) = path else { continue };
            let nowhere = path.join("nowhere");
            assert!(dataset.load(Some(&nowhere), None).is_err());
        }
    }
}
