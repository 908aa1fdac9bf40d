//! They go on to the bit, on the same data only.

use std::fs;

use super::common::{finished, stderr, take_back, text};
use super::{KINDS, made, train};

#[test]
fn a_run_that_was_stopped_goes_on_to_the_bit() {
    let here = made();
    for (number, kind) in KINDS.iter().enumerate() {
        let run = format!("run-{number}");
        let folder = here.path().join(&run);
        let more = [
            "--epochs=3",
            "--validation=30",
            "--checkpoint-every=2",
            "-q",
            "--out",
            &run,
        ];
        train(here.path(), &[kind, &more]).success();
        let (whole, note) = (finished(&folder), text(&folder.join("data.json")));
        take_back(&folder);
        train(here.path(), &[&["-q", "--resume", &run]]).success();
        finished(&folder).assert_equal(&whole, &run);
        assert_eq!(text(&folder.join("data.json")), note);
        // And so does its configuration in another folder.
        let config = format!("{run}/config.toml");
        let again = format!("{run}-again");
        train(
            here.path(),
            &[&["-q", "--config", &config, "--out", &again]],
        )
        .success();
        finished(&here.path().join(&again)).assert_equal(&whole, &again);
    }
}

#[test]
fn data_that_have_changed_are_another_run() {
    let here = made();
    for (number, (kind, file)) in KINDS
        .iter()
        .zip(["photos", "idx", "animals.csv", "animals.csv"])
        .enumerate()
    {
        let run = format!("run-{number}");
        train(
            here.path(),
            &[
                kind,
                &["--epochs=2", "--checkpoint-every=2", "-q", "--out", &run],
            ],
        )
        .success();
        take_back(&here.path().join(&run));
        let place = here.path().join(file);
        match file {
            // One picture less.
            "photos" => fs::remove_file(place.join("left/0001.png")).unwrap(),
            // Both parts the same now.
            "idx" => {
                for kind in ["images-idx3", "labels-idx1"] {
                    let name = |part: &str| place.join(format!("{part}-{kind}-ubyte.gz"));
                    fs::copy(name("t10k"), name("train")).map(drop).unwrap();
                }
            }
            // One animal is heavier.
            _ => {
                let rows = text(&place);
                let (first, last) = rows.trim_end().rsplit_once('\n').unwrap();
                fs::write(&place, format!("{first}\n1{last}\n")).unwrap();
            }
        }
        let before = text(&here.path().join(&run).join("data.json"));
        let refused = stderr(&train(here.path(), &[&["-q", "--resume", &run]]).code(1));
        let expected = format!("error: {run}: its data have changed since it was begun");
        assert!(refused.starts_with(&expected), "{refused}");
        assert_eq!(text(&here.path().join(&run).join("data.json")), before);
    }
}
