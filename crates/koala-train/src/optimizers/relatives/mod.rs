//! KOALA's living relatives, to compare with: methods that measure their own step length, or average their own weights.
//!
//! Each is written from its paper's equations and held against recordings of its authors' own program.

mod average;
mod method;
mod momo;
mod momo_adam;
mod momo_numbers;
mod optimizer;
mod polyak;
mod prodigy;
pub(crate) mod record;
pub(crate) mod rows;
mod schedule_free_adamw;
mod schedule_free_sgd;
mod sps_max;
mod sums;

pub use momo::MomoSpec;
pub use momo_adam::MomoAdamSpec;
pub(super) use optimizer::Relative;
pub use prodigy::{ProdigyDecay, ProdigySpec};
pub use schedule_free_adamw::ScheduleFreeAdamWSpec;
pub use schedule_free_sgd::ScheduleFreeSgdSpec;
pub use sps_max::SpsMaxSpec;
