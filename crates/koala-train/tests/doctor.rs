//! What `koala doctor` looks at, on a sound machine and on one whose disk is none.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use koala_system::faults::{Fault, failing};
use koala_train::device::DeviceName;
use koala_train::doctor::{Finding, State, examine};
use std::fs;

fn examined(folder: &Path) -> Vec<Finding> {
    let mut all = Vec::new();
    examine(folder, DeviceName::default(), &mut |finding| {
        all.push(finding)
    });
    all
}

#[test]
fn a_sound_machine_is_well_and_nothing_is_left_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let all = examined(folder.path());
    let names: Vec<_> = all.iter().map(|one| one.what.as_str()).collect();
    let first = [
        "disk",
        "the same run twice",
        "one thread and two",
        "stopped and gone on",
    ];
    assert_eq!(names[..4], first);
    assert!(
        all[..4].iter().all(|one| one.state == State::Well),
        "{all:?}"
    );
    assert!(names.contains(&"data mnist"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_disk_that_is_full_or_broken_is_told_with_what_to_do_and_the_rest_goes_on() {
    for fault in [Fault::full(1), Fault::full(4), Fault::broken(3)] {
        let folder = tempfile::tempdir().unwrap();
        let (all, _) = failing(folder.path(), fault, || examined(folder.path()));
        assert_eq!((all[0].what.as_str(), all[0].state), ("disk", State::Wrong));
        assert!(all[0].told.contains("--out"), "{}", all[0].told);
        assert_eq!(
            (all[1].what.as_str(), all[1].state),
            ("the same run twice", State::Well)
        );
    }
}

#[test]
fn a_device_that_is_not_built_in_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    let device = "cuda:7".parse().unwrap();
    examine(folder.path(), device, &mut |finding| all.push(finding));
    assert_eq!(
        (all[1].what.as_str(), all[1].state),
        ("device", State::Wrong)
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
