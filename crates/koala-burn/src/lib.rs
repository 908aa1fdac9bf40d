//! KOALA optimizers for Burn modules.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod apply;
mod census;
mod error;
mod generic;
mod gradients;
mod group;
mod measurement;
mod memory;
mod optimizer;
mod raw;
mod record;
mod reduce;
mod take;
mod values;

pub use error::{Error, Result};
pub use group::ParameterGroup;
pub use koala_core::{
    BlockOutcome, BlockReport, Config, Covariance, DecayRule, Filter, Group, KoalaMConfig,
    KoalaPpConfig, KoalaVConfig, MeasurementNoise, NegativeResidual, Observation, Options, Outcome,
    Partition, Phase, PlusPlusVariant, PositionNoise, ProcessNoise, Schedule, SkipReason,
    StepReport, Target, WeightDecay,
};
pub use measurement::Measurement;
pub use optimizer::Koala;
pub use values::UpdatePath;
