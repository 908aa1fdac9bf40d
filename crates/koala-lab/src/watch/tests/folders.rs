//! Folders of runs that never were.

use std::fs;
use std::path::Path;

use koala_filter::{
    BlockOutcome, BlockReport, Covariance, Outcome, ProcessNoise, SkipReason, StepReport,
};
use koala_report::{Detail, Follower, Log, Run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::watch::snapshot::Snapshot;

/// A run's folder, gone when dropped.
pub struct Made {
    folder: TempDir,
    lines: Vec<Value>,
}

impl Made {
    /// With a configuration, and nothing told yet.
    pub fn new(optimizer: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = format!(
            "seed = 3\n[dataset]\nname = \"digits\"\n[model]\nname = \"mlp\"\n[optimizer]\nname = \"{optimizer}\"\n"
        );
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Self {
            folder,
            lines: Vec::new(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn tell(mut self, line: Value) -> Self {
        self.lines.push(line);
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.path().join(Log::FILE), text).unwrap();
        self
    }

    pub fn start(self, optimizer: &str, steps: u64) -> Self {
        self.tell(json!({
            "event": "start", "version": "0.1.0", "optimizer": optimizer, "dataset": "digits", "model": "mlp",
            "parameters": 17226, "seed": 3, "steps": steps,
        }))
    }

    /// Every tenth of the first steps, each of a quarter of a second, with a filter or without, and an evaluation each hundred.
    pub fn steps(mut self, steps: u64, filter: bool) -> Self {
        for step in (0..steps).step_by(10) {
            let mut line = json!({
                "event": "step", "step": step, "loss": loss(step), "effective_learning_rate": 0.5,
                "seconds": 0.25 * step as f64,
            });
            if filter {
                line["filter"] = serde_json::to_value(report(step)).unwrap();
            }
            self = self.tell(line);
            if step % 100 == 90 {
                self = self.tell(json!({
                    "event": "epoch", "step": step + 10, "seconds": 0.25 * step as f64,
                    "train_loss": loss(step), "train_error": 20.0 * loss(step),
                    "validation_loss": 1.2 * loss(step), "validation_error": 30.0 * loss(step),
                }));
            }
        }
        self
    }

    pub fn result(self, status: &str, steps: u64) -> Self {
        let result = json!({
            "status": status, "steps": steps, "test_loss": 0.25, "test_error": 4.5, "best_test_error": 4.25,
            "training_seconds": 100.0,
        });
        fs::write(self.path().join("result.json"), result.to_string()).unwrap();
        self
    }

    /// What is shown of it, `age` seconds after its last line, if a program is at it or not.
    pub fn shown(&self, busy: bool, age: f64) -> Snapshot {
        let log = self.path().join(Log::FILE);
        let mut follower = Follower::new(&log, Detail::Filter(300));
        follower.look().unwrap();
        let run = Run::followed(self.path(), &follower).unwrap();
        Snapshot {
            folder: "runs/made".to_owned(),
            ..Snapshot::of(&run, follower.latest().as_ref(), busy, age)
        }
    }
}

fn loss(step: u64) -> f64 {
    2.0 * (-(step as f64) / 200.0).exp()
}

/// A report of KOALA-M over two blocks, of which one is frozen.
pub fn report(step: u64) -> StepReport {
    let loss = loss(step);
    let block = BlockReport {
        name: "weight".into(),
        outcome: BlockOutcome::Updated,
        gradient_norm: 0.5,
        innovation: -loss,
        innovation_variance: 1.0,
        normalised_innovation_squared: loss * loss,
        gain_norm: 0.1,
        effective_learning_rate: 0.5,
        update_norm: 0.25,
        metric: None,
    };
    let frozen = BlockReport {
        name: "bias".into(),
        outcome: BlockOutcome::Skipped(SkipReason::Frozen),
        innovation: f64::NAN,
        ..block.clone()
    };
    StepReport {
        step,
        outcome: Outcome::Measured,
        loss,
        second_moment: loss * loss,
        target: 0.0,
        gain: 1.0,
        measurement_noise: loss * loss,
        process_noise: ProcessNoise::PositionVelocity {
            position: 1e-5,
            velocity: 0.01,
        },
        covariance: Covariance::Matrix {
            p11: 0.1,
            p12: 0.01,
            p22: 0.03,
        },
        limiting_block: Some(0),
        update_norm: 0.25,
        gradient_norm: 0.5,
        bound_factor: 1.0,
        missing_in_a_row: 0,
        blocks: vec![block, frozen],
        whiteness: None,
    }
}

/// A step of adversarial training, with filters.
pub fn gan_step(step: u64) -> Value {
    let network = |loss: f64| json!({"loss": loss, "gain": 1.0, "effective_learning_rate": 0.01, "filter": report(step)});
    json!({
        "event": "gan_step", "step": step, "critic": network(9.0 - step as f64 / 20.0), "generator": network(-0.5),
        "wasserstein": 0.1 * step as f64, "penalty": 0.5, "seconds": step as f64,
    })
}
