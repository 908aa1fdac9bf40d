//! Whole runs through the public interface.

#![allow(clippy::unwrap_used, clippy::panic)]

mod unclassified;

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use koala_models::ImageShape;
use koala_models::{Classifier, Cnn, CnnSpec, Draws, Mlp, MlpSpec, ResNet, ResNetForm, ResNetSpec};
use koala_train::Error;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{Network, Override, RunConfig, RunFolder, execute, read_weights};
use koala_train::training::{Event, Interrupt, Observer, Silent, Status};

/// The embedded images.
const DIGITS: ImageShape = ImageShape {
    channels: 1,
    height: 8,
    width: 8,
    classes: 10,
};

fn config(overrides: &[(&str, toml::Value)]) -> RunConfig {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|(key, value)| Override::new(*key, value.clone()))
        .collect();
    RunConfig::resolve(None, &overrides).unwrap()
}

fn run(config: &RunConfig) -> Result<koala_train::run::Outcome, Error> {
    execute(config, &mut Silent, &Interrupt::default())
}

/// Remembers the loss of every step and stops a run after some.
#[derive(Default)]
struct Watch {
    losses: Vec<f64>,
    stop_after: Option<(u64, Interrupt)>,
    failures: Vec<String>,
}

impl Observer for Watch {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) => {
                self.losses.push(step.loss);
                if let Some((after, interrupt)) = &self.stop_after
                    && step.step + 1 == *after
                {
                    interrupt.set();
                }
            }
            Event::Failure(failure) => self.failures.push(failure.message.clone()),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn every_optimizer_trains_both_networks_with_its_defaults() {
    for optimizer in OptimizerSpec::NAMES {
        for (model, epochs, bound) in [("mlp", 10, 8.0), ("cnn", 4, 8.0)] {
            let mut overrides = vec![
                ("optimizer.name", optimizer.into()),
                ("model.name", model.into()),
                ("epochs", epochs.into()),
            ];
            if optimizer == "lion" {
                // Its steps all have the length of the rate, and its default is for long runs.
                overrides.push(("optimizer.learning-rate", 1e-3.into()));
            }
            let config = config(&overrides);
            let result = run(&config).unwrap().result;
            assert!(
                result.test_error() < bound,
                "{optimizer} {model}: {} %",
                result.test_error()
            );
            assert_eq!(result.steps, epochs as u64 * 23);
            assert_eq!(result.status, Status::Completed);
        }
    }
}

#[test]
fn every_residual_network_runs_and_its_weights_read_back() {
    let device = Device::flex();
    for (name, form) in [
        ("resnet20", ResNetForm::ResNet20),
        ("resnet18", ResNetForm::ResNet18),
        ("resnet50", ResNetForm::ResNet50),
        ("wrn50-2", ResNetForm::WideResNet50),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::take(&temporary.path().join("run"), false).unwrap();
        let config = config(&[
            ("model.name", name.into()),
            ("model.width", 4.into()),
            ("train-limit", 128.into()),
            ("epochs", 1.into()),
        ]);
        let outcome = folder
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap();
        assert_eq!(
            (outcome.result.model.as_str(), outcome.result.steps),
            (name, 2)
        );
        let Network::ResNet(trained) = outcome.network else {
            panic!("another network")
        };
        let mut draws = Draws::new(99, &device);
        let mut fresh = ResNet::new(form, &ResNetSpec { width: 4 }, DIGITS, &mut draws);
        read_weights(&mut fresh, &folder.weights()).unwrap();
        let images = Tensor::<4>::from_data([[[[0.5f32; 8]; 8]]], &device);
        assert_eq!(
            trained.forward(images.clone()).into_data(),
            fresh.forward(images).into_data(),
            "{name}"
        );
    }
    let config = RunConfig::resolve(
        None,
        &[
            Override::new("model.name", "resnet20"),
            Override::new("model.width", 0),
        ],
    );
    assert_eq!(
        config.unwrap_err().to_string(),
        "--width: must be between 1 and 1024, not 0"
    );
}

#[test]
fn every_schedule_trains() {
    for (schedule, more) in [
        ("cosine", ("schedule.final-factor", 0.1.into())),
        ("warmup-cosine", ("schedule.warmup-steps", 10.into())),
        ("milestones", ("schedule.milestones", vec![2, 3].into())),
        ("wsd", ("schedule.decay-share", 0.5.into())),
    ] {
        for optimizer in ["koala-m", "sgd"] {
            let config = config(&[
                ("schedule.name", schedule.into()),
                more.clone(),
                ("optimizer.name", optimizer.into()),
                ("epochs", 6.into()),
            ]);
            let result = run(&config).unwrap().result;
            assert!(result.test_error() < 15.0, "{schedule}: {result:?}");
        }
    }
}

#[test]
fn the_same_configuration_gives_the_same_bits() {
    for (model, epochs, limit) in [("mlp", 2, 0), ("cnn", 2, 0), ("resnet20", 1, 128)] {
        let seeded = |seed: i64| {
            let folder = tempfile::tempdir().unwrap();
            let config = config(&[
                ("model.name", model.into()),
                ("epochs", epochs.into()),
                ("train-limit", limit.into()),
                ("seed", seed.into()),
            ]);
            let folder = RunFolder::take(folder.path(), false).unwrap();
            folder
                .execute(&config, &mut Silent, &Interrupt::default())
                .unwrap();
            fs::read(folder.weights()).unwrap()
        };
        assert!(seeded(3) == seeded(3), "{model}");
        assert!(seeded(3) != seeded(4), "{model}");
    }
}

