//! Checkpoints of a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use koala_system::sha256;
use koala_train::run::{CheckpointPolicy, Checkpoints};

use super::{Target, told};

const STEP: &str = "checkpoints/step-000000000007";
const WEIGHTS: &[u8] = b"weights";

fn checkpoints(folder: &Path) -> Checkpoints {
    let policy = CheckpointPolicy {
        every: 1,
        period: Duration::from_secs(60),
        keep: 1,
    };
    Checkpoints::new(
        folder.join("checkpoints"),
        folder.join("best.safetensors"),
        policy,
    )
}

fn place(folder: &Path, name: &str) -> PathBuf {
    folder.join(STEP).join(name)
}

/// What a manifest says of one file, without its seal.
fn inner() -> Vec<u8> {
    let file = format!(
        "{{\"bytes\":{},\"sha256\":\"{}\"}}",
        WEIGHTS.len(),
        sha256(WEIGHTS)
    );
    format!("{{\"version\":1,\"step\":7,\"marks\":{{\"events.jsonl\":70}},\"files\":{{\"model.safetensors\":{file}}}}}")
        .into_bytes()
}

fn sealed(inner: &[u8]) -> Vec<u8> {
    let seal = format!(",\"sha256\":\"{}\"}}", sha256(inner));
    [b"{\"manifest\":", inner, seal.as_bytes()].concat()
}

fn prepare(folder: &Path) {
    fs::create_dir_all(folder.join(STEP)).unwrap();
    fs::write(place(folder, "manifest.json"), sealed(&inner())).unwrap();
    fs::write(place(folder, "model.safetensors"), WEIGHTS).unwrap();
}

/// The newest that is whole; what is not is told.
fn find(folder: &Path) -> bool {
    match told(checkpoints(folder).find()) {
        Some(found) => {
            assert!(found.checkpoint.is_some() || !found.warnings.is_empty());
            found.checkpoint.is_some()
        }
        None => false,
    }
}

/// The manifest, whatever it is.
pub const SEAL: Target = Target {
    name: "checkpoint-manifest",
    prepare,
    read: |folder, input| {
        fs::write(place(folder, "manifest.json"), input).unwrap();
        find(folder);
    },
    seeds: || vec![sealed(&inner())],
};

/// The manifest with a seal that fits, as one who means harm would make it.
pub const SEALED: Target = Target {
    name: "checkpoint-sealed",
    prepare,
    read: |folder, input| {
        fs::write(place(folder, "manifest.json"), sealed(input)).unwrap();
        find(folder);
    },
    seeds: || vec![inner()],
};

/// A file of the checkpoint: whole, or it is passed over.
pub const CONTENT: Target = Target {
    name: "checkpoint-content",
    prepare,
    read: |folder, input| {
        fs::write(place(folder, "model.safetensors"), input).unwrap();
        assert_eq!(find(folder), input == WEIGHTS);
    },
    seeds: || vec![WEIGHTS.to_vec()],
};
