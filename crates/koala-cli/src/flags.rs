//! Flags that say what to train and how, and the keys of the configuration that they stand for.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use koala_lab::data::{Augmentation, DatasetName};
use koala_lab::models::ModelSpec;
use koala_lab::optimizers::OptimizerSpec;
use koala_lab::run::{Override, Value};
use koala_lab::training::{AverageSpec, ScheduleSpec};

/// Overrides of a configuration, from the flags that were given.
#[derive(Default)]
pub struct Overrides {
    /// Those that were given.
    pub list: Vec<Override>,
}

impl Overrides {
    /// Adds one if it was given.
    pub fn put(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.list.push(Override::new(key, value));
        }
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.list.extend(others.list);
    }
}

/// What to train on what, for how long.
#[derive(Args)]
#[command(next_help_heading = "Task")]
pub struct TaskFlags {
    /// Data set [default: digits]
    #[arg(long, value_parser = DatasetName::ALL.map(DatasetName::name))]
    dataset: Option<String>,
    /// Folder with the original files of the data set [default: its usual places]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// text: the file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Images: whether training images are moved and mirrored at random [default: none]
    #[arg(long, value_parser = Augmentation::NAMES)]
    augment: Option<String>,
    /// Network [default: mlp, for texts lstm]
    #[arg(long, value_parser = ModelSpec::NAMES)]
    model: Option<String>,
    /// Widths of the hidden layers [default: 128,64 for mlp, 64 for cnn]
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    hidden: Option<Vec<i64>>,
    /// cnn: channels of each block [default: 16,32]
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    channels: Option<Vec<i64>>,
    /// resnet20, resnet18, resnet50, wrn50-2: channels of the first stage; dcgan: channels at half the images' size [default: 16 for resnet20, else 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    width: Option<i64>,
    /// dcgan: random numbers an image is made from [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    noise: Option<i64>,
    /// dcgan: updates of the critic before one of the generator [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    critic_steps: Option<i64>,
    /// dcgan: weight of the gradient penalty [default: 10]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    penalty: Option<f64>,
    /// dcgan: made images that an evaluation compares with as many real ones; 0 for none [default: 1000]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    evaluate_images: Option<i64>,
    /// lstm, transformer, gpt: number of layers [default: 2; 4 for gpt]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    layers: Option<i64>,
    /// transformer, gpt: heads of attention [default: 2 for transformer, 4 for gpt]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    heads: Option<i64>,
    /// gpt: tokens of the longest window [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    context: Option<i64>,
    /// lstm, transformer, gpt: share of values that are dropped [default: 0.65 for lstm, 0.2 for transformer, 0.1 for gpt]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    dropout: Option<f64>,
    /// Texts: tokens of a window, through which gradients go [default: 35 for words, 64 for characters]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    window: Option<i64>,
    /// Passes over the training samples [default: 20 for digits, 100 for cifar10, cifar100 and imagenet32, 40 for ptb and wikitext2, else 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<i64>,
    /// Samples in a batch, or rows of text read side by side [default: 128 for images but digits, 20 for ptb and wikitext2, else 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<i64>,
    /// Samples that go through the network at once, to save memory; the step is that of the whole batch; 0 for all of it [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    micro_batch_size: Option<i64>,
    /// Leave out a last batch with fewer samples
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    drop_last: Option<bool>,
    /// End after this many steps; 0 for no limit [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_steps: Option<i64>,
    /// Train on the first N samples only; 0 for all [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    train_limit: Option<i64>,
    /// Hold out the last N training images to choose by; texts come with their own [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<i64>,
    /// Evaluate every N steps as well as after each epoch; 0 for not [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    evaluate_every: Option<i64>,
    /// Schedule of gain or learning rate [default: constant]
    #[arg(long, value_parser = ScheduleSpec::NAMES, help_heading = "Schedule")]
    schedule: Option<String>,
    /// warmup-cosine, milestones, wsd: steps of a linear rise [default: 100; 0 for milestones]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Schedule"
    )]
    warmup_steps: Option<i64>,
    /// milestones: epochs after which the factor falls, such as 30,60
    #[arg(
        long,
        value_name = "N,..",
        allow_negative_numbers = true,
        value_delimiter = ',',
        help_heading = "Schedule"
    )]
    milestones: Option<Vec<i64>>,
    /// milestones: what it is multiplied by [default: 0.1]
    #[arg(
        long,
        value_name = "X",
        help_heading = "Schedule",
        allow_negative_numbers = true
    )]
    milestone_factor: Option<f64>,
    /// wsd: share of all steps in which the factor falls [default: 0.2]
    #[arg(
        long,
        value_name = "X",
        help_heading = "Schedule",
        allow_negative_numbers = true
    )]
    decay_share: Option<f64>,
    /// cosine, warmup-cosine, wsd: factor at the end [default: 0]
    #[arg(
        long,
        value_name = "X",
        help_heading = "Schedule",
        allow_negative_numbers = true
    )]
    final_factor: Option<f64>,
    /// Average of the weights that is tested and stored [default: none]
    #[arg(long, value_parser = AverageSpec::NAMES, help_heading = "Average")]
    average: Option<String>,
    /// ema: share of the old average in the new one [default: 0.999]
    #[arg(
        long,
        value_name = "X",
        help_heading = "Average",
        allow_negative_numbers = true
    )]
    ema_decay: Option<f64>,
    /// ema: let that share start low and rise with the steps [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, help_heading = "Average")]
    ema_warm_up: Option<bool>,
    /// swa: first epoch whose end is averaged; 0 for the last quarter [default: 0]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Average",
        allow_negative_numbers = true
    )]
    swa_start: Option<i64>,
    /// swa: epochs from one that is averaged to the next [default: 1]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Average",
        allow_negative_numbers = true
    )]
    swa_every: Option<i64>,
    /// Losses in a row that may fail to be finite before a run is given up [default: 25]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    missing_limit: Option<i64>,
}

