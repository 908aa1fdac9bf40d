//! What checkpoints promise, whatever fails.

use super::*;
use crate::training::Marks;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint {
        step,
        files: BTreeMap::from([
            ("model.safetensors".to_owned(), vec![step as u8; 300]),
            ("progress.json".to_owned(), b"{}".to_vec()),
        ]),
        marks: Marks::from([("events.jsonl".to_owned(), 10 * step)]),
    }
}

fn checkpoints(folder: &Path, keep: usize) -> Checkpoints {
    let policy = CheckpointPolicy {
        every: 10,
        period: Duration::from_secs(3600),
        keep,
    };
    Checkpoints::new(folder.join("checkpoints"), folder.join("best"), policy)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("checkpoints"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_last_are_kept_and_the_newest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 2);
    assert_eq!(all.find().unwrap().checkpoint, None);
    for step in [3, 9, 20, 100] {
        all.keep(checkpoint(step)).unwrap();
    }
    assert_eq!(
        names(folder.path()),
        ["step-000000000020", "step-000000000100"]
    );
    let found = all.find().unwrap();
    assert_eq!(
        (found.checkpoint, found.warnings),
        (Some(checkpoint(100)), vec![])
    );
    // The same step once more.
    all.keep(checkpoint(100)).unwrap();
    assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(100)));
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn a_checkpoint_is_due_by_steps_by_time_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 2);
    assert_eq!(
        [9, 10, 11].map(|step| all.due(step, false)),
        [false, true, false]
    );
    assert!(all.due(11, true));
    all.policy.period = Duration::ZERO;
    assert!(all.due(11, false));
}

#[test]
fn what_was_never_finished_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 2);
    all.keep(checkpoint(10)).unwrap();
    let part = folder.path().join("checkpoints/.step-000000000020.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join("model.safetensors"), "half").unwrap();
    assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(10)));
    // Not the same step: checkpoints by time come at others after a kill.
    all.keep(checkpoint(17)).unwrap();
    assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(17)));
    assert!(!part.exists());
}

#[test]
fn damaged_ones_never_push_a_whole_one_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 2);
    for step in [10, 20, 30] {
        all.keep(checkpoint(step)).unwrap();
    }
    for step in [20, 30] {
        let path = format!("checkpoints/step-{step:012}/model.safetensors");
        fs::write(folder.path().join(path), "damage").unwrap();
    }
    all.keep(checkpoint(10)).unwrap();
    all.keep(checkpoint(15)).unwrap();
    assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(15)));
    all.keep(checkpoint(31)).unwrap();
    all.keep(checkpoint(32)).unwrap();
    assert_eq!(
        names(folder.path()),
        ["step-000000000031", "step-000000000032"]
    );
}

#[test]
fn an_old_one_that_cannot_be_removed_is_told_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 1);
    assert_eq!(all.keep(checkpoint(10)).unwrap(), None);
    // Someone's file in it: only what is a checkpoint's is removed, and so the folder is not empty.
    let mine = folder.path().join("checkpoints/step-000000000010/mine.txt");
    fs::write(&mine, "precious").unwrap();
    let told = all.keep(checkpoint(20)).unwrap().unwrap();
    assert!(
        told.contains("step-000000000010") && told.contains("goes on"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&mine).unwrap(), "precious");
    assert_eq!(all.find().unwrap().checkpoint, Some(checkpoint(20)));
    fs::remove_file(mine).unwrap();
    assert_eq!(all.keep(checkpoint(30)).unwrap(), None);
    assert_eq!(names(folder.path()), ["step-000000000030"]);
}

#[test]
fn a_run_folder_that_is_gone_is_not_made_anew() {
    let parent = tempfile::tempdir().unwrap();
    let mut all = checkpoints(&parent.path().join("gone"), 1);
    assert!(matches!(all.keep(checkpoint(10)), Err(Error::File { .. })));
    assert!(!parent.path().join("gone").exists());
}

