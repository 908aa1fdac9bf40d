//! The hyperparameters of a recording, translated into a configuration.

use serde_json::{Map, Value};

use super::error::{Fault, quoted};
use crate::{
    Config, Error, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, MeasurementNoise,
    Metric, PlusPlusVariant, PositionNoise, Target, WeightDecay,
};

/// The configuration of `optimizer` with the hyperparameters of a JSON object and a weight-decay rule.
pub(super) fn config(optimizer: &str, decay_rule: &str, json: &str) -> Result<Config, Fault> {
    let mut given = Hyperparameters::parse(json)?;
    let mut config: Config = match optimizer {
        "koala-v" => KoalaVConfig::new()
            .with_initial_covariance(given.number("sigma", 1.0)?)
            .with_process_noise(given.number("q", 1.0)?)
            .into(),
        "koala-m" => KoalaMConfig::new()
            .with_initial_covariance(
                given.number("sw", 0.1)?,
                given.number("sc", 0.0)?,
                given.number("sv", 0.1)?,
            )
            .with_velocity_decay(given.number("a", 0.9)?)
            .with_position_noise(PositionNoise::Authors {
                initial: given.number("qw", 0.01)?,
            })
            .with_velocity_noise(given.number("qv", 0.01)?)
            .into(),
        "koala-pp" => KoalaPpConfig::new()
            .with_initial_covariance(given.number("sigma", 1.0)?)
            .with_process_noise(given.number("q", 1.0)?)
            .with_variant(if given.flag("is_symmetric", true)? {
                PlusPlusVariant::Symmetric
            } else {
                PlusPlusVariant::MinimumNorm
            })
            .into(),
        "koala-a" => KoalaAConfig::new()
            .with_initial_process_noise(given.number("Q0", 0.3)?)
            .with_velocity_decay(given.number("kappa", 0.9)?)
            .with_metric(
                match given.choice("metric", &["diagonal", "none"], "diagonal")? {
                    "none" => Metric::None,
                    _ => Metric::Diagonal,
                },
            )
            .with_second_moment_smoothing(given.number("beta2", 0.99)?)
            .with_epsilon(given.number("eps", 1e-8)?)
            .with_rates(given.number("growth", 0.2)?, given.number("decay", 0.1)?)
            .with_rate_horizon(given.number("k0", 30.0)?)
            .with_whiteness_smoothing(given.number("smoothing", 0.9)?)
            // Recordings are of the equations without it.
            .with_gradient_floor(given.number("floor", 0.0)?)
            .with_mean(given.number_unless_null("average", 8.0)?)
            .with_target(Target::Constant(given.number("target", 0.0)?))
            .into(),
        other => {
            return Err(Fault::field(
                "optimizer",
                quoted(other),
                "koala-v, koala-m, koala-pp or koala-a",
            ));
        }
    };
    let adaptive = matches!(config, Config::KoalaA(_));
    let smoothing = given.number("alpha_r", 0.9)?;
    let rate = given.number("weight_decay", 0.0)?;
    let fixed = given.optional_number("r")?;
    given.check_all_used(optimizer)?;

    let in_names = |error| in_recorded_names(optimizer, error);
    // First as if adaptive and decayed, so that numbers which the combination does not use are sound too.
    let options = config.options_mut();
    options.measurement_noise = if adaptive {
        MeasurementNoise::BiasCorrected { smoothing }
    } else {
        MeasurementNoise::Adaptive {
            smoothing,
            initial: 1.0,
        }
    };
    options.weight_decay = WeightDecay::coupled(rate);
    config.validate().map_err(in_names)?;

    let options = config.options_mut();
    if let Some(variance) = fixed {
        options.measurement_noise = MeasurementNoise::Fixed(variance);
    }
    options.weight_decay = match decay_rule {
        "none" => WeightDecay::NONE,
        "coupled" => WeightDecay::coupled(rate),
        "gain-only" => WeightDecay::gain_only(rate),
        "decoupled" => WeightDecay::decoupled(rate),
        other => {
            return Err(Fault::field(
                "weight_decay_rule",
                quoted(other),
                "none, coupled, decoupled or gain-only",
            ));
        }
    };
    config.validate().map_err(in_names)?;
    if decay_rule == "gain-only" && rate > 0.0 && !config.demands().gain_only_decay {
        return Err(Fault::field(
            "weight_decay_rule",
            quoted(decay_rule),
            format!("none, coupled or decoupled with {optimizer}"),
        ));
    }
    Ok(config)
}

