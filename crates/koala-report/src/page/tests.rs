//! The page as a whole, from folders on disk.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::{html, of};
use crate::{LISTING_FILE, compare};

const HOSTILE: &str = "a </script><script>alert(1)</script> & \"b\" 'c' \u{2028}";

/// A run of `steps` steps; `end` is its last line.
fn run(folder: &Path, seed: u64, steps: usize, end: &str) {
    fs::create_dir_all(folder).unwrap();
    let config = format!("seed = {seed}\n[optimizer]\nname = \"o\"\ngain = 1.0\n");
    fs::write(folder.join("config.toml"), config).unwrap();
    let mut log = format!(
        r#"{{"event":"start","version":"0","optimizer":"o","dataset":"d","model":"m","device":"cpu","parameters":9,"seed":{seed},"epochs":1,"steps":{steps}}}"#
    );
    for step in 0..steps {
        let rate = 0.5 / (step + 1) as f64;
        write!(log, "\n{{\"event\":\"step\",\"step\":{step},\"epoch\":0,\"loss\":{rate},\"gain\":1.0,\"effective_learning_rate\":{rate},\"seconds\":{step}").unwrap();
        write!(log, r#","filter":{{"step":{step},"outcome":"measured","loss":1.0,"second_moment":1.0,"target":0.0,"gain":1.0,"measurement_noise":1.0,"process_noise":{{"scalar":1.0}},"covariance":{{"scalar":0.1}},"limiting_block":0,"update_norm":1.0,"gradient_norm":1.0,"bound_factor":1.0,"missing_in_a_row":0,"blocks":[{{"name":"</script>w","outcome":"updated","gradient_norm":1.0,"innovation":-1.0,"innovation_variance":1.0,"normalised_innovation_squared":1.0,"gain_norm":1.0,"effective_learning_rate":{rate},"update_norm":1.0}}]}}}}"#).unwrap();
        write!(log, "\n{{\"event\":\"evaluation\",\"step\":{},\"validation_loss\":{rate},\"validation_error\":{rate},\"seconds\":{step}}}", step + 1).unwrap();
    }
    writeln!(log, "\n{end}").unwrap();
    fs::write(folder.join("events.jsonl"), log).unwrap();
}

/// A suite with names that would break a careless page, one run that failed, one that goes on and one that was never begun.
fn suite(folder: &Path, steps: usize) {
    let end = r#"{"event":"failure","message":"it <b>diverged</b>"}"#;
    run(&folder.join("runs/a"), 1, steps, end);
    let failure = r#"{"message":"it <b>diverged</b>","version":"0"}"#;
    fs::write(folder.join("runs/a/failure.json"), failure).unwrap();
    run(&folder.join("runs/b"), 2, steps, r#"{"event":"other"}"#);
    let listed = |name: &str, seed: u64| {
        serde_json::json!({"folder": format!("runs/{name}"), "workload": HOSTILE, "optimizer": HOSTILE, "seed": seed,
            "role": {"role": "defaults"}})
    };
    let listing = serde_json::json!({
        "format": 1, "version": HOSTILE, "name": HOSTILE, "source": HOSTILE, "seeds": [1, 2, 3], "tuning": null,
        "workloads": [{"name": HOSTILE, "dataset": HOSTILE, "model": HOSTILE, "measure": "error", "target": null,
            "examples_per_step": 1}],
        "runs": [listed("a", 1), listed("b", 2), listed("c", 3)],
        "choices": []
    });
    fs::write(folder.join(LISTING_FILE), listing.to_string()).unwrap();
}

fn page(folder: &Path) -> String {
    html(&compare(folder).unwrap(), folder).unwrap()
}

#[test]
fn names_from_files_are_only_text() {
    let folder = tempfile::tempdir().unwrap();
    suite(folder.path(), 4);
    let page = page(folder.path());
    assert!(!page.contains("<script>alert") && !page.contains("<b>diverged"));
    // As many elements as the template has: the data and the six scripts.
    assert_eq!(page.matches("</script>").count(), 7);
    assert!(page.contains("failed: it ") && page.contains("diverged"));
}

/// Drawings carry names too, in the page and in files of their own.
#[test]
fn names_in_drawings_are_only_text() {
    let mut suite = crate::testing::Suite::new(&[0, 1, 2]);
    suite.workload(HOSTILE, crate::Measure::Error, None);
    for (at, optimizer) in ["koala-a", HOSTILE].into_iter().enumerate() {
        let test = [1.0 + at as f64, 1.5, 2.0];
        suite.arm(optimizer, &crate::Role::Defaults, 1.0, &test);
    }
    let comparison = suite.compare();
    let page = html(&comparison, suite.folder()).unwrap();
    assert!(page.contains("<svg xmlns=") && !page.contains("<script>alert"));
    let pictures = super::pictures(&comparison, suite.folder()).unwrap();
    // The ranking, the matrix, the curve and the chart of held-out samples.
    assert_eq!(pictures.len(), 4);
    for picture in pictures {
        assert!(!picture.text.contains("<script"), "{}", picture.file);
        assert!(picture.text.contains("&#60;/script"), "{}", picture.file);
        assert!(!picture.text.contains("var("), "{}", picture.file);
    }
}

/// The other lengths of a problem stand behind its own, folded.
#[test]
fn problems_of_their_own_length_come_first_and_the_others_are_folded() {
    let mut suite = crate::testing::Suite::new(&[0, 1, 2]);
    for factor in [0.5, 1.0, 2.0] {
        for of in ["w0", "w1"] {
            suite.workload(&format!("{of}@{factor}"), crate::Measure::Error, None);
            let of = of.to_owned();
            suite.listing.workloads.last_mut().unwrap().horizon =
                Some(crate::Horizon { of, factor });
            suite.arm("koala-a", &crate::Role::Defaults, 1.0, &[1.0, 1.1, 1.2]);
            suite.arm("adamw", &crate::Role::Defaults, 1.0, &[2.0, 2.1, 2.3]);
        }
    }
    let page = html(&suite.compare(), suite.folder()).unwrap();
    let at = |text: &str| page.find(text).unwrap();
    let places = [
        at("<h3>w0@1</h3>"),
        at("<h3>w1@1</h3>"),
        at("<summary>4 more, from w0@0.5 on</summary>"),
        at("<h3>w0@0.5</h3>"),
        at("<h3>w1@0.5</h3>"),
        at("<h3>w0@2</h3>"),
        at("<h3>w1@2</h3>"),
    ];
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(
        page.matches("<details").count(),
        page.matches("</details>").count()
    );
}

/// Of many problems the first are shown, of few all.
#[test]
fn of_many_problems_the_first_twelve_are_shown() {
    let folded = |problems: usize| {
        let mut suite = crate::testing::Suite::new(&[0]);
        for at in 0..problems {
            suite.workload(&format!("w{at}"), crate::Measure::Error, None);
            suite.arm("koala-a", &crate::Role::Defaults, 1.0, &[1.0]);
        }
        let page = html(&suite.compare(), suite.folder()).unwrap();
        page.contains("<summary>1 more, from w12 on</summary>")
    };
    assert!(!folded(12) && folded(13));
}

#[test]
fn an_unfinished_suite_has_a_page_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    suite(folder.path(), 4);
    let page = page(folder.path());
    assert!(page.contains("not begun") && page.contains("not at its end"));
    assert!(page.contains("Before you believe it"));
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    suite(folder.path(), 9);
    assert_eq!(page(folder.path()), page(folder.path()));
}

#[test]
fn long_runs_make_no_long_page() {
    let (brief, long) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    suite(brief.path(), 200);
    suite(long.path(), 4000);
    let (brief, long) = (page(brief.path()).len(), page(long.path()).len());
    assert!(long < brief + 20_000, "{brief} bytes became {long}");
}

#[test]
fn runs_without_a_suite_are_called_by_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("one"), 1, 4, r#"{"event":"other"}"#);
    run(&folder.path().join("two"), 1, 4, r#"{"event":"other"}"#);
    let config = folder.path().join("two/config.toml");
    let text = fs::read_to_string(&config)
        .unwrap()
        .replace("gain = 1.0", "gain = 0.5");
    fs::write(config, text).unwrap();
    let page = of(&[folder.path().to_owned()]).unwrap();
    assert!(page.contains("o (gain 1.0)") && page.contains("o (gain 0.5)"));
    // Nobody chose defaults for them.
    assert!(
        page.contains("own settings")
            && !page.contains("Defaults")
            && !page.contains("with defaults")
    );
    let apart = of(&[folder.path().join("two"), folder.path().join("one")]).unwrap();
    assert_eq!(page, apart);
}

#[test]
fn a_folder_without_runs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let told = of(&[folder.path().to_owned()]).unwrap_err().to_string();
    assert!(
        told.contains(
            &folder
                .path()
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        )
    );
    assert!(of(&[]).is_err());
}
