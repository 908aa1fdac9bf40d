//! How large gradients were, and the floor F that follows: after a perfect fit whose target lies at infinity the filter
//! comes to rest.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::gain::quotient;
use crate::method::variance;

/// How large the gradients of the whole model were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GradientSizes {
    /// ḡ, the smoothed |h|², not corrected: what comes once and not again counts for little.
    pub smoothed: f64,
    /// Γ, the largest of them.
    pub largest: f64,
    /// R_Γ, what R was then.
    pub noise: f64,
}

impl GradientSizes {
    /// Takes up |h|², met with this R.
    pub fn take_up(&mut self, squared: f64, smoothing: f64, r: f64) {
        self.smoothed = smoothing * self.smoothed + (1.0 - smoothing) * squared;
        if self.smoothed > self.largest {
            (self.largest, self.noise) = (self.smoothed, r);
        }
    }

    /// F = γ² Γ min(1, (R / ḡ) / (R_Γ / Γ)), the share γ of the largest gradient as far as the target has come no nearer.
    pub fn floor(&self, share: f64, r: f64) -> f64 {
        if share == 0.0 {
            return 0.0;
        }
        // How far the target is, squared, beside how far it was when gradients were the largest.
        let distance = quotient(r, self.smoothed) * quotient(self.largest, self.noise);
        share * share * self.largest * distance.min(1.0)
    }

    /// Whether a stored state may have them.
    pub fn validate(&self) -> Result<()> {
        variance("the smoothed squared gradient", self.smoothed)?;
        variance("the largest squared gradient", self.largest)?;
        variance("R at the largest gradient", self.noise)
    }
}
