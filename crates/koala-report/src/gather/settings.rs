//! What decided a run, by name, and what tells two of them apart.

use std::collections::{BTreeMap, BTreeSet};

/// Settings by name: `optimizer.gain`, `batch-size`.
pub(super) type Settings = BTreeMap<String, String>;

/// Settings that tell neither arms nor problems apart: the seed, what was watched, and where it ran.
const ASIDE: [&str; 8] = [
    "seed",
    "device",
    "log-every",
    "evaluate-every",
    "tensorboard",
    "checkpoint-every",
    "checkpoint-minutes",
    "keep-checkpoints",
];

/// Groups of settings that are an arm's own; all others are its problem's.
const ARM: [&str; 4] = ["optimizer", "schedule", "average", "lookahead"];

/// The settings of a configuration that count.
pub(super) fn of(config: &toml::Table) -> Settings {
    let mut settings = Settings::new();
    flatten("", config, &mut settings);
    settings.retain(|name, _| !ASIDE.contains(&name.as_str()));
    settings
}

fn flatten(prefix: &str, table: &toml::Table, settings: &mut Settings) {
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => flatten(&format!("{prefix}{name}."), inner, settings),
            toml::Value::String(text) => {
                settings.insert(format!("{prefix}{name}"), text.clone());
            }
            other => {
                settings.insert(format!("{prefix}{name}"), other.to_string());
            }
        }
    }
}

/// Those of the arm, and those of its problem.
pub(super) fn apart(settings: &Settings) -> (Settings, Settings) {
    let own = |name: &str| ARM.contains(&name.split('.').next().unwrap_or(name));
    let all = settings.clone().into_iter();
    all.partition(|(name, _)| own(name))
}

/// The names of settings in which some of them differ.
pub(super) fn differing<'a>(all: &[&'a Settings]) -> BTreeSet<&'a String> {
    let names: BTreeSet<&String> = all.iter().flat_map(|settings| settings.keys()).collect();
    let differs = |name: &&String| {
        let first = all.first().and_then(|settings| settings.get(*name));
        all.iter().any(|settings| settings.get(*name) != first)
    };
    names.into_iter().filter(differs).collect()
}

/// The optimizer, and every setting in which it differs from others.
pub(super) fn label(optimizer: &str, own: &Settings, all: &[&Settings]) -> String {
    let told: Vec<String> = differing(all)
        .into_iter()
        .map(|name| {
            let value = own.get(name).map_or("none", String::as_str);
            let name = name.strip_prefix("optimizer.").unwrap_or(name);
            format!("{name} {value}")
        })
        .collect();
    match told.is_empty() {
        true => optimizer.to_owned(),
        false => format!("{optimizer} ({})", told.join(", ")),
    }
}
