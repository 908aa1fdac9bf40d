//! One recipe.

use std::path::Path;

use koala_system::read_text;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::embedded::{NAMES, text_of};
use crate::run::{ConfigError, LARGEST_CONFIG, Override, RunConfig, default_optimizer, hint};

/// A recipe that refers to itself through so many others is a mistake.
const DEEPEST: usize = 8;
/// What a recipe says of optimizers beside the task.
const OF_OPTIMIZERS: [&str; 4] = ["optimizers", "schedule", "average", "lookahead"];

/// An experiment as data: everything but the choice of the optimizer, and for each optimizer its own options.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Its name, or the file it was read from.
    pub name: String,
    /// What it is.
    pub about: About,
    /// How errors name it.
    origin: String,
    /// What a configuration file holds, without the optimizer's options.
    task: Table,
    /// The options of each optimizer, by its name.
    optimizers: Table,
}

/// What a recipe is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The experiment in a line.
    pub title: String,
    /// Where its settings come from.
    pub source: String,
    /// What was published for each optimizer, and in which measure; empty if nothing was.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub published: Table,
    /// What there is to know besides; empty if nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Recipe {
    /// The embedded recipe of this name, or, if it ends in `.toml`, the one in this file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if there is none, or it is not a recipe.
    pub fn find(name: &str) -> Result<Self, ConfigError> {
        Self::new(name, origin(name), read(name, "--recipe")?)
    }

    /// The recipe that says nothing: every default.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as every recipe.
    pub fn plain() -> Result<Self, ConfigError> {
        Self::of_suite("", String::new(), Table::new())
    }

    /// A recipe from text; `name` names it in errors.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the text is not a recipe.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        Self::new(name, origin(name), table(name, text)?)
    }

    /// A problem of a suite: this table as a recipe that needs no `[about]`, and may extend another. `origin` names it in
    /// errors.
    pub fn of_suite(name: &str, origin: String, mut table: Table) -> Result<Self, ConfigError> {
        table.insert("about".to_owned(), Value::Table(about(&origin)));
        Self::new(name, origin, table)
    }

    /// As [`Recipe::of_suite`], but of the recipe that it extends the task alone counts: what that says of optimizers (their options,
    /// schedule, average and lookahead) is left out.
    ///
    /// # Errors
    ///
    /// As [`Recipe::of_suite`].
    pub fn of_suite_by_task(
        name: &str,
        origin: String,
        mut table: Table,
    ) -> Result<Self, ConfigError> {
        if let Some(base) = table.remove("extends") {
            let extends = Table::from_iter([("extends".to_owned(), base)]);
            let mut task = whole(&origin, extends, DEEPEST)?;
            task.retain(|key, _| !OF_OPTIMIZERS.contains(&key));
            lay(&mut task, table);
            table = task;
        }
        Self::of_suite(name, origin, table)
    }

    /// The same experiment with this laid over its task; `origin` names it in errors.
    pub fn laid_over(&self, origin: String, over: Table) -> Self {
        let mut laid = self.clone();
        laid.origin = origin;
        lay(&mut laid.task, over);
        laid
    }

    /// The same experiment with these options of an optimizer over those that it has; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if what it has for the optimizer is no table.
    pub fn with_options(
        &self,
        origin: String,
        optimizer: &str,
        over: &Table,
    ) -> Result<Self, ConfigError> {
        let mut laid = self.clone();
        laid.origin = origin;
        let own = laid
            .optimizers
            .entry(optimizer)
            .or_insert_with(|| Value::Table(Table::new()));
        match own.as_table_mut() {
            Some(own) => lay(own, over.clone()),
            None => {
                return Err(ConfigError::Value {
                    origin: format!("{}: optimizers.{optimizer}", laid.origin),
                    fault: "must be a table".to_owned(),
                });
            }
        }
        Ok(laid)
    }

    fn new(name: &str, origin: String, table: Table) -> Result<Self, ConfigError> {
        let mut task = whole(&origin, table, DEEPEST)?;
        let about = match task.remove("about") {
            None => {
                return Err(ConfigError::Value {
                    origin,
                    fault: "a recipe needs a table [about] with 'title' and 'source'".to_owned(),
                });
            }
            Some(about) => about.try_into().map_err(|e| ConfigError::Value {
                origin: format!("{origin}: about"),
                fault: e.message().to_owned(),
            })?,
        };
        let optimizers = match task.remove("optimizers") {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                return Err(ConfigError::Value {
                    origin: format!("{origin}: optimizers"),
                    fault: format!("must be a table, not {other}"),
                });
            }
        };
        if task.contains_key("device") {
            return Err(ConfigError::Value {
                origin: format!("{origin}: device"),
                fault: "a recipe does not say where it is trained: give --device".to_owned(),
            });
        }
        let recipe = Self {
            name: name.to_owned(),
            about,
            origin,
            task,
            optimizers,
        };
        // Options of optimizers that are not chosen now must be right as well.
        recipe.resolve(&[])?;
        for optimizer in recipe.optimizers.keys() {
            recipe.resolve(&[Override::new("optimizer.name", optimizer.as_str())])?;
        }
        Ok(recipe)
    }

    /// The optimizers that the recipe has options for.
    pub fn optimizers(&self) -> impl Iterator<Item = &str> {
        self.optimizers.keys().map(String::as_str)
    }

    /// The configuration of a run, with the overrides on top: the options of the chosen optimizer are the recipe's if it
    /// has any, else its defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a name, key or value is wrong.
    pub fn resolve(&self, overrides: &[Override]) -> Result<RunConfig, ConfigError> {
        let mut given = self.task.clone();
        let own = match given.remove("optimizer") {
            None => default_optimizer(&self.model(overrides)).to_owned(),
            Some(Value::Table(mut table)) => match table.remove("name") {
                Some(Value::String(name)) if table.is_empty() => name,
                _ => return Err(self.only_a_name()),
            },
            Some(_) => return Err(self.only_a_name()),
        };
        let chosen = Override::last(overrides, "optimizer.name").unwrap_or(own);
        let mut options = match self.optimizers.get(&chosen) {
            None => Table::new(),
            Some(Value::Table(options)) => options.clone(),
            Some(other) => {
                return Err(ConfigError::Value {
                    origin: format!("{}: optimizers.{chosen}", self.origin),
                    fault: format!("must be a table, not {other}"),
                });
            }
        };
        options.insert("name".to_owned(), Value::String(chosen));
        given.insert("optimizer".to_owned(), Value::Table(options));
        RunConfig::from_table(given, &self.origin, overrides)
    }

    /// The name of the network, as far as it is given.
    fn model(&self, overrides: &[Override]) -> String {
        let own = || Some(self.task.get("model")?.get("name")?.as_str()?.to_owned());
        Override::last(overrides, "model.name")
            .or_else(own)
            .unwrap_or_default()
    }

    fn only_a_name(&self) -> ConfigError {
        ConfigError::Value {
            origin: format!("{}: optimizer", self.origin),
            fault: "may only hold a name; options belong to [optimizers.NAME]".to_owned(),
        }
    }
}

