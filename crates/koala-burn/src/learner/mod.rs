//! KOALA in Burn's `Learner` (feature `learner`): its dashboard, metrics, checkpoints and gradient accumulation.
//!
//! The learner hands parameters and gradients to optimizers of Burn's own interface, which see neither the loss nor a
//! prediction. KOALA steps in where a model may: [`Filtered`] is the network with its optimizer, for the learner a model. The
//! network says what its losses are, by [`Measured`]; the optimizer and the learning rate that the learner wants are not used.
//!
//! ```ignore
//! let training = SupervisedTraining::new(directory, train, valid).num_epochs(6).summary();
//! let optimizer = Koala::new(KoalaAConfig::new(), &network)?;
//! let model = Filtered::new(network, optimizer, training.interrupter());
//! let learner = Learner::new(model.clone(), SgdConfig::new().init(), 1.0);
//! let trained = training.launch(learner).model.evaluation()?;
//! ```
//!
//! `examples/burn-learner` is a whole program, with checkpoints of the optimizer beside the learner's ([`Checkpoints`]).
//!
//! The learner's model always stands at the filter's estimate, so that checkpoints come at the right time by themselves;
//! validation is at the mean of the iterates, where the method keeps one. One device: with several, training stops and says so.

mod checkpoints;
mod filtered;
mod handle;
mod shared;

pub use checkpoints::Checkpoints;
pub use filtered::{Filtered, Measured};