impl TaskFlags {
    /// The overrides that these flags stand for.
    pub fn overrides(&self) -> Overrides {
        let mut all = Overrides::default();
        all.put("dataset.name", self.dataset.clone());
        let folder = self.data_dir.as_ref();
        all.put(
            "dataset.data-dir",
            folder.map(|f| f.to_string_lossy().into_owned()),
        );
        let file = self.file.as_ref();
        all.put(
            "dataset.file",
            file.map(|f| f.to_string_lossy().into_owned()),
        );
        all.put("dataset.augment", self.augment.clone());
        all.put("model.name", self.model.clone());
        all.put("model.hidden", self.hidden.clone());
        all.put("model.channels", self.channels.clone());
        all.put("model.width", self.width);
        all.put("model.noise", self.noise);
        all.put("model.critic-steps", self.critic_steps);
        all.put("model.penalty", self.penalty);
        all.put("model.evaluate-images", self.evaluate_images);
        all.put("model.layers", self.layers);
        all.put("model.heads", self.heads);
        all.put("model.context", self.context);
        all.put("model.dropout", self.dropout);
        all.put("dataset.window", self.window);
        all.put("epochs", self.epochs);
        all.put("batch-size", self.batch_size);
        all.put("micro-batch-size", self.micro_batch_size);
        all.put("validation", self.validation);
        all.put("evaluate-every", self.evaluate_every);
        all.put("drop-last", self.drop_last);
        all.put("max-steps", self.max_steps);
        all.put("train-limit", self.train_limit);
        all.put("missing-limit", self.missing_limit);
        all.put("schedule.name", self.schedule.clone());
        all.put("schedule.warmup-steps", self.warmup_steps);
        all.put("schedule.milestones", self.milestones.clone());
        all.put("schedule.milestone-factor", self.milestone_factor);
        all.put("schedule.decay-share", self.decay_share);
        all.put("schedule.final-factor", self.final_factor);
        all.put("average.name", self.average.clone());
        all.put("average.ema-decay", self.ema_decay);
        all.put("average.ema-warm-up", self.ema_warm_up);
        all.put("average.swa-start", self.swa_start);
        all.put("average.swa-every", self.swa_every);
        all
    }
}

