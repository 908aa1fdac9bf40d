//! Adversarial training through the public interface.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use koala_train::Error;
use koala_train::gan::GanStepEvent;
use koala_train::run::{Findings, Outcome, Override, RunConfig, RunFolder, Value, execute};
use koala_train::training::{Event, Interrupt, Observer, Silent, Status};

/// A small DCGAN on the digits: 13 batches of 16 in an epoch.
fn config(overrides: &[(&str, Value)]) -> RunConfig {
    let base: [(&str, Value); 7] = [
        ("model.name", "dcgan".into()),
        ("model.width", 8.into()),
        ("model.noise", 12.into()),
        ("model.evaluate-images", 40.into()),
        ("train-limit", 208.into()),
        ("batch-size", 16.into()),
        ("max-steps", 15.into()),
    ];
    let overrides: Vec<Override> = base
        .iter()
        .chain(overrides)
        .map(|(key, value)| Override::new(*key, value.clone()))
        .collect();
    RunConfig::resolve(None, &overrides).unwrap()
}

/// Settings with which nothing diverges.
fn optimizers() -> [Vec<(&'static str, Value)>; 6] {
    let named = |name: &'static str| vec![("optimizer.name", Value::from(name))];
    let gentle = |name, rate: f64| {
        let mut all = named(name);
        all.push(("optimizer.learning-rate", rate.into()));
        all
    };
    [
        named("koala-m"),
        named("koala-v"),
        named("koala-pp"),
        gentle("sgd", 1e-3),
        gentle("adam", 1e-3),
        gentle("adamw", 1e-3),
    ]
}

/// Remembers every step and stops a run after some.
#[derive(Default)]
struct Watch {
    steps: Vec<GanStepEvent>,
    distances: Vec<Option<f64>>,
    stop_after: Option<(u64, Interrupt)>,
}

impl Observer for Watch {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::GanStep(step) => {
                self.steps.push((**step).clone());
                if let Some((after, interrupt)) = &self.stop_after
                    && step.step + 1 == *after
                {
                    interrupt.set();
                }
            }
            Event::GanEpoch(epoch) => {
                let found = epoch.judged.distance.as_ref();
                self.distances.push(found.map(|found| found.mean));
            }
            _ => {}
        }
        Ok(())
    }
}

fn run(config: &RunConfig) -> (Outcome, Watch) {
    let mut watch = Watch::default();
    let outcome = execute(config, &mut watch, &Interrupt::default()).unwrap();
    (outcome, watch)
}

fn weights(outcome: &Outcome) -> [Vec<u8>; 2] {
    let critic = outcome.network.critic_weights().unwrap();
    [outcome.network.weights().unwrap(), critic.unwrap()]
}

#[test]
fn every_optimizer_trains_both_networks() {
    for optimizer in optimizers() {
        let before = weights(
            &run(&config(&[
                ("optimizer.name", "sgd".into()),
                ("optimizer.learning-rate", 0.0.into()),
            ]))
            .0,
        );
        let (outcome, watch) = run(&config(&optimizer));
        assert_eq!(watch.steps.len(), 15);
        for step in &watch.steps {
            let numbers = [
                step.critic.loss,
                step.generator.loss,
                step.wasserstein,
                step.penalty,
                step.critic.effective_learning_rate,
                step.generator.effective_learning_rate,
            ];
            assert!(
                numbers.iter().all(|n| n.is_finite()),
                "{optimizer:?}: {step:?}"
            );
            let loss = 10.0 * step.penalty - step.wasserstein;
            assert!((loss - step.critic.loss).abs() < 1e-4 * loss.abs().max(1.0));
        }
        let after = weights(&outcome);
        assert!(
            before.iter().zip(&after).all(|(a, b)| a != b),
            "{optimizer:?}"
        );
        // Initial scores are all nearly the same, and initial gradients nearly 0.
        let (first, last) = (&watch.steps[0], &watch.steps[14]);
        assert!(
            (first.penalty - 1.0).abs() < 0.1,
            "{optimizer:?}: {first:?}"
        );
        assert!(last.penalty < first.penalty, "{optimizer:?}: {last:?}");
        let Findings::Made {
            test: Some(test),
            real_distance: Some(real),
            best: Some(best),
            ..
        } = outcome.result.findings
        else {
            panic!("{optimizer:?}: no distance")
        };
        let found = test.distance.unwrap().mean;
        assert_eq!(
            watch.distances,
            [
                Some(best.distance.mean)
                    .filter(|_| best.step == 13)
                    .or(watch.distances[0]),
                Some(found)
            ]
        );
        assert!(real.mean < found, "{optimizer:?}: {} {found}", real.mean);
        assert!(best.distance.mean <= found);
        assert_eq!(outcome.result.status, Status::Completed);
    }
}

#[test]
fn the_seed_decides_about_every_bit() {
    let run = |seed: i64| {
        weights(
            &run(&config(&[
                ("seed", seed.into()),
                ("model.critic-steps", 2.into()),
            ]))
            .0,
        )
    };
    let (one, other) = (run(1), run(2));
    assert_eq!(one, run(1));
    assert!(one.iter().zip(&other).all(|(a, b)| a != b));
}

