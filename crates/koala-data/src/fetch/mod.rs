//! Where data sets come from, and getting them: only when asked, whole or not at all.

mod checksum;
mod download;
mod error;
mod obtain;
#[cfg(test)]
mod server;
mod source;
mod sources;
mod unpack;

pub use checksum::sha256;
pub use error::FetchError;
pub use obtain::{Fetched, Options, Watcher, fetch};
pub use source::{Packing, RemoteFile, Source};
