//! The filter's state as it is stored: versioned, with its phase, complete.

use serde::{Deserialize, Serialize};

use crate::decay::WeightDecay;
use crate::error::{Error, Result};
use crate::layout::{Layout, Partition};
use crate::method;
use crate::methods::{AnyMethod, Config};
use crate::phase::Phase;

/// Version of the stored form that this crate writes.
pub const STATE_VERSION: u32 = 1;

/// Everything a filter needs to go on bit by bit: configuration, layout, phase, R, P, counters. Serializable; every
/// number that matters is an f64, so use a format that keeps them whole (JSON with exact floats does).
///
/// The vectors a method keeps (velocities and the like) are stored by the adapter that owns them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterState {
    /// Version of this form.
    pub version: u32,
    /// Parameters, their groups and their order.
    pub layout: Layout,
    /// Where in the predict/update cycle.
    pub phase: Phase,
    /// Number of updates done.
    pub step: u64,
    /// R.
    pub measurement_noise: f64,
    pub(crate) method: AnyMethod,
    /// Measurements missing in a row.
    pub missing_in_a_row: u32,
    /// Measurements missing in all.
    pub missing_in_all: u64,
    /// Updates with a clamped residual in all.
    pub clamped_in_all: u64,
    /// The first loss that was measured, where the target is a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_loss: Option<f64>,
}

impl FilterState {
    /// The configuration, as it is now.
    pub fn config(&self) -> Config {
        self.method.config()
    }

    /// The partition into blocks.
    pub fn partition(&self) -> Partition {
        self.method.options().partition
    }

    /// e of the next update, before the groups' own: gain times schedule.
    pub(crate) fn gain(&self) -> f64 {
        let options = self.method.options();
        options.gain * options.schedule.factor(self.step)
    }

    /// Number of measurements that were not missing.
    pub(crate) fn measurements(&self) -> u64 {
        self.step.saturating_sub(self.missing_in_all)
    }

    /// Whether the parameter at `position` is frozen.
    pub(crate) fn is_frozen(&self, position: usize) -> bool {
        self.layout.group_of(position).frozen
    }

    /// The weight decay of the parameter at `position`.
    pub(crate) fn decay(&self, position: usize) -> WeightDecay {
        self.layout
            .group_of(position)
            .weight_decay
            .unwrap_or(self.method.options().weight_decay)
    }

    /// Checks version, configuration and every number.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.version != STATE_VERSION {
            return Err(Error::UnsupportedVersion {
                found: self.version,
                supported: STATE_VERSION,
            });
        }
        self.config().validate()?;
        self.layout.validate()?;
        method::variance("R", self.measurement_noise)?;
        if let Some(first) = self.first_loss.filter(|first| !first.is_finite()) {
            return Err(method::damaged(format!("the first loss is {first}")));
        }
        let blocks = block_count(&self.layout, self.partition());
        self.method.validate(self.layout.parameters().len(), blocks)
    }
}

/// Number of blocks of a layout.
pub(crate) fn block_count(layout: &Layout, partition: Partition) -> usize {
    match partition {
        Partition::PerTensor => layout.parameters().len(),
        Partition::Global => 1,
    }
}
