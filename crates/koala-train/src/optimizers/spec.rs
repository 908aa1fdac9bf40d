//! The optimizers by name.

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::check::{above_zero, not_negative, positive, share};
use super::relatives::{Muon, Relative};
use super::{
    AdamSpec, AdamWSpec, Baseline, KoalaASpec, KoalaMSpec, KoalaOptimizer, KoalaPpSpec, KoalaVSpec,
    LionSpec, MomoAdamSpec, MomoSpec, MuonSpec, NgnMSpec, NgnMdv1Spec, Optimizer, OptimizerError,
    ProdigySpec, ScheduleFreeAdamWSpec, ScheduleFreePlusSpec, ScheduleFreeSgdSpec, SgdSpec,
    SpsMaxSpec, TargetRule,
};
use crate::own::{OwnOptimizer, stored_beside_own};

/// An optimizer, by name, with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OptimizerSpec {
    /// KOALA-M, with momentum.
    KoalaM(KoalaMSpec),
    /// KOALA-V, the vanilla method.
    KoalaV(KoalaVSpec),
    /// KOALA++.
    KoalaPp(KoalaPpSpec),
    /// KOALA-A, the adaptive method.
    KoalaA(KoalaASpec),
    /// SGD with momentum.
    Sgd(SgdSpec),
    /// Adam.
    Adam(AdamSpec),
    /// AdamW.
    #[serde(rename = "adamw")]
    AdamW(AdamWSpec),
    /// SGD with a bounded Polyak step.
    SpsMax(SpsMaxSpec),
    /// MoMo: SGD with momentum and an adaptive step.
    Momo(MomoSpec),
    /// MoMo-Adam.
    MomoAdam(MomoAdamSpec),
    /// Prodigy.
    Prodigy(ProdigySpec),
    /// Schedule-Free SGD.
    ScheduleFreeSgd(ScheduleFreeSgdSpec),
    /// Schedule-Free AdamW.
    #[serde(rename = "schedule-free-adamw")]
    ScheduleFreeAdamW(ScheduleFreeAdamWSpec),
    /// ScheduleFree+.
    ScheduleFreePlus(ScheduleFreePlusSpec),
    /// NGN-M: SGD with momentum and NGN's step.
    NgnM(NgnMSpec),
    /// NGN-MDv1: NGN-M in Adam's metric.
    NgnMdv1(NgnMdv1Spec),
    /// Lion.
    Lion(LionSpec),
    /// Muon, with AdamW beside it.
    Muon(MuonSpec),
    /// One of your own, which no file can name.
    #[serde(skip)]
    Own(OwnOptimizer),
}

stored_beside_own!(OptimizerSpec);

impl OptimizerSpec {
    /// The names of all optimizers.
    pub const NAMES: [&'static str; 18] = [
        "koala-m",
        "koala-v",
        "koala-pp",
        "koala-a",
        "sgd",
        "adam",
        "adamw",
        "sps-max",
        "momo",
        "momo-adam",
        "prodigy",
        "schedule-free-sgd",
        "schedule-free-adamw",
        "schedule-free-plus",
        "ngn-m",
        "ngn-mdv1",
        "lion",
        "muon",
    ];