/// The configuration's error, in the recording's names.
fn in_recorded_names(optimizer: &str, error: Error) -> Fault {
    let Error::InvalidField {
        field,
        value,
        requirement,
    } = &error
    else {
        return Fault::field("hyperparameters", error, "a valid configuration");
    };
    let key = match field.as_str() {
        "initial-covariance" => "sigma",
        "process-noise" => "q",
        "initial-position-covariance" => "sw",
        "initial-cross-covariance" => "sc",
        "initial-velocity-covariance" => "sv",
        "velocity-decay" if optimizer == "koala-a" => "kappa",
        "velocity-decay" => "a",
        "initial-process-noise" => "Q0",
        "second-moment-smoothing" => "beta2",
        "epsilon" => "eps",
        "growth-rate" => "growth",
        "decline-rate" => "decay",
        "rate-horizon" => "k0",
        "whiteness-smoothing" => "smoothing",
        "gradient-floor" => "floor",
        "mean" => "average",
        "options.target.constant" => "target",
        "position-noise.authors.initial" => "qw",
        "velocity-noise" => "qv",
        "options.measurement-noise.fixed" => "r",
        "options.measurement-noise.adaptive.smoothing"
        | "options.measurement-noise.bias-corrected.smoothing" => "alpha_r",
        "options.weight-decay.rate" => "weight_decay",
        other => other,
    };
    Fault::field(path(key), value, *requirement)
}

/// The JSON object, emptied as its keys are read.
struct Hyperparameters(Map<String, Value>);

impl Hyperparameters {
    fn parse(json: &str) -> Result<Self, Fault> {
        match serde_json::from_str(json) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(Fault::field(
                "hyperparameters",
                quoted(json),
                "a JSON object",
            )),
            Err(error) => Err(Fault::field(
                "hyperparameters",
                quoted(json),
                format!("a JSON object ({error})"),
            )),
        }
    }

    fn number(&mut self, key: &str, absent: f64) -> Result<f64, Fault> {
        let Some(value) = self.0.remove(key) else {
            return Ok(absent);
        };
        value
            .as_f64()
            .filter(|number| number.is_finite())
            .ok_or_else(|| Fault::field(path(key), value, "a finite number"))
    }

    /// A number whose absence means `absent`, and null that there is none.
    fn number_unless_null(&mut self, key: &str, absent: f64) -> Result<Option<f64>, Fault> {
        match self.0.get(key) {
            Some(Value::Null) => {
                self.0.remove(key);
                Ok(None)
            }
            _ => self.number(key, absent).map(Some),
        }
    }

    /// One of `choices`.
    fn choice(
        &mut self,
        key: &str,
        choices: &[&'static str],
        absent: &'static str,
    ) -> Result<&'static str, Fault> {
        let Some(value) = self.0.remove(key) else {
            return Ok(absent);
        };
        choices
            .iter()
            .copied()
            .find(|&choice| value == choice)
            .ok_or_else(|| Fault::field(path(key), value, choices.join(" or ")))
    }

    /// A number whose absence means something else; null is absence too.
    fn optional_number(&mut self, key: &str) -> Result<Option<f64>, Fault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Null) => {
                self.0.remove(key);
                Ok(None)
            }
            Some(_) => self.number(key, 0.0).map(Some),
        }
    }

    fn flag(&mut self, key: &str, absent: bool) -> Result<bool, Fault> {
        match self.0.remove(key) {
            None => Ok(absent),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(value) => Err(Fault::field(path(key), value, "true or false")),
        }
    }

    fn check_all_used(&self, optimizer: &str) -> Result<(), Fault> {
        match self.0.iter().next() {
            None => Ok(()),
            Some((key, value)) => Err(Fault::field(
                path(key),
                value,
                format!("absent: {optimizer} has no such hyperparameter"),
            )),
        }
    }
}

fn path(key: &str) -> String {
    format!("hyperparameters.{key}")
}
