//! KOALA-A in Burn's `Learner`: its dashboard (on a terminal), metrics and checkpoints, on made pictures of ten kinds.
//!
//! `cargo run --release -- [DIRECTORY [EPOCH]]` trains for six epochs in a few seconds, leaving logs and checkpoints in
//! DIRECTORY (default: `run`); with EPOCH it goes on from the checkpoint of that epoch.
//!
//! `koala_burn::learner` does what is needed for it: the network says what its losses are (`model.rs`), and is wrapped together
//! with its optimizer. There is no learning rate and no schedule; validation is at the mean of the iterates.

mod data;
mod model;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::{Path, PathBuf};

use burn::data::dataloader::DataLoaderBuilder;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining};
use koala_burn::learner::Filtered;
use koala_burn::{Koala, KoalaAConfig};

use data::{Batches, pictures};
use model::Network;

const EPOCHS: usize = 6;
const BATCH: usize = 64;
const TRAINING: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| "run".into()));
    let resume = arguments.next().map(|epoch| epoch.parse()).transpose()?;
    let model = train(&directory, EPOCHS, resume)?;
    let trained = model.evaluation()?;
    let state = model.with_optimizer(|optimizer| optimizer.filter().state().clone());
    println!(
        "{} parameters, {} updates, R = {:.3}",
        trained.num_params(),
        state.step,
        state.measurement_noise
    );
    Ok(())
}

/// Trains up to the end of the last of so many epochs, from the checkpoint of epoch `resume` if there is one to be.
fn train(
    directory: &Path,
    epochs: usize,
    resume: Option<usize>,
) -> Result<Filtered<Network>, Box<dyn Error>> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let train = DataLoaderBuilder::new(Batches)
        .batch_size(BATCH)
        .shuffle(1)
        .build(pictures(TRAINING, 1));
    let valid = DataLoaderBuilder::new(Batches)
        .batch_size(BATCH)
        .build(pictures(512, 2));

    let mut training = SupervisedTraining::new(directory, train, valid)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_training_strategy(ExecutionStrategy::single(device.clone()).into())
        .with_default_checkpointers()
        .num_epochs(epochs)
        .summary();
    let network = Network::new(&device);
    let optimizer = Koala::new(KoalaAConfig::new(), &network)?;
    let model = Filtered::new(network, optimizer, training.interrupter());
    let checkpoints = model.checkpoints(directory.join("checkpoint"), KeepLastNCheckpoints::new(2));
    if let Some(epoch) = resume {
        checkpoints.resume(epoch)?;
        training = training.checkpoint(epoch);
    }
    // Its optimizer and learning rate are not used: the model brings its own.
    let learner = Learner::new(model, SgdConfig::new().init(), 1.0);
    let result = training
        .with_checkpointing_strategy(checkpoints)
        .launch(learner);
    if let Some(interruption) = result.interrupted {
        return Err(interruption.reason.unwrap_or_default().into());
    }
    if let Some(error) = result.error {
        return Err(error.to_string().into());
    }
    Ok(result.model)
}