/// All files of a run but its clocks, by their paths.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let content = fs::read(&path).unwrap();
            let content = match path.file_name().unwrap().to_str().unwrap() {
                // Times of the day, and sums of seconds.
                "events.out.tfevents.koala" | "manifest.json" => continue,
                "events.jsonl" | "progress.json" | "result.json" => without_seconds(&content),
                _ => content,
            };
            found.insert(name, content);
        }
    }
    found
}

fn without_seconds(content: &[u8]) -> Vec<u8> {
    fn strip(value: &mut serde_json::Value) {
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| !key.contains("seconds") && key != "clocks");
            object.values_mut().for_each(strip);
        }
    }
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_slice(content).into_iter() {
        let mut value: serde_json::Value = value.unwrap();
        strip(&mut value);
        all.extend(serde_json::to_vec(&value).unwrap());
    }
    all
}

#[test]
fn a_resumed_run_leaves_the_files_of_an_uninterrupted_one() {
    let mut kinds = optimizers();
    kinds[0].push(("average.name", "ema".into()));
    kinds[1].push(("average.name", "swa".into()));
    kinds[1].push(("average.swa-start", 1.into()));
    kinds[4].push(("lookahead.lookahead-every", 2.into()));
    for (kind, mut over) in kinds.into_iter().enumerate() {
        // Six steps in an epoch; stopped in the middle of the second, between two evaluations.
        over.extend([
            ("model.critic-steps", 2.into()),
            ("evaluate-every", 4.into()),
            ("log-every", 1.into()),
            ("keep-checkpoints", 1.into()),
        ]);
        let config = config(&over);
        let temporary = tempfile::tempdir().unwrap();
        let take = |name| RunFolder::take(&temporary.path().join(name), false).unwrap();
        let whole = take("whole");
        let outcome = whole
            .execute(&config, &mut Silent, &Interrupt::default())
            .unwrap();

        let interrupt = Interrupt::default();
        let mut watch = Watch {
            stop_after: Some((9, interrupt.clone())),
            ..Watch::default()
        };
        let stopped = take("stopped");
        let half = stopped.execute(&config, &mut watch, &interrupt).unwrap();
        assert_eq!(
            (half.result.status, half.result.steps),
            (Status::Interrupted, 9)
        );
        assert_ne!(weights(&half), weights(&outcome));
        let (stopped, config) = RunFolder::open(stopped.path()).unwrap();
        let data = config.load().unwrap();
        stopped
            .resume_on(
                &config,
                &data,
                &mut Silent,
                &Interrupt::default(),
                &mut |warning| panic!("{warning}"),
            )
            .unwrap();
        let (whole, stopped) = (files(whole.path()), files(stopped.path()));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&whole), names(&stopped));
        for (name, content) in &whole {
            assert!(stopped[name] == *content, "{kind}: {name} differs");
        }
        for name in ["model", "critic", "best"] {
            assert!(whole.contains_key(&format!("{name}.safetensors")), "{name}");
        }
        assert_eq!(
            whole.contains_key("checkpoints/step-000000000015/average.safetensors"),
            kind < 2
        );
        let pictures = [
            "real",
            "step-000000004",
            "step-000000006",
            "step-000000012",
            "step-000000015",
        ];
        for name in pictures {
            let png = &whole[&format!("samples/{name}.png")];
            assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n", "{name}");
            // 8 images of 8 pixels side by side, with gutters of 2.
            assert_eq!(png[16..24], [0, 0, 0, 82, 0, 0, 0, 82], "{name}");
        }
    }
}

#[test]
fn without_a_comparison_there_is_no_distance() {
    let config = config(&[
        ("model.evaluate-images", 0.into()),
        ("validation", 20.into()),
    ]);
    let (outcome, watch) = run(&config);
    assert_eq!(watch.distances, [None, None]);
    let text = serde_json::to_string(&outcome.result).unwrap();
    assert!(
        text.contains(r#""validation_distance":null,"test_distance":null"#),
        "{text}"
    );
}

#[test]
fn what_cannot_be_is_refused_with_a_remedy() {
    let refused = |key: &str, value: Value| {
        let flags = [
            Override::new("model.name", "dcgan"),
            Override::new(key, value),
        ];
        RunConfig::resolve(None, &flags).unwrap_err().to_string()
    };
    assert_eq!(
        refused("micro-batch-size", 8.into()),
        "--micro-batch-size: must be 0 for dcgan, whose batches go through its networks whole"
    );
    assert!(
        refused("model.critic-steps", 0.into()).starts_with("--critic-steps: must be between 1")
    );
    assert!(
        refused("model.hidden", 8.into())
            .contains("its options are --critic-steps, --evaluate-images")
    );
    let text = config(&[("model.critic-steps", 14.into())])
        .load()
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("a step takes 14 batches, and an epoch has 13"),
        "{text}"
    );
    assert!(text.contains("fewer --critic-steps"), "{text}");
}

#[test]
fn too_many_losses_that_are_no_numbers_end_a_run() {
    let over = [
        ("optimizer.name", "sgd".into()),
        ("optimizer.learning-rate", 1e20.into()),
        ("missing-limit", 5.into()),
    ];
    let text = execute(&config(&over), &mut Silent, &Interrupt::default())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("has diverged. Try a lower learning-rate"),
        "{text}"
    );
}
