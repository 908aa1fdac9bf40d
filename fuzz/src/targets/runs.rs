//! Folders of runs and suites, as `koala report`, `watch` and `check` read them.

use std::fs;
use std::path::Path;

use koala_report::{Detail, Follower, Gathered, Listing, check, gather, markdown, page, text};
use koala_system::{Manifest, sha256};

use super::{Target, fixture, nothing, told};

const RUNS: [&str; 14] = [
    "adaptive",
    "adversarial",
    "autoencoder",
    "diverged",
    "images",
    "koala-optim",
    "koala-optim-adamw",
    "koala-optim-diverged",
    "own-idx",
    "own-number",
    "own-table",
    "product",
    "table",
    "text",
];

/// The first lines of a file of each run.
fn of_runs(name: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/runs");
    let files = RUNS.map(|run| root.join(run).join(name));
    let files = files.iter().filter_map(|file| fs::read(file).ok());
    let lines = |file: Vec<u8>| {
        let lines: Vec<_> = file
            .split_inclusive(|byte| *byte == b'\n')
            .take(30)
            .collect();
        lines.concat()
    };
    files.map(lines).collect()
}

fn prepare(folder: &Path) {
    for name in ["config.toml", "events.jsonl", "result.json"] {
        fs::write(
            folder.join(name),
            fixture(&format!("fixtures/runs/images/{name}")),
        )
        .unwrap();
    }
}

/// Everything that is made of a run's folder.
fn read(name: &str, folder: &Path, input: &[u8]) {
    fs::write(folder.join(name), input).unwrap();
    told(check(folder));
    let mut follower = Follower::new(&folder.join("events.jsonl"), Detail::Filter(10));
    if told(follower.look()).is_some() {
        let _ = (follower.log(), follower.latest());
    }
    if let Some(Gathered { comparison, root }) = told(gather(&[folder.to_owned()])) {
        let page = page::html(&comparison, &root).unwrap();
        for told in [
            text::table(&comparison),
            markdown::document(&comparison),
            page,
        ] {
            assert!(!told.contains('\u{1b}'), "a terminal would obey it");
        }
    }
}

/// `events.jsonl`.
pub const EVENTS: Target = Target {
    name: "events",
    prepare,
    read: |folder, input| read("events.jsonl", folder, input),
    seeds: || of_runs("events.jsonl"),
};

/// `result.json`.
pub const RESULT: Target = Target {
    name: "result",
    prepare,
    read: |folder, input| read("result.json", folder, input),
    seeds: || of_runs("result.json"),
};

/// `config.toml`, as a report reads it.
pub const RUN_CONFIGURATION: Target = Target {
    name: "run-configuration",
    prepare,
    read: |folder, input| read("config.toml", folder, input),
    seeds: || of_runs("config.toml"),
};

/// `manifest.json`: as it is, and its files with the right checksum.
pub const MANIFEST: Target = Target {
    name: "manifest",
    prepare: nothing,
    read: |folder, input| {
        let seal = format!(",\"sha256\":\"{}\"}}", sha256(input));
        let sealed = [b"{\"format\":1,\"files\":", input, seal.as_bytes()];
        for content in [input, &sealed.concat()] {
            fs::write(folder.join("manifest.json"), content).unwrap();
            if let Some(Some(found)) = told(Manifest::read(folder)) {
                for (name, _) in found.faults(folder) {
                    assert!(!name.contains('/'));
                }
                let text = serde_json::to_vec(&found).unwrap();
                fs::write(folder.join("manifest.json"), text).unwrap();
                assert_eq!(Manifest::read(folder).unwrap(), Some(found));
            }
        }
    },
    seeds: || {
        let entry = format!("{{\"a\":{{\"bytes\":1,\"sha256\":\"{}\"}}}}", sha256(b"a"));
        vec![entry.into_bytes()]
    },
};

/// `suite.json`.
pub const LISTING: Target = Target {
    name: "listing",
    prepare: nothing,
    read: |folder, input| {
        fs::write(folder.join("suite.json"), input).unwrap();
        if let Some(found) = told(Listing::read(folder)) {
            let text = serde_json::to_vec(&found).unwrap();
            fs::write(folder.join("suite.json"), &text).unwrap();
            assert_eq!(Listing::read(folder).unwrap(), found);
            fs::write(folder.join("suite.json"), input).unwrap();
        }
        told(gather(&[folder.to_owned()]));
    },
    seeds: || vec![fixture("fuzz/seeds/suite.json")],
};
