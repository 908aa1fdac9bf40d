//! Every optimizer behind one trait, so that the training loop knows none of them.

mod baseline;
mod check;
mod koala;
mod koala_spec;
mod lookahead;
pub(crate) mod optimizer;
pub(crate) mod relatives;
mod spec;

pub use baseline::{AdamSpec, AdamWSpec, Baseline, SgdSpec};
pub use koala::KoalaOptimizer;
pub use koala_spec::{
    KoalaASpec, KoalaMSpec, KoalaPpSpec, KoalaVSpec, MeasurementNoiseRule, PositionNoiseRule,
    TargetRule,
};
pub use lookahead::{Lookahead, LookaheadSpec};
pub use optimizer::{Optimizer, OptimizerError, StepSummary};
pub use relatives::{
    LionSpec, MomoAdamSpec, MomoSpec, MuonSpec, NgnMSpec, NgnMdv1Spec, ProdigyDecay, ProdigySpec,
    ScheduleFreeAdamWSpec, ScheduleFreePlusSpec, ScheduleFreeSgdSpec, SpsMaxSpec,
};
pub use spec::OptimizerSpec;