/// What stands in the place of an `[about]` that nobody has to write.
fn about(origin: &str) -> Table {
    let told = |key: &str| (key.to_owned(), Value::String(origin.to_owned()));
    Table::from_iter(["title", "source"].map(told))
}

/// How errors name a recipe.
fn origin(name: &str) -> String {
    format!("recipe {name}")
}

/// The table of a recipe that `from` asks for.
fn read(name: &str, from: &str) -> Result<Table, ConfigError> {
    if let Some(text) = text_of(name) {
        return table(name, text);
    }
    if !name.ends_with(".toml") {
        return Err(ConfigError::UnknownName {
            origin: from.to_owned(),
            group: "recipe",
            name: name.to_owned(),
            hint: hint(name, &NAMES),
        });
    }
    let text =
        read_text(Path::new(name), LARGEST_CONFIG).map_err(|cause| ConfigError::Unreadable {
            file: origin(name),
            cause,
        })?;
    table(name, &text)
}

fn table(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse()
        .map_err(|e: toml::de::Error| ConfigError::Syntax {
            file: origin(name),
            cause: e.to_string().trim().to_owned(),
        })
}

/// The recipe laid over the one that it extends.
fn whole(from: &str, mut table: Table, deepest: usize) -> Result<Table, ConfigError> {
    let wrong = |fault: String| ConfigError::Value {
        origin: format!("{from}: extends"),
        fault,
    };
    match table.remove("extends") {
        None => Ok(table),
        Some(_) if deepest == 0 => Err(wrong("recipes extend each other in a circle".to_owned())),
        Some(Value::String(base)) => {
            let mut all = whole(&origin(&base), read(&base, from)?, deepest - 1)?;
            // What was published of the one is not of the other.
            all.remove("about");
            lay(&mut all, table);
            Ok(all)
        }
        Some(other) => Err(wrong(format!("must be the name of a recipe, not {other}"))),
    }
}

