//! Runs of other programs stand beside ours, and are marked.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::testing::Suite;
use crate::{Comparison, Measure, Role, gather, markdown, page};

const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/runs");

/// Copies a run, its files changed.
fn copied(name: &str, to: &Path, change: impl Fn(&str) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(Path::new(RUNS).join(name)).unwrap() {
        let path = entry.unwrap().path();
        let text = change(&fs::read_to_string(&path).unwrap());
        fs::write(to.join(path.file_name().unwrap()), text).unwrap();
    }
}

/// As if our own program had written it.
fn ours(text: &str) -> String {
    text.replace("program = \"koala-optim\"\n", "")
        .replace("\"program\":\"koala-optim\",", "")
        .replace("\"program\": \"koala-optim\",", "")
}

/// What is found, in Markdown and as a page.
fn told(folder: &Path) -> (Comparison, String, String) {
    let found = gather(&[folder.to_owned()]).unwrap();
    let (markdown, page) = (
        markdown::document(&found.comparison),
        page::html(&found.comparison, &found.root).unwrap(),
    );
    (found.comparison, markdown, page)
}

#[test]
fn runs_of_another_program_are_judged_and_marked() {
    let folder = TempDir::new().unwrap();
    for name in ["koala-optim", "koala-optim-adamw", "koala-optim-diverged"] {
        copied(name, &folder.path().join(name), str::to_owned);
    }
    let (found, markdown, page) = told(folder.path());
    let [workload] = found.workloads.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(workload.writers, ["koala-optim 0.1.0"]);
    let arms: Vec<(&str, usize, usize)> = workload
        .arms
        .iter()
        .map(|arm| (arm.optimizer.as_str(), arm.n, arm.failed()))
        .collect();
    assert_eq!(arms, [("koala-m", 1, 0), ("adamw", 1, 0), ("sgd", 0, 1)]);
    assert!(
        workload
            .arms
            .iter()
            .all(|arm| arm.n == 0 || arm.test.mean.is_some())
    );
    assert!(
        markdown.contains("written by koala-optim 0.1.0;"),
        "{markdown}"
    );
    assert!(page.contains("runs written by koala-optim 0.1.0."));
    assert!(!markdown.contains("runs were written by"), "{markdown}");
}

#[test]
fn a_run_that_failed_before_it_began_is_of_no_other_program() {
    let folder = TempDir::new().unwrap();
    for name in ["koala-optim", "koala-optim-diverged"] {
        copied(name, &folder.path().join(name), str::to_owned);
    }
    // Its version stands in its log alone.
    fs::remove_file(folder.path().join("koala-optim-diverged/events.jsonl")).unwrap();
    let (found, markdown, _) = told(folder.path());
    let writers = found.workloads.iter().flat_map(|found| &found.writers);
    assert!(writers.clone().count() > 0);
    assert!(!markdown.contains("runs were written by"), "{markdown}");
}

#[test]
fn runs_of_several_programs_are_warned_of() {
    let folder = TempDir::new().unwrap();
    copied("koala-optim", &folder.path().join("one"), ours);
    copied(
        "koala-optim-adamw",
        &folder.path().join("other"),
        str::to_owned,
    );
    let (found, markdown, page) = told(folder.path());
    assert_eq!(
        found.workloads[0].writers,
        ["koala 0.1.0", "koala-optim 0.1.0"]
    );
    let warning = "runs were written by koala 0.1.0 and koala-optim 0.1.0: what else differs between them than the optimizer \
                   is not known here.";
    assert!(
        markdown.contains(warning) && page.contains(warning),
        "{markdown}"
    );
}

#[test]
fn our_own_runs_are_not_marked() {
    let folder = TempDir::new().unwrap();
    copied("koala-optim", &folder.path().join("one"), ours);
    let (found, markdown, page) = told(folder.path());
    assert!(found.workloads[0].writers.is_empty());
    assert!(!markdown.contains("written by") && !page.contains("written by"));
}

#[test]
fn a_suite_names_the_program_that_listed_it() {
    let mut suite = Suite::new(&[0]);
    suite.workload("digits", Measure::Error, None);
    suite.arm("sgd", &Role::Defaults, 1.0, &[1.0]);
    let (_, _, page) = told(suite.folder());
    assert!(page.contains("(koala 0.1.0)"));
    suite.listing.program = Some("koala-optim".to_owned());
    let (_, _, page) = told(suite.folder());
    assert!(page.contains("(koala-optim 0.1.0)"));
}
