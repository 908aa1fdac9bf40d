//! Data sets read from their original formats, and the order in which training sees them.
//!
//! Nothing here downloads anything and nothing read is trusted: every length, magic number and label is checked, and
//! what is wrong is named together with what was expected of it and what mends it.

mod catalogue;
mod digits;
mod error;
mod fashion_mnist;
mod gzip;
mod idx;
mod images;
mod order;
mod shape;

pub use catalogue::DatasetName;
pub use digits::digits;
pub use error::DataError;
pub use fashion_mnist::{fashion_mnist, find_fashion_mnist};
pub use gzip::inflate;
pub use idx::{IdxImages, images, labels};
pub use images::{Batch, ImageSet, Split};
pub use order::BatchOrder;
pub use shape::ImageShape;
