//! What is known of where a data set comes from.

use serde::Serialize;

use crate::DatasetName;

/// Where a data set comes from.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Source {
    /// The data set.
    #[serde(rename = "name")]
    pub dataset: DatasetName,
    /// What it is, in words.
    pub content: &'static str,
    /// Its licence, as far as its authors name one.
    pub licence: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// What is downloaded; nothing if it is embedded or not given out to programs.
    pub files: &'static [RemoteFile],
    /// Archives that someone has to get by hand, and what to do with them; empty if there are none.
    pub by_hand: &'static str,
}

/// A file on the host of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RemoteFile {
    /// Its name here.
    pub name: &'static str,
    /// Where it is.
    pub url: &'static str,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// The SHA-256 of its content, in lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// What is done with it.
    pub packing: Packing,
}

/// How a file on a host is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packing {
    /// It is read as it is.
    Plain,
    /// A tar archive, packed with gzip.
    TarGz,
    /// A zip archive.
    Zip,
}

impl Source {
    /// Bytes to download, if all sizes are known and there is anything to download.
    pub fn size(&self) -> Option<u64> {
        if self.files.is_empty() {
            return None;
        }
        self.files.iter().map(|file| file.size).sum()
    }
}
