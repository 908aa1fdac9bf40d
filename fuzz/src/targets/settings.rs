//! What one asks for in TOML.

use koala_compare::{SUITES, Suite, suite_text};
use koala_train::recipe::{NAMES, Recipe, text_of};
use koala_train::run::RunConfig;

use super::{Target, nothing, told};

/// The text, if it is one.
fn text(input: &[u8]) -> &str {
    std::str::from_utf8(input).unwrap_or_default()
}

/// What is resolved, written and resolved again is the same.
fn again(config: &RunConfig) {
    let written = config.to_toml();
    let read = RunConfig::parse(&written, "again", &[]);
    assert_eq!(read.unwrap().to_toml(), written);
}

/// A configuration of a run.
pub const CONFIGURATION: Target = Target {
    name: "configuration",
    prepare: nothing,
    read: |_, input| {
        if let Some(config) = told(RunConfig::parse(text(input), "a.toml", &[])) {
            again(&config);
        }
    },
    seeds: || {
        let recipe = |name: &&str| Recipe::find(name).unwrap().resolve(&[]).unwrap().to_toml();
        NAMES.iter().map(recipe).map(String::into_bytes).collect()
    },
};

/// A recipe.
pub const RECIPE: Target = Target {
    name: "recipe",
    prepare: nothing,
    read: |_, input| {
        let recipe = told(Recipe::parse("a.toml", text(input)));
        if let Some(config) = recipe.and_then(|recipe| told(recipe.resolve(&[]))) {
            again(&config);
        }
    },
    seeds: || {
        let text = |name: &&str| text_of(name).unwrap().as_bytes().to_vec();
        NAMES.iter().map(text).collect()
    },
};

/// A suite.
pub const SUITE: Target = Target {
    name: "suite",
    prepare: nothing,
    read: |folder, input| {
        told(Suite::parse(text(input), "suite a.toml", folder));
    },
    seeds: || {
        let text = |name: &&str| suite_text(name).unwrap().as_bytes().to_vec();
        SUITES.iter().map(text).collect()
    },
};
