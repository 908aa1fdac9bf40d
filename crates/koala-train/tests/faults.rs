//! Every operation that changes the disk fails once, for every operation that a run needs, and the system crashes after each: whatever
//! becomes of the run then, its folder opens, and the run goes on to the same bits.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use koala_data::Loaded;
use koala_system::faults::{Fault, Loss, failing, recording};
use koala_train::Error;
use koala_train::run::{Override, RunConfig, RunFolder};
use koala_train::training::{Event, Interrupt, Observer, Silent};

/// Twelve steps with checkpoints, evaluations, best weights and both logs.
fn config() -> RunConfig {
    let over = [
        Override::new("model.hidden", toml::Value::Array(vec![4.into()])),
        Override::new("train-limit", 80),
        Override::new("validation", 20),
        Override::new("batch-size", 20),
        Override::new("epochs", 3),
        Override::new("checkpoint-every", 5),
        Override::new("keep-checkpoints", 1),
        Override::new("log-every", 3),
    ];
    RunConfig::resolve(None, &over).unwrap()
}

/// Asks to stop after so many steps.
struct Stop(u64, Interrupt);

impl Observer for Stop {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        if let Event::Step(step) = event
            && step.step + 1 == self.0
        {
            self.1.set();
        }
        Ok(())
    }
}

fn begin(path: &Path, data: &Loaded) -> Result<(), Error> {
    let folder = RunFolder::take(path, false)?;
    folder.execute_on(&config(), data, &mut Silent, &Interrupt::default())?;
    Ok(())
}

fn go_on(path: &Path, data: &Loaded) -> Result<(), Error> {
    let (folder, config) = RunFolder::open(path)?;
    let mut ignored = |_: &str| {};
    folder.resume_on(
        &config,
        data,
        &mut Silent,
        &Interrupt::default(),
        &mut ignored,
    )?;
    Ok(())
}

/// What a finished run holds, without what differs between two of the same.
fn held(path: &Path) -> Held {
    let (folder, _) = RunFolder::open(path).unwrap();
    let mut result = folder.completed().unwrap().unwrap();
    result
        .as_object_mut()
        .unwrap()
        .retain(|key, _| !key.ends_with("seconds"));
    let weights = ["model.safetensors", "best.safetensors"];
    let log = fs::read_to_string(path.join("events.jsonl")).unwrap();
    let event = |line: &str| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        event
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !key.ends_with("seconds"));
        event.to_string()
    };
    (
        weights
            .map(|name| fs::read(path.join(name)).unwrap())
            .to_vec(),
        result.to_string(),
        log.lines().map(event).collect(),
    )
}

/// What is to come of a run: its weights, its result, its log.
type Held = (Vec<Vec<u8>>, String, Vec<String>);

/// Goes on with what is in a folder, or begins anew where nothing is, and looks at what comes of it.
fn bring_to_its_end(path: &Path, data: &Loaded, expected: &Held, told: &str) {
    let is_over = RunFolder::at(path).completed();
    let is_over = is_over.unwrap_or_else(|error| panic!("{told}: {error}"));
    let ended = match is_over {
        Some(_) => Ok(()),
        None if RunFolder::at(path).is_begun() => go_on(path, data),
        None => begin(path, data),
    };
    ended.unwrap_or_else(|error| panic!("{told}: {error}"));
    let found = held(path);
    assert!(found.0 == expected.0, "{told}: other weights");
    assert_eq!(found.1, expected.1, "{told}");
    // What a fault was told of stands in the log of a run that ended in spite of it.
    if is_over.is_none() {
        assert_eq!(found.2, expected.2, "{told}");
    }
}

/// Does `work` in a folder that `before` made, with each of its operations failing, and brings the run to its end.
fn every_operation(
    fault: fn(u64) -> Fault,
    before: &dyn Fn(&Path),
    work: &dyn Fn(&Path) -> Result<(), Error>,
    data: &Loaded,
    expected: &Held,
) -> u64 {
    for at in 1.. {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        before(&path);
        let (outcome, operations) = failing(parent.path(), fault(at), || work(&path));
        let is_over = RunFolder::at(&path).completed().unwrap().is_some();
        if operations < at {
            outcome.unwrap();
            assert!(held(&path) == *expected, "whole");
            return operations;
        }
        // One that ends well did without the operation: an old checkpoint stays, say.
        assert!(
            is_over || outcome.is_err(),
            "{at}: an error that nobody was told"
        );
        bring_to_its_end(&path, data, expected, &format!("{at}"));
    }
    0
}

