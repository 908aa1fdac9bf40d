//! One checkpoint on disk: a folder with its files and `manifest.json`, which has the size and the SHA-256 of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::durable::{sync_folder, write_synced};
use crate::training::{Checkpoint, Marks};

const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;
/// No manifest comes near it.
const LARGEST_MANIFEST: u64 = 1 << 20;

/// A manifest and the SHA-256 of its JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    step: u64,
    marks: Marks,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: String,
}

impl Entry {
    fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            sha256: sha256(content),
        }
    }
}

impl Manifest {
    fn seal(self) -> serde_json::Result<Sealed> {
        Ok(Sealed {
            sha256: sha256(&serde_json::to_vec(&self)?),
            manifest: self,
        })
    }
}

fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the files of a checkpoint and their manifest into an empty folder, synced.
pub(super) fn write_files(folder: &Path, checkpoint: &Checkpoint) -> std::io::Result<()> {
    for (name, content) in &checkpoint.files {
        write_synced(&folder.join(name), content)?;
    }
    let manifest = Manifest {
        version: VERSION,
        step: checkpoint.step,
        marks: checkpoint.marks.clone(),
        files: checkpoint
            .files
            .iter()
            .map(|(name, content)| (name.clone(), Entry::of(content)))
            .collect(),
    };
    let sealed = serde_json::to_vec_pretty(&manifest.seal()?)?;
    write_synced(&folder.join(MANIFEST), &sealed)?;
    sync_folder(folder)
}

/// Reads a checkpoint whole, or says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Checkpoint, String> {
    let file = path.join(MANIFEST);
    let size = fs::metadata(&file).map_err(|e| format!("{MANIFEST} cannot be read: {e}"))?;
    if size.len() > LARGEST_MANIFEST {
        return Err(format!("{MANIFEST} has {} bytes", size.len()));
    }
    let text = fs::read(&file).map_err(|e| format!("{MANIFEST} cannot be read: {e}"))?;
    let damaged = |e: serde_json::Error| format!("{MANIFEST} is damaged: {e}");
    let Sealed { manifest, sha256 } = serde_json::from_slice(&text).map_err(damaged)?;
    let Sealed {
        manifest,
        sha256: expected,
    } = manifest.seal().map_err(damaged)?;
    if sha256 != expected {
        return Err(format!("{MANIFEST} is not what was written"));
    }
    if manifest.version != VERSION {
        return Err(format!(
            "is of format {}, this program reads {VERSION}",
            manifest.version
        ));
    }
    let mut files = BTreeMap::new();
    for (name, entry) in manifest.files {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(format!("{MANIFEST} names a file '{name}' elsewhere"));
        }
        let file = path.join(&name);
        let size = fs::metadata(&file).map_err(|e| format!("{name} cannot be read: {e}"))?;
        if size.len() != entry.bytes {
            return Err(format!(
                "{name} has {} bytes instead of {}",
                size.len(),
                entry.bytes
            ));
        }
        let content = fs::read(&file).map_err(|e| format!("{name} cannot be read: {e}"))?;
        if Entry::of(&content) != entry {
            return Err(format!("{name} is not what was written"));
        }
        files.insert(name, content);
    }
    Ok(Checkpoint {
        step: manifest.step,
        files,
        marks: manifest.marks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(name: &str) -> Checkpoint {
        Checkpoint {
            step: 7,
            files: BTreeMap::from([(name.to_owned(), vec![1, 2, 3])]),
            marks: Marks::from([("events.jsonl".to_owned(), 70)]),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let written = checkpoint("model.safetensors");
        write_files(folder.path(), &written).unwrap();
        assert_eq!(read(folder.path()), Ok(written));
    }

    #[test]
    fn a_file_elsewhere_is_not_read() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("step-000000000007");
        fs::create_dir(&folder).unwrap();
        write_files(&folder, &checkpoint("../other")).unwrap();
        let text = read(&folder).unwrap_err();
        assert_eq!(text, "manifest.json names a file '../other' elsewhere");
    }
}
