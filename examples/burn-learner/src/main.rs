//! KOALA-M in Burn's `Learner`: its dashboard (on a terminal), metrics and checkpoints, on made pictures of ten kinds.
//!
//! `cargo run --release -- [DIRECTORY [EPOCH]]` trains for six epochs in a few seconds, leaving logs and checkpoints in
//! DIRECTORY (default: `run`); with EPOCH it goes on from the checkpoint of that epoch.
//!
//! The learner hands parameters and gradients to an optimizer of Burn's own interface, which sees neither the loss nor a
//! prediction. KOALA steps in where a model may: `TrainStep::step` predicts on a copy and measures there,
//! `TrainStep::optimize` updates that copy. The learner's model is therefore always the filter's estimate: validation and
//! checkpoints come at the right time by themselves.

mod checkpoint;
mod data;
mod model;

use std::error::Error;
use std::path::PathBuf;

use burn::data::dataloader::DataLoaderBuilder;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining};
use koala_burn::{KoalaMConfig, Schedule};

use checkpoint::Checkpoints;
use data::{Batches, pictures};
use model::Network;

const EPOCHS: usize = 6;
const BATCH: usize = 64;
const TRAINING: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| "run".into()));
    let resume = arguments.next().map(|epoch| epoch.parse()).transpose()?;

    let device = Device::flex().autodiff();
    device.seed(1);
    let train = DataLoaderBuilder::new(Batches)
        .batch_size(BATCH)
        .shuffle(1)
        .build(pictures(TRAINING, 1));
    let valid = DataLoaderBuilder::new(Batches)
        .batch_size(BATCH)
        .build(pictures(512, 2));

    // The gain's schedule is KOALA's own; the learner's learning rate is not used.
    let config = KoalaMConfig::new().with_schedule(Schedule::Cosine {
        warmup: 0,
        total: (EPOCHS * TRAINING / BATCH) as u64,
        floor: 0.0,
    });
    let mut training = SupervisedTraining::new(&directory, train, valid)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_training_strategy(ExecutionStrategy::single(device.clone()).into())
        .with_default_checkpointers()
        .num_epochs(EPOCHS)
        .summary();
    let model = Network::new(&device, config, training.interrupter())?;
    let checkpoints = Checkpoints::new(&directory.join("checkpoint"), &model);
    if let Some(epoch) = resume {
        checkpoints.resume(epoch)?;
        training = training.checkpoint(epoch);
    }
    let learner = Learner::new(model.clone(), SgdConfig::new().init(), 1.0);
    let result = training
        .with_checkpointing_strategy(checkpoints)
        .launch(learner);
    if let Some(interruption) = result.interrupted {
        return Err(interruption.reason.unwrap_or_default().into());
    }
    if let Some(error) = result.error {
        return Err(error.to_string().into());
    }

    println!(
        "{} parameters, {}",
        result.model.num_params(),
        model.state()
    );
    Ok(())
}