/// Lays one table over another; another `name` in a table drops what belonged to the old one.
fn lay(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => {
                if new.contains_key("name") && new.get("name") != old.get("name") {
                    *old = new;
                } else {
                    lay(old, new);
                }
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::OptimizerSpec;

    const ABOUT: &str = "about = { title = 't', source = 's' }\n";

    fn parse(text: &str) -> Result<Recipe, String> {
        Recipe::parse("mine.toml", &format!("{ABOUT}{text}")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_chosen_optimizer_has_the_recipes_options() {
        let text =
            "epochs = 3\n[optimizers.sgd]\nlearning-rate = 0.5\n[optimizers.koala-a]\ngain = 2";
        let recipe = parse(text).unwrap();
        let config = recipe.resolve(&[]).unwrap();
        let OptimizerSpec::KoalaA(koala) = &config.optimizer else {
            panic!("{config:?}")
        };
        assert_eq!((config.epochs, koala.gain), (3, 2.0));
        let over = [
            Override::new("optimizer.name", "sgd"),
            Override::new("optimizer.momentum", 0.5),
            Override::new("epochs", 4),
        ];
        let config = recipe.resolve(&over).unwrap();
        let OptimizerSpec::Sgd(sgd) = &config.optimizer else {
            panic!("{config:?}")
        };
        assert_eq!(
            (config.epochs, sgd.learning_rate, sgd.momentum),
            (4, 0.5, 0.5)
        );
        let config = recipe
            .resolve(&[Override::new("optimizer.name", "adam")])
            .unwrap();
        assert_eq!(config.optimizer, OptimizerSpec::named("adam").unwrap());
    }

    #[test]
    fn a_recipe_lies_over_the_one_that_it_extends() {
        let text = "extends = 'cifar10-resnet18'\nepochs = 3\n[optimizers.sgd]\nmomentum = 0.5\n\
                    [schedule]\nname = 'cosine'";
        let recipe = parse(text).unwrap();
        let config = recipe
            .resolve(&[Override::new("optimizer.name", "sgd")])
            .unwrap();
        let OptimizerSpec::Sgd(sgd) = &config.optimizer else {
            panic!("{config:?}")
        };
        assert_eq!((sgd.momentum, sgd.weight_decay), (0.5, 5e-4));
        assert_eq!((config.epochs, config.schedule.name()), (3, "cosine"));
        assert_eq!(config.dataset.name(), "cifar10");
    }

    #[test]
    fn a_problem_may_take_a_recipe_for_its_task_alone() {
        let over: Table =
            "extends = 'cifar10-resnet20'\nbatch-size = 32\noptimizers.sgd.momentum = 0.5"
                .parse()
                .unwrap();
        let sgd = [Override::new("optimizer.name", "sgd")];
        let resolve = |recipe: Recipe| recipe.resolve(&sgd).unwrap();
        let whole = resolve(Recipe::of_suite("x", String::new(), over.clone()).unwrap());
        let task = Recipe::of_suite_by_task("x", String::new(), over).unwrap();
        let cosine: Table = "schedule.name = 'cosine'".parse().unwrap();
        let laid = resolve(task.laid_over(String::new(), cosine));
        let task = resolve(task);
        assert_eq!(
            (whole.schedule.name(), whole.batch_size),
            ("milestones", 32)
        );
        assert_eq!((task.schedule.name(), task.batch_size), ("constant", 32));
        assert_eq!((laid.schedule.name(), laid.batch_size), ("cosine", 32));
        // What the suite itself says stays.
        let options = |config: &RunConfig| match &config.optimizer {
            OptimizerSpec::Sgd(sgd) => (sgd.momentum, sgd.weight_decay),
            other => panic!("{other:?}"),
        };
        assert_eq!(options(&whole), (0.5, 5e-4));
        assert_eq!(options(&task), (0.5, 0.0));
        assert_eq!(
            (task.dataset, task.model, task.epochs, task.drop_last),
            (whole.dataset, whole.model, whole.epochs, whole.drop_last)
        );
    }

    #[test]
    fn mistakes_are_named() {
        let fault = |text: &str| parse(text).unwrap_err();
        assert_eq!(
            fault("epoch = 3"),
            "recipe mine.toml: unknown key 'epoch', did you mean 'epochs'?"
        );
        let text = fault("[optimizers.adam]\nlearning_rate = 3");
        assert!(
            text.contains("unknown key 'optimizer.learning_rate', did you mean 'learning-rate'?"),
            "{text}"
        );
        let text = fault("[optimizers.adan]\ngain = 3");
        assert!(text.contains("'adan', did you mean 'adam'?"), "{text}");
        let text = fault("[optimizer]\nname = 'sgd'\nmomentum = 0.5");
        assert!(text.contains("[optimizers.NAME]"), "{text}");
        let text = fault("extends = 'cifar10-resnet19'");
        assert!(text.contains("did you mean 'cifar10-resnet18'?"), "{text}");
        let text = fault("device = 'cuda'");
        assert!(
            text.ends_with("device: a recipe does not say where it is trained: give --device"),
            "{text}"
        );
        let text = Recipe::parse("x", "epochs = 1").unwrap_err().to_string();
        assert!(text.contains("[about]"), "{text}");
        let text = Recipe::find("nowhere.toml").unwrap_err().to_string();
        assert!(
            text.starts_with("recipe nowhere.toml: cannot be read"),
            "{text}"
        );
    }

    #[test]
    fn a_circle_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let name = file.display().to_string();
        std::fs::write(&file, format!("{ABOUT}extends = '{name}'")).unwrap();
        let text = Recipe::find(&name).unwrap_err().to_string();
        assert!(text.contains("in a circle"), "{text}");
    }
}
