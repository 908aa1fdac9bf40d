//! One checkpoint on disk: a folder with its files and `manifest.json`, which has the size and the SHA-256 of each.

use std::collections::BTreeMap;
use std::path::Path;

use koala_system::{Entry, MANIFEST, open, sha256, sync_folder, write_synced};
use serde::{Deserialize, Serialize};

use super::bound::Bound;
use crate::training::{Checkpoint, Marks};

/// Version 1 had nothing that binds it to its run.
const VERSION: u32 = 2;
/// No manifest comes near it.
const LARGEST_MANIFEST: u64 = 1 << 20;

/// A manifest and the SHA-256 of its JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    sha256: String,
}

/// What is read of any manifest: other keys of a newer one may be anything.
#[derive(Deserialize)]
struct Head {
    manifest: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    step: u64,
    marks: Marks,
    files: BTreeMap<String, Entry>,
    /// What it belongs to; nothing in those of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    /// The weights of the best evaluation by then, which are a file of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best: Option<Entry>,
}

/// A checkpoint, and what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub checkpoint: Checkpoint,
    /// Nothing in those of older programs.
    pub bound: Option<Bound>,
    /// The weights of the best evaluation by then; nothing if there were none, or in those of older programs.
    pub best: Option<Entry>,
}

impl Manifest {
    fn seal(self) -> serde_json::Result<Sealed> {
        Ok(Sealed {
            sha256: sha256(&serde_json::to_vec(&self)?),
            manifest: self,
        })
    }
}

/// Writes the files of a checkpoint and their manifest into an empty folder, synced.
pub(super) fn write_files(folder: &Path, kept: &Kept) -> std::io::Result<()> {
    let checkpoint = &kept.checkpoint;
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
        bound: kept.bound.clone(),
        best: kept.best.clone(),
    };
    let sealed = serde_json::to_vec_pretty(&manifest.seal()?)?;
    write_synced(&folder.join(MANIFEST), &sealed)?;
    sync_folder(folder)
}

/// Reads a checkpoint whole, or says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Kept, String> {
    let text = koala_system::read(&path.join(MANIFEST), LARGEST_MANIFEST)
        .map_err(|e| format!("{MANIFEST} cannot be read: {e}"))?;
    let damaged = |e: serde_json::Error| format!("{MANIFEST} is damaged: {e}");
    let head: Head = serde_json::from_slice(&text).map_err(damaged)?;
    if !(1..=VERSION).contains(&head.manifest.version) {
        return Err(format!(
            "is of format {}, this program reads those up to {VERSION}: go on with the version of koala that wrote it, or a newer one",
            head.manifest.version
        ));
    }
    let Sealed { manifest, sha256 } = serde_json::from_slice(&text).map_err(damaged)?;
    let Sealed {
        manifest,
        sha256: expected,
    } = manifest.seal().map_err(damaged)?;
    if sha256 != expected {
        return Err(format!("{MANIFEST} is not what was written"));
    }
    let mut files = BTreeMap::new();
    for (name, entry) in manifest.files {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(format!("{MANIFEST} names a file '{name}' elsewhere"));
        }
        let file = path.join(&name);
        let unreadable = |e| format!("{name} cannot be read: {e}");
        let size = (open(&file).and_then(|file| file.metadata())).map_err(unreadable)?;
        if size.len() != entry.bytes {
            return Err(format!(
                "{name} has {} bytes instead of {}",
                size.len(),
                entry.bytes
            ));
        }
        let content = koala_system::read(&file, entry.bytes).map_err(unreadable)?;
        if Entry::of(&content) != entry {
            return Err(format!("{name} is not what was written"));
        }
        files.insert(name, content);
    }
    Ok(Kept {
        checkpoint: Checkpoint {
            step: manifest.step,
            files,
            marks: manifest.marks,
        },
        bound: manifest.bound,
        best: manifest.best,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str) -> Kept {
        Kept {
            checkpoint: Checkpoint {
                step: 7,
                files: BTreeMap::from([(name.to_owned(), vec![1, 2, 3])]),
                marks: Marks::from([("events.jsonl".to_owned(), 70)]),
            },
            bound: Some(Bound::new(BTreeMap::new(), Some("ab".to_owned()))),
            best: Some(Entry::of(b"best")),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let written = kept("model.safetensors");
        write_files(folder.path(), &written).unwrap();
        assert_eq!(read(folder.path()), Ok(written));
    }

    #[test]
    fn one_of_before_it_was_bound_to_its_run_is_read() {
        // As the program wrote them until its manifests had version 2.
        let text = r#"{"manifest":{"version":1,"step":7,"marks":{"events.jsonl":70},"files":{"model.safetensors":{"bytes":3,"sha256":"039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"}}},"sha256":"SEAL"}"#;
        let inner = text.strip_prefix(r#"{"manifest":"#).unwrap();
        let inner = inner.split_once(r#","sha256":"SEAL"#).unwrap().0;
        let folder = tempfile::tempdir().unwrap();
        let seal = text.replace("SEAL", &sha256(inner.as_bytes()));
        std::fs::write(folder.path().join(MANIFEST), seal).unwrap();
        std::fs::write(folder.path().join("model.safetensors"), [1, 2, 3]).unwrap();
        let expected = Kept {
            bound: None,
            best: None,
            ..kept("model.safetensors")
        };
        assert_eq!(read(folder.path()), Ok(expected));
    }

    #[test]
    fn one_of_a_newer_program_is_refused_by_its_format_whatever_else_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let newer = r#"{"manifest":{"version":3,"parts":[]},"seal":"of another kind"}"#;
        std::fs::write(folder.path().join(MANIFEST), newer).unwrap();
        assert_eq!(
            read(folder.path()).unwrap_err(),
            "is of format 3, this program reads those up to 2: go on with the version of koala that wrote it, or a newer one"
        );
    }

    #[test]
    fn a_file_elsewhere_is_not_read() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("step-000000000007");
        std::fs::create_dir(&folder).unwrap();
        write_files(&folder, &kept("../other")).unwrap();
        let text = read(&folder).unwrap_err();
        assert_eq!(text, "manifest.json names a file '../other' elsewhere");
    }
}
