//! A folder of pictures of one's own, one folder a class, as torchvision's `ImageFolder` has them.

mod layout;
mod preparation;
mod read;

pub use preparation::ImagePreparation;
pub(crate) use preparation::normalisation;
pub use read::{ImageFolderOptions, OwnImages, image_folder};
