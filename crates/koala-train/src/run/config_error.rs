//! What can be wrong with a configuration.

/// A configuration that cannot be run. Each message names the file or the flag, the cause, and what would do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {cause}")]
    Unreadable {
        /// The file, such as `configuration mine.toml` or `recipe cifar10-resnet18`.
        file: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}: not TOML: {cause}")]
    Syntax {
        /// The file, such as `configuration mine.toml` or `recipe cifar10-resnet18`.
        file: String,
        /// Where and why.
        cause: String,
    },
    /// A key that no configuration has, or not with the chosen optimizer, network, data set or schedule.
    #[error("{file}: unknown key '{key}'{hint}")]
    UnknownKey {
        /// The file, such as `configuration mine.toml` or `recipe cifar10-resnet18`.
        file: String,
        /// The key, with its table.
        key: String,
        /// The nearest known key, or all of them, in words.
        hint: String,
    },
    /// A flag that means nothing with the chosen optimizer, network, data set or schedule.
    #[error("{flag} does not apply to the {group} '{chosen}'{hint}")]
    FlagDoesNotApply {
        /// The flag.
        flag: String,
        /// `optimizer`, `model`, `dataset`, `schedule` or `average`.
        group: String,
        /// The one chosen.
        chosen: String,
        /// What does apply, in words.
        hint: String,
    },
    /// A name that is not known.
    #[error("{origin}: no {group} is called '{name}'{hint}")]
    UnknownName {
        /// The flag or the file.
        origin: String,
        /// `optimizer`, `model`, `dataset`, `schedule` or `average`.
        group: &'static str,
        /// The name.
        name: String,
        /// The nearest known name, or all of them, in words.
        hint: String,
    },
    /// A value of the wrong kind or out of range.
    #[error("{origin}: {fault}")]
    Value {
        /// The flag, or the file and the key.
        origin: String,
        /// What is wrong, and what would do.
        fault: String,
    },
    /// The network does not fit into memory.
    #[error(
        "the model '{model}' has {parameters} parameters; weights, gradients and what the optimizer remembers of them take {needed} \
         of memory, and there are {available}: give it fewer or narrower layers"
    )]
    Memory {
        /// The network.
        model: String,
        /// How many parameters it would have, in words.
        parameters: String,
        /// Bytes that it needs at least, in words.
        needed: String,
        /// Bytes that there are, in words.
        available: String,
    },
    /// The network does not fit the images.
    #[error("the model '{model}' does not fit the dataset '{dataset}': {fault}")]
    Misfit {
        /// The network.
        model: String,
        /// The data set.
        dataset: String,
        /// Why.
        fault: String,
    },
}

/// `, did you mean 'x'?`, or a list of what there is.
pub fn hint(wrong: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(wrong, k), k))
        .min();
    match nearest {
        Some((distance, key)) if distance <= 2.max(wrong.len() / 3) => {
            format!(", did you mean '{key}'?")
        }
        Some(_) => format!("; there are: {}", known.join(", ")),
        None => "; it has no options".to_owned(),
    }
}
