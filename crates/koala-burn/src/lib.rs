//! KOALA optimizers for [Burn](burn) modules: training as Kalman filtering, with a step length that adapts to the loss.
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::optim::GradientsParams;
//! use burn::tensor::{Device, Tensor};
//! use koala_burn::{Koala, KoalaMConfig};
//!
//! let device = Device::flex().autodiff();
//! let inputs = Tensor::<2>::from_data([[0.0], [1.0], [2.0], [3.0]], &device);
//! let targets = Tensor::<2>::from_data([[1.0], [3.0], [5.0], [7.0]], &device);
//! let mut model = LinearConfig::new(1, 1).init(&device);
//!
//! let mut optimizer = Koala::new(KoalaMConfig::new(), &model)?; // no learning rate to be found
//! let mut loss = f64::INFINITY;
//! for _ in 0..200 {
//!     optimizer.predict(&mut model)?;
//!     let losses: Tensor<1> = (model.forward(inputs.clone()) - targets.clone()).square().reshape([4]);
//!     let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &model);
//!     loss = optimizer.update(&mut model, gradients, losses)?.loss;
//! }
//! assert!(loss < 1e-3);
//! let inference = optimizer.evaluation(&model)?;
//! # assert!(!inference.weight.is_autodiff());
//! # Ok::<(), koala_burn::Error>(())
//! ```
//!
//! # A step
//!
//! 1. [`predict`](Koala::predict) moves the parameters to the filter's prediction (KOALA-M and KOALA-A; KOALA-V and
//!    KOALA++ leave them alone). Forget it, and `update` is an error.
//! 2. Loss and gradients are measured there: the per-sample losses, and the gradients of their mean. Without
//!    per-sample losses, [`Observation::from_mean`] does; several micro-batches are
//!    [merged](Observation::merged), their gradients averaged.
//! 3. [`update`](Koala::update) reduces every gradient to a few sums, reads all of them back at once together with the
//!    losses, and moves parameters and velocities. Its [`StepReport`] says what happened and why.
//!
//! Evaluate ([`evaluation`](Koala::evaluation)) and save ([`save`](Koala::save)) between `update` and the next
//! `predict`. An error never loses a model: whatever can fail comes before any parameter is touched. KOALA-A is evaluated
//! at the mean of its iterates, which `evaluation` gives; with batch normalisation, [`recompute_statistics`] must follow.
//!
//! # Parameters and groups
//!
//! Parameters are known by their paths in the module (`encoder.layers.0.weight`), in reports and in stored states. Those
//! are trained that require a gradient when the optimizer is made. [`ParameterGroup`] gives some of them options of
//! their own:
//!
//! ```
//! # use burn::nn::LinearConfig;
//! # use burn::tensor::Device;
//! use koala_burn::{Group, Koala, KoalaMConfig, ParameterGroup, WeightDecay};
//! # let model = LinearConfig::new(2, 2).init(&Device::flex().autodiff());
//! let config = KoalaMConfig::new().with_weight_decay(WeightDecay::coupled(5e-4));
//! let groups = [ParameterGroup::matching("**.bias", Group::without_decay())?];
//! let optimizer = Koala::with_groups(config, &model, groups)?;
//! # assert_eq!(optimizer.filter().layout().parameters()[1].group, 1);
//! # Ok::<(), koala_burn::Error>(())
//! ```
//!
//! # Devices and types
//!
//! Everything is done with tensor operations, on any device of Burn's; parameters of 16 bits are worked on, and their
//! velocities kept, in `f32`. On the device `flex`, `f32` parameters are worked on directly in memory instead: in place,
//! in parallel, gradients of any strides, with the same bits whatever the number of threads
//! ([`UpdatePath`] switches that off). Work is in place as long as no clone of the model (or unfinished graph) holds the
//! parameters; otherwise they are copied first.
//!
//! Clip nothing and scale nothing beforehand: [`with_max_update_norm`](KoalaMConfig::with_max_update_norm) bounds a step,
//! and scaled losses must be [unscaled](Observation::unscaled) together with their gradients.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod apply;
mod census;
mod clip;
mod error;
mod evaluation;
mod generic;
mod gradients;
mod group;
#[cfg(feature = "learner")]
pub mod learner;
mod measurement;
mod memory;
mod optimizer;
mod raw;
mod record;
mod reduce;
mod statistics;
mod take;
mod values;

pub use clip::{Clipped, clip_by_global_norm};
pub use error::{Error, Result};
pub use group::ParameterGroup;
pub use koala_filter::{
    BlockOutcome, BlockReport, Config, Covariance, DecayRule, Filter, Group, KoalaAConfig,
    KoalaMConfig, KoalaPpConfig, KoalaVConfig, MeasurementNoise, Metric, NegativeResidual,
    Observation, Options, Outcome, Partition, Phase, PlusPlusVariant, PositionNoise, ProcessNoise,
    Schedule, SkipReason, StepReport, Target, WeightDecay, Whiteness,
};
pub use measurement::Measurement;
pub use optimizer::Koala;
pub use statistics::{recompute_statistics, recompute_statistics_of_momentum};
pub use values::UpdatePath;