#[test]
fn every_optimizer_starts_from_the_same_weights_and_batches() {
    // KOALA's velocities are 0 at the first step, so its prediction changes nothing.
    let first_loss = |optimizer: &str| {
        let mut watch = Watch::default();
        let config = config(&[
            ("optimizer.name", optimizer.into()),
            ("max-steps", 1.into()),
        ]);
        execute(&config, &mut watch, &Interrupt::default()).unwrap();
        watch.losses[0]
    };
    let expected = first_loss("sgd");
    for optimizer in OptimizerSpec::NAMES {
        assert_eq!(first_loss(optimizer), expected, "{optimizer}");
    }
}

#[test]
fn the_folder_holds_the_run_and_its_weights_read_back() {
    let device = Device::flex();
    for model in ["mlp", "cnn"] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::take(&temporary.path().join("run"), false).unwrap();
        let config = config(&[("model.name", model.into()), ("epochs", 2.into())]);
        let outcome = folder
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap();
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                ".lock",
                "best.safetensors",
                "checkpoints",
                "config.toml",
                "events.jsonl",
                "events.out.tfevents.koala",
                "manifest.json",
                "model.safetensors",
                "result.json"
            ]
        );
        let stored = folder.path().join("config.toml");
        assert_eq!(RunConfig::resolve(Some(&stored), &[]).unwrap(), config);
        check_events(&folder.path().join("events.jsonl"));

        let images = Tensor::<4>::from_data([[[[0.5f32; 8]; 8]]], &device);
        // Another seed: all that agrees afterwards was read.
        let mut draws = Draws::new(99, &device);
        let (expected, found) = match outcome.network {
            Network::Mlp(trained) => {
                let mut fresh = Mlp::new(&MlpSpec::default(), DIGITS, &mut draws);
                read_weights(&mut fresh, &folder.weights()).unwrap();
                (trained.forward(images.clone()), fresh.forward(images))
            }
            Network::Cnn(trained) => {
                let mut fresh = Cnn::new(&CnnSpec::default(), DIGITS, &mut draws);
                read_weights(&mut fresh, &folder.weights()).unwrap();
                (trained.forward(images.clone()), fresh.forward(images))
            }
            _ => panic!("another network"),
        };
        assert_eq!(expected.into_data(), found.into_data(), "{model}");
    }
}

fn check_events(file: &Path) {
    let events: Vec<serde_json::Value> = fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    let step = ["step"; 3];
    let middle = [
        &["start"][..],
        &step,
        &["epoch"],
        &step[1..],
        &["epoch", "end"],
    ]
    .concat();
    assert_eq!(kinds, middle);
    assert_eq!(events[2]["step"], 10);
    assert!(
        events[2]["filter"]["blocks"][0]["innovation_variance"]
            .as_f64()
            .unwrap()
            > 0.0
    );
}

#[test]
fn a_run_that_diverges_says_so_and_leaves_its_log() {
    for (optimizer, key, knob) in [
        ("sgd", "optimizer.learning-rate", "learning-rate"),
        ("koala-m", "optimizer.gain", "gain"),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::take(temporary.path(), false).unwrap();
        let config = config(&[("optimizer.name", optimizer.into()), (key, 1e30.into())]);
        let error = folder
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("lower") && error.contains(knob), "{error}");
        let log = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
        assert!(
            log.lines()
                .last()
                .unwrap()
                .starts_with(r#"{"event":"failure""#)
        );
        assert!(!folder.path().join("result.json").exists());
    }
}

#[test]
fn an_interrupt_ends_the_run_after_the_step() {
    let interrupt = Interrupt::default();
    let mut watch = Watch {
        stop_after: Some((30, interrupt.clone())),
        ..Watch::default()
    };
    let result = execute(&config(&[]), &mut watch, &interrupt)
        .unwrap()
        .result;
    assert_eq!(
        (result.status, result.steps, result.epochs),
        (Status::Interrupted, 30, 1)
    );
    assert!(result.test_loss().is_finite());
}

#[test]
fn limits_and_dropped_batches_are_kept() {
    let steps = |overrides: &[(&str, toml::Value)]| {
        let mut all = vec![("epochs", 2.into()), ("train-limit", 100.into())];
        all.extend_from_slice(overrides);
        run(&config(&all)).unwrap().result.steps
    };
    assert_eq!(steps(&[]), 4);
    assert_eq!(steps(&[("drop-last", true.into())]), 2);
    assert_eq!(steps(&[("max-steps", 3.into())]), 3);
    let config = config(&[("drop-last", true.into()), ("batch-size", 2000.into())]);
    let text = run(&config).unwrap_err().to_string();
    assert_eq!(
        text,
        "--drop-last: leaves nothing of 1442 samples in batches of 2000"
    );
}

#[test]
fn a_network_too_deep_for_the_images_is_refused() {
    let config = config(&[
        ("model.name", "cnn".into()),
        ("model.channels", vec![4, 4, 4, 4].into()),
    ]);
    let text = run(&config).unwrap_err().to_string();
    assert!(text.contains("halve images of 8 x 8 to nothing"), "{text}");
}
