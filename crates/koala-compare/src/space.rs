//! The hyperparameters that tuning tries.

use std::collections::BTreeMap;

use koala_report::Sampler;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::ConfigError;
use toml::{Table, Value};

use super::check::check_once;
use super::halton::{DIMENSIONS, coordinate};
use super::reader::{Reader, number};

/// Points that a grid may have at most.
const LARGEST_GRID: usize = 10_000;
/// How far a default space reaches from the default, both ways.
const REACH: f64 = 10.0;

/// What is tried of one hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// Anything between two values.
    Between {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// Whether ratios are spread evenly, not differences.
        logarithmic: bool,
    },
    /// These values.
    Listed(Vec<f64>),
}

/// What is tried of an optimizer, by the names of its hyperparameters.
pub type Space = BTreeMap<String, Range>;

/// A trial's hyperparameters.
pub type Values = BTreeMap<String, f64>;

impl Range {
    /// The value at a share of the way.
    fn at(low: f64, high: f64, logarithmic: bool, share: f64) -> f64 {
        if logarithmic {
            low * (high / low).powf(share)
        } else {
            low + (high - low) * share
        }
    }

    /// From a suite's file: a table with `low`, `high` and `scale`, or a list.
    pub(super) fn read(file: &str, path: &str, value: &Value) -> Result<Self, ConfigError> {
        let fault = |fault: String| ConfigError::Value {
            origin: format!("{file}: {path}"),
            fault,
        };
        if let Some(values) = value.as_array() {
            let values: Option<Vec<f64>> = values.iter().map(number).collect();
            return match values {
                Some(values) if !values.is_empty() => {
                    // Twice, it would be two of the trials that every optimizer gets as many of.
                    check_once(&format!("{file}: {path}"), &values)?;
                    Ok(Self::Listed(values))
                }
                _ => Err(fault(format!(
                    "must be a list of finite numbers, not {value}"
                ))),
            };
        }
        let Some(table) = value.as_table() else {
            return Err(fault(format!(
                "must be {{ low, high, scale }} or a list of numbers, not {value}"
            )));
        };
        let mut reader = Reader::new(file, path, table.clone());
        let low = reader.number("low")?;
        let low = reader.needed("low", low, "1e-4")?;
        let high = reader.number("high")?;
        let high = reader.needed("high", high, "1e-1")?;
        let logarithmic = match reader.text("scale")?.as_deref() {
            None | Some("log") => true,
            Some("linear") => false,
            Some(other) => {
                return Err(
                    reader.fault("scale", format!("must be 'log' or 'linear', not '{other}'"))
                );
            }
        };
        if low >= high {
            return Err(reader.fault("low", format!("must be below high, {high}, not {low}")));
        }
        if logarithmic && low <= 0.0 {
            let remedy = format!("must be above 0 on a scale of 'log', not {low}");
            return Err(reader.fault("low", remedy));
        }
        reader.end()?;
        Ok(Self::Between {
            low,
            high,
            logarithmic,
        })
    }
}

/// What is tried of an optimizer for which nothing is said: its knob, from a tenth of its value to ten times that.
pub(super) fn default_space(optimizer: &OptimizerSpec) -> Option<Space> {
    let knob = optimizer.knob();
    let value = value_of(optimizer, knob).filter(|value| *value > 0.0)?;
    let range = Range::Between {
        low: value / REACH,
        high: value * REACH,
        logarithmic: true,
    };
    Some(Space::from([(knob.to_owned(), range)]))
}

/// The trials of a space, or what is wrong with it in words. A space that nobody listed becomes a grid of one dimension.
pub(super) fn trials(
    space: &Space,
    sampler: Sampler,
    count: usize,
    listed: bool,
) -> Result<Vec<Values>, String> {
    match sampler {
        Sampler::Halton => by_halton(space, count),
        Sampler::Grid if !listed => Ok(evenly(space, count)),
        Sampler::Grid => by_grid(space, count),
    }
}

fn by_halton(space: &Space, count: usize) -> Result<Vec<Values>, String> {
    if space.len() > DIMENSIONS {
        return Err(format!(
            "has {} hyperparameters, and Halton's sequence is even for up to {DIMENSIONS}: fix some of them",
            space.len()
        ));
    }
    let point = |number: usize| {
        let mut values = Values::new();
        for (dimension, (key, range)) in space.iter().enumerate() {
            let Range::Between {
                low,
                high,
                logarithmic,
            } = range
            else {
                return Err(format!(
                    "{key} is a list, which belongs to sampler = \"grid\": give {{ low, high, scale }}"
                ));
            };
            let share = coordinate(number, dimension);
            values.insert(key.clone(), Range::at(*low, *high, *logarithmic, share));
        }
        Ok(values)
    };
    (1..=count).map(point).collect()
}

fn evenly(space: &Space, count: usize) -> Vec<Values> {
    let share = |number: usize| match count {
        1 => 0.5,
        _ => number as f64 / (count - 1) as f64,
    };
    let value = |range: &Range, number: usize| match range {
        Range::Between {
            low,
            high,
            logarithmic,
        } => Range::at(*low, *high, *logarithmic, share(number)),
        Range::Listed(values) => values[number % values.len().max(1)],
    };
    (0..count)
        .map(|number| {
            let at = |(key, range): (&String, &Range)| (key.clone(), value(range, number));
            space.iter().map(at).collect()
        })
        .collect()
}

