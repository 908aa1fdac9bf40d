//! What is your own in a suite.

use koala_train::own::{OwnData, OwnModel, OwnOptimizer};
use koala_train::run::ConfigError;
use toml::{Table, Value};

use super::check::repeated;

/// What is your own in a suite: data, networks and optimizers, whose names stand in it as those of Koala do. For
/// [`Suite::parse_with`](crate::Suite::parse_with).
#[derive(Debug, Clone, Default)]
pub struct Own {
    data: Vec<OwnData>,
    models: Vec<OwnModel>,
    optimizers: Vec<OwnOptimizer>,
}

impl Own {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these data, which a workload names by `dataset.name`.
    #[must_use]
    pub fn data(mut self, data: OwnData) -> Self {
        self.data.push(data);
        self
    }

    /// With this network, which a workload names by `model.name`.
    #[must_use]
    pub fn model(mut self, model: OwnModel) -> Self {
        self.models.push(model);
        self
    }

    /// With this optimizer, which stands among the suite's `optimizers`.
    #[must_use]
    pub fn optimizer(mut self, optimizer: OwnOptimizer) -> Self {
        self.optimizers.push(optimizer);
        self
    }

    /// Whether each has a name of its own among its kind.
    pub(super) fn check(&self, origin: &str) -> Result<(), ConfigError> {
        let data = self.data.iter().map(OwnData::name);
        let models = self.models.iter().map(OwnModel::name);
        let optimizers = self.optimizer_names();
        let twice = [("data", data.collect()), ("network", models.collect())]
            .into_iter()
            .chain([("optimizer", optimizers)])
            .find_map(|(what, names)| Some((what, repeated(&names)?.to_string())));
        match twice {
            None => Ok(()),
            Some((what, name)) => Err(ConfigError::Value {
                origin: format!("{origin}: your {what} '{name}'"),
                fault: "is there twice: give each a name of its own".to_owned(),
            }),
        }
    }

    /// The optimizer of this name, if it is your own.
    pub(super) fn optimizer_called(&self, name: &str) -> Option<&OwnOptimizer> {
        self.optimizers.iter().find(|own| own.name() == name)
    }

    pub(super) fn optimizer_names(&self) -> Vec<&str> {
        self.optimizers.iter().map(OwnOptimizer::name).collect()
    }

    /// Takes the data set and the network out of what a workload sets, if they are your own.
    pub(super) fn take(
        &self,
        set: &mut Table,
        origin: &str,
    ) -> Result<(Option<OwnData>, Option<OwnModel>), ConfigError> {
        let data = named(set, origin, "dataset", &self.data, OwnData::name)?;
        let model = named(set, origin, "model", &self.models, OwnModel::name)?;
        Ok((data, model))
    }
}

/// The one that a table of `set` names, which is then taken out of it: it has no options.
fn named<T: Clone>(
    set: &mut Table,
    origin: &str,
    group: &str,
    all: &[T],
    name: impl Fn(&T) -> &str,
) -> Result<Option<T>, ConfigError> {
    let Some(Value::Table(table)) = set.get(group) else {
        return Ok(None);
    };
    let told = table.get("name").and_then(Value::as_str);
    let Some(own) = all.iter().find(|own| Some(name(own)) == told) else {
        return Ok(None);
    };
    if let Some(key) = table.keys().find(|key| *key != "name") {
        return Err(ConfigError::Value {
            origin: format!("{origin}: {group}.{key}"),
            fault: format!(
                "'{}' is your own and has no options here: say it where it is made",
                name(own)
            ),
        });
    }
    set.remove(group);
    Ok(Some(own.clone()))
}
