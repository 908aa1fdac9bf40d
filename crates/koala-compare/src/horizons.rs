//! The lengths at which a suite gives its problems.

use koala_train::run::ConfigError;

use super::Suite;
use super::check::check_once;

impl Suite {
    /// Gives each problem at these lengths, multiples of its own; `origin` says who asks for it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one cannot be, or there is no reference.
    pub fn stretch(&mut self, origin: &str, horizons: &[f64]) -> Result<(), ConfigError> {
        check_horizons(origin, horizons, self.reference.as_deref())?;
        self.horizons = horizons.to_vec();
        Ok(())
    }
}

/// Multiples of a length that are taken.
const RANGE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// Whether they are numbers of which each is there once, and there is a reference: what comes of them are ratios to it.
pub(super) fn check_horizons(
    origin: &str,
    horizons: &[f64],
    reference: Option<&str>,
) -> Result<(), ConfigError> {
    let fault = |fault: String| {
        Err(ConfigError::Value {
            origin: origin.to_owned(),
            fault,
        })
    };
    if horizons.is_empty() {
        return fault("must hold at least one number".to_owned());
    }
    if let Some(other) = horizons.iter().find(|factor| !RANGE.contains(factor)) {
        return fault(format!(
            "must be between {} and {}, not {other}",
            RANGE.start(),
            RANGE.end()
        ));
    }
    check_once(origin, horizons)?;
    match reference {
        Some(_) => Ok(()),
        None => fault(
            "needs a reference, whose ratios are compared over lengths: give one, such as reference = \"best\" (--reference best)"
                .to_owned(),
        ),
    }
}

/// What a problem is called at a length; no problem has such a name of its own.
pub(super) fn name_at(problem: &str, factor: f64) -> String {
    match factor == 1.0 {
        true => problem.to_owned(),
        false => format!("{problem}@{factor}"),
    }
}