#[test]
fn the_best_weights_are_those_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 1);
    assert_eq!(all.best_weights().unwrap(), None);
    all.best(&mut || Ok(b"weights".to_vec())).unwrap();
    assert_eq!(all.best_weights().unwrap().unwrap(), b"weights");
    all.keep(checkpoint(10)).unwrap();
    // Another session of the run knows them too.
    let best = all.find().unwrap().best;
    assert_eq!(best, Some(Entry::of(b"weights")));
    let bound = Bound::new(BTreeMap::new(), None);
    let later = checkpoints(folder.path(), 1).of_run(bound, best);
    assert_eq!(later.best_weights().unwrap().unwrap(), b"weights");
    let file = folder.path().join("best");
    fs::write(&file, "weighte").unwrap();
    for all in [&all, &later] {
        let text = all.best_weights().unwrap_err().to_string();
        assert!(text.contains("best: is not what was written"), "{text}");
    }
    fs::remove_file(&file).unwrap();
    let text = later.best_weights().unwrap_err().to_string();
    assert!(text.contains("best: it is missing"), "{text}");
}

#[test]
fn whatever_fails_leaves_the_checkpoint_before_or_the_new_one() {
    use koala_system::faults::{Fault, failing};
    let torn = |at| Fault::killed(at).torn();
    for fault in [Fault::once, Fault::killed, torn, Fault::full, Fault::broken] {
        for at in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let mut all = checkpoints(folder.path(), 1);
            all.keep(checkpoint(10)).unwrap();
            // The same step again, whose old folder stands in the way, and a later one.
            let (outcome, operations) = failing(folder.path(), fault(at), || {
                all.keep(checkpoint(10))?;
                all.keep(checkpoint(20))
            });
            let found = all.find().unwrap();
            let kept = found.checkpoint.unwrap();
            assert!([checkpoint(10), checkpoint(20)].contains(&kept), "{at}");
            assert_eq!(found.warnings, [""; 0], "{at}");
            if operations < at {
                assert_eq!(outcome.unwrap(), None);
                assert_eq!(kept, checkpoint(20));
                assert!(at > 20);
                break;
            }
            all.keep(checkpoint(30)).unwrap();
            assert_eq!(names(folder.path()), ["step-000000000030"], "{at}");
        }
    }
}

#[test]
fn nothing_whole_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = checkpoints(folder.path(), 2);
    all.keep(checkpoint(10)).unwrap();
    fs::remove_file(
        folder
            .path()
            .join("checkpoints/step-000000000010/model.safetensors"),
    )
    .unwrap();
    let text = all.find().unwrap_err().to_string();
    assert!(text.contains("model.safetensors cannot be read"), "{text}");
    assert!(text.contains("--overwrite"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_damaged_newest_falls_back_to_the_one_before(
        file in proptest::sample::select(vec!["manifest.json", "model.safetensors", "progress.json"]),
        place in 0.0f64..1.0,
        bits in 1u8..=255,
        cut: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut all = checkpoints(folder.path(), 2);
        all.keep(checkpoint(10)).unwrap();
        all.keep(checkpoint(20)).unwrap();
        let path = folder.path().join("checkpoints/step-000000000020").join(file);
        let mut content = fs::read(&path).unwrap();
        let at = ((content.len() - 1) as f64 * place) as usize;
        if cut { content.truncate(at); } else { content[at] ^= bits; }
        fs::write(&path, &content).unwrap();
        let found = all.find().unwrap();
        if found.warnings.is_empty() {
            // White space between the manifest's words became other white space.
            prop_assert_eq!(file, "manifest.json");
            prop_assert_eq!(found.checkpoint, Some(checkpoint(20)));
        } else {
            prop_assert_eq!(found.checkpoint, Some(checkpoint(10)));
            prop_assert_eq!(found.warnings.len(), 1);
        }
    }
}
