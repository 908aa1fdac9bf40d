//! Flags of the schedule.

use clap::Args;
use koala_train::training::ScheduleSpec;

use super::Overrides;

/// How gain or learning rate move.
#[derive(Args)]
#[command(next_help_heading = "Schedule")]
pub struct ScheduleFlags {
    /// Schedule of gain or learning rate [default: constant]
    #[arg(long, value_parser = ScheduleSpec::NAMES)]
    schedule: Option<String>,
    /// warmup-cosine, milestones, wsd: steps of a linear rise [default: 100; 0 for milestones]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    warmup_steps: Option<i64>,
    /// milestones: epochs after which the factor falls, such as 30,60
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    milestones: Option<Vec<i64>>,
    /// milestones: what it is multiplied by [default: 0.1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    milestone_factor: Option<f64>,
    /// wsd: share of all steps in which the factor falls [default: 0.2]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    decay_share: Option<f64>,
    /// cosine, warmup-cosine, wsd: factor at the end [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    final_factor: Option<f64>,
}

impl ScheduleFlags {
    /// Adds the overrides that these flags stand for.
    pub fn add_to(&self, all: &mut Overrides) {
        all.put("schedule.name", self.schedule.clone());
        all.put("schedule.warmup-steps", self.warmup_steps);
        all.put("schedule.milestones", self.milestones.clone());
        all.put("schedule.milestone-factor", self.milestone_factor);
        all.put("schedule.decay-share", self.decay_share);
        all.put("schedule.final-factor", self.final_factor);
    }
}
