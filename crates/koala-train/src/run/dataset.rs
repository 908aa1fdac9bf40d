//! The data set of a run, as configurations write it.

use std::path::Path;

use koala_data::{
    Augmentation, DataError, DataKind, DatasetName, IdxOptions, ImageFolderOptions, LabelKind,
    Loaded, Parting, Share, TableOptions, idx_folder, image_folder, table_file, text,
};
use serde::{Deserialize, Serialize};

use crate::own::{OwnData, stored_beside_own};

/// A data set, by name, with where it is and what is done to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    tag = "name",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
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
    /// A folder of pictures of one's own.
    Images(OwnPictures),
    /// Pictures of one's own in the files of MNIST.
    Idx(OwnIdx),
    /// A CSV file of one's own.
    Table(OwnTable),
    /// Samples of your own in memory, which no file can name.
    #[serde(skip)]
    Own(OwnData),
}

stored_beside_own!(DatasetSpec);

/// Where a data set comes from.
pub(super) enum Origin<'a> {
    /// It is known by name.
    Catalogue(DatasetName),
    /// The program has it.
    Own(&'a OwnData),
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

/// A folder of pictures of one's own, one folder a class; see [`image_folder`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnPictures {
    /// The folder.
    pub data_dir: String,
    /// The side of the square that every picture becomes; 0 (default) to leave them as they are, all of the same size.
    pub image_size: usize,
    /// Whether training images are changed at random. Default none.
    pub augment: Augmentation,
    /// The fraction that is tested on, if no folder says which pictures are. Default 0.2.
    pub test_share: f64,
    /// What the pictures of each part are drawn by, whatever the run's seed is. Default 0.
    pub parting_seed: u64,
}

/// Pictures of one's own in the files of MNIST; see [`idx_folder`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnIdx {
    /// The folder.
    pub data_dir: String,
    /// Whether training images are changed at random. Default none.
    pub augment: Augmentation,
    /// What is held out is drawn by it, whatever the run's seed is. Default 0.
    pub parting_seed: u64,
}

/// A CSV file of one's own; see [`table_file`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnTable {
    /// The file.
    pub file: String,
    /// The column that is to be told: its name, or its number from 1 if the first line names none.
    pub label: String,
    /// Whether that is of classes or a number. Default as it looks.
    pub label_kind: LabelKind,
    /// Columns of numbers, whatever they look like. Default none.
    pub numbers: Vec<String>,
    /// Columns of categories, whatever they look like. Default none.
    pub categories: Vec<String>,
    /// Columns that are not learned from. Default none.
    pub ignore: Vec<String>,
    /// Whether a number to tell is learned as (number - mean) / deviation, by the training part, so that its unit does not matter.
    /// Default true.
    pub normalise_label: bool,
    /// The fraction of the rows that is tested on. Default 0.2.
    pub test_share: f64,
    /// What the rows of each part are drawn by, whatever the run's seed is. Default 0.
    pub parting_seed: u64,
}

/// The fraction of data of one's own that is tested on by default.
const TEST_SHARE: f64 = 0.2;

impl Default for OwnPictures {
    fn default() -> Self {
        Self {
            data_dir: String::new(),
            image_size: 0,
            augment: Augmentation::None,
            test_share: TEST_SHARE,
            parting_seed: 0,
        }
    }
}

