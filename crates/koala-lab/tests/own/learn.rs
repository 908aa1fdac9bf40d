//! They are learned, and the run says from what.

use koala_data::{
    OwnRows, Parting, Preparation, SampleSet, Share, TableOptions, sample, table_file,
};
use koala_train::run::DataNote;

use super::common::{json, stderr, stdout, text};
use super::{KINDS, made, train};

fn note(run: &std::path::Path) -> DataNote {
    serde_json::from_str(&text(&run.join("data.json"))).unwrap()
}

#[test]
fn each_kind_is_learned_by_the_network_for_it() {
    let here = made();
    // Guessing misreads 75 %, 80 % and two thirds.
    for (kind, model, most) in [
        (KINDS[0], "cnn", 25.0),
        (KINDS[1], "cnn", 25.0),
        (KINDS[2], "mlp", 15.0),
    ] {
        let result = json(&train(here.path(), &[kind, &["--json"]]).success());
        assert_eq!(result["model"], model);
        let error = result["test_error"].as_f64().unwrap();
        assert!(error <= most, "{kind:?}: {error} %");
    }
    // Telling the mean has a root of about 1.
    let result = json(&train(here.path(), &[KINDS[3], &["--json"]]).success());
    assert!(result["test_root"].as_f64().unwrap() < 0.6, "{result}");
    assert_eq!(
        (&result["model"], result.get("test_error")),
        (&"mlp".into(), None)
    );
}

#[test]
fn what_is_odd_is_told_and_kept() {
    let here = made();
    for kind in KINDS {
        let told = train(
            here.path(),
            &[kind, &["--epochs=1", "--json", "--out=run", "--overwrite"]],
        )
        .success();
        let note = note(&here.path().join("run"));
        let result = json(&told);
        assert_eq!(result["warnings"], serde_json::json!(note.warnings));
        let lines: String = note
            .warnings
            .iter()
            .map(|text| format!("warning: {text}\n"))
            .collect();
        assert_eq!(stderr(&told), lines);
        assert!(lines.contains("the test part has"), "{lines}");
    }
    let quiet = train(here.path(), &[KINDS[2], &["--epochs=1", "--quiet"]]).success();
    assert_eq!(stderr(&quiet), "");
    // What is nobody's own has nothing of it.
    let told = train(
        here.path(),
        &[&["--epochs=1", "--json", "--out=run", "--overwrite"]],
    )
    .success();
    assert!(json(&told).get("warnings").is_none());
    assert!(!here.path().join("run/data.json").exists());
}

#[test]
fn the_run_keeps_how_samples_were_prepared() {
    let here = made();
    train(
        here.path(),
        &[
            KINDS[0],
            &["--image-size=8", "--epochs=1", "--out=pictures"],
        ],
    )
    .success();
    let Preparation::Images(pictures) = note(&here.path().join("pictures")).preparation else {
        panic!("no pictures")
    };
    assert_eq!(pictures.classes, ["far-left", "far-right", "left", "right"]);
    assert_eq!(
        (
            pictures.channels,
            pictures.height,
            pictures.width,
            pictures.resize
        ),
        (3, 8, 8, true)
    );
    let config = text(&here.path().join("pictures/config.toml"));
    assert!(
        config.contains("data-dir = \"photos\"\nimage-size = 8\n"),
        "{config}"
    );

    // What the reader says of the training part alone, without what is held out and what is tested on.
    train(
        here.path(),
        &[
            KINDS[2],
            &[
                "--validation=40",
                "--parting-seed=3",
                "--epochs=1",
                "--out=rows",
            ],
        ],
    )
    .success();
    let options = TableOptions {
        label: "animal".to_owned(),
        ignore: vec!["leaves_g".to_owned()],
        parting: Parting {
            validation: Share::Count(40),
            seed: 3,
            ..Parting::default()
        },
        ..TableOptions::default()
    };
    let read = table_file(&here.path().join("animals.csv"), &options).unwrap();
    let found = note(&here.path().join("rows"));
    assert_eq!(found.preparation, Preparation::Table(read.preparation));
    let OwnRows::Classes(split) = read.rows else {
        panic!("numbers")
    };
    let sizes = (
        found.samples.train,
        found.samples.validation,
        found.samples.test,
    );
    assert_eq!(sizes, (split.train.len(), 40, split.test.len()));
    assert_eq!(sizes, (152, 40, 48));
}

