//! The readers.

mod checkpoints;
mod data;
mod runs;
mod settings;
mod states;

use std::fmt::Display;
use std::path::Path;

/// A reader, and what to begin from.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Makes what is to lie beside the input.
    pub prepare: fn(&Path),
    /// Reads an input, in the folder that was prepared.
    pub read: fn(&Path, &[u8]),
    /// Inputs that are read without an error, most of them.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub static TARGETS: &[Target] = &[
    data::IDX,
    data::IDX_FOLDER,
    data::MNIST,
    data::CIFAR10,
    data::CIFAR100,
    data::NPZ,
    data::PTB,
    data::WIKITEXT,
    data::TEXT,
    data::PICTURE,
    data::TABLE,
    data::TAR,
    data::ZIP,
    runs::EVENTS,
    runs::RESULT,
    runs::RUN_CONFIGURATION,
    runs::MANIFEST,
    runs::LISTING,
    settings::CONFIGURATION,
    settings::RECIPE,
    settings::SUITE,
    states::FILTER,
    states::DENSE,
    states::BURN,
    states::WEIGHTS,
    states::RECORDING,
    checkpoints::SEAL,
    checkpoints::SEALED,
    checkpoints::CONTENT,
];

/// Nothing lies beside the input.
fn nothing(_: &Path) {}

/// What was read; an error must say what it is about.
fn told<T, E: Display>(outcome: Result<T, E>) -> Option<T> {
    match outcome {
        Ok(found) => Some(found),
        Err(error) => {
            let text = error.to_string();
            let words = text.split_whitespace().count();
            assert!(words >= 4, "an error that says little: '{text}'");
            for inner in ["Os {", "ErrorKind", "Utf8Error", "None", "Some("] {
                assert!(
                    !text.contains(inner) || inner == "None",
                    "of the inside: {text}"
                );
            }
            None
        }
    }
}

/// What lies below a folder of the project.
fn fixture(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read(root.join(path)).unwrap()
}
