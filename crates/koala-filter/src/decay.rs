//! Weight decay and the three ways in which it can enter a step.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Which parts of a step the decay w enters. h_b = g_b + w x_b and L_b = L + w/2 |x_b|^2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecayRule {
    /// The regularised loss is what is measured: h_b and L_b in the gain, and x moves along h_b.
    #[default]
    Coupled,
    /// x_b <- x_b (1 - e w) after the update; decay in neither gradient nor loss.
    Decoupled,
    /// h_b and L_b in the gain, but x moves along g_b alone. Needed only to repeat the published KOALA-V runs; not
    /// defined for KOALA++, whose covariance product carries the decayed gradient.
    GainOnly,
}

/// Weight decay: its strength and its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WeightDecay {
    /// w; 0 is no decay.
    pub rate: f64,
    /// Where w enters.
    #[serde(default)]
    pub rule: DecayRule,
}

impl WeightDecay {
    /// No decay.
    pub const NONE: Self = Self {
        rate: 0.0,
        rule: DecayRule::Coupled,
    };

    /// Coupled decay of strength `rate`.
    pub fn coupled(rate: f64) -> Self {
        Self {
            rate,
            rule: DecayRule::Coupled,
        }
    }

    /// Decoupled decay of strength `rate`.
    pub fn decoupled(rate: f64) -> Self {
        Self {
            rate,
            rule: DecayRule::Decoupled,
        }
    }

    /// Gain-only decay of strength `rate`.
    pub fn gain_only(rate: f64) -> Self {
        Self {
            rate,
            rule: DecayRule::GainOnly,
        }
    }

    pub(crate) fn validate(&self, field: &str) -> Result<()> {
        if self.rate.is_finite() && self.rate >= 0.0 {
            Ok(())
        } else {
            Err(Error::invalid(
                format!("{field}.rate"),
                self.rate,
                "finite and not negative",
            ))
        }
    }

    /// The w of h_b and L_b in the gain.
    pub(crate) fn in_measurement(&self) -> f64 {
        match self.rule {
            DecayRule::Coupled | DecayRule::GainOnly => self.rate,
            DecayRule::Decoupled => 0.0,
        }
    }

    /// The w of the direction along which x moves.
    pub(crate) fn in_direction(&self) -> f64 {
        match self.rule {
            DecayRule::Coupled => self.rate,
            DecayRule::Decoupled | DecayRule::GainOnly => 0.0,
        }
    }

    /// The factor on x after the update, 1 - e w under the decoupled rule.
    pub(crate) fn shrinkage(&self, gain: f64) -> f64 {
        match self.rule {
            DecayRule::Decoupled => 1.0 - gain * self.rate,
            DecayRule::Coupled | DecayRule::GainOnly => 1.0,
        }
    }
}