impl Default for OwnTable {
    fn default() -> Self {
        Self {
            file: String::new(),
            label: String::new(),
            label_kind: LabelKind::Detected,
            numbers: Vec::new(),
            categories: Vec::new(),
            ignore: Vec::new(),
            normalise_label: true,
            test_share: TEST_SHARE,
            parting_seed: 0,
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
            DatasetName::Images => Self::Images(OwnPictures::default()),
            DatasetName::Idx => Self::Idx(OwnIdx::default()),
            DatasetName::Table => Self::Table(OwnTable::default()),
        })
    }

    /// The names of the data sets that have this option.
    pub(crate) fn having(option: &str) -> Vec<&'static str> {
        let has = |name: &&str| {
            let spec = Self::named(name).and_then(|spec| toml::Table::try_from(spec).ok());
            spec.is_some_and(|keys| option != "name" && keys.contains_key(option))
        };
        DatasetName::ALL
            .map(DatasetName::name)
            .into_iter()
            .filter(has)
            .collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self.origin() {
            Origin::Catalogue(dataset) => dataset.name(),
            Origin::Own(own) => own.name(),
        }
    }

    /// What it is of.
    pub fn kind(&self) -> DataKind {
        match self.origin() {
            Origin::Catalogue(dataset) => dataset.kind(),
            Origin::Own(own) => own.kind(),
        }
    }

    /// Where it comes from.
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin::Catalogue(match self {
            Self::Own(own) => return Origin::Own(own),
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
            Self::Images(_) => DatasetName::Images,
            Self::Idx(_) => DatasetName::Idx,
            Self::Table(_) => DatasetName::Table,
        })
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
            Self::Images(own) => own.augment,
            Self::Idx(own) => own.augment,
            Self::TinyShakespeare { .. }
            | Self::TinyShakespeareWords { .. }
            | Self::Ptb(_)
            | Self::Wikitext2(_)
            | Self::Text { .. }
            | Self::Friedman {}
            | Self::Table(_)
            | Self::Own(_) => Augmentation::None,
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
        let (share, seed) = match self {
            Self::Images(own) => (own.test_share, own.parting_seed),
            Self::Idx(own) => (TEST_SHARE, own.parting_seed),
            Self::Table(own) => (own.test_share, own.parting_seed),
            _ => (TEST_SHARE, 0),
        };
        // Not a number is neither; without a test part there is nothing that a run ends with.
        if !(share > 0.0 && share < 1.0) {
            let fault =
                format!("must be a fraction between 0 and 1, such as {TEST_SHARE}, not {share}");
            return Some(("test-share", fault));
        }
        if i64::try_from(seed).is_err() {
            return Some(("parting-seed", "must be below 2^63".to_owned()));
        }
        let texts = self.kind() == DataKind::Text;
        (texts && !(1..=LONGEST).contains(&self.window())).then(|| {
            let window = self.window();
            let fault = format!("must be between 1 and {LONGEST}, not {window}");
            ("window", fault)
        })
    }

    /// The key that says where it is; nothing if nobody says.
    pub(super) fn place_key(&self) -> Option<&'static str> {
        self.path()?;
        Some(match self {
            Self::Text { .. } | Self::Table(_) => "dataset.file",
            _ => "dataset.data-dir",
        })
    }

    /// The folder or file that is given, if one is.
    pub fn path(&self) -> Option<&Path> {
        let path = match self {
            Self::Digits { .. }
            | Self::TinyShakespeare { .. }
            | Self::TinyShakespeareWords { .. }
            | Self::Friedman {}
            | Self::Own(_) => "",
            Self::FashionMnist(images)
            | Self::Mnist(images)
            | Self::Cifar10(images)
            | Self::Cifar100(images)
            | Self::Imagenet32(images) => &images.data_dir,
            Self::Ptb(text) | Self::Wikitext2(text) => &text.data_dir,
            Self::Text { file, .. } => file,
            Self::Images(own) => &own.data_dir,
            Self::Idx(own) => &own.data_dir,
            Self::Table(own) => &own.file,
        };
        (!path.is_empty()).then(|| Path::new(path))
    }

    /// Reads it, with the first `limit` training images or rows only, and so many of them held out to choose by: the last ones
    /// of the file (see [`DatasetName::load`]), or, of data of one's own, a drawn part of each class. A text has its own.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a file is missing or is not what it should be.
    pub fn load(&self, limit: Option<usize>, held_out: usize) -> Result<Loaded, DataError> {
        let dataset = match self.origin() {
            Origin::Catalogue(dataset) => dataset,
            Origin::Own(own) => return own.load(held_out),
        };
        let path = || dataset.given(self.path());
        let parting = |test: f64, seed| Parting {
            validation: Share::Count(held_out),
            test: Share::Fraction(test),
            seed,
        };
        match self {
            Self::Images(own) => {
                let options = ImageFolderOptions {
                    image_size: (own.image_size > 0).then_some(own.image_size),
                    parting: parting(own.test_share, own.parting_seed),
                    train_limit: limit,
                };
                image_folder(path()?, &options).map(Loaded::from)
            }
            Self::Idx(own) => {
                let options = IdxOptions {
                    validation: Share::Count(held_out),
                    seed: own.parting_seed,
                    train_limit: limit,
                };
                idx_folder(path()?, &options).map(Loaded::from)
            }
            Self::Table(own) => {
                let options = TableOptions {
                    label: own.label.clone(),
                    label_kind: own.label_kind,
                    numbers: own.numbers.clone(),
                    categories: own.categories.clone(),
                    ignore: own.ignore.clone(),
                    normalise_label: own.normalise_label,
                    parting: parting(own.test_share, own.parting_seed),
                    train_limit: limit,
                };
                table_file(path()?, &options).map(Loaded::from)
            }
            Self::Text { .. } => text(Some(path()?)).map(Loaded::of_text),
            _ => {
                // What is held out is at the end of the file, whatever the limit.
                let limit = limit.filter(|_| held_out == 0);
                let mut data = dataset.load(self.path(), limit)?;
                data.hold_out(held_out);
                Ok(data.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use koala_data::{Data, sample};

    #[test]
    fn every_data_set_has_its_keys_and_reads_back() {
        for dataset in DatasetName::ALL {
            let spec = DatasetSpec::named(dataset.name()).unwrap();
            assert_eq!(spec.name(), dataset.name());
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
        let Data::Images(split) = spec.load(Some(3), 0).unwrap().data else {
            panic!("no images")
        };
        assert_eq!(split.train.len(), 3);
        assert_eq!(spec.augmentation(), Augmentation::CropFlip);
    }
}
