//! The loop itself.

use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use koala_core::Schedule;

use super::evaluate::{Evaluation, Tally, evaluate, floats};
use super::{EpochEvent, Event, Interrupt, Observer, StepEvent, cross_entropy};
use crate::Error;
use crate::data::{BatchOrder, Split};
use crate::models::Classifier;
use crate::optimizers::Optimizer;

/// What to train for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Order and batches.
    pub order: BatchOrder,
    /// Passes over the training samples.
    pub epochs: usize,
    /// Steps in all; the run ends there even in the middle of an epoch.
    pub steps: u64,
    /// Factor of gain or learning rate at each step.
    pub schedule: Schedule,
    /// Losses in a row that may fail to be finite before the run is given up.
    pub missing_limit: u32,
    /// The option that scales the optimizer's steps, for the advice when training diverges.
    pub knob: &'static str,
}

/// A trained network and how it came about.
#[derive(Debug)]
pub struct Trained<M> {
    /// The network, for inference.
    pub model: M,
    /// Epochs that were finished.
    pub epochs: usize,
    /// Steps that were done.
    pub steps: u64,
    /// Loss and error of the last epoch's batches as they were met.
    pub train: Evaluation,
    /// Loss and error of the test samples.
    pub test: Evaluation,
    /// Seconds in all.
    pub seconds: f64,
    /// Seconds of the steps alone, without tests.
    pub training_seconds: f64,
    /// Seconds inside the optimizer.
    pub optimizer_seconds: f64,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
}

/// Trains `model`, whose parameters are on a device with gradients, and tests it after every epoch.
///
/// The same model, plan and data give the same bits.
///
/// # Errors
///
/// [`Error::Diverged`] if the loss was not finite for too many steps in a row or is not at the end;
/// [`Error::Optimizer`] if the optimizer refuses; whatever the observer returns.
pub fn train<M: Classifier>(
    mut model: M,
    optimizer: &mut dyn Optimizer<M>,
    split: &Split,
    plan: &Plan,
    device: &Device,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Trained<M>, Error> {
    let start = Instant::now();
    let training_device = device.clone().autodiff();
    let inference_device = device.clone().inner();
    let mut state = Progress::default();
    let mut last = None;
    for epoch in 0..plan.epochs {
        if state.step >= plan.steps || interrupt.is_set() {
            break;
        }
        let permutation = plan.order.permutation(epoch);
        let mut tally = Tally::default();
        let mut batches = permutation
            .chunks(plan.order.batch_size.max(1))
            .take(plan.order.batches());
        let mut whole = true;
        for samples in batches.by_ref() {
            if state.step >= plan.steps || interrupt.is_set() {
                whole = false;
                break;
            }
            let begun = Instant::now();
            let refused = |cause| Error::Optimizer {
                step: state.step,
                cause,
            };
            let batch = split.train.batch(samples, &training_device);

            let clock = Instant::now();
            optimizer.prepare(&mut model).map_err(refused)?;
            state.optimizer_seconds += clock.elapsed().as_secs_f64();

            let scores = model.forward(batch.images);
            let host_scores = floats(scores.clone().inner().into_data());
            let losses = cross_entropy(scores, batch.targets);
            let host_losses = floats(losses.clone().inner().into_data());
            let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);

            let clock = Instant::now();
            let factor = plan.schedule.factor(state.step);
            let (stepped, summary) = optimizer
                .step(model, gradients, &host_losses, factor)
                .map_err(refused)?;
            model = stepped;
            state.optimizer_seconds += clock.elapsed().as_secs_f64();
            state.training_seconds += begun.elapsed().as_secs_f64();

            let seen = tally.add(&host_losses, &host_scores, &batch.labels);
            observer.observe(&Event::Step(StepEvent {
                step: state.step,
                epoch,
                loss: seen.loss,
                error: seen.error,
                gain: summary.gain,
                effective_learning_rate: summary.effective_learning_rate,
                seconds: start.elapsed().as_secs_f64(),
                filter: summary.report,
            }))?;
            state.met(seen.loss, plan)?;
        }
        let test = test(&*optimizer, &model, split, &inference_device, state.step)?;
        let train = tally.evaluation();
        last = Some((train, test));
        state.epochs += usize::from(whole);
        observer.observe(&Event::Epoch(EpochEvent {
            epoch: epoch + 1,
            step: state.step,
            train_loss: train.loss,
            train_error: train.error,
            test_loss: test.loss,
            test_error: test.error,
            seconds: start.elapsed().as_secs_f64(),
        }))?;
    }
    let inference = optimizer
        .evaluation(&model)
        .map_err(|cause| Error::Optimizer {
            step: state.step,
            cause,
        })?;
    let (train, test) = match last {
        Some(evaluations) => evaluations,
        None => (
            Tally::default().evaluation(),
            evaluate(&inference, &split.test, &inference_device),
        ),
    };
    if !test.loss.is_finite() {
        return Err(Error::Diverged {
            steps: state.missing.max(1),
            step: state.step.saturating_sub(1),
            knob: plan.knob,
        });
    }
    Ok(Trained {
        model: inference,
        epochs: state.epochs,
        steps: state.step,
        train,
        test,
        seconds: start.elapsed().as_secs_f64(),
        training_seconds: state.training_seconds,
        optimizer_seconds: state.optimizer_seconds,
        interrupted: interrupt.is_set() && state.step < plan.steps,
    })
}

fn test<M: Classifier>(
    optimizer: &dyn Optimizer<M>,
    model: &M,
    split: &Split,
    device: &Device,
    step: u64,
) -> Result<Evaluation, Error> {
    match optimizer.evaluation(model) {
        Ok(inference) => Ok(evaluate(&inference, &split.test, device)),
        Err(cause) => Err(Error::Optimizer { step, cause }),
    }
}

#[derive(Default)]
struct Progress {
    step: u64,
    epochs: usize,
    missing: u32,
    training_seconds: f64,
    optimizer_seconds: f64,
}

impl Progress {
    /// Counts a step and the losses that were not finite.
    fn met(&mut self, loss: f64, plan: &Plan) -> Result<(), Error> {
        self.missing = if loss.is_finite() {
            0
        } else {
            self.missing + 1
        };
        if self.missing >= plan.missing_limit {
            return Err(Error::Diverged {
                steps: self.missing,
                step: self.step,
                knob: plan.knob,
            });
        }
        self.step += 1;
        Ok(())
    }
}
