//! Everything that decides a run.

use burn::module::Module;
use koala_data::{BatchOrder, Data, DataKind, DatasetName, Loaded, PartSizes, TextWindows};
use serde::{Deserialize, Serialize};

use super::dataset::Origin;
use super::{ConfigError, DatasetSpec, ModelSpec};
use crate::Error;
use crate::device::DeviceName;
use crate::optimizers::{LookaheadSpec, Optimizer, OptimizerSpec};
use crate::training::{AverageSpec, Measure, ScheduleSpec, shape_of};

/// Everything that decides a run, defaults included: two runs of the same configuration on the same machine give the
/// same bits. Stored as `config.toml` in the run folder. Build one with [`RunConfig::resolve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunConfig {
    /// Seed of initial weights and order of samples. Default 0.
    pub seed: u64,
    /// Where it is trained. Default `cpu`. Another device rounds differently: only on one and the same do equal runs have
    /// equal bits.
    pub device: DeviceName,
    /// Passes over the training samples. Default 20 for the digits, tables and folders of pictures, 10 for MNIST, Fashion-MNIST, IDX
    /// files and characters, 100
    /// for CIFAR and ImageNet32, 40 for words.
    pub epochs: usize,
    /// Samples in a batch, or rows of text that are read side by side. Default 64 for the digits, tables, folders of pictures and
    /// characters, 20 for words, 128 for the others.
    pub batch_size: usize,
    /// Samples (rows of text) of a batch that go through the network at once, to save memory; the step is the same. 0
    /// (default) for the whole batch.
    pub micro_batch_size: usize,
    /// Whether a last batch with fewer samples is left out of each epoch. Default false.
    pub drop_last: bool,
    /// Steps after which the run ends; 0 (default) for no limit.
    pub max_steps: u64,
    /// Training samples (tokens of text) that are used, the first ones of the file, of data of one's own drawn ones; 0 (default) for
    /// all.
    pub train_limit: usize,
    /// Training images or rows that are held out to choose by, the last ones of the file, of data of one's own drawn ones; 0
    /// (default) for none. Texts come with their own, as does a folder of pictures that has one of that name.
    pub validation: usize,
    /// Whether the test samples are met at the end. Default true. Runs that hyperparameters are chosen by leave them alone
    /// and need held-out samples.
    pub test: bool,
    /// Steps after which the network is evaluated within an epoch; 0 (default) for the end of each epoch only.
    pub evaluate_every: u64,
    /// Every how many steps one is written to the event log. 0 (default): 10, of long runs fewer, each hundredth step from the
    /// 100,000th on and each thousandth from the millionth.
    pub log_every: u64,
    /// Whether TensorBoard's event files are written too. Default true.
    pub tensorboard: bool,
    /// Losses in a row that may fail to be finite before the run is given up. Default 25.
    pub missing_limit: u32,
    /// Steps after which a checkpoint is made; 0 (default) for none by steps.
    pub checkpoint_every: u64,
    /// Minutes after which a checkpoint is made. Default 5.
    pub checkpoint_minutes: f64,
    /// The last so many checkpoints are kept. Default 2, so that one is left if the last is damaged.
    pub keep_checkpoints: usize,
    /// Evaluations in a row without a lower loss of held-out samples after which the run ends; 0 (default) for the end of its epochs
    /// only. Not written while it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub patience: u64,
    /// File of weights, of a run of the same network, that training starts from; empty (default) for drawn ones. Not written while it
    /// is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub init_weights: String,
    /// The SHA-256 of that file, which [`RunConfig::pinned`] notes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub init_weights_sha256: String,
    /// The data set. Default the embedded digits.
    pub dataset: DatasetSpec,
    /// The network. Default `mlp`; for texts `lstm`, for pictures of one's own `cnn`.
    pub model: ModelSpec,
    /// The optimizer. Default `koala-m`. KOALA's target is by default the offset 4 for `dcgan`, whose losses have no lower
    /// bound.
    pub optimizer: OptimizerSpec,
    /// How gain or learning rate move. Default constant.
    pub schedule: ScheduleSpec,
    /// Which average of the weights is tested and stored. Default none.
    pub average: AverageSpec,
    /// Whether the optimizer is one of fast weights, with slow ones behind them. Default no.
    pub lookahead: LookaheadSpec,
}

