//! Finding and reading the data sets by name.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Corpus, DataError, DatasetName, IdxOptions, ImageFolderOptions, LabelledTable, Loaded,
    SampleSet, Split, Table, TableOptions, cifar10_limited, cifar100_limited, digits,
    fashion_mnist, friedman, idx_folder, image_folder, imagenet32, mnist, penn_treebank, place,
    table_file, text, tiny_shakespeare, tiny_shakespeare_words, wikitext2,
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
    /// Rows of numbers with a class each.
    Labelled(Split<LabelledTable>),
}

/// How many samples the parts of a data set have: images, tokens of a text, or rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartSizes {
    /// To train on.
    pub train: usize,
    /// To choose by.
    pub validation: usize,
    /// To test on.
    pub test: usize,
}

impl Data {
    /// How many samples its parts have.
    pub fn sizes(&self) -> PartSizes {
        fn of<S: SampleSet>(split: &Split<S>) -> PartSizes {
            PartSizes {
                train: split.train.len(),
                validation: split.validation.as_ref().map_or(0, SampleSet::len),
                test: split.test.len(),
            }
        }
        match self {
            Self::Images(split) => of(split),
            Self::Table(split) => of(split),
            Self::Labelled(split) => of(split),
            Self::Text(corpus) => PartSizes {
                train: corpus.train.len(),
                validation: corpus.validation.len(),
                test: corpus.test.len(),
            },
        }
    }

    /// Holds the last `count` training samples out, see [`Split::hold_out`]; of a text none, since it has its own.
    pub fn hold_out(&mut self, count: usize) {
        match self {
            Self::Images(split) => split.hold_out(count),
            Self::Table(split) => split.hold_out(count),
            Self::Labelled(split) => split.hold_out(count),
            Self::Text(_) => {}
        }
    }
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
    /// the files that hold them are read; a text is always read whole. Data of one's own are read with the readers' defaults, so
    /// that of [`DatasetName::Table`] it is not said what is to be told: [`table_file`] is.
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
            Self::Images => {
                let options = ImageFolderOptions {
                    train_limit: limit,
                    ..ImageFolderOptions::default()
                };
                Loaded::from(image_folder(self.given(path)?, &options)?).data
            }
            Self::Idx => {
                let options = IdxOptions {
                    train_limit: limit,
                    ..IdxOptions::default()
                };
                Loaded::from(idx_folder(self.given(path)?, &options)?).data
            }
            Self::Table => {
                let options = TableOptions {
                    train_limit: limit,
                    ..TableOptions::default()
                };
                Loaded::from(table_file(self.given(path)?, &options)?).data
            }
        };
        match (&mut data, limit) {
            (Data::Images(split), Some(limit)) => split.train.truncate(limit),
            (Data::Table(split), Some(limit)) => split.train.truncate(limit),
            // Rows with classes are cut by their reader.
            (Data::Text(_) | Data::Labelled(_), _) | (_, None) => {}
        }
        Ok(data)
    }

    /// The folder or file of a data set that is nowhere unless it is given.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if it is not.
    pub fn given(self, path: Option<&Path>) -> Result<&Path, DataError> {
        let what = if self.has_folder() { "folder" } else { "file" };
        path.ok_or_else(|| place::missing(self, what, Vec::new()))
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
            if dataset == DatasetName::Table {
                // What is to be told of it is for its reader to be said.
                let text = dataset.load(path.as_deref(), None).unwrap_err().to_string();
                assert!(
                    text.contains("it is not said which column is to be told"),
                    "{text}"
                );
                continue;
            }
            let data = dataset.load(path.as_deref(), Some(7)).unwrap();
            assert_eq!(data.sizes().train == 7, dataset.kind() != DataKind::Text);
            match data {
                Data::Images(split) => {
                    assert_eq!((split.train.len(), dataset.kind()), (7, DataKind::Images));
                }
                Data::Text(corpus) => {
                    assert_eq!(dataset.kind(), DataKind::Text);
                    assert!(corpus.train.len() > 100);
                }
                Data::Labelled(_) => panic!("no table of classes is given"),
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