/// Which optimizer, with which options.
#[derive(Args)]
#[command(next_help_heading = "Optimizer")]
pub struct MethodFlags {
    /// Optimizer [default: koala-m]
    #[arg(long, value_parser = OptimizerSpec::NAMES)]
    optimizer: Option<String>,
    /// koala-*: e, the gain multiplier that schedules move [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    gain: Option<f64>,
    /// sgd, adam, adamw: learning rate [default: 0.1 for sgd, 0.001 for the others]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "lr",
        allow_negative_numbers = true
    )]
    learning_rate: Option<f64>,
    /// Weight decay [default: 0.01 for adamw, 0 for the others]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    weight_decay: Option<f64>,
    /// koala-*: where the weight decay enters [default: coupled]
    #[arg(long, value_parser = ["coupled", "decoupled", "gain-only"])]
    decay_rule: Option<String>,
    /// koala-*: P_0, for koala-m its first entry, for koala-pp sigma [default: 0.1]
    #[arg(long, value_name = "X", visible_aliases = ["p0", "sigma"], allow_negative_numbers = true)]
    initial_covariance: Option<f64>,
    /// koala-m: last entry of P_0 [default: 0.1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    initial_velocity_covariance: Option<f64>,
    /// koala-m: off-diagonal entry of P_0 [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    initial_cross_covariance: Option<f64>,
    /// koala-v, koala-pp: q or Q [default: 1 for koala-v, 0.1 for koala-pp]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "q",
        allow_negative_numbers = true
    )]
    process_noise: Option<f64>,
    /// koala-m: kappa, the decay of velocities [default: 0.9]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "kappa",
        allow_negative_numbers = true
    )]
    velocity_decay: Option<f64>,
    /// koala-m: q_v [default: 0.01]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "qv",
        allow_negative_numbers = true
    )]
    velocity_noise: Option<f64>,
    /// koala-m: how the position noise q_x is found [default: authors]
    #[arg(long, value_parser = ["authors", "paper", "fixed"])]
    position_noise: Option<String>,
    /// koala-m: the q_x that the authors' rule starts from, or the fixed one [default: 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    position_noise_initial: Option<f64>,
    /// koala-pp: solution of the covariance equation [default: symmetric]
    #[arg(long, value_parser = ["symmetric", "minimum-norm"])]
    variant: Option<String>,
    /// koala-*: how the measurement noise R is found [default: adaptive]
    #[arg(long, value_parser = ["adaptive", "fixed"])]
    measurement_noise: Option<String>,
    /// koala-*: R_0, or the fixed R [default: 1]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "r0",
        allow_negative_numbers = true
    )]
    measurement_noise_initial: Option<f64>,
    /// koala-*: beta_r of the adaptive R [default: 0.9]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "beta-r",
        allow_negative_numbers = true
    )]
    measurement_noise_smoothing: Option<f64>,
    /// koala-*: target of the loss, or its distance from the loss [default: 0; 4 for dcgan]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    target: Option<f64>,
    /// koala-*: whether the target is a constant or follows the loss [default: constant; offset for dcgan]
    #[arg(long, value_parser = ["constant", "offset"])]
    target_rule: Option<String>,
    /// koala-*: what a loss below its target does [default: clamp]
    #[arg(long, value_parser = ["clamp", "allow", "error"])]
    negative_residual: Option<String>,
    /// koala-*: blocks of the filter [default: per-tensor]
    #[arg(long, value_parser = ["per-tensor", "global"])]
    partition: Option<String>,
    /// sgd, adam, adamw: bound on the norm of all gradients together [default: inf]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    clip_norm: Option<f64>,
    /// koala-*: bound on the norm of an update [default: inf]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    max_update_norm: Option<f64>,
    /// Steps between two synchronisations of fast and slow weights; 0 for no slow weights [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    lookahead_every: Option<i64>,
    /// Share of the way to the fast weights that the slow ones go [default: 0.5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lookahead_share: Option<f64>,
    /// sgd: momentum [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// sgd: Nesterov's momentum
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    nesterov: Option<bool>,
    /// adam, adamw: decay of the first moment [default: 0.9]
    #[arg(long = "beta-1", value_name = "X", allow_negative_numbers = true)]
    beta_1: Option<f64>,
    /// adam, adamw: decay of the second moment [default: 0.999]
    #[arg(long = "beta-2", value_name = "X", allow_negative_numbers = true)]
    beta_2: Option<f64>,
    /// adam, adamw: keeps the quotient finite [default: 1e-8]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    epsilon: Option<f64>,
}

