//! Data sets read from their original formats, and the batches in which training sees them, as plain arrays: no tensor
//! library is needed to read, check, order or augment them.
//!
//! ```
//! use koala_data::{BatchOrder, digits};
//!
//! let split = digits()?;
//! let order = BatchOrder { seed: 0, samples: split.train.len(), batch_size: 32, drop_last: false };
//! let first = &order.permutation(0)[..32];
//! let batch = split.train.host_batch(first, None);
//! assert_eq!((batch.labels.len(), batch.images.len()), (32, 32 * 8 * 8));
//! # Ok::<(), koala_data::DataError>(())
//! ```
//!
//! Data of one's own are read by [`image_folder`], [`idx_folder`], [`table_file`] and [`read_text`]. Each gives the
//! parts, drawn by a [`Parting`] if the data have none, what was done to the samples as a value to be stored
//! ([`ImagePreparation`], [`TablePreparation`]), and what is worth knowing as values ([`Warning`]):
//!
//! ```
//! use koala_data::{ImageFolderOptions, OwnRows, TableOptions, image_folder, sample, table_file};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! sample::write_image_folder(folder, 40, 16, 0)?;
//! let options = ImageFolderOptions { image_size: Some(8), ..ImageFolderOptions::default() };
//! let own = image_folder(folder, &options)?;
//! assert_eq!((own.split.train.len(), own.split.test.len()), (32, 8));
//! assert_eq!(own.preparation.classes, ["far-left", "far-right", "left", "right"]);
//!
//! let file = sample::write_table(folder, 150, 0)?;
//! let own = table_file(&file, &TableOptions { label: "animal".to_owned(), ..TableOptions::default() })?;
//! let OwnRows::Classes(split) = own.rows else { unreachable!("the labels are texts") };
//! assert_eq!(split.train.host_batch(&[0]).shape, [1, 1, own.preparation.width()]);
//! for warning in own.warnings {
//!     println!("{warning}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is downloaded unless asked ([`fetch`]), and nothing read is trusted: every length, magic number and label is
//! checked, and what is wrong is named together with what was expected of it and what mends it.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod augment;
mod batch;
mod catalogue;
mod characters;
mod check;
mod cifar;
mod corpus;
mod digits;
mod encoding;
mod error;
pub mod fetch;
mod friedman;
mod gzip;
mod idx;
mod idx_files;
mod idx_folder;
mod image_folder;
mod imagenet32;
mod images;
mod interrupt;
mod jpeg;
mod labelled;
mod loaded;
mod mnist;
mod moments;
mod name;
mod npy;
mod order;
mod parallel;
mod parting;
mod picture;
mod place;
mod room;
pub mod sample;
mod shakespeare;
mod split;
mod table;
mod table_file;
mod vocabulary;
mod warning;
mod windows;
mod words;

pub use augment::{Augment, Augmentation, Placement};
pub use batch::HostBatch;
pub use catalogue::{Data, PartSizes};
pub use characters::{TextPreparation, TextReport, read_text, text, tiny_shakespeare};
pub use check::{CheckReport, FileReport, PartReport, check, check_own};
pub use cifar::{cifar10, cifar10_limited, cifar100, cifar100_limited};
pub use corpus::Corpus;
pub use digits::digits;
pub use error::DataError;
pub use friedman::friedman;
pub use gzip::inflate;
pub use idx::{IdxImages, images, labels};
pub use idx_folder::{IdxOptions, idx_folder};
pub use image_folder::{ImageFolderOptions, ImagePreparation, OwnImages, image_folder};
pub use imagenet32::imagenet32;
pub use images::ImageSet;
pub use interrupt::Interrupt;
pub use labelled::LabelledTable;
pub use loaded::{Loaded, Preparation};
pub use mnist::{fashion_mnist, mnist};
pub use name::{DataKind, DatasetName};
pub use order::BatchOrder;
pub use parting::{Parting, Parts, Share};
pub use shakespeare::tiny_shakespeare_words;
pub use split::{SampleSet, Split};
pub use table::{Table, TableBatch};
pub use table_file::{
    ColumnPreparation, LabelKind, LabelPreparation, OwnRows, OwnTable, TableOptions,
    TablePreparation, table_file,
};
pub use vocabulary::Vocabulary;
pub use warning::{LeftOut, PartName, Warning};
pub use windows::{TextWindow, TextWindows};
pub use words::{penn_treebank, wikitext2};
