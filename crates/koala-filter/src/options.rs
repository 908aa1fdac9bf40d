//! Options common to all methods.

use serde::{Deserialize, Deserializer, Serialize};

use crate::decay::{DecayRule, WeightDecay};
use crate::error::{Error, Result};
use crate::layout::Partition;
use crate::noise::MeasurementNoise;
use crate::schedule::Schedule;
use crate::target::Target;

/// What to do where a residual L_b - T is negative (the loss lies below its target).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativeResidual {
    /// Take 0 and count it: the block does not move.
    #[default]
    Clamp,
    /// Use it: the block ascends towards the target.
    Allow,
    /// Refuse the update with [`Error::LossBelowTarget`]; nothing has changed then.
    Error,
}

/// Options common to all methods. Every field has a documented default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Options {
    /// e, the gain multiplier. Default 1, the natural value (not 1e-3).
    pub gain: f64,
    /// What the gain is multiplied by over time. Default constant.
    pub schedule: Schedule,
    /// Weight decay. Default none; its rule is coupled if none is named, decoupled for KOALA-A.
    pub weight_decay: WeightDecay,
    /// Measurement noise R. Default adaptive, beta_r = 0.9, R_0 = 1; bias-corrected for KOALA-A.
    pub measurement_noise: MeasurementNoise,
    /// Target of the loss. Default 0.
    pub target: Target,
    /// What a loss below its target does. Default clamp.
    pub negative_residual: NegativeResidual,
    /// Blocks of the filter. Default one a tensor.
    pub partition: Partition,
    /// Number of measurements missing in a row that is an error. Default 25.
    pub missing_limit: u32,
    /// Bound on the norm of the whole update |dx|; S is computed from unclipped gradients. Default none.
    pub max_update_norm: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            gain: 1.0,
            schedule: Schedule::Constant,
            weight_decay: WeightDecay::NONE,
            measurement_noise: MeasurementNoise::default(),
            target: Target::default(),
            negative_residual: NegativeResidual::Clamp,
            partition: Partition::PerTensor,
            missing_limit: 25,
            max_update_norm: None,
        }
    }
}

/// Options as they are given: what is left out is the method's to say.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GivenOptions {
    gain: Option<f64>,
    schedule: Option<Schedule>,
    weight_decay: Option<GivenDecay>,
    measurement_noise: Option<MeasurementNoise>,
    target: Option<Target>,
    negative_residual: Option<NegativeResidual>,
    partition: Option<Partition>,
    missing_limit: Option<u32>,
    max_update_norm: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GivenDecay {
    rate: f64,
    rule: Option<DecayRule>,
}

impl Options {
    /// Options read from `from`, those of `defaults` where nothing is given.
    pub(crate) fn over<'de, D: Deserializer<'de>>(
        defaults: Self,
        from: D,
    ) -> Result<Self, D::Error> {
        let given = GivenOptions::deserialize(from)?;
        let rule = defaults.weight_decay.rule;
        Ok(Self {
            gain: given.gain.unwrap_or(defaults.gain),
            schedule: given.schedule.unwrap_or(defaults.schedule),
            weight_decay: given
                .weight_decay
                .map_or(defaults.weight_decay, |decay| WeightDecay {
                    rate: decay.rate,
                    rule: decay.rule.unwrap_or(rule),
                }),
            measurement_noise: given
                .measurement_noise
                .unwrap_or(defaults.measurement_noise),
            target: given.target.unwrap_or(defaults.target),
            negative_residual: given
                .negative_residual
                .unwrap_or(defaults.negative_residual),
            partition: given.partition.unwrap_or(defaults.partition),
            missing_limit: given.missing_limit.unwrap_or(defaults.missing_limit),
            max_update_norm: given.max_update_norm.or(defaults.max_update_norm),
        })
    }

    pub(crate) fn validate(&self) -> Result<()> {
        not_negative("options.gain", self.gain)?;
        self.schedule.validate("options.schedule")?;
        self.weight_decay.validate("options.weight-decay")?;
        self.measurement_noise
            .validate("options.measurement-noise")?;
        self.target.validate("options.target")?;
        if self.missing_limit == 0 {
            return Err(Error::invalid("options.missing-limit", 0, "at least 1"));
        }
        match self.max_update_norm {
            Some(bound) if !(bound.is_finite() && bound > 0.0) => Err(Error::invalid(
                "options.max-update-norm",
                bound,
                "finite and positive",
            )),
            _ => Ok(()),
        }
    }
}

pub(crate) fn not_negative(field: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(Error::invalid(field, value, "finite and not negative"))
    }
}
