//! What is compared: an optimizer as it is, or a configuration of it under a name of its own.

use koala_report::BEST;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{ConfigError, hint};
use toml::{Table, Value};

use super::Own;
use super::check::check_name;
use super::reader::Reader;

/// An optimizer with options of its own, under the name by which lists, tables and reports speak of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name; that of the optimizer for one as it is.
    pub name: String,
    /// Name of the optimizer.
    pub optimizer: String,
    /// Its options, over those of the recipe, the suite and the workload for the optimizer.
    pub options: Table,
    /// How errors name it.
    pub(super) origin: String,
}

impl Arm {
    /// An optimizer as it is.
    pub fn plain(optimizer: &str) -> Self {
        Self {
            name: optimizer.to_owned(),
            optimizer: optimizer.to_owned(),
            options: Table::new(),
            origin: String::new(),
        }
    }

    /// From a word, which is also the arm's name: `adamw`, or `adamw:learning-rate=0.01:weight-decay=0.1`. `origin` says where the
    /// word stands. Whether the optimizer has such options is seen when the suite is resolved.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if no optimizer is called so, or what follows is no `OPTION=VALUE`.
    pub fn parse(origin: &str, word: &str) -> Result<Self, ConfigError> {
        let mut parts = word.split(':');
        let optimizer = parts.next().unwrap_or_default();
        check_optimizer(origin, optimizer, &Own::new())?;
        let mut arm = Self {
            name: word.to_owned(),
            origin: format!("{origin}: {word}"),
            ..Self::plain(optimizer)
        };
        let fault = |fault: String| ConfigError::Value {
            origin: format!("{origin}: {word}"),
            fault,
        };
        for part in parts {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) if !key.is_empty() && !value.is_empty() => (key, value),
                _ => {
                    return Err(fault(format!(
                        "'{part}' must be OPTION=VALUE, as in {optimizer}:weight-decay=0.1"
                    )));
                }
            };
            if arm.options.insert(key.to_owned(), read(value)).is_some() {
                return Err(fault(format!("{key} is there twice: leave one out")));
            }
        }
        Ok(arm)
    }

    /// Whether it is an optimizer as it is.
    pub fn is_plain(&self) -> bool {
        self.name == self.optimizer && self.options.is_empty()
    }

    /// The names of the tables that speak of it, from the farthest to its own: its optimizer's, and its own if it has one.
    pub(super) fn tables(&self) -> impl DoubleEndedIterator<Item = &String> {
        let own = (self.name != self.optimizer).then_some(&self.name);
        [&self.optimizer].into_iter().chain(own)
    }
}

/// A value on a command line.
fn read(text: &str) -> Value {
    if let Ok(flag) = text.parse() {
        Value::Boolean(flag)
    } else if let Ok(whole) = text.parse() {
        Value::Integer(whole)
    } else if let Ok(number) = text.parse() {
        Value::Float(number)
    } else {
        Value::String(text.to_owned())
    }
}

/// `optimizers` and `[[arm]]`, in this order.
pub(super) fn read_arms(
    reader: &Reader,
    origin: &str,
    optimizers: Option<Vec<String>>,
    named: Option<Vec<Table>>,
    own: &Own,
) -> Result<Vec<Arm>, ConfigError> {
    let optimizers = match (optimizers, &named) {
        (Some(optimizers), _) => optimizers,
        (None, Some(_)) => Vec::new(),
        (None, None) => {
            let example = "optimizers = [\"koala-m\", \"adam\"]";
            reader.needed("optimizers", None, example)?
        }
    };
    let mut arms: Vec<Arm> = Vec::with_capacity(optimizers.len());
    for optimizer in &optimizers {
        check_optimizer(&reader.origin("optimizers"), optimizer, own)?;
        arms.push(Arm::plain(optimizer));
    }
    check_apart(&reader.origin("optimizers"), &arms)?;
    for table in named.unwrap_or_default() {
        arms.push(read_arm(table, origin, own)?);
    }
    if arms.is_empty() {
        return Err(reader.fault("optimizers", "must hold at least one optimizer"));
    }
    check_apart(&reader.origin("arm.name"), &arms)?;
    Ok(arms)
}

