//! Where data sets come from, and getting them: only when asked, whole or not at all.

mod checksum;
mod download;
mod error;
mod obtain;
mod published;
#[cfg(test)]
mod server;
mod source;
mod sources;
mod unpack;
mod watcher;

pub use checksum::sha256;
pub use error::FetchError;
pub use obtain::{Fetched, Options, fetch};
pub use source::{Packing, RemoteFile, Source};
pub use watcher::Watcher;
