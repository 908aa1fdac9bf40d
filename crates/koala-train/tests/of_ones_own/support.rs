//! What the tests share: losses of a run, to the bit, and a line through rows of numbers.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use koala_data::{Parting, Table};
use koala_train::Error;
use koala_train::own::{Draws, OwnData, OwnModel, OwnNetwork};
use koala_train::run::{DatasetSpec, ModelSpec, Outcome, Override, RunConfig, execute};
use koala_train::training::{Event, Interrupt, Observer};

pub const COLUMNS: usize = 64;
pub const CLASSES: usize = 10;

/// The losses of all steps and evaluations.
#[derive(Default)]
struct Losses(Vec<u64>);

impl Observer for Losses {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) => self.0.push(step.loss.to_bits()),
            Event::Epoch(epoch) => self.0.push(epoch.judged.evaluation.loss.to_bits()),
            _ => {}
        }
        Ok(())
    }
}

pub fn losses(config: &RunConfig) -> (Vec<u64>, Outcome) {
    let mut losses = Losses::default();
    let outcome = execute(config, &mut losses, &Interrupt::default()).unwrap();
    losses.0.push(outcome.result.test_loss().to_bits());
    (losses.0, outcome)
}

/// A line through rows of numbers, with Burn's own first weights.
#[derive(Module, Debug)]
pub struct Line {
    pub layer: Linear,
}

impl Line {
    pub fn new(draws: &Draws) -> Self {
        Self {
            layer: LinearConfig::new(2, 1).init(draws.device()),
        }
    }
}

impl OwnNetwork for Line {
    type Samples = Table;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        self.layer.forward(rows)
    }
}

pub fn line() -> OwnModel {
    version_of_line("1")
}

pub fn version_of_line(version: &str) -> OwnModel {
    OwnModel::new("line", version, |draws| Line::new(draws)).unwrap()
}

pub fn table(count: usize) -> Table {
    let features: Vec<f32> = (0..2 * count).map(|i| (i as f32 * 0.7).sin()).collect();
    let targets = features.chunks(2).map(|x| x[0] - 3.0 * x[1] + 0.5);
    let targets = targets.collect();
    Table::new(2, features, targets).unwrap()
}

pub fn with(model: OwnModel, samples: usize) -> RunConfig {
    let mut config = RunConfig::resolve(None, &[Override::new("epochs", 3)]).unwrap();
    let data = OwnData::drawn("plane", table(samples), Parting::default());
    config.dataset = DatasetSpec::Own(data.unwrap());
    config.model = ModelSpec::Own(model);
    config
}