/// A run that has been stopped after seven steps, the same every time.
fn stopped(path: &Path, data: &Loaded) {
    let interrupt = Interrupt::default();
    let folder = RunFolder::take(path, false).unwrap();
    let mut stop = Stop(7, interrupt.clone());
    folder
        .execute_on(&config(), data, &mut stop, &interrupt)
        .unwrap();
}

fn expected(data: &Loaded) -> Held {
    let whole = tempfile::tempdir().unwrap();
    begin(&whole.path().join("run"), data).unwrap();
    held(&whole.path().join("run"))
}

/// How many operations a run asks for, and one that goes on: each has failed once.
fn survived(fault: fn(u64) -> Fault) -> (u64, u64) {
    let data = config().load().unwrap();
    let expected = expected(&data);
    let begin = |path: &Path| begin(path, &data);
    let begun = every_operation(fault, &|_| {}, &begin, &data, &expected);
    let go_on = |path: &Path| go_on(path, &data);
    let gone_on = every_operation(
        fault,
        &|path| stopped(path, &data),
        &go_on,
        &data,
        &expected,
    );
    println!("{begun} operations of a run, {gone_on} of one that goes on");
    (begun, gone_on)
}

/// How many states of the disk after a crash a run, and one that goes on, has come to its end from.
fn outlived(losses: &dyn Fn(usize) -> Vec<Loss>) -> usize {
    let data = config().load().unwrap();
    let expected = expected(&data);
    let mut states = 0;
    for goes_on in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        if goes_on {
            stopped(&path, &data);
        }
        let (done, journal) = recording(parent.path(), || match goes_on {
            true => go_on(&path, &data),
            false => begin(&path, &data),
        });
        done.unwrap();
        assert!(
            journal.is_all_of(parent.path()).unwrap(),
            "an operation was not noted"
        );
        for crash in 0..=journal.len() {
            for loss in losses(crash) {
                let after = tempfile::tempdir().unwrap();
                journal.after_crash(crash, loss, after.path()).unwrap();
                let told = format!("goes on: {goes_on}, crash after {crash}, {loss:?}");
                bring_to_its_end(&after.path().join("run"), &data, &expected, &told);
                states += 1;
            }
        }
    }
    println!("{states} states after a crash");
    states
}

/// As a program that is killed leaves it.
#[test]
fn a_run_and_one_that_goes_on_survive_the_lasting_failure_of_every_operation() {
    let (begun, gone_on) = survived(Fault::killed);
    // So that no operation has escaped the count unnoticed.
    assert!(begun > 100 && gone_on > 60, "{begun}, {gone_on}");
}

#[test]
fn a_run_and_one_that_goes_on_outlive_a_crash_after_every_operation() {
    // All that was not synced is lost, or some of it.
    let states = outlived(&|crash| match crash % 2 {
        0 => vec![Loss::All],
        _ => vec![Loss::Random(crash as u64)],
    });
    assert!(states > 200, "{states}");
}

#[test]
#[ignore = "minutes: cargo test --release -p koala-lab -p koala-train --test faults -- --ignored --nocapture"]
fn the_same_of_failures_that_pass_of_a_disk_that_is_full_or_broken_and_of_records_that_are_torn() {
    for fault in [Fault::once, Fault::full, Fault::broken] {
        survived(fault);
    }
    survived(|at| Fault::killed(at).torn());
    survived(|at| Fault::full(at).torn());
}

#[test]
#[ignore = "minutes: cargo test --release -p koala-lab -p koala-train --test faults -- --ignored --nocapture"]
fn a_run_outlives_whatever_a_crash_may_leave() {
    let plain = [Loss::None, Loss::All, Loss::Content, Loss::Names];
    outlived(&|crash| {
        let random = (0..8).map(|draw| Loss::Random((crash * 8 + draw) as u64));
        plain.into_iter().chain(random).collect()
    });
}
