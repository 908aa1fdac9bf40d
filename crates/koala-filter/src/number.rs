//! Numbers in formats that cannot write all of them, and powers of many updates.

use serde::{Deserialize, Deserializer};

/// A number, or NaN where a format that people read has nothing: JSON writes `null` for what is not finite.
pub(crate) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    if deserializer.is_human_readable() {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    } else {
        f64::deserialize(deserializer)
    }
}

/// `base`^`exponent` for a base in [0, 1] and the count of updates.
pub(crate) fn power(base: f64, exponent: u64) -> f64 {
    // Beyond i32 it is 0, but for a base within 1e-9 of 1, where it is as good as there.
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}
