//! Runs on what has no classes: images that are given back, and numbers that are told of rows.

use std::fs;

use burn::tensor::{Device, Tensor};
use koala_models::{Autoencoder, AutoencoderSpec, Draws, Mlp, MlpSpec, Reconstructor, Regressor};
use koala_train::run::{Network, RunConfig, RunFolder, Value, read_weights};
use koala_train::training::{Interrupt, Silent};

use super::{DIGITS, config, run};

const RECONSTRUCTION: [(&str, &str); 1] = [("model.name", "autoencoder")];
const REGRESSION: [(&str, &str); 1] = [("dataset.name", "friedman")];

/// A short run with this optimizer.
fn short(
    what: &[(&'static str, &str)],
    optimizer: &str,
    more: &[(&'static str, Value)],
) -> RunConfig {
    let mut all: Vec<(&str, Value)> = what.iter().map(|(k, v)| (*k, (*v).into())).collect();
    all.extend([
        ("optimizer.name", optimizer.into()),
        ("epochs", 3.into()),
        ("train-limit", 1000.into()),
    ]);
    all.extend_from_slice(more);
    config(&all)
}

#[test]
fn losses_fall_from_what_is_told_of_them() {
    // 1,000 images in 16 steps an epoch; a new network gives every pixel about 1/2.
    for optimizer in ["koala-m", "koala-v", "koala-pp", "adam"] {
        let mut watch = super::Watch::default();
        let config = short(&RECONSTRUCTION, optimizer, &[]);
        let result = koala_train::run::execute(&config, &mut watch, &Interrupt::default());
        assert!(
            (watch.losses[0] - 2f64.ln()).abs() < 0.02,
            "{}",
            watch.losses[0]
        );
        let loss = result.unwrap().result.test_loss();
        assert!(loss < 0.6, "{optimizer}: {loss}");

        let mut watch = super::Watch::default();
        let config = short(&REGRESSION, optimizer, &[("epochs", 10.into())]);
        let result = koala_train::run::execute(&config, &mut watch, &Interrupt::default());
        assert!(
            (8e3..1.2e4).contains(&watch.losses[0]),
            "{}",
            watch.losses[0]
        );
        let loss = result.unwrap().result.test_loss();
        assert!(loss < 5e3, "{optimizer}: {loss}");
    }
}

/// All that a run leaves tells the loss, the regression's its root too, and no share of misread samples.
#[test]
fn a_run_tells_its_loss_and_no_error() {
    for (what, measure, rooted) in [
        (&RECONSTRUCTION, "loss", false),
        (&REGRESSION, "squared-error", true),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::take(temporary.path(), false).unwrap();
        let more = [("validation", 100.into()), ("evaluate-every", 5.into())];
        let config = short(what, "koala-m", &more);
        folder
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let result: serde_json::Value = serde_json::from_str(&read("result.json")).unwrap();
        for samples in ["train", "validation", "test", "best_test"] {
            let loss = result[format!("{samples}_loss")].as_f64().unwrap();
            let root = result
                .get(format!("{samples}_root"))
                .map(|root| root.as_f64().unwrap());
            assert_eq!(root, rooted.then(|| loss.sqrt()), "{samples}");
        }
        let log = read("events.jsonl");
        let events: Vec<serde_json::Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(events[0]["measure"], measure);
        let told = events
            .iter()
            .filter_map(|event| event["validation_loss"].as_f64());
        let least = told.fold(f64::INFINITY, f64::min);
        assert_eq!(
            result["best"]["evaluation"],
            serde_json::json!({"loss": least})
        );
        let board = fs::read(folder.path().join("events.out.tfevents.koala")).unwrap();
        let board = String::from_utf8_lossy(&board);
        assert!(board.contains("train/loss") && board.contains("validation/loss"));
        assert_eq!(board.contains("validation/root"), rooted);
        for text in [&read("result.json"), &log, &*board] {
            assert!(!text.contains("_error\"") && !text.contains("\"error\""));
            assert!(!text.contains("/error") && !text.contains("top5"));
        }
    }
}

#[test]
fn weights_read_back() {
    let device = Device::flex();
    let draws = &mut Draws::new(99, &device);
    for what in [&RECONSTRUCTION, &REGRESSION] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::take(temporary.path(), false).unwrap();
        let config = short(what, "koala-v", &[("epochs", 1.into())]);
        let outcome = folder
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap();
        match outcome.network {
            Network::Autoencoder(trained) => {
                let mut fresh = Autoencoder::new(&AutoencoderSpec::default(), DIGITS, draws);
                read_weights(&mut fresh, &folder.weights()).unwrap();
                let images = Tensor::<4>::from_data([[[[0.5f32; 8]; 8]]], &device);
                assert_eq!(
                    trained.reconstruct(images.clone()).into_data(),
                    fresh.reconstruct(images).into_data()
                );
            }
            Network::Mlp(trained) => {
                let mut fresh = Mlp::for_rows(&MlpSpec::default(), 10, draws);
                read_weights(&mut fresh, &folder.weights()).unwrap();
                let rows = Tensor::<2>::from_data([[0.5f32; 10]], &device);
                assert_eq!(
                    trained.tell(rows.clone()).into_data(),
                    fresh.tell(rows).into_data()
                );
            }
            _ => panic!("another network"),
        }
    }
}

#[test]
fn networks_for_other_data_are_refused_with_those_that_are() {
    for (dataset, model, expected) in [
        (
            "friedman",
            "cnn",
            "the data are a table; networks for it are mlp",
        ),
        (
            "friedman",
            "autoencoder",
            "the data are a table; networks for it are mlp",
        ),
        (
            "friedman",
            "lstm",
            "the data are a table; networks for it are mlp",
        ),
        (
            "digits",
            "lstm",
            "the data are images; networks for it are mlp, cnn, resnet20, resnet18, resnet50, wrn50-2, vit, autoencoder, dcgan",
        ),
        (
            "tiny-shakespeare-words",
            "vit",
            "the data are text; networks for it are lstm, transformer, gpt",
        ),
    ] {
        let config = config(&[
            ("dataset.name", dataset.into()),
            ("model.name", model.into()),
        ]);
        let text = run(&config).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
}
