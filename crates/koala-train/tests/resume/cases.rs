//! Configurations that have every kind of memory.

use std::path::Path;

use koala_data::{DatasetName, sample};
use koala_train::run::{Override, RunConfig, RunFolder, Value};
use koala_train::training::{Interrupt, Silent};

use super::contents::{Contents, contents};

/// A configuration, and what comes of it without a stop.
pub struct Case {
    pub name: String,
    pub config: RunConfig,
    pub steps: u64,
    /// Steps of an epoch.
    pub epoch: u64,
    pub expected: Contents,
}

/// The optimizers of each network.
const OPTIMIZERS: [&str; 5] = ["koala-m", "koala-v", "koala-pp", "sgd", "adam"];

/// Every network with every optimizer. Made text comes to `folder`.
pub fn all(folder: &Path) -> Vec<Case> {
    let text = sample::write(DatasetName::Text, folder, 30, 1).unwrap();
    let text = text.unwrap().display().to_string();
    let mut cases = Vec::new();
    for optimizer in OPTIMIZERS {
        let images = [
            ("train-limit", Value::from(100)),
            ("batch-size", 24.into()),
            ("epochs", 3.into()),
        ];
        // Running averages of all steps, held-out samples, pieces of unequal size.
        let mlp = [
            ("model.name", Value::from("mlp")),
            ("model.hidden", vec![12].into()),
            ("average.name", "ema".into()),
            ("average.ema-decay", 0.9.into()),
            ("validation", 30.into()),
            ("evaluate-every", 4.into()),
            ("micro-batch-size", 10.into()),
            ("schedule.name", "cosine".into()),
        ];
        // Running statistics, draws that change the images, averages of epochs with statistics of their own.
        let cnn = [
            ("model.name", Value::from("cnn")),
            ("model.channels", vec![3, 4].into()),
            ("model.hidden", vec![6].into()),
            ("dataset.augment", "crop-flip".into()),
            ("average.name", "swa".into()),
            ("average.swa-start", 2.into()),
            ("evaluate-every", 3.into()),
            ("lookahead.lookahead-every", 4.into()),
            ("log-every", 2.into()),
        ];
        // Images that are given back, changed at random, and evaluations without an error.
        let autoencoder = [
            ("model.name", Value::from("autoencoder")),
            ("model.hidden", vec![12, 4, 12].into()),
            ("dataset.augment", "crop-flip".into()),
            ("validation", 30.into()),
            ("evaluate-every", 4.into()),
            ("micro-batch-size", 10.into()),
        ];
        // Rows of a table.
        let rows = [
            ("dataset.name", Value::from("friedman")),
            ("model.hidden", vec![6].into()),
            ("validation", 30.into()),
            ("evaluate-every", 3.into()),
            ("optimizer.weight-decay", 1e-3.into()),
        ];
        // State that goes from window to window, and dropout.
        let lstm = [
            ("dataset.name", Value::from("text")),
            ("dataset.file", text.as_str().into()),
            ("dataset.window", 30.into()),
            ("batch-size", 6.into()),
            ("model.name", "lstm".into()),
            ("model.hidden", 10.into()),
            ("model.dropout", 0.3.into()),
            ("epochs", 3.into()),
            ("micro-batch-size", 4.into()),
            ("lookahead.lookahead-every", 3.into()),
            ("log-every", 3.into()),
            ("max-steps", 16.into()),
        ];
        let classifiers = [
            ("mlp", [images.to_vec(), mlp.to_vec()].concat()),
            ("cnn", [images.to_vec(), cnn.to_vec()].concat()),
            (
                "autoencoder",
                [images.to_vec(), autoencoder.to_vec()].concat(),
            ),
            ("rows", [images.to_vec(), rows.to_vec()].concat()),
            ("lstm", lstm.to_vec()),
        ];
        for (model, mut options) in classifiers {
            options.push(("optimizer.name", optimizer.into()));
            cases.push(case(format!("{model} {optimizer}"), options));
        }
    }
    cases
}

fn case(name: String, options: Vec<(&str, Value)>) -> Case {
    let options: Vec<_> = options
        .into_iter()
        .map(|(key, value)| Override::new(key, value))
        .collect();
    let config = RunConfig::resolve(None, &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::take(folder.path(), false).unwrap();
    let outcome = run.execute(&config, &mut Silent, &Interrupt::default());
    let expected = contents(folder.path());
    let epochs: Vec<u64> = expected
        .events
        .iter()
        .filter(|event| event["event"] == "epoch")
        .map(|event| event["step"].as_u64().unwrap())
        .collect();
    let steps = outcome.unwrap().result.steps;
    assert!(steps > 8 && epochs.len() > 1, "{name}: {steps} {epochs:?}");
    Case {
        name,
        config,
        steps,
        epoch: epochs[0],
        expected,
    }
}
