//! From a configuration file and flags to a [`RunConfig`]: what is not said takes its default, and what cannot be is an
//! error that names the flag, or the file and the key.

use std::path::Path;

use koala_system::read_text;
use toml::{Table, Value};

use super::flag::origin;
use super::groups::defaults;
use super::overlay::{apply, merge};
use super::{ConfigError, Override, RunConfig};
use crate::device::DeviceName;

/// Bytes of a configuration, a recipe or a suite at most: none comes near it.
pub const LARGEST_CONFIG: u64 = 1 << 20;

impl RunConfig {
    /// The configuration of a file, if one is given, with the overrides on top and defaults for the rest. Choosing another
    /// optimizer (or model, dataset, schedule) than the file drops the options that the file gives to its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be read or a name, key or value is wrong.
    pub fn resolve(file: Option<&Path>, overrides: &[Override]) -> Result<Self, ConfigError> {
        match file {
            None => Self::from_table(Table::new(), "", overrides),
            Some(path) => {
                let name = format!("configuration {}", path.display());
                let text =
                    read_text(path, LARGEST_CONFIG).map_err(|cause| ConfigError::Unreadable {
                        file: name.clone(),
                        cause,
                    })?;
                Self::parse(&text, &name, overrides)
            }
        }
    }

    /// As [`RunConfig::resolve`], from text; `file` names it in errors, such as `configuration mine.toml`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a name, key or value is wrong.
    pub fn parse(text: &str, file: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        let table = text
            .parse()
            .map_err(|e: toml::de::Error| ConfigError::Syntax {
                file: file.to_owned(),
                cause: e.to_string().trim().to_owned(),
            })?;
        Self::from_table(table, file, overrides)
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        // Cannot fail: the tables hold numbers, texts and flags only, and `fault` keeps the seed within TOML's integers.
        toml::to_string(self).unwrap_or_default()
    }

    /// As [`RunConfig::parse`], from a table of TOML.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a name, key or value is wrong.
    pub fn from_table(
        mut given: Table,
        file: &str,
        overrides: &[Override],
    ) -> Result<Self, ConfigError> {
        let defaults = defaults(&mut given, file, overrides)?;
        let mut defaults =
            Table::try_from(&defaults).map_err(|e| value_error("", file, e.to_string()))?;
        for (key, value) in unsaid() {
            defaults.insert(key.to_owned(), value);
        }
        let mut table = defaults.clone();
        merge(&mut table, given, "", file)?;
        for over in overrides {
            apply(&mut table, over)?;
        }
        check_device(&table, file, overrides)?;
        let config = Self::deserialize(&table, &defaults, file, overrides)?;
        match config.fault() {
            None => Ok(config),
            Some((key, fault)) => Err(ConfigError::Value {
                origin: origin(&key, file, overrides),
                fault,
            }),
        }
    }

    fn deserialize(
        table: &Table,
        defaults: &Table,
        file: &str,
        overrides: &[Override],
    ) -> Result<Self, ConfigError> {
        let error = match table.clone().try_into::<Self>() {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        // Keys and kinds of values agree by now; left are words that name nothing. Serde does not say which key has the
        // wrong word: it is that without which the fault is another, or none.
        let culprit = words(table).into_iter().find(|key| {
            let mut tried = table.clone();
            put_back(&mut tried, defaults, key);
            match tried.try_into::<Self>() {
                Ok(_) => true,
                Err(other) => other.message() != error.message(),
            }
        });
        let key = culprit.unwrap_or_default();
        Err(ConfigError::Value {
            origin: origin(&key, file, overrides),
            fault: error.message().to_owned(),
        })
    }
}

/// Keys that are not written while they say nothing, so that configurations from before they were there are what they were.
fn unsaid() -> [(&'static str, Value); 3] {
    [
        ("init-weights", Value::String(String::new())),
        ("init-weights-sha256", Value::String(String::new())),
        ("patience", Value::Integer(0)),
    ]
}

/// Whether the device's name is one.
fn check_device(table: &Table, file: &str, overrides: &[Override]) -> Result<(), ConfigError> {
    let name = table.get("device").and_then(Value::as_str);
    match name.map(str::parse::<DeviceName>) {
        Some(Err(error)) => Err(ConfigError::Value {
            origin: origin("device", file, overrides),
            fault: error.to_string(),
        }),
        _ => Ok(()),
    }
}

/// The keys of all texts in the table.
fn words(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::String(_) => found.push(key.clone()),
            Value::Table(inner) => {
                found.extend(words(inner).into_iter().map(|k| format!("{key}.{k}")));
            }
            _ => {}
        }
    }
    found
}

