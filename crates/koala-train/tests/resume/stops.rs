//! Stops at every kind of moment.

use std::fs;
use std::path::Path;

use koala_train::Error;
use koala_train::run::{Override, RunConfig, RunFolder};
use koala_train::training::{Event, Interrupt, Observer, Status};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::cases::{Case, all};
use super::contents::contents;

/// A moment, and how the run is stopped there.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Asked to stop in the step before this number of steps is done.
    Asked(u64),
    /// Broken off in that step, as if killed: what comes after the last checkpoint is lost.
    Killed(u64),
    /// Broken off after all steps, before the result is there.
    KilledAtTheEnd,
}

/// Stops a run.
struct Stopper {
    stop: Option<Stop>,
    interrupt: Interrupt,
    resumed: Option<u64>,
}

impl Observer for Stopper {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        let killed = || {
            Err(Error::Busy {
                folder: "killed".into(),
            })
        };
        match (event, self.stop) {
            (Event::Resume(resume), _) => self.resumed = Some(resume.step),
            (Event::Step(step), Some(Stop::Asked(at))) if step.step + 1 == at => {
                self.interrupt.set();
            }
            (Event::Step(step), Some(Stop::Killed(at))) if step.step + 1 == at => return killed(),
            (Event::End(_), Some(Stop::KilledAtTheEnd)) => return killed(),
            _ => {}
        }
        Ok(())
    }
}

/// One session in a folder, from its beginning or on from where it was. The status, if it was not killed; where it went
/// on; the warnings.
pub fn session(
    folder: &Path,
    config: &RunConfig,
    stop: Option<Stop>,
) -> (Option<Status>, Option<u64>, Vec<String>) {
    let interrupt = Interrupt::default();
    let mut stopper = Stopper {
        stop,
        interrupt: interrupt.clone(),
        resumed: None,
    };
    let data = config.load().unwrap();
    let mut warnings = Vec::new();
    let outcome = if folder.join("config.toml").exists() {
        let (run, stored) = RunFolder::open(folder).unwrap();
        assert_eq!(&stored, config);
        let mut warn = |text: &str| warnings.push(text.to_owned());
        run.resume_on(&stored, &data, &mut stopper, &interrupt, &mut warn)
    } else {
        let run = RunFolder::take(folder, false).unwrap();
        run.execute_on(config, &data, &mut stopper, &interrupt)
    };
    let status = match outcome {
        Ok(outcome) => Some(outcome.result.status),
        Err(Error::Busy { .. }) => None,
        Err(error) => panic!("{error}"),
    };
    (status, stopper.resumed, warnings)
}

/// Runs with these stops and compares with the run without.
fn check(case: &Case, every: u64, stops: &[Stop]) {
    let what = format!("{}: checkpoint every {every}, {stops:?}", case.name);
    let folder = tempfile::tempdir().unwrap();
    let config = RunConfig {
        checkpoint_every: every,
        ..case.config.clone()
    };
    for stop in stops {
        let (_, _, warnings) = session(folder.path(), &config, Some(*stop));
        assert_eq!(warnings, Vec::<String>::new(), "{what}");
    }
    let (status, _, warnings) = session(folder.path(), &config, None);
    assert_eq!(status, Some(Status::Completed), "{what}");
    assert_eq!(warnings, Vec::<String>::new(), "{what}");
    let (mut found, mut expected) = (contents(folder.path()), case.expected.clone());
    // The configuration says how often checkpoints are made, and nothing else differs.
    for contents in [&mut found, &mut expected] {
        contents.board.remove(1);
    }
    found.assert_equal(&expected, &what);
}

#[test]
fn a_run_that_is_stopped_goes_on_to_the_same_bits() {
    let text = tempfile::tempdir().unwrap();
    let cases = all(text.path());
    for case in &cases {
        let (epoch, steps) = (case.epoch, case.steps);
        // Before the first evaluation, at and around the end of an epoch, in the last step.
        check(case, 0, &[Stop::Asked(1), Stop::Asked(epoch + 2)]);
        check(
            case,
            0,
            &[
                Stop::Asked(epoch - 1),
                Stop::Asked(epoch),
                Stop::Asked(epoch + 1),
            ],
        );
        check(case, 0, &[Stop::Asked(steps - 1), Stop::Asked(steps)]);
        check(case, 2, &[Stop::Killed(1), Stop::Killed(epoch)]);
        check(case, 3, &[Stop::Killed(steps), Stop::KilledAtTheEnd]);
    }
    let stop = |case: &Case| {
        let step = 1..case.steps;
        prop_oneof![
            step.clone().prop_map(Stop::Asked),
            step.prop_map(Stop::Killed)
        ]
    };
    let mut runner = TestRunner::new(ProptestConfig::with_cases(30));
    let strategy = (0..cases.len(), 1u64..6).prop_flat_map(|(number, every)| {
        let stops = proptest::collection::vec(stop(&cases[number]), 1..3);
        (Just(number), Just(every), stops)
    });
    runner
        .run(&strategy, |(number, every, stops)| {
            check(&cases[number], every, &stops);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_run_goes_on_at_its_checkpoint_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(3);
    let (status, _, _) = session(folder.path(), &config, Some(Stop::Killed(8)));
    assert_eq!(status, None);
    let (_, from, _) = session(folder.path(), &config, Some(Stop::Asked(7)));
    assert_eq!(from, Some(6));
    let (_, from, _) = session(folder.path(), &config, Some(Stop::Asked(8)));
    assert_eq!(from, Some(7));
}

#[test]
fn whoever_asks_before_the_first_step_has_a_run_that_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(0);
    let run = RunFolder::take(folder.path(), false).unwrap();
    let interrupt = Interrupt::default();
    interrupt.set();
    let mut stopper = Stopper {
        stop: None,
        interrupt: interrupt.clone(),
        resumed: None,
    };
    let result = run
        .execute(&config, &mut stopper, &interrupt)
        .unwrap()
        .result;
    assert_eq!((result.status, result.steps), (Status::Interrupted, 0));
    let (status, from, _) = session(folder.path(), &config, None);
    assert_eq!((status, from), (Some(Status::Completed), None));
}

#[test]
fn a_damaged_checkpoint_is_told_of_and_the_one_before_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(2);
    session(folder.path(), &config, Some(Stop::Killed(9)));
    let newest = folder
        .path()
        .join("checkpoints/step-000000000008/optimizer.safetensors");
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&newest, bytes).unwrap();
    let (status, from, warnings) = session(folder.path(), &config, None);
    assert_eq!((status, from), (Some(Status::Completed), Some(6)));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].ends_with("optimizer.safetensors is not what was written"));
    let whole = tempfile::tempdir().unwrap();
    session(whole.path(), &config, None);
    contents(folder.path()).assert_equal(&contents(whole.path()), "after a damaged checkpoint");
}

/// Twelve steps on the digits.
pub fn small(checkpoint_every: u64) -> RunConfig {
    let config = RunConfig::resolve(
        None,
        &[
            Override::new("train-limit", 100),
            Override::new("batch-size", 25),
            Override::new("epochs", 3),
            Override::new("log-every", 2),
            Override::new("model.hidden", vec![8]),
        ],
    );
    RunConfig {
        checkpoint_every,
        ..config.unwrap()
    }
}
