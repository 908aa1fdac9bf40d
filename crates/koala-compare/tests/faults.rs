//! Every operation that changes the disk fails, and the system crashes after each, while a suite is done: the same command then
//! brings it to the same end.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use koala_compare::{Campaign, Ended, Error, Orders, Suite};
use koala_report::Listing;
use koala_system::faults::{Fault, Loss, failing, recording};
use koala_train::training::{Interrupt, Silent};
use serde_json::Value;

/// Two optimizers, one of them tuned, a few steps each.
const SUITE: &str = r#"
    name = "small"
    seeds = [0]
    optimizers = ["koala-v", "sgd"]
    [[workload]]
    name = "digits"
    [workload.set]
    epochs = 1
    train-limit = 60
    validation = 20
    batch-size = 20
    log-every = 1
    model = { hidden = [2] }
    [tuning]
    trials = 1
    seeds = [7]
    optimizers = ["sgd"]
"#;

/// One at a time, so that the operations have an order.
const ORDERS: Orders = Orders {
    jobs: 1,
    threads: 1,
};

struct Small(Suite);

impl Small {
    fn new() -> Self {
        Self(Suite::parse(SUITE, "suite small.toml", Path::new("")).unwrap())
    }

    fn compare(&self, folder: &Path) -> Result<Ended, Error> {
        let campaign = Campaign::new(&self.0, folder, ORDERS, None)?;
        let ended = campaign.run(&mut Silent, &Interrupt::default())?;
        campaign.found()?;
        Ok(ended)
    }

    /// Compares in a folder whatever is in it, and looks at what comes of it.
    fn bring_to_its_end(&self, folder: &Path, expected: &[String], told: &str) {
        let ended = self.compare(folder);
        let ended = ended.unwrap_or_else(|error| panic!("{told}: {error}"));
        assert!(
            ended.failed.is_empty() && ended.damaged.is_empty(),
            "{told}: {ended:?}"
        );
        assert_eq!(held(folder), expected, "{told}");
    }
}

/// What a comparison holds, without what differs between two of the same: its listing, the results and the weights of its runs.
fn held(folder: &Path) -> Vec<String> {
    let listing = Listing::read(folder).unwrap();
    let read = |name: &str, run: &str| fs::read(folder.join(run).join(name)).unwrap();
    let mut all = vec![
        serde_json::to_string(&listing.runs).unwrap(),
        serde_json::to_string(&listing.choices).unwrap(),
    ];
    for run in &listing.runs {
        let mut result: Value = serde_json::from_slice(&read("result.json", &run.folder)).unwrap();
        let keys = result.as_object_mut().unwrap();
        keys.retain(|key, _| !key.ends_with("seconds"));
        all.push(result.to_string());
        all.push(koala_system::sha256(&read(
            "model.safetensors",
            &run.folder,
        )));
    }
    serde_json::from_slice::<Value>(&read("comparison.json", "")).unwrap();
    all
}

fn expected(small: &Small) -> Vec<String> {
    let whole = tempfile::tempdir().unwrap();
    small.compare(whole.path()).unwrap();
    held(whole.path())
}

/// Lets each operation whose number `wanted` takes fail in turn; how many there are.
fn survived(fault: fn(u64) -> Fault, wanted: fn(u64) -> bool) -> u64 {
    let small = Small::new();
    let expected = expected(&small);
    for at in (1..).filter(|at| wanted(*at)) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("suite");
        let (outcome, operations) = failing(parent.path(), fault(at), || small.compare(&folder));
        small.bring_to_its_end(&folder, &expected, &format!("{:?}", fault(at)));
        if operations < at {
            outcome.unwrap();
            println!("{operations} operations of a suite");
            return operations;
        }
    }
    0
}

/// How many states of the disk after a crash the suite has come to its end from.
fn outlived(losses: &dyn Fn(usize) -> Vec<Loss>) -> usize {
    let small = Small::new();
    let expected = expected(&small);
    let parent = tempfile::tempdir().unwrap();
    let (done, journal) = recording(parent.path(), || {
        small.compare(&parent.path().join("suite"))
    });
    done.unwrap();
    assert!(
        journal.is_all_of(parent.path()).unwrap(),
        "an operation was not noted"
    );
    let mut states = 0;
    for crash in 0..=journal.len() {
        for loss in losses(crash) {
            let after = tempfile::tempdir().unwrap();
            journal.after_crash(crash, loss, after.path()).unwrap();
            let told = format!("crash after {crash}, {loss:?}");
            small.bring_to_its_end(&after.path().join("suite"), &expected, &told);
            states += 1;
        }
    }
    println!("{states} states after a crash");
    states
}

#[test]
fn a_suite_survives_a_program_that_is_killed_and_a_broken_disk() {
    // Every fifth here, and each below.
    let operations = survived(Fault::killed, |at| at % 5 == 0);
    assert!(operations > 150, "{operations}");
    survived(Fault::broken, |at| at % 10 == 3);
}

#[test]
fn a_suite_outlives_a_crash() {
    let states = outlived(&|crash| match crash % 6 {
        0 => vec![Loss::All],
        3 => vec![Loss::Random(crash as u64)],
        _ => Vec::new(),
    });
    assert!(states > 50, "{states}");
}

#[test]
#[ignore = "minutes: cargo test --release -p koala-lab -p koala-compare --test faults -- --ignored --nocapture"]
fn a_suite_survives_every_failure() {
    let all = |_| true;
    for fault in [Fault::once, Fault::killed, Fault::full, Fault::broken] {
        survived(fault, all);
    }
    survived(|at| Fault::killed(at).torn(), all);
}

#[test]
#[ignore = "minutes: cargo test --release -p koala-lab -p koala-compare --test faults -- --ignored --nocapture"]
fn a_suite_outlives_whatever_a_crash_may_leave() {
    let plain = [Loss::None, Loss::All, Loss::Content, Loss::Names];
    outlived(&|crash| {
        let random = (0..4).map(|draw| Loss::Random((crash * 4 + draw) as u64));
        plain.into_iter().chain(random).collect()
    });
}