    /// The names of the optimizers that have this option.
    pub(crate) fn having(option: &str) -> Vec<&'static str> {
        let has = |name: &&str| {
            let spec = Self::named(name).and_then(|spec| toml::Table::try_from(spec).ok());
            spec.is_some_and(|keys| option != "name" && keys.contains_key(option))
        };
        Self::NAMES.into_iter().filter(has).collect()
    }

    /// The optimizer of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "koala-m" => Some(Self::KoalaM(KoalaMSpec::default())),
            "koala-v" => Some(Self::KoalaV(KoalaVSpec::default())),
            "koala-pp" => Some(Self::KoalaPp(KoalaPpSpec::default())),
            "koala-a" => Some(Self::KoalaA(KoalaASpec::default())),
            "sgd" => Some(Self::Sgd(SgdSpec::default())),
            "adam" => Some(Self::Adam(AdamSpec::default())),
            "adamw" => Some(Self::AdamW(AdamWSpec::default())),
            "sps-max" => Some(Self::SpsMax(SpsMaxSpec::default())),
            "momo" => Some(Self::Momo(MomoSpec::default())),
            "momo-adam" => Some(Self::MomoAdam(MomoAdamSpec::default())),
            "prodigy" => Some(Self::Prodigy(ProdigySpec::default())),
            "schedule-free-sgd" => Some(Self::ScheduleFreeSgd(ScheduleFreeSgdSpec::default())),
            "schedule-free-adamw" => {
                Some(Self::ScheduleFreeAdamW(ScheduleFreeAdamWSpec::default()))
            }
            "schedule-free-plus" => Some(Self::ScheduleFreePlus(ScheduleFreePlusSpec::default())),
            "ngn-m" => Some(Self::NgnM(NgnMSpec::default())),
            "ngn-mdv1" => Some(Self::NgnMdv1(NgnMdv1Spec::default())),
            "lion" => Some(Self::Lion(LionSpec::default())),
            "muon" => Some(Self::Muon(MuonSpec::default())),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::KoalaM(_) => "koala-m",
            Self::KoalaV(_) => "koala-v",
            Self::KoalaPp(_) => "koala-pp",
            Self::KoalaA(_) => "koala-a",
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::SpsMax(_) => "sps-max",
            Self::Momo(_) => "momo",
            Self::MomoAdam(_) => "momo-adam",
            Self::Prodigy(_) => "prodigy",
            Self::ScheduleFreeSgd(_) => "schedule-free-sgd",
            Self::ScheduleFreeAdamW(_) => "schedule-free-adamw",
            Self::ScheduleFreePlus(_) => "schedule-free-plus",
            Self::NgnM(_) => "ngn-m",
            Self::NgnMdv1(_) => "ngn-mdv1",
            Self::Lion(_) => "lion",
            Self::Muon(_) => "muon",
            Self::Own(own) => own.name(),
        }
    }

    /// The option that scales its steps, or, of Prodigy, the one by which its authors advise to tune it.
    pub fn knob(&self) -> &'static str {
        match self {
            Self::KoalaM(_) | Self::KoalaV(_) | Self::KoalaPp(_) | Self::KoalaA(_) => "gain",
            Self::Prodigy(_) => "distance-scale",
            Self::Own(own) => own.knob(),
            _ => "learning-rate",
        }
    }

    /// KOALA's configuration, if it is one of its methods.
    pub fn koala(&self) -> Option<koala_filter::Config> {
        match self {
            Self::KoalaM(spec) => Some(spec.into()),
            Self::KoalaV(spec) => Some(spec.into()),
            Self::KoalaPp(spec) => Some(spec.into()),
            Self::KoalaA(spec) => Some(spec.into()),
            _ => None,
        }
    }

    /// The optimizer itself, for the parameters of `model`. KOALA gives up after `missing_limit` losses in a row that are
    /// not finite; the others leave that to the training loop.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Koala`] if the options are wrong or the model has nothing to train.
    pub fn start<M: Module>(
        &self,
        model: &M,
        missing_limit: u32,
    ) -> Result<Box<dyn Optimizer<M>>, OptimizerError> {
        let koala = |mut config: koala_filter::Config| {
            config.options_mut().missing_limit = missing_limit;
            KoalaOptimizer::new(config, model)
        };
        Ok(match self {
            Self::KoalaM(spec) => Box::new(koala(spec.into())?),
            Self::KoalaV(spec) => Box::new(koala(spec.into())?),
            Self::KoalaPp(spec) => Box::new(koala(spec.into())?),
            Self::KoalaA(spec) => Box::new(koala(spec.into())?),
            Self::Sgd(spec) => Box::new(Baseline::from(spec)),
            Self::Adam(spec) => Box::new(Baseline::from(spec)),
            Self::AdamW(spec) => Box::new(Baseline::from(spec)),
            Self::SpsMax(spec) => Box::new(Relative::new(spec.clone())),
            Self::Momo(spec) => Box::new(Relative::new(spec.clone())),
            Self::MomoAdam(spec) => Box::new(Relative::new(spec.clone())),
            Self::Prodigy(spec) => Box::new(Relative::new(spec.clone())),
            Self::ScheduleFreeSgd(spec) => Box::new(Relative::new(spec.clone())),
            Self::ScheduleFreeAdamW(spec) => Box::new(Relative::new(spec.clone())),
            Self::ScheduleFreePlus(spec) => Box::new(Relative::new(spec.clone())),
            Self::NgnM(spec) => Box::new(Relative::new(spec.clone())),
            Self::NgnMdv1(spec) => Box::new(Relative::new(spec.clone())),
            Self::Lion(spec) => Box::new(Relative::new(spec.clone())),
            Self::Muon(spec) => Box::new(Relative::new(Muon::new(spec.clone(), model))),
            Self::Own(own) => own.start(),
        })
    }

    /// Lets KOALA's target follow the loss at this distance, for losses without a lower bound. Nothing changes for the
    /// others.
    pub(crate) fn follow_losses(&mut self, distance: f64) {
        let (target, rule) = match self {
            Self::KoalaM(spec) => (&mut spec.target, &mut spec.target_rule),
            Self::KoalaV(spec) => (&mut spec.target, &mut spec.target_rule),
            Self::KoalaPp(spec) => (&mut spec.target, &mut spec.target_rule),
            Self::KoalaA(spec) => (&mut spec.target, &mut spec.target_rule),
            _ => return,
        };
        (*target, *rule) = (distance, TargetRule::Offset);
    }

    /// What is wrong with the options: the key and the fault.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        match self {
            Self::KoalaM(_) | Self::KoalaV(_) | Self::KoalaPp(_) | Self::KoalaA(_) => {
                let Err(error) = self.koala()?.validate() else {
                    return self.unused_fault();
                };
                Some(match &error {
                    koala_filter::Error::InvalidField {
                        field,
                        value,
                        requirement,
                    } => (key(field), format!("must be {requirement}, not {value}")),
                    other => ("", other.to_string()),
                })
            }
            Self::Sgd(s) => not_negative("learning-rate", s.learning_rate)
                .or_else(|| share("momentum", s.momentum))
                .or_else(|| not_negative("weight-decay", s.weight_decay))
                .or_else(|| above_zero("clip-norm", s.clip_norm))
                .or_else(|| {
                    (s.nesterov && s.momentum == 0.0)
                        .then(|| ("nesterov", "needs a momentum above 0".to_owned()))
                }),
            Self::Adam(s) => adam(
                s.learning_rate,
                s.beta_1,
                s.beta_2,
                s.epsilon,
                s.weight_decay,
            )
            .or_else(|| above_zero("clip-norm", s.clip_norm)),
            Self::AdamW(s) => adam(
                s.learning_rate,
                s.beta_1,
                s.beta_2,
                s.epsilon,
                s.weight_decay,
            )
            .or_else(|| above_zero("clip-norm", s.clip_norm)),
            Self::SpsMax(s) => s.fault(),
            Self::Momo(s) => s.fault(),
            Self::MomoAdam(s) => s.fault(),
            Self::Prodigy(s) => s.fault(),
            Self::ScheduleFreeSgd(s) => s.fault(),
            Self::ScheduleFreeAdamW(s) => s.fault(),
            Self::ScheduleFreePlus(s) => s.fault(),
            Self::NgnM(s) => s.fault(),
            Self::NgnMdv1(s) => s.fault(),
            Self::Lion(s) => s.fault(),
            Self::Muon(s) => s.fault(),
            Self::Own(own) => own.fault(),
        }
    }
}