/// Gives a key its default again.
fn put_back(table: &mut Table, defaults: &Table, key: &str) {
    match key.split_once('.') {
        None => {
            if let Some(default) = defaults.get(key) {
                table.insert(key.to_owned(), default.clone());
            }
        }
        Some((outer, inner)) => {
            if let (Some(Value::Table(table)), Some(Value::Table(defaults))) =
                (table.get_mut(outer), defaults.get(outer))
            {
                put_back(table, defaults, inner);
            }
        }
    }
}

fn value_error(key: &str, file: &str, fault: String) -> ConfigError {
    ConfigError::Value {
        origin: origin(key, file, &[]),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DatasetSpec, ModelSpec};
    use super::*;
    use crate::optimizers::OptimizerSpec;
    use crate::training::{AverageSpec, ScheduleSpec};
    use proptest::prelude::*;

    fn parse(text: &str, overrides: &[Override]) -> Result<RunConfig, String> {
        RunConfig::parse(text, "configuration cifar.toml", overrides).map_err(|e| e.to_string())
    }

    fn flags(overrides: &[Override]) -> Result<RunConfig, String> {
        RunConfig::resolve(None, overrides).map_err(|e| e.to_string())
    }

    #[test]
    fn every_resolved_configuration_reads_back() {
        for optimizer in OptimizerSpec::NAMES {
            for schedule in ScheduleSpec::NAMES {
                let mut over = vec![
                    Override::new("optimizer.name", optimizer),
                    Override::new("schedule.name", schedule),
                    Override::new("dataset.name", "fashion-mnist"),
                    Override::new("model.name", "cnn"),
                    Override::new("average.name", AverageSpec::NAMES[schedule.len() % 3]),
                    Override::new("lookahead.lookahead-every", 5),
                ];
                if schedule == "milestones" {
                    over.push(Override::new("schedule.milestones", vec![1, 2]));
                }
                let config = flags(&over).unwrap();
                assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
                assert_eq!((config.epochs, config.batch_size), (10, 128));
            }
        }
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        assert_eq!(
            parse("epoch = 3", &[]).unwrap_err(),
            "configuration cifar.toml: unknown key 'epoch', did you mean 'epochs'?"
        );
        assert_eq!(
            parse("[optimizer]\nname = 'sgd'\ngain = 1.0", &[]).unwrap_err(),
            "configuration cifar.toml: unknown key 'optimizer.gain'; 'gain' belongs to --optimizer koala-m, koala-v, koala-pp or \
             koala-a"
        );
        assert_eq!(
            parse("[optimizer]\nname = 'sgd'\nwarmth = 1.0", &[]).unwrap_err(),
            "configuration cifar.toml: unknown key 'optimizer.warmth'; there are: clip-norm, learning-rate, momentum, name, \
             nesterov, weight-decay"
        );
        assert_eq!(
            parse("[optimizer]\nname = 'koala-mm'", &[]).unwrap_err(),
            "configuration cifar.toml: no optimizer is called 'koala-mm', did you mean 'koala-m'?"
        );
    }

    #[test]
    fn values_of_the_wrong_kind_are_named() {
        let text = parse("epochs = 'many'", &[]).unwrap_err();
        assert_eq!(
            text,
            "configuration cifar.toml: epochs: must be a whole number, not negative, not \"many\""
        );
        assert!(
            parse("epochs = -1", &[])
                .unwrap_err()
                .contains("not negative, not -1")
        );
        assert!(
            parse("optimizer = 3", &[])
                .unwrap_err()
                .contains("optimizer: must be a table, not 3")
        );
        assert!(
            parse("[model]\nhidden = [1, 'x']", &[])
                .unwrap_err()
                .contains("a list of whole numbers")
        );
        assert!(
            parse("epochs = 0", &[])
                .unwrap_err()
                .contains("epochs: must be between 1 and")
        );
        assert!(
            parse("x = [", &[])
                .unwrap_err()
                .starts_with("configuration cifar.toml: not TOML")
        );
        let text = parse("[optimizer]\nmetric = 'diagonale'", &[]).unwrap_err();
        assert!(
            text.starts_with(
                "configuration cifar.toml: optimizer.metric: unknown variant `diagonale`"
            ),
            "{text}"
        );
        // The same word is right elsewhere.
        let text = parse("[optimizer]\ntarget-rule = 'none'", &[]).unwrap_err();
        assert!(
            text.starts_with(
                "configuration cifar.toml: optimizer.target-rule: unknown variant `none`"
            ),
            "{text}"
        );
        let text = parse("[optimizer]\ngain = -1", &[]).unwrap_err();
        assert!(
            text.starts_with("configuration cifar.toml: optimizer.gain: must be"),
            "{text}"
        );
    }

    #[test]
    fn flags_that_do_not_apply_are_named() {
        let text = flags(&[
            Override::new("optimizer.name", "sgd"),
            Override::new("optimizer.velocity-decay", 0.5),
        ])
        .unwrap_err();
        assert_eq!(
            text,
            "--velocity-decay does not apply to the optimizer 'sgd'; its options are --clip-norm, --learning-rate, \
             --momentum, --nesterov, --weight-decay; --velocity-decay belongs to --optimizer koala-m or koala-a"
        );
        let text = flags(&[
            Override::new("optimizer.name", "sgd"),
            Override::new("optimizer.beta-1", 0.9),
        ])
        .unwrap_err();
        assert!(
            text.ends_with(
                "; --beta-1 belongs to --optimizer adam, adamw, momo-adam, prodigy, schedule-free-adamw, \
                 schedule-free-plus, ngn-mdv1, lion or muon"
            ),
            "{text}"
        );
        let text = flags(&[Override::new("schedule.final-factor", 0.5)]).unwrap_err();
        assert_eq!(
            text,
            "--final-factor does not apply to the schedule 'constant', which has no options"
        );
        let text = flags(&[Override::new("optimizer.velocity-decay", 2)]).unwrap_err();
        assert!(
            text.starts_with("--velocity-decay: must be in [0, 1]"),
            "{text}"
        );
        let text = flags(&[Override::new("schedule.name", "milestones")]).unwrap_err();
        assert!(text.starts_with("--milestones: must be epochs"), "{text}");
        let text = flags(&[Override::new("average.ema-decay", 0.5)]).unwrap_err();
        assert_eq!(
            text,
            "--ema-decay does not apply to the average 'none', which has no options"
        );
        let text = flags(&[Override::new("lookahead.lookahead-share", 0.0)]).unwrap_err();
        assert_eq!(text, "--lookahead-share: must be in (0, 1], not 0.0");
        let text = flags(&[Override::new("optimizer.clip-norm", 1.0)]).unwrap_err();
        assert!(
            text.starts_with("--clip-norm does not apply to the optimizer 'koala-a'"),
            "{text}"
        );
    }

    #[test]
    fn a_device_is_part_of_the_configuration_and_old_ones_have_the_processor() {
        let config = flags(&[Override::new("device", "cuda:1")]).unwrap();
        assert_eq!(config.device.to_string(), "cuda:1");
        let stored = config.to_toml();
        assert!(stored.contains("device = \"cuda:1\"\n"), "{stored}");
        assert_eq!(parse(&stored, &[]).unwrap(), config);
        let other = parse(&stored, &[Override::new("device", "cpu")]).unwrap();
        // What was stored before there were devices.
        let old = stored.replace("device = \"cuda:1\"\n", "");
        assert_eq!(parse(&old, &[]).unwrap(), other);
    }

    #[test]
    fn what_names_no_device_is_an_error_of_its_flag_or_file() {
        let text = flags(&[Override::new("device", "cudo")]).unwrap_err();
        assert_eq!(
            text,
            "--device: no device is called 'cudo', did you mean 'cuda'?"
        );
        let text = parse("device = 'vulkan:first'", &[]).unwrap_err();
        assert_eq!(
            text,
            "configuration cifar.toml: device: 'vulkan:first': after vulkan: comes a number, 0 for the first device"
        );
        let text = parse("device = 1", &[]).unwrap_err();
        assert!(text.contains("device: must be a text, not 1"), "{text}");
    }

    #[test]
    fn a_list_of_one_and_its_element_stand_for_each_other() {
        let hidden = |model: &str, widths: Vec<i64>| {
            flags(&[
                Override::new("model.name", model),
                Override::new("model.hidden", widths),
            ])
            .map(|config| config.model)
        };
        let ModelSpec::Cnn(cnn) = hidden("cnn", vec![32]).unwrap() else {
            panic!("no cnn")
        };
        assert_eq!(cnn.hidden, 32);
        assert!(hidden("cnn", vec![32, 16]).is_err());
        let config = parse("model.hidden = 7", &[]).unwrap();
        let ModelSpec::Mlp(mlp) = config.model else {
            panic!("no mlp")
        };
        assert_eq!(mlp.hidden, [7]);
    }

    #[test]
    fn columns_are_lists_of_texts_and_one_is_a_list() {
        let table = |key: &str, value: Value| {
            flags(&[
                Override::new("dataset.name", "table"),
                Override::new(key, value),
            ])
        };
        let config = table("dataset.ignore", "id".into()).unwrap();
        let DatasetSpec::Table(own) = &config.dataset else {
            panic!("no table")
        };
        assert_eq!((own.ignore.len(), own.ignore[0].as_str()), (1, "id"));
        assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
        assert_eq!(
            table("dataset.numbers", vec![1].into()).unwrap_err(),
            "--numbers: must be a list of texts, not [1]"
        );
        let hidden = flags(&[Override::new("model.hidden", "wide")]).unwrap_err();
        assert!(
            hidden.contains("must be a list of whole numbers, not negative"),
            "{hidden}"
        );
    }

    #[test]
    fn an_option_of_other_data_says_whose_it_is() {
        let text = flags(&[Override::new("dataset.label", "y")]).unwrap_err();
        assert_eq!(
            text,
            "--label does not apply to the dataset 'digits'; its options are --augment; --label belongs to --dataset table"
        );
        let text = parse("[dataset]\nname = 'text'\nimage-size = 8", &[]).unwrap_err();
        assert_eq!(
            text,
            "configuration cifar.toml: unknown key 'dataset.image-size'; 'image-size' belongs to --dataset images"
        );
    }

    #[test]
    fn pictures_of_one_s_own_have_a_network_for_them() {
        let model = |name: &str| {
            flags(&[Override::new("dataset.name", name)])
                .unwrap()
                .model
                .name()
                .to_owned()
        };
        assert_eq!(
            ["images", "idx", "table", "text", "digits"].map(model),
            ["cnn", "cnn", "mlp", "lstm", "mlp"]
        );
    }

    #[test]
    fn flags_win_over_the_file_and_another_optimizer_drops_its_options() {
        let text = "epochs = 3\n[optimizer]\nname = 'sgd'\nmomentum = 0.5";
        let config = parse(text, &[Override::new("epochs", 4)]).unwrap();
        assert_eq!(config.epochs, 4);
        let OptimizerSpec::Sgd(sgd) = &config.optimizer else {
            panic!("{config:?}")
        };
        assert_eq!(sgd.momentum, 0.5);
        let config = parse(text, &[Override::new("optimizer.name", "adam")]).unwrap();
        assert_eq!(config.optimizer, OptimizerSpec::named("adam").unwrap());
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "([a-z.\\[\\]='0-9-]{0,8}\n?){0,8}") {
            let _ = parse(&text, &[]);
        }

        #[test]
        fn any_value_of_any_known_key_gives_an_answer(
            key in proptest::sample::select(vec!["seed", "epochs", "batch-size", "optimizer", "optimizer.gain", "model.hidden",
                "optimizer.name", "optimizer.position-noise", "schedule.name", "drop-last", "dataset"]),
            value in proptest::sample::select(vec!["-1", "0", "9223372036854775807", "nan", "inf", "''", "'wsd'", "[]", "[0]",
                "[1.5]", "{}", "true", "1979-05-27", "1e300"]),
        ) {
            if let Ok(config) = parse(&format!("{key} = {value}"), &[]) {
                prop_assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
            }
        }
    }
}
