//! What options may be: each gives the key and the fault, if there is one.

/// A key and what is wrong with its value.
pub(super) type Fault = Option<(&'static str, String)>;

pub(super) fn not_negative(key: &'static str, value: f64) -> Fault {
    (!value.is_finite() || value < 0.0).then(|| {
        (
            key,
            format!("must be finite and not negative, not {value:?}"),
        )
    })
}

pub(super) fn above_zero(key: &'static str, value: f64) -> Fault {
    (value.is_nan() || value <= 0.0).then(|| (key, format!("must be above 0, not {value:?}")))
}

pub(super) fn share(key: &'static str, value: f64) -> Fault {
    (!(0.0..1.0).contains(&value)).then(|| (key, format!("must be in [0, 1), not {value:?}")))
}

pub(super) fn inside(key: &'static str, value: f64) -> Fault {
    (!(value > 0.0 && value < 1.0)).then(|| (key, format!("must be in (0, 1), not {value:?}")))
}

pub(super) fn positive(key: &'static str, value: f64) -> Fault {
    (!value.is_finite() || value <= 0.0)
        .then(|| (key, format!("must be finite and above 0, not {value:?}")))
}

pub(super) fn finite(key: &'static str, value: f64) -> Fault {
    (!value.is_finite()).then(|| (key, format!("must be finite, not {value:?}")))
}