/// An `[[arm]]`.
fn read_arm(table: Table, origin: &str, own: &Own) -> Result<Arm, ConfigError> {
    let mut reader = Reader::new(origin, "arm", table);
    let name = reader.text("name")?;
    let optimizer = reader.text("optimizer")?;
    let options = reader.rest();
    let name = reader.needed("name", name, "name = \"adamw-small\"")?;
    check_name(&reader, "name", &name)?;
    let optimizer = reader.needed("optimizer", optimizer, "optimizer = \"adamw\"")?;
    check_optimizer(&reader.origin("optimizer"), &optimizer, own)?;
    if name == BEST {
        return Err(reader.fault(
            "name",
            format!("'{BEST}' is what a reference may be called: give another name"),
        ));
    }
    if name != optimizer && is_optimizer(&name, own) {
        let fault = format!(
            "'{name}' is another optimizer than {optimizer}: give a name that is none, such as {optimizer}-2"
        );
        return Err(reader.fault("name", fault));
    }
    if let Some(key) = super::overlay::KEYS
        .iter()
        .find(|key| options.contains_key(**key))
    {
        let fault = format!("is no option of {optimizer}: it belongs to [optimizer.{name}]");
        return Err(reader.fault(key, fault));
    }
    Ok(Arm {
        origin: format!("{origin}: arm {name}"),
        name,
        optimizer,
        options,
    })
}

/// Whether an optimizer is called so.
fn check_optimizer(origin: &str, name: &str, own: &Own) -> Result<(), ConfigError> {
    if is_optimizer(name, own) {
        return Ok(());
    }
    let mut known = OptimizerSpec::NAMES.to_vec();
    known.extend(own.optimizer_names());
    Err(ConfigError::UnknownName {
        origin: origin.to_owned(),
        group: "optimizer",
        name: name.to_owned(),
        hint: hint(name, &known),
    })
}

/// Whether it is the name of an optimizer, whoever's.
fn is_optimizer(name: &str, own: &Own) -> bool {
    OptimizerSpec::named(name).is_some() || own.optimizer_called(name).is_some()
}

/// Whether each has a name of its own.
pub(super) fn check_apart(origin: &str, arms: &[Arm]) -> Result<(), ConfigError> {
    for (at, arm) in arms.iter().enumerate() {
        if arms[..at].iter().any(|other| other.name == arm.name) {
            return Err(ConfigError::Value {
                origin: origin.to_owned(),
                fault: format!(
                    "'{name}' is there twice: leave one out, or give it another name and options of its own, by [[arm]] in a suite's \
                     file or {optimizer}:OPTION=VALUE behind --optimizers",
                    name = arm.name,
                    optimizer = arm.optimizer
                ),
            });
        }
    }
    Ok(())
}

/// All names that lists may name.
pub(super) fn names(arms: &[Arm]) -> Vec<&str> {
    arms.iter().map(|arm| arm.name.as_str()).collect()
}

/// All names that tables may have: those of arms and of their optimizers.
pub(super) fn tables(arms: &[Arm]) -> Vec<&str> {
    let mut all = names(arms);
    for arm in arms {
        if !all.contains(&arm.optimizer.as_str()) {
            all.push(&arm.optimizer);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_an_arm_and_its_name() {
        let word = "sgd:learning-rate=0.5:nesterov=true:momentum=0";
        let arm = Arm::parse("--optimizers", word).unwrap();
        assert_eq!((arm.name.as_str(), arm.optimizer.as_str()), (word, "sgd"));
        assert_eq!(arm.options["learning-rate"], Value::Float(0.5));
        assert_eq!(arm.options["nesterov"], Value::Boolean(true));
        assert_eq!(arm.options["momentum"], Value::Integer(0));
        assert_eq!(arm.tables().collect::<Vec<_>>(), ["sgd", word]);
        let plain = Arm::parse("--optimizers", "sgd").unwrap();
        assert!(plain.is_plain() && !arm.is_plain());
        let fault = |word: &str| Arm::parse("--optimizers", word).unwrap_err().to_string();
        assert_eq!(
            fault("adan:beta-1=0"),
            "--optimizers: no optimizer is called 'adan', did you mean 'adam'?"
        );
        for word in ["sgd:", "sgd:momentum", "sgd:=1", "sgd:momentum="] {
            assert!(fault(word).contains("must be OPTION=VALUE"), "{word}");
        }
        assert_eq!(
            fault("sgd:momentum=1:momentum=2"),
            "--optimizers: sgd:momentum=1:momentum=2: momentum is there twice: leave one out"
        );
    }
}
