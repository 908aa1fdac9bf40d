//! Numbers in formats that cannot write all of them.

use serde::{Deserialize, Deserializer};

/// A number, or NaN where a format that people read has nothing: JSON writes `null` for what is not finite.
pub(crate) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    if deserializer.is_human_readable() {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    } else {
        f64::deserialize(deserializer)
    }
}
