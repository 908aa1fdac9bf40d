//! Every operation that changes the disk fails once, for every operation that a run needs: whatever becomes of the run then, its
//! folder opens, and the run goes on to the same bits.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use koala_data::Loaded;
use koala_system::faults::{Fault, failing};
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
fn held(path: &Path) -> (Vec<Vec<u8>>, String, Vec<String>) {
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

/// Does `work` in a folder that `before` made, with each of its operations failing, and brings the run to its end.
fn every_operation(
    fault: fn(u64) -> Fault,
    before: &dyn Fn(&Path),
    work: &dyn Fn(&Path) -> Result<(), Error>,
    data: &Loaded,
    expected: &(Vec<Vec<u8>>, String, Vec<String>),
) -> u64 {
    for at in 1.. {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        before(&path);
        let (outcome, operations) = failing(fault(at), || work(&path));
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
        match is_over {
            true => {}
            false if RunFolder::at(&path).is_begun() => go_on(&path, data).unwrap(),
            false => begin(&path, data).unwrap(),
        }
        let found = held(&path);
        assert!(found.0 == expected.0, "{at}: other weights");
        assert_eq!(found.1, expected.1, "{at}");
        // What a fault was told of stands in the log of a run that ended in spite of it.
        if !is_over {
            assert_eq!(found.2, expected.2, "{at}");
        }
    }
    0
}

/// How many operations a run asks for, and one that goes on: each has failed once.
fn survived(fault: fn(u64) -> Fault) -> (u64, u64) {
    let data = config().load().unwrap();
    let whole = tempfile::tempdir().unwrap();
    begin(&whole.path().join("run"), &data).unwrap();
    let expected = held(&whole.path().join("run"));
    let stopped = |path: &Path| {
        let interrupt = Interrupt::default();
        let folder = RunFolder::take(path, false).unwrap();
        let mut stop = Stop(7, interrupt.clone());
        folder
            .execute_on(&config(), &data, &mut stop, &interrupt)
            .unwrap();
    };
    let begun = every_operation(fault, &|_| {}, &|path| begin(path, &data), &data, &expected);
    let gone_on = every_operation(
        fault,
        &stopped,
        &|path| go_on(path, &data),
        &data,
        &expected,
    );
    println!("{begun} operations of a run, {gone_on} of one that goes on");
    (begun, gone_on)
}

/// As a program that is killed leaves it, or a disk that is full.
#[test]
fn a_run_and_one_that_goes_on_survive_the_lasting_failure_of_every_operation() {
    let (begun, gone_on) = survived(Fault::from);
    // So that no operation has escaped the count unnoticed.
    assert!(begun > 100 && gone_on > 60, "{begun}, {gone_on}");
}

#[test]
#[ignore = "a minute or more: cargo test --release -p koala-lab -p koala-train --test faults -- --ignored"]
fn the_same_of_failures_that_pass_and_of_records_that_are_torn() {
    survived(Fault::once);
    survived(|at| Fault::from(at).torn());
}
