//! Names of what is your own.

use crate::run::ConfigError;

/// Bytes of a name at most.
const LONGEST: usize = 100;

/// Whether a name may stand in configurations, beside those that are taken.
pub(super) fn check_name(
    what: &'static str,
    name: &str,
    taken: &[&str],
) -> Result<(), ConfigError> {
    check_text(what, name, "name", name)?;
    match taken.contains(&name) {
        false => Ok(()),
        true => Err(fault(
            what,
            name,
            format!("the name is taken by one of Koala's own: give another, such as my-{name}"),
        )),
    }
}

/// Whether a text may stand for a thing of this name in configurations.
pub(super) fn check_text(
    what: &'static str,
    name: &str,
    key: &str,
    text: &str,
) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits = !text.is_empty() && text.len() <= LONGEST && !text.starts_with('.');
    match fits && text.chars().all(plain) {
        true => Ok(()),
        false => Err(fault(
            what,
            name,
            format!(
                "its {key} must be of letters, digits, '-', '_' and '.', at most {LONGEST} of them, and not begin with '.', not '{text}'"
            ),
        )),
    }
}

/// What is wrong with one of your own.
pub(super) fn fault(what: &'static str, name: &str, fault: String) -> ConfigError {
    ConfigError::Value {
        origin: format!("your {what} '{name}'"),
        fault,
    }
}