#[test]
fn parts_have_nothing_to_do_with_the_seed_of_the_run() {
    let here = made();
    let sha = |more: &[&str]| {
        let short = ["--epochs=1", "--validation=20", "--out=run", "--overwrite"];
        train(here.path(), &[KINDS[2], &short, more]).success();
        note(&here.path().join("run")).sha256
    };
    assert_eq!(sha(&["--seed=1"]), sha(&["--seed=2"]));
    assert_ne!(sha(&[]), sha(&["--parting-seed=1"]));
    assert_ne!(sha(&[]), sha(&["--test-share=0.3"]));
}

#[test]
fn every_network_for_images_takes_pictures_of_one_s_own() {
    let here = made();
    for model in [
        &["--model=mlp"][..],
        &["--model=cnn", "--norm=none"],
        &["--model=resnet20", "--width=4"],
        &["--model=resnet18", "--width=4"],
        &["--model=resnet50", "--width=4"],
        &["--model=wrn50-2", "--width=4"],
        &["--model=vit", "--width=16"],
        &["--model=autoencoder"],
        &["--model=dcgan", "--width=8", "--evaluate-images=20"],
    ] {
        for kind in &KINDS[..2] {
            train(
                here.path(),
                &[kind, model, &["--max-steps=2", "--batch-size=20", "-q"]],
            )
            .success();
        }
        // Of a size that halves badly; patches of 3 tile it.
        let odd = ["--image-size=9", "--max-steps=1", "--batch-size=20", "-q"];
        let patch: &[&str] = if model[0].ends_with("vit") {
            &["--patch=3"]
        } else {
            &[]
        };
        train(here.path(), &[KINDS[0], model, &odd, patch]).success();
    }
}

#[test]
fn a_number_is_learned_whatever_its_unit_is_and_told_in_it() {
    let here = tempfile::tempdir().unwrap();
    sample::write_table(here.path(), 240, 0).unwrap();
    let animals = text(&here.path().join("animals.csv"));
    // Milligrams of leaves, not grams.
    let in_milligrams = animals.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line}\n"),
        _ => format!("{line}000\n"),
    });
    std::fs::write(
        here.path().join("milli.csv"),
        in_milligrams.collect::<String>(),
    )
    .unwrap();
    let root = |file: &str, more: &[&str]| {
        let kind = ["--dataset", "table", "--label", "leaves_g", "--file", file];
        let result = json(&train(here.path(), &[&kind, &["--json"], more]).success());
        result["test_root"].as_f64().unwrap()
    };
    let (grams, milligrams) = (root("animals.csv", &[]), root("milli.csv", &[]));
    assert!((grams - milligrams).abs() < 0.05, "{grams} {milligrams}");
    assert!(
        root("animals.csv", &["--normalise-label=false"]) > 10.0 * grams,
        "in grams"
    );
    let told = stdout(&train(here.path(), &[KINDS[3], &["--epochs=1"]]).success());
    assert!(
        told.contains(" in the unit of 'leaves_g': squared errors are those of"),
        "{told}"
    );
}

#[test]
fn parts_may_have_folders_and_the_limit_keeps_some_of_each_class() {
    let here = tempfile::tempdir().unwrap();
    for (part, samples) in [("train", 80), ("val", 24), ("test", 40)] {
        sample::write_image_folder(&here.path().join("photos").join(part), samples, 12, 1).unwrap();
    }
    train(
        here.path(),
        &[KINDS[0], &["--train-limit=40", "--epochs=1", "--out=run"]],
    )
    .success();
    let found = note(&here.path().join("run"));
    let sizes = (
        found.samples.train,
        found.samples.validation,
        found.samples.test,
    );
    assert_eq!(sizes, (40, 24, 40));
    assert!(
        found
            .warnings
            .iter()
            .all(|text| !text.contains("no sample of")),
        "{:?}",
        found.warnings
    );
}