fn by_grid(space: &Space, count: usize) -> Result<Vec<Values>, String> {
    let mut all = vec![Values::new()];
    for (key, range) in space {
        let Range::Listed(values) = range else {
            return Err(format!(
                "{key} is an interval, which belongs to sampler = \"halton\": give a list of values"
            ));
        };
        if all.len().saturating_mul(values.len()) > LARGEST_GRID {
            return Err(format!("has more than {LARGEST_GRID} points"));
        }
        let with = |point: &Values, value: f64| {
            let mut point = point.clone();
            point.insert(key.clone(), value);
            point
        };
        all = all
            .iter()
            .flat_map(|point| values.iter().map(move |value| with(point, *value)))
            .collect();
    }
    if all.len() != count {
        return Err(format!(
            "has {} points, and every optimizer gets {count} trials: give as many values as trials = {count} asks for",
            all.len()
        ));
    }
    Ok(all)
}

/// The value of an option that is a number.
pub(super) fn value_of(optimizer: &OptimizerSpec, key: &str) -> Option<f64> {
    Table::try_from(optimizer).ok()?.get(key)?.as_float()
}

/// The options of an optimizer that are numbers and can be tried.
pub(super) fn numbers(optimizer: &OptimizerSpec) -> Vec<String> {
    let table = Table::try_from(optimizer).unwrap_or_default();
    let numbers = table.iter().filter(|(_, value)| value.is_float());
    numbers.map(|(key, _)| key.clone()).collect()
}

/// The optimizer with these values, or what is wrong with them: the key and the fault.
pub(super) fn with_values(
    optimizer: &OptimizerSpec,
    values: &Values,
) -> Result<OptimizerSpec, (String, String)> {
    if let OptimizerSpec::Own(own) = optimizer {
        let over = values
            .iter()
            .map(|(key, value)| (key.clone(), Value::Float(*value)));
        return own.with_options(&over.collect()).map(OptimizerSpec::Own);
    }
    let mut table =
        Table::try_from(optimizer).map_err(|error| (String::new(), error.to_string()))?;
    for (key, value) in values {
        table.insert(key.clone(), Value::Float(*value));
    }
    let optimizer: OptimizerSpec = table
        .try_into()
        .map_err(|error: toml::de::Error| (String::new(), error.message().to_owned()))?;
    match optimizer.fault() {
        None => Ok(optimizer),
        Some((key, fault)) => Err((key.to_owned(), fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64, logarithmic: bool) -> Range {
        Range::Between {
            low,
            high,
            logarithmic,
        }
    }

    #[test]
    fn the_first_trial_of_a_default_space_is_the_default() {
        for name in OptimizerSpec::NAMES {
            let optimizer = OptimizerSpec::named(name).unwrap();
            let space = default_space(&optimizer).unwrap();
            let trials = trials(&space, Sampler::Halton, 3, false).unwrap();
            let knob = optimizer.knob();
            let default = value_of(&optimizer, knob).unwrap();
            let ratios: Vec<f64> = trials.iter().map(|t| t[knob] / default).collect();
            for (ratio, expected) in ratios.iter().zip([1.0, 0.1f64.sqrt(), 10f64.sqrt()]) {
                assert!((ratio - expected).abs() < 1e-12, "{name} {ratios:?}");
            }
        }
    }

    #[test]
    fn both_scales() {
        let space = Space::from([
            ("a".to_owned(), between(1.0, 100.0, true)),
            ("b".to_owned(), between(0.0, 9.0, false)),
        ]);
        let all = trials(&space, Sampler::Halton, 2, true).unwrap();
        assert!((all[0]["a"] - 10.0).abs() < 1e-12);
        assert!((all[0]["b"] - 3.0).abs() < 1e-12);
        assert!((all[1]["b"] - 6.0).abs() < 1e-12);
        let only = Space::from([("a".to_owned(), between(1.0, 100.0, true))]);
        let grid = trials(&only, Sampler::Grid, 3, false).unwrap();
        let values: Vec<f64> = grid.iter().map(|t| t["a"].round()).collect();
        assert_eq!(values, [1.0, 10.0, 100.0]);
    }

    #[test]
    fn a_grid_has_every_combination() {
        let space = Space::from([
            ("a".to_owned(), Range::Listed(vec![1.0, 2.0])),
            ("b".to_owned(), Range::Listed(vec![3.0, 4.0, 5.0])),
        ]);
        let all = trials(&space, Sampler::Grid, 6, true).unwrap();
        let pairs: Vec<_> = all.iter().map(|t| (t["a"], t["b"])).collect();
        assert_eq!(
            pairs,
            [
                (1.0, 3.0),
                (1.0, 4.0),
                (1.0, 5.0),
                (2.0, 3.0),
                (2.0, 4.0),
                (2.0, 5.0)
            ]
        );
        let fault = trials(&space, Sampler::Grid, 4, true).unwrap_err();
        assert!(fault.starts_with("has 6 points, and every optimizer gets 4 trials"));
    }
}
