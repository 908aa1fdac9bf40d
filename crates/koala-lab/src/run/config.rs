//! Everything that decides a run.

use serde::{Deserialize, Serialize};

use super::{ConfigError, DatasetSpec};
use crate::Error;
use crate::data::{BatchOrder, DatasetName, Split};
use crate::models::ModelSpec;
use crate::optimizers::{LookaheadSpec, OptimizerSpec};
use crate::training::{AverageSpec, ScheduleSpec};

/// Everything that decides a run, defaults included: two runs of the same configuration on the same machine give the
/// same bits. Stored as `config.toml` in the run folder. Build one with [`RunConfig::resolve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunConfig {
    /// Seed of initial weights and order of samples. Default 0.
    pub seed: u64,
    /// Passes over the training samples. Default 20 for the digits, 10 for Fashion-MNIST.
    pub epochs: usize,
    /// Samples in a batch. Default 64 for the digits, 128 for Fashion-MNIST.
    pub batch_size: usize,
    /// Whether a last batch with fewer samples is left out of each epoch. Default false.
    pub drop_last: bool,
    /// Steps after which the run ends; 0 (default) for no limit.
    pub max_steps: u64,
    /// Training samples that are used, the first ones of the file; 0 (default) for all.
    pub train_limit: usize,
    /// Every how many steps one is written to the event log. Default 10.
    pub log_every: u64,
    /// Losses in a row that may fail to be finite before the run is given up. Default 25.
    pub missing_limit: u32,
    /// The data set. Default the embedded digits.
    pub dataset: DatasetSpec,
    /// The network. Default `mlp`.
    pub model: ModelSpec,
    /// The optimizer. Default `koala-m`.
    pub optimizer: OptimizerSpec,
    /// How gain or learning rate move. Default constant.
    pub schedule: ScheduleSpec,
    /// Which average of the weights is tested and stored. Default none.
    pub average: AverageSpec,
    /// Whether the optimizer is one of fast weights, with slow ones behind them. Default no.
    pub lookahead: LookaheadSpec,
}

impl RunConfig {
    /// The defaults for these choices.
    pub(super) fn with_defaults(
        dataset: DatasetSpec,
        model: ModelSpec,
        optimizer: OptimizerSpec,
        schedule: ScheduleSpec,
        average: AverageSpec,
    ) -> Self {
        let (epochs, batch_size) = match dataset.name() {
            DatasetName::Digits => (20, 64),
            DatasetName::FashionMnist => (10, 128),
        };
        Self {
            seed: 0,
            epochs,
            batch_size,
            drop_last: false,
            max_steps: 0,
            train_limit: 0,
            log_every: 10,
            missing_limit: 25,
            dataset,
            model,
            optimizer,
            schedule,
            average,
            lookahead: LookaheadSpec::default(),
        }
    }

    /// Reads the data and checks that network and batches fit it.
    ///
    /// # Errors
    ///
    /// [`Error`] if a file is missing or damaged, the images are too small for the network, or there is no whole batch.
    pub fn load(&self) -> Result<Split, Error> {
        let split = self.dataset.load()?;
        self.check(&split)?;
        Ok(split)
    }

    /// Whether network and batches fit the data.
    pub(super) fn check(&self, split: &Split) -> Result<(), ConfigError> {
        if let Some(fault) = self.model.misfit(split.train.shape()) {
            return Err(ConfigError::Misfit {
                model: self.model.name(),
                dataset: self.dataset.name().name(),
                fault,
            });
        }
        let samples = self.order(split.train.len()).samples;
        if self.order(samples).batches() == 0 {
            return Err(ConfigError::Value {
                origin: "--drop-last".to_owned(),
                fault: format!(
                    "leaves nothing of {samples} samples in batches of {}",
                    self.batch_size
                ),
            });
        }
        Ok(())
    }

    /// The order of this run for a data set of so many training samples.
    pub(super) fn order(&self, samples: usize) -> BatchOrder {
        BatchOrder {
            seed: self.seed,
            samples: match self.train_limit {
                0 => samples,
                limit => samples.min(limit),
            },
            batch_size: self.batch_size,
            drop_last: self.drop_last,
        }
    }

    /// What is wrong with the values: the key, with its table, and the fault.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        let own = |key: &str, fault: &str| Some((key.to_owned(), fault.to_owned()));
        let nested = |table: &'static str, fault: Option<(&'static str, String)>| {
            fault.map(|(key, fault)| (format!("{table}.{key}"), fault))
        };
        if i64::try_from(self.seed).is_err() {
            return own("seed", "must be below 2^63");
        }
        if self.epochs == 0 || self.epochs > 1_000_000 {
            return own("epochs", "must be between 1 and 1000000");
        }
        if self.batch_size == 0 || self.batch_size > 1 << 20 {
            return own("batch-size", "must be between 1 and 1048576");
        }
        if self.log_every == 0 {
            return own("log-every", "must be at least 1");
        }
        if self.missing_limit == 0 {
            return own("missing-limit", "must be at least 1");
        }
        nested("model", self.model.fault())
            .or_else(|| nested("optimizer", self.optimizer.fault()))
            .or_else(|| nested("schedule", self.schedule.fault()))
            .or_else(|| nested("average", self.average.fault()))
            .or_else(|| nested("lookahead", self.lookahead.fault()))
    }
}