impl MethodFlags {
    /// The overrides that these flags stand for.
    pub fn overrides(&self) -> Overrides {
        let mut all = Overrides::default();
        all.put("optimizer.name", self.optimizer.clone());
        let numbers = [
            ("gain", self.gain),
            ("learning-rate", self.learning_rate),
            ("weight-decay", self.weight_decay),
            ("initial-covariance", self.initial_covariance),
            (
                "initial-velocity-covariance",
                self.initial_velocity_covariance,
            ),
            ("initial-cross-covariance", self.initial_cross_covariance),
            ("process-noise", self.process_noise),
            ("velocity-decay", self.velocity_decay),
            ("velocity-noise", self.velocity_noise),
            ("position-noise-initial", self.position_noise_initial),
            ("measurement-noise-initial", self.measurement_noise_initial),
            (
                "measurement-noise-smoothing",
                self.measurement_noise_smoothing,
            ),
            ("target", self.target),
            ("clip-norm", self.clip_norm),
            ("max-update-norm", self.max_update_norm),
            ("momentum", self.momentum),
            ("beta-1", self.beta_1),
            ("beta-2", self.beta_2),
            ("epsilon", self.epsilon),
        ];
        for (key, number) in numbers {
            all.put(&format!("optimizer.{key}"), number);
        }
        let words = [
            ("decay-rule", &self.decay_rule),
            ("position-noise", &self.position_noise),
            ("variant", &self.variant),
            ("measurement-noise", &self.measurement_noise),
            ("target-rule", &self.target_rule),
            ("negative-residual", &self.negative_residual),
            ("partition", &self.partition),
        ];
        for (key, word) in words {
            all.put(&format!("optimizer.{key}"), word.clone());
        }
        all.put("optimizer.nesterov", self.nesterov);
        all.put("lookahead.lookahead-every", self.lookahead_every);
        all.put("lookahead.lookahead-share", self.lookahead_share);
        all
    }
}

/// What a run keeps while it goes.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct KeepingFlags {
    /// Log every N-th step [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    log_every: Option<i64>,
    /// Write TensorBoard's event files too [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    tensorboard: Option<bool>,
    /// Make a checkpoint every N steps; 0 for none by steps [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    checkpoint_every: Option<i64>,
    /// Make a checkpoint when so many minutes have gone by [default: 5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    checkpoint_minutes: Option<f64>,
    /// Keep the last N checkpoints [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_checkpoints: Option<i64>,
}

impl KeepingFlags {
    /// The overrides that these flags stand for.
    pub fn overrides(&self) -> Overrides {
        let mut all = Overrides::default();
        all.put("log-every", self.log_every);
        all.put("tensorboard", self.tensorboard);
        all.put("checkpoint-every", self.checkpoint_every);
        all.put("checkpoint-minutes", self.checkpoint_minutes);
        all.put("keep-checkpoints", self.keep_checkpoints);
        all
    }
}