/// Whether nothing is asked for.
fn is_zero(count: &u64) -> bool {
    *count == 0
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
        let known = match dataset.origin() {
            Origin::Catalogue(known) => known,
            // As rows in a file are.
            Origin::Own(_) => DatasetName::Table,
        };
        let (epochs, batch_size) = match known {
            DatasetName::Digits
            | DatasetName::Friedman
            | DatasetName::Images
            | DatasetName::Table => (20, 64),
            DatasetName::FashionMnist | DatasetName::Mnist | DatasetName::Idx => (10, 128),
            DatasetName::Cifar10 | DatasetName::Cifar100 | DatasetName::Imagenet32 => (100, 128),
            DatasetName::TinyShakespeare | DatasetName::Text => (10, 64),
            DatasetName::TinyShakespeareWords | DatasetName::Ptb | DatasetName::Wikitext2 => {
                (40, 20)
            }
        };
        Self {
            seed: 0,
            device: DeviceName::default(),
            epochs,
            batch_size,
            micro_batch_size: 0,
            drop_last: false,
            max_steps: 0,
            train_limit: 0,
            validation: 0,
            test: true,
            evaluate_every: 0,
            log_every: 0,
            tensorboard: true,
            missing_limit: 25,
            checkpoint_every: 0,
            checkpoint_minutes: 5.0,
            keep_checkpoints: 2,
            patience: 0,
            init_weights: String::new(),
            init_weights_sha256: String::new(),
            dataset,
            model,
            optimizer,
            schedule,
            average,
            lookahead: LookaheadSpec::default(),
        }
    }

    /// Reads the data and checks that network and batches fit it; before that, that the device is there.
    ///
    /// # Errors
    ///
    /// [`Error`] if the device cannot be used, a file is missing or damaged, the images are too small for the network, or
    /// there is no whole batch.
    pub fn load(&self) -> Result<Loaded, Error> {
        self.check_kind()?;
        self.device.open()?;
        let limit = (self.train_limit > 0).then_some(self.train_limit);
        let loaded = self.dataset.load(limit, self.validation)?;
        self.check(&loaded.data)?;
        Ok(loaded)
    }

    /// Whether network and batches fit the data.
    pub fn check(&self, data: &Data) -> Result<(), ConfigError> {
        self.check_kind()?;
        if let ModelSpec::Own(own) = &self.model
            && let Some(fault) = own.misfit(data)
        {
            return Err(self.misfit(fault));
        }
        let PartSizes {
            train, validation, ..
        } = data.sizes();
        if !self.test && validation == 0 {
            return Err(ConfigError::Value {
                origin: "--test=false".to_owned(),
                fault: "leaves nothing to judge by: hold samples out with --validation".to_owned(),
            });
        }
        if self.patience > 0 && validation == 0 {
            return Err(ConfigError::Value {
                origin: "--patience".to_owned(),
                fault: "waits for held-out samples to get better, and there are none: hold some out with --validation".to_owned(),
            });
        }
        let samples = match data {
            Data::Images(split) => {
                let shape = shape_of(&split.train);
                if let Some(fault) = self.model.misfit(shape) {
                    let fitting = ModelSpec::fitting(shape).join(", ");
                    let fault =
                        format!("{fault}; networks that take them with their defaults: {fitting}");
                    return Err(self.misfit(fault));
                }
                let order = self.order(train);
                if let ModelSpec::Dcgan(spec) = &self.model
                    && (1..spec.critic_steps).contains(&order.batches())
                {
                    let fault = format!(
                        "a step takes {} batches, and an epoch has {}: give fewer --critic-steps, or a smaller \
                         --batch-size",
                        spec.critic_steps,
                        order.batches()
                    );
                    return Err(self.misfit(fault));
                }
                (order.batches() == 0).then(|| format!("{} samples", order.samples))
            }
            Data::Table(_) | Data::Labelled(_) => {
                let order = self.order(train);
                (order.batches() == 0).then(|| format!("{} samples", order.samples))
            }
            Data::Text(corpus) => {
                let windows = self.windows(&corpus.train);
                let longest = self.model.longest_window();
                if let Some(longest) = longest.filter(|longest| *longest < windows.length()) {
                    let window = windows.length();
                    let fault = format!(
                        "it tells {longest} positions apart and windows have {window} tokens: give a smaller --window, \
                         or a larger --context"
                    );
                    return Err(self.misfit(fault));
                }
                let tokens = self.limited(train);
                (windows.count() == 0).then(|| format!("{tokens} tokens"))
            }
        };
        match samples {
            None => self.check_memory(data),
            Some(samples) if self.drop_last => Err(ConfigError::Value {
                origin: "--drop-last".to_owned(),
                fault: format!(
                    "leaves nothing of {samples} in batches of {}",
                    self.batch_size
                ),
            }),
            Some(samples) => Err(ConfigError::Value {
                origin: self.dataset.name().to_owned(),
                fault: format!(
                    "there is nothing to train on in {samples}: give a smaller --validation"
                ),
            }),
        }
    }

    /// Whether the network is for such data at all.
    fn check_kind(&self) -> Result<(), ConfigError> {
        if self.model.kinds().contains(&self.dataset.kind()) {
            Ok(())
        } else {
            Err(self.other_kind())
        }
    }

    /// The network is for data of another kind.
    pub(crate) fn other_kind(&self) -> ConfigError {
        let names = |kind| {
            let of_kind =
                |name: &&str| ModelSpec::named(name).is_some_and(|m| m.kinds().contains(&kind));
            ModelSpec::NAMES
                .into_iter()
                .filter(of_kind)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let kind = self.dataset.kind();
        let what = match kind {
            DataKind::Images => "images",
            DataKind::Text => "text",
            DataKind::Table => "a table",
        };
        self.misfit(format!(
            "the data are {what}; networks for it are {}",
            names(kind)
        ))
    }

    /// By what evaluations of such a run on these data are compared; nothing if images are made, which have a distance.
    pub fn measure(&self, data: &Data) -> Option<Measure> {
        match (data, &self.model) {
            (_, ModelSpec::Dcgan(_)) => None,
            (_, ModelSpec::Own(own)) => Some(own.measure()),
            (Data::Images(_), ModelSpec::Autoencoder(_)) => Some(Measure::Loss),
            (Data::Images(_) | Data::Labelled(_), _) => Some(Measure::Error),
            (Data::Text(_), _) => Some(Measure::Perplexity),
            (Data::Table(_), _) => Some(Measure::SquaredError),
        }
    }

    fn misfit(&self, fault: String) -> ConfigError {
        ConfigError::Misfit {
            model: self.model.name().to_owned(),
            dataset: self.dataset.name().to_owned(),
            fault,
        }
    }

    /// So many of so many training samples are used.
    pub fn limited(&self, samples: usize) -> usize {
        match self.train_limit {
            0 => samples,
            limit => samples.min(limit),
        }
    }

    /// The windows of this run for a training text.
    pub(super) fn windows<'a>(&self, text: &'a [u32]) -> TextWindows<'a> {
        let text = &text[..self.limited(text.len())];
        TextWindows::new(text, self.batch_size, self.dataset.window(), self.drop_last)
    }

    /// The order of this run for a data set of so many training samples.
    pub(super) fn order(&self, samples: usize) -> BatchOrder {
        BatchOrder {
            seed: self.seed,
            samples: self.limited(samples),
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
        if !self.test && matches!(self.model, ModelSpec::Dcgan(_)) {
            return own("test", "must be true for dcgan");
        }
        if self.batch_size == 0 || self.batch_size > 1 << 20 {
            return own("batch-size", "must be between 1 and 1048576");
        }
        if self.missing_limit == 0 {
            return own("missing-limit", "must be at least 1");
        }
        // Not a number is neither.
        if !(0.0..=1e6).contains(&self.checkpoint_minutes) {
            return own("checkpoint-minutes", "must be between 0 and 1000000");
        }
        if self.keep_checkpoints == 0 {
            return own("keep-checkpoints", "must be at least 1");
        }
        if self.init_weights.is_empty() && !self.init_weights_sha256.is_empty() {
            let fault = "says what init-weights is, which is not there: give both, or leave it out";
            return own("init-weights-sha256", fault);
        }
        if matches!(self.model, ModelSpec::Dcgan(_)) && !self.init_weights.is_empty() {
            return own(
                "init-weights",
                "must be left out for dcgan, which has two networks",
            );
        }
        if matches!(self.model, ModelSpec::Dcgan(_)) && self.patience > 0 {
            return own(
                "patience",
                "must be 0 for dcgan, whose losses tell of no end",
            );
        }
        if matches!(self.model, ModelSpec::Dcgan(_)) && self.micro_batch_size > 0 {
            let fault = "must be 0 for dcgan, whose batches go through its networks whole";
            return own("micro-batch-size", fault);
        }
        nested("model", self.model.fault())
            .or_else(|| nested("optimizer", self.optimizer.fault()))
            .or_else(|| nested("schedule", self.schedule.fault()))
            .or_else(|| nested("dataset", self.dataset.fault()))
            .or_else(|| nested("average", self.average.fault()))
            .or_else(|| nested("lookahead", self.lookahead.fault()))
    }

    /// The optimizer for the parameters of a network, with lookahead around it if that is wished.
    pub(super) fn optimizer_for<M: Module + 'static>(
        &self,
        model: &M,
    ) -> Result<Box<dyn Optimizer<M>>, Error> {
        let optimizer = (self.optimizer.start(model, self.missing_limit))
            .map_err(|cause| Error::Optimizer { step: 0, cause })?;
        Ok(self.lookahead.around(optimizer, model))
    }
}
