//! Options that hold for some of the parameters.

use serde::{Deserialize, Serialize};

use crate::decay::WeightDecay;
use crate::error::{Error, Result};

/// Options of a group of parameters. Splitting parameters into groups of equal options changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// Multiplies the optimizer's gain.
    #[serde(default = "one")]
    pub gain: f64,
    /// Replaces the optimizer's weight decay; `None` keeps it.
    #[serde(default)]
    pub weight_decay: Option<WeightDecay>,
    /// Frozen parameters never move; they count among the n of KOALA-M's position noise.
    #[serde(default)]
    pub frozen: bool,
}

fn one() -> f64 {
    1.0
}

impl Default for Group {
    fn default() -> Self {
        Self {
            gain: 1.0,
            weight_decay: None,
            frozen: false,
        }
    }
}

impl Group {
    /// A group of parameters that never move.
    pub fn frozen() -> Self {
        Self {
            frozen: true,
            ..Self::default()
        }
    }

    /// A group without weight decay (biases, normalisation).
    pub fn without_decay() -> Self {
        Self::default().with_weight_decay(WeightDecay::NONE)
    }

    /// Sets the gain multiplier.
    #[must_use]
    pub fn with_gain(mut self, gain: f64) -> Self {
        self.gain = gain;
        self
    }

    /// Sets the weight decay.
    #[must_use]
    pub fn with_weight_decay(mut self, weight_decay: WeightDecay) -> Self {
        self.weight_decay = Some(weight_decay);
        self
    }

    pub(crate) fn validate(&self, field: &str) -> Result<()> {
        if !(self.gain.is_finite() && self.gain >= 0.0) {
            return Err(Error::invalid(
                format!("{field}.gain"),
                self.gain,
                "finite and not negative",
            ));
        }
        match &self.weight_decay {
            Some(decay) => decay.validate(&format!("{field}.weight-decay")),
            None => Ok(()),
        }
    }
}
