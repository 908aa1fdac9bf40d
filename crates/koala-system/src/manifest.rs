//! Sizes and checksums of files.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Result};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{open, read};

/// Name of the manifest in a run's folder.
pub const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;
/// No manifest comes near it.
const LARGEST: u64 = 1 << 20;

/// The SHA-256, in lower-case hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    digits(Sha256::new_with_prefix(content))
}

fn digits(digest: Sha256) -> String {
    let digest = digest.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Size and checksum of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl Entry {
    /// Of a content.
    pub fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            sha256: sha256(content),
        }
    }

    /// Of a file, however long it is.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut file = open(path)?;
        let mut digest = Sha256::new();
        let (mut bytes, mut buffer) = (0, vec![0; 1 << 17]);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    digest.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
        Ok(Self {
            bytes,
            sha256: digits(digest),
        })
    }

    /// What is wrong with a content that should be this one, in words.
    pub fn fault(&self, content: &[u8]) -> Option<String> {
        self.differs(&Self::of(content))
    }

    /// What is wrong with a file that should be this one, in words.
    pub fn fault_of_file(&self, path: &Path) -> Option<String> {
        // Its size says it at once, mostly.
        let found = open(path).and_then(|file| file.metadata());
        match found {
            Err(cause) => return Some(unreadable(&cause)),
            Ok(found) if found.len() != self.bytes => return Some(self.other_size(found.len())),
            Ok(_) => {}
        }
        match Self::of_file(path) {
            Err(cause) => Some(unreadable(&cause)),
            Ok(found) => self.differs(&found),
        }
    }

    fn differs(&self, found: &Self) -> Option<String> {
        match self {
            Self { bytes, .. } if *bytes != found.bytes => Some(self.other_size(found.bytes)),
            Self { sha256, .. } if *sha256 != found.sha256 => {
                Some("is not what was written: its SHA-256 is another".to_owned())
            }
            _ => None,
        }
    }

    fn other_size(&self, found: u64) -> String {
        format!("has {found} bytes instead of {}", self.bytes)
    }
}

fn unreadable(cause: &std::io::Error) -> String {
    match cause.kind() {
        ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read: {cause}"),
    }
}

/// `manifest.json` of a run's folder: the files that its numbers come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    files: BTreeMap<String, Entry>,
    /// Of `files` as JSON.
    sha256: String,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl Manifest {
    /// Of these files.
    ///
    /// # Errors
    ///
    /// If there is no JSON of them, which is not to be expected.
    pub fn of(files: BTreeMap<String, Entry>) -> serde_json::Result<Self> {
        Ok(Self {
            format: FORMAT,
            sha256: sha256(&serde_json::to_vec(&files)?),
            files,
        })
    }

    /// The files by their names.
    pub fn files(&self) -> &BTreeMap<String, Entry> {
        &self.files
    }

    /// The manifest in a folder; nothing if there is none, as in folders of other programs and of older versions.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words that begin with its name.
    pub fn read(folder: &Path) -> std::result::Result<Option<Self>, String> {
        let content = match read(&folder.join(MANIFEST), LARGEST) {
            Ok(content) => content,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(format!("{MANIFEST} {}", unreadable(&cause))),
        };
        // The format alone first: what else a newer one has may be anything.
        let head: Head =
            serde_json::from_slice(&content).map_err(|e| format!("{MANIFEST} is damaged: {e}"))?;
        if head.format != FORMAT {
            return Err(format!(
                "{MANIFEST} has format {}, and this program reads format {FORMAT}",
                head.format
            ));
        }
        let found: Self =
            serde_json::from_slice(&content).map_err(|e| format!("{MANIFEST} is damaged: {e}"))?;
        let sealed =
            Self::of(found.files.clone()).map_err(|e| format!("{MANIFEST} is damaged: {e}"))?;
        if sealed.sha256 != found.sha256 {
            return Err(format!("{MANIFEST} is not what was written"));
        }
        match found.files.keys().find(|name| !is_plain(name)) {
            Some(name) => Err(format!("{MANIFEST} names a file '{name}' elsewhere")),
            None => Ok(Some(found)),
        }
    }

    /// What is wrong with the files in a folder that it is about: name and fault, in the order of the names.
    pub fn faults(&self, folder: &Path) -> Vec<(String, String)> {
        let fault = |(name, entry): (&String, &Entry)| {
            let fault = entry.fault_of_file(&folder.join(name))?;
            Some((name.clone(), fault))
        };
        self.files.iter().filter_map(fault).collect()
    }
}

/// Whether it is the name of a file right here.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn written(folder: &Path) -> Manifest {
        fs::write(folder.join("a"), "koala").unwrap();
        fs::write(folder.join("b"), "").unwrap();
        let entry = |name: &str| (name.to_owned(), Entry::of_file(&folder.join(name)).unwrap());
        let manifest = Manifest::of(BTreeMap::from([entry("a"), entry("b")])).unwrap();
        fs::write(
            folder.join(MANIFEST),
            serde_json::to_vec_pretty(&manifest).unwrap(),
        )
        .unwrap();
        manifest
    }

    #[test]
    fn one_of_another_format_is_named_as_such_whatever_else_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for other in [r#"{"format":2,"parts":[]}"#, r#"{"format":0}"#] {
            fs::write(folder.path().join(MANIFEST), other).unwrap();
            let told = Manifest::read(folder.path()).unwrap_err();
            assert!(told.ends_with("and this program reads format 1"), "{told}");
        }
    }

    #[test]
    fn what_became_of_each_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()), Ok(None));
        let manifest = written(folder.path());
        assert_eq!(Manifest::read(folder.path()), Ok(Some(manifest.clone())));
        assert_eq!(manifest.faults(folder.path()), []);
        let told = |name: &str, fault: &str| vec![(name.to_owned(), fault.to_owned())];
        fs::write(folder.path().join("a"), "koalb").unwrap();
        let other = "is not what was written: its SHA-256 is another";
        assert_eq!(manifest.faults(folder.path()), told("a", other));
        fs::write(folder.path().join("a"), "koal").unwrap();
        assert_eq!(
            manifest.faults(folder.path()),
            told("a", "has 4 bytes instead of 5")
        );
        fs::remove_file(folder.path().join("a")).unwrap();
        assert_eq!(manifest.faults(folder.path()), told("a", "is missing"));
    }

    #[test]
    fn a_manifest_names_no_file_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../a", "/a", "", ".lock", "c:a"] {
            let files = BTreeMap::from([(name.to_owned(), Entry::of(b""))]);
            let text = serde_json::to_vec(&Manifest::of(files).unwrap()).unwrap();
            fs::write(folder.path().join(MANIFEST), text).unwrap();
            assert!(
                Manifest::read(folder.path())
                    .unwrap_err()
                    .contains("elsewhere")
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_changed_byte_is_noticed(place in 0.0f64..1.0, bits in 1u8..=255) {
            let folder = tempfile::tempdir().unwrap();
            let manifest = written(folder.path());
            let path = folder.path().join(MANIFEST);
            let mut content = fs::read(&path).unwrap();
            let at = ((content.len() - 1) as f64 * place) as usize;
            content[at] ^= bits;
            fs::write(&path, &content).unwrap();
            // White space between the words may have become other white space.
            if let Ok(found) = Manifest::read(folder.path()) {
                prop_assert_eq!(found, Some(manifest));
            }
        }
    }
}
