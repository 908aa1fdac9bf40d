//! Where data sets come from, and getting them: only when asked, whole or not at all.

mod checksum;
#[cfg(feature = "fetch")]
mod download;
mod error;
mod obtain;
#[cfg(feature = "fetch")]
mod published;
#[cfg(not(feature = "fetch"))]
#[path = "unbuilt.rs"]
mod published;
#[cfg(all(test, feature = "fetch"))]
mod server;
mod source;
mod sources;
#[cfg(feature = "fetch")]
mod unpack;
mod watcher;

pub use checksum::sha256;
pub use error::FetchError;
pub use obtain::{Fetched, Options, fetch};
pub use source::{Packing, RemoteFile, Source};
#[cfg(feature = "fetch")]
pub use unpack::unpack;
pub use watcher::Watcher;
