//! The arm that the others are held against.

use koala_report::BEST;
use koala_train::run::{ConfigError, hint};

use super::arm::names;
use super::{Arm, Suite};

impl Suite {
    /// Holds all others against this one, or against the best baseline of each workload; `origin` says who asks for it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is none of the suite's arms.
    pub fn hold_against(&mut self, origin: &str, name: &str) -> Result<(), ConfigError> {
        check_reference(origin, name, &self.arms)?;
        self.reference = Some(name.to_owned());
        Ok(())
    }
}

/// Whether it is one of the arms, or there is a baseline that can be the best.
pub(super) fn check_reference(origin: &str, name: &str, arms: &[Arm]) -> Result<(), ConfigError> {
    let mut known = names(arms);
    if name == BEST {
        return match arms.iter().all(|arm| arm.optimizer.starts_with("koala")) {
            false => Ok(()),
            true => Err(ConfigError::Value {
                origin: origin.to_owned(),
                fault: format!(
                    "'{BEST}' is the best of the optimizers that are none of KOALA's, of which there is none: add one, such as adamw"
                ),
            }),
        };
    }
    known.push(BEST);
    match known.contains(&name) {
        true => Ok(()),
        false => Err(ConfigError::UnknownName {
            origin: origin.to_owned(),
            group: "optimizer of the suite",
            name: name.to_owned(),
            hint: hint(name, &known),
        }),
    }
}
