//! KOALA's living relatives, to compare with: methods that measure their own step length, or average their own weights, and
//! Lion and Muon, whose step is Burn's.
//!
//! Each is written from its paper's equations and held against recordings of its authors' own program, NGN's against
//! another reading of the paper.

mod adam;
mod average;
mod hidden;
mod lion;
mod method;
mod momo;
mod momo_adam;
mod momo_numbers;
mod muon;
mod ngn;
mod ngn_m;
mod ngn_mdv1;
mod optimizer;
mod polyak;
mod prodigy;
pub(crate) mod record;
pub(crate) mod rows;
mod schedule_free_adamw;
mod schedule_free_plus;
mod schedule_free_sgd;
mod sps_max;
mod sums;

pub use lion::LionSpec;
pub use momo::MomoSpec;
pub use momo_adam::MomoAdamSpec;
pub(super) use muon::Muon;
pub use muon::MuonSpec;
pub use ngn_m::NgnMSpec;
pub use ngn_mdv1::NgnMdv1Spec;
pub(super) use optimizer::Relative;
pub use prodigy::{ProdigyDecay, ProdigySpec};
pub use schedule_free_adamw::ScheduleFreeAdamWSpec;
pub use schedule_free_plus::ScheduleFreePlusSpec;
pub use schedule_free_sgd::ScheduleFreeSgdSpec;
pub use sps_max::SpsMaxSpec;
