//! The runs of a comparison, in the order in which they are wished: seed by seed across optimizers, so that whoever
//! stops it has all optimizers for the seeds that were done.

use koala_report::{Choice, ListedRun, Role};
use koala_train::run::RunConfig;

use super::identity::run_folder;
use super::resolved::{Entry, Resolved};
use super::space::{Values, with_values};
use super::tuning::TuningPlan;

/// A run that is wished.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// The problem's number.
    pub problem: usize,
    /// How it is listed.
    pub listed: ListedRun,
    /// Everything that decides it.
    pub config: RunConfig,
}

impl Planned {
    pub(super) fn new(
        (problem, resolved): (usize, &Resolved),
        entry: &Entry,
        config: RunConfig,
        role: Role,
    ) -> Self {
        Self {
            problem,
            listed: ListedRun {
                folder: run_folder(&config),
                workload: resolved.workload.name.clone(),
                optimizer: entry.arm.name.clone(),
                method: (entry.arm.name != entry.arm.optimizer)
                    .then(|| entry.arm.optimizer.clone()),
                seed: config.seed,
                role,
            },
            config,
        }
    }
}

/// The trials of tuning. They never meet the test samples.
pub(super) fn trial_runs(all: &[Resolved], tuning: &TuningPlan) -> Vec<Planned> {
    let mut runs = Vec::new();
    for problem in all.iter().enumerate() {
        for &seed in &tuning.seeds {
            for trial in 0..tuning.trials {
                for entry in &problem.1.entries {
                    let Some(values) = entry.trials.get(trial) else {
                        continue;
                    };
                    let Some(mut config) = with(&entry.config, values, seed) else {
                        continue;
                    };
                    config.test = false;
                    let role = Role::Trial {
                        trial,
                        values: values.clone(),
                    };
                    runs.push(Planned::new(problem, entry, config, role));
                }
            }
        }
    }
    runs
}

/// The runs that are reported: the defaults, where wished also of optimizers that are tuned, and what tuning chose.
pub(super) fn reported_runs(
    all: &[Resolved],
    seeds: &[u64],
    tuning: Option<&TuningPlan>,
    choices: &[Choice],
) -> Vec<Planned> {
    let defaults = tuning.is_none_or(|tuning| tuning.defaults);
    let mut runs = Vec::new();
    for problem in all.iter().enumerate() {
        for &seed in seeds {
            for entry in &problem.1.entries {
                let mut config = entry.config.clone();
                config.seed = seed;
                if defaults || entry.trials.is_empty() {
                    runs.push(Planned::new(problem, entry, config, Role::Defaults));
                }
                let chosen = choices.iter().find(|choice| {
                    choice.workload == problem.1.workload.name && choice.optimizer == entry.arm.name
                });
                if let Some(choice) = chosen.filter(|choice| choice.trial.is_some())
                    && let Some(config) = with(&entry.config, &choice.values, seed)
                {
                    runs.push(Planned::new(problem, entry, config, Role::Tuned));
                }
            }
        }
    }
    runs
}

/// The configuration with these hyperparameters and this seed. They were checked when the suite was resolved.
pub(super) fn with(config: &RunConfig, values: &Values, seed: u64) -> Option<RunConfig> {
    let mut config = config.clone();
    config.optimizer = with_values(&config.optimizer, values).ok()?;
    config.seed = seed;
    Some(config)
}
