//! Numbers that may not be finite, in JSON: as themselves if they are, else as a text.

use serde::{Deserialize, Deserializer, Serializer};

/// Writes a number so that [`deserialize`] gives back the same bits (but for the payload of what is not a number).
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(*value)
    } else {
        serializer.serialize_str(&value.to_string())
    }
}

/// Reads what [`serialize`] wrote.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(value) => Ok(value),
        Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "super")] f64);

    proptest! {
        #[test]
        fn every_number_comes_back(value: f64) {
            let text = serde_json::to_string(&One(value)).unwrap();
            let found = serde_json::from_str::<One>(&text).unwrap().0;
            prop_assert!(found.to_bits() == value.to_bits() || (found.is_nan() && value.is_nan()), "{}", text);
        }
    }

    #[test]
    fn what_is_no_number_comes_back() {
        for value in [f64::INFINITY, f64::NEG_INFINITY, -0.0] {
            let text = serde_json::to_string(&One(value)).unwrap();
            let found = serde_json::from_str::<One>(&text).unwrap().0;
            assert_eq!(found.to_bits(), value.to_bits());
        }
        let text = serde_json::to_string(&One(f64::NAN)).unwrap();
        assert!(serde_json::from_str::<One>(&text).unwrap().0.is_nan());
        assert!(serde_json::from_str::<One>("\"many\"").is_err());
    }
}