impl OptimizerSpec {
    /// What is wrong with options that are of no effect beside the others: a wrong number is a mistake all the same.
    fn unused_fault(&self) -> Option<(&'static str, String)> {
        let Self::KoalaA(spec) = self else {
            return None;
        };
        positive("measurement-noise-initial", spec.measurement_noise_initial)
            .or_else(|| not_negative("mean-eta", spec.mean_eta))
    }
}

fn adam(
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: f64,
) -> Option<(&'static str, String)> {
    not_negative("learning-rate", learning_rate)
        .or_else(|| share("beta-1", beta_1))
        .or_else(|| share("beta-2", beta_2))
        .or_else(|| not_negative("epsilon", epsilon))
        .or_else(|| not_negative("weight-decay", weight_decay))
}

/// Our key of a field of the filter's configuration.
fn key(field: &str) -> &'static str {
    match field {
        "initial-covariance" | "initial-position-covariance" => "initial-covariance",
        "initial-velocity-covariance" => "initial-velocity-covariance",
        "initial-cross-covariance" => "initial-cross-covariance",
        "velocity-decay" => "velocity-decay",
        "velocity-noise" => "velocity-noise",
        "process-noise" => "process-noise",
        "initial-process-noise" => "initial-process-noise",
        "second-moment-smoothing" => "second-moment-smoothing",
        "epsilon" => "epsilon",
        "growth-rate" => "growth-rate",
        "decline-rate" => "decline-rate",
        "rate-horizon" => "rate-horizon",
        "whiteness-smoothing" => "whiteness-smoothing",
        "gradient-floor" => "gradient-floor",
        "mean" => "mean-eta",
        "options.gain" => "gain",
        "options.max-update-norm" => "max-update-norm",
        "options.measurement-noise.adaptive.smoothing"
        | "options.measurement-noise.bias-corrected.smoothing" => "measurement-noise-smoothing",
        _ if field.starts_with("position-noise") => "position-noise-initial",
        _ if field.starts_with("options.measurement-noise") => "measurement-noise-initial",
        _ if field.starts_with("options.weight-decay") => "weight-decay",
        _ if field.starts_with("options.target") => "target",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_defaults_agree() {
        for name in OptimizerSpec::NAMES {
            let spec = OptimizerSpec::named(name).unwrap();
            assert_eq!((spec.name(), spec.fault()), (name, None));
            let written = toml::Table::try_from(&spec).unwrap();
            assert_eq!(written["name"].as_str(), Some(name));
            assert!(written.contains_key(spec.knob()));
            assert_eq!(written.try_into::<OptimizerSpec>().unwrap(), spec);
        }
    }

    #[test]
    fn the_defaults_are_the_filters_own() {
        use koala_filter::{KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig};
        let config = |name| OptimizerSpec::named(name).unwrap().koala().unwrap();
        assert_eq!(config("koala-m"), KoalaMConfig::new().into());
        assert_eq!(config("koala-v"), KoalaVConfig::new().into());
        assert_eq!(config("koala-pp"), KoalaPpConfig::new().into());
        assert_eq!(config("koala-a"), KoalaAConfig::new().into());
    }

    #[test]
    fn faults_name_our_keys() {
        let fault = |name: &str, key: &str, value: f64| {
            let mut table = toml::Table::try_from(OptimizerSpec::named(name).unwrap()).unwrap();
            assert!(
                table.insert(key.to_owned(), value.into()).is_some(),
                "{key}"
            );
            table
                .try_into::<OptimizerSpec>()
                .unwrap()
                .fault()
                .unwrap()
                .0
        };
        for name in OptimizerSpec::NAMES {
            let table = toml::Table::try_from(OptimizerSpec::named(name).unwrap()).unwrap();
            for (key, value) in &table {
                if value.is_float() {
                    assert_eq!(fault(name, key, f64::NAN), key, "{name}");
                }
            }
        }
    }
}
