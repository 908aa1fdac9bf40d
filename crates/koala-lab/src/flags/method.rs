//! Flags of the optimizer.

use clap::{ArgAction, Args};
use koala_train::optimizers::OptimizerSpec;

use super::Overrides;

/// Which optimizer, with which options.
#[derive(Args)]
#[command(next_help_heading = "Optimizer")]
pub struct MethodFlags {
    /// Optimizer [default: koala-a; koala-m for dcgan]
    #[arg(long, value_parser = OptimizerSpec::NAMES)]
    optimizer: Option<String>,
    /// koala-*: e, the gain multiplier that schedules move [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    gain: Option<f64>,
    /// All but koala-*: learning rate [default: 0.1 for sgd, 0.001 for adam, adamw and ngn-mdv1, 0.01 for momo-adam, 0.0025 for
    /// schedule-free-adamw, 1e-4 for lion, 0.02 for muon, 1 for the others]
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
    /// koala-*, prodigy: where the weight decay enters [default: coupled; decoupled for koala-a and prodigy]
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
    /// koala-a, koala-m: kappa, the decay of velocities [default: 0.9]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "kappa",
        allow_negative_numbers = true
    )]
    velocity_decay: Option<f64>,
    /// koala-a: Q_0, where the process noise that it finds starts [default: 0.07]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "q0",
        allow_negative_numbers = true
    )]
    initial_process_noise: Option<f64>,
    /// koala-a: the shape of the covariance, Adam's or none [default: diagonal]
    #[arg(long, value_parser = ["diagonal", "none"])]
    metric: Option<String>,
    /// koala-a: beta_2, the decay of the second moment of which the metric is made [default: 0.99]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    second_moment_smoothing: Option<f64>,
    /// koala-a: a_down, the rate at which Q falls [default: 0.1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    decline_rate: Option<f64>,
    /// koala-a: k_0, the steps after which both rates have halved [default: 30]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    rate_horizon: Option<f64>,
    /// koala-a: beta_rho, the decay of the correlation that moves Q [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    whiteness_smoothing: Option<f64>,
    /// koala-a: gamma, the least gradient that S believes in after a perfect fit, as a share of the largest [default: 0.4]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    gradient_floor: Option<f64>,
    /// koala-a: evaluate at the mean of the iterates [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    mean: Option<bool>,
    /// koala-a: eta, how fast the mean forgets [default: 8]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    mean_eta: Option<f64>,
    /// koala-m: q_v [default: 0.01]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "qv",
        allow_negative_numbers = true
    )]
    velocity_noise: Option<f64>,
    /// koala-m: let parameters without a gradient go on along their velocity [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    coast: Option<bool>,
    /// koala-m: how the position noise q_x is found [default: authors]
    #[arg(long, value_parser = ["authors", "paper", "fixed"])]
    position_noise: Option<String>,
    /// koala-m: the q_x that the authors' rule starts from, or the fixed one [default: 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    position_noise_initial: Option<f64>,
    /// koala-pp: solution of the covariance equation [default: symmetric]
    #[arg(long, value_parser = ["symmetric", "minimum-norm"])]
    variant: Option<String>,
    /// koala-*: how the measurement noise R is found [default: adaptive; bias-corrected for koala-a]
    #[arg(long, value_parser = ["adaptive", "bias-corrected", "fixed"])]
    measurement_noise: Option<String>,
    /// koala-*: R_0 of the adaptive R, or the fixed R [default: 1]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "r0",
        allow_negative_numbers = true
    )]
    measurement_noise_initial: Option<f64>,
    /// koala-*: beta_r of an R that adapts [default: 0.9]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "beta-r",
        allow_negative_numbers = true
    )]
    measurement_noise_smoothing: Option<f64>,
    /// koala-*: target of the loss, or its distance from the loss, or its share of the first loss [default: 0; 4 for dcgan]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    target: Option<f64>,
    /// koala-*: whether the target is a constant, follows the loss at a distance or is a share of the first loss [default: constant; offset for dcgan]
    #[arg(long, value_parser = ["constant", "offset", "relative"])]
    target_rule: Option<String>,
    /// koala-*: what a loss below its target does [default: clamp]
    #[arg(long, value_parser = ["clamp", "allow", "error"])]
    negative_residual: Option<String>,
    /// koala-*: blocks of the filter; of koala-a, by which it reports [default: per-tensor]
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
    /// sgd, momo, ngn-m, muon, schedule-free-sgd: momentum [default: 0.95 for muon, 0.9 for the others]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// sgd, muon: Nesterov's momentum [default: true for muon, false for sgd]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    nesterov: Option<bool>,
    /// *adam*, prodigy, ngn-mdv1, lion, muon, schedule-free-plus: decay of the first moment [default: 0.9]
    #[arg(
        long = "beta-1",
        alias = "beta1",
        value_name = "X",
        allow_negative_numbers = true
    )]
    beta_1: Option<f64>,
    /// *adam*, prodigy, ngn-mdv1, muon, schedule-free-plus: decay of the second moment; lion: of the momentum [default: 0.999; 0.95
    /// for muon and schedule-free-plus, 0.99 for lion]
    #[arg(
        long = "beta-2",
        alias = "beta2",
        value_name = "X",
        allow_negative_numbers = true
    )]
    beta_2: Option<f64>,
    /// *adam*, prodigy, ngn-mdv1, muon, schedule-free-plus, koala-a: keeps the quotient finite [default: 1e-10 for muon, 1e-8 for
    /// the others]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    epsilon: Option<f64>,
    /// sps-max, momo*: f*, a bound below the loss of a batch [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lower_bound: Option<f64>,
    /// momo*: estimate the bound below the loss, from the lower bound upwards
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    estimate_bound: Option<bool>,
    /// sps-max: c, what Polyak's step is divided by [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    scale: Option<f64>,
    /// momo, prodigy: correct averages for their start at 0
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    bias_correction: Option<bool>,
    /// prodigy: d_0, the first estimate of the distance [default: 1e-6]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "d0",
        allow_negative_numbers = true
    )]
    initial_distance: Option<f64>,
    /// prodigy: multiplies the estimate of the distance [default: 1]
    #[arg(
        long,
        value_name = "X",
        visible_alias = "d-coef",
        allow_negative_numbers = true
    )]
    distance_scale: Option<f64>,
    /// koala-a: a_up, the rate at which Q grows; prodigy: how many times larger the distance may become in a step [default: 0.25;
    /// inf for prodigy]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    growth_rate: Option<f64>,
    /// prodigy: leave the learning rate out of the estimate's denominator
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    safeguard_warmup: Option<bool>,
    /// schedule-free-*: r, the power of the step in its weight [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    step_power: Option<f64>,
    /// schedule-free-*: the power of the largest learning rate so far in a step's weight [default: 2]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    rate_power: Option<f64>,
    /// schedule-free-plus: beta, how far the weights that are trained are towards the average [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    interpolation: Option<f64>,
    /// schedule-free-plus: the beta that it ends with [default: 0.965]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    final_interpolation: Option<f64>,
    /// schedule-free-plus: steps from one beta to the other; 0 for the first one throughout [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    interpolation_steps: Option<i64>,
    /// schedule-free-plus: steps before the average begins [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    average_after: Option<i64>,
    /// schedule-free-plus: decay of the mean length of gradients [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    norm_smoothing: Option<f64>,
    /// muon: the learning rate of AdamW, which has all that is no hidden matrix, as a share of Muon's [default: 0.015]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    adamw_share: Option<f64>,
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
            ("initial-process-noise", self.initial_process_noise),
            ("second-moment-smoothing", self.second_moment_smoothing),
            ("decline-rate", self.decline_rate),
            ("rate-horizon", self.rate_horizon),
            ("whiteness-smoothing", self.whiteness_smoothing),
            ("gradient-floor", self.gradient_floor),
            ("mean-eta", self.mean_eta),
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
            ("lower-bound", self.lower_bound),
            ("scale", self.scale),
            ("initial-distance", self.initial_distance),
            ("distance-scale", self.distance_scale),
            ("growth-rate", self.growth_rate),
            ("step-power", self.step_power),
            ("rate-power", self.rate_power),
            ("interpolation", self.interpolation),
            ("final-interpolation", self.final_interpolation),
            ("norm-smoothing", self.norm_smoothing),
            ("adamw-share", self.adamw_share),
        ];
        for (key, number) in numbers {
            all.put(&format!("optimizer.{key}"), number);
        }
        let words = [
            ("decay-rule", &self.decay_rule),
            ("position-noise", &self.position_noise),
            ("variant", &self.variant),
            ("metric", &self.metric),
            ("measurement-noise", &self.measurement_noise),
            ("target-rule", &self.target_rule),
            ("negative-residual", &self.negative_residual),
            ("partition", &self.partition),
        ];
        for (key, word) in words {
            all.put(&format!("optimizer.{key}"), word.clone());
        }
        let choices = [
            ("nesterov", self.nesterov),
            ("coast", self.coast),
            ("mean", self.mean),
            ("estimate-bound", self.estimate_bound),
            ("bias-correction", self.bias_correction),
            ("safeguard-warmup", self.safeguard_warmup),
        ];
        for (key, choice) in choices {
            all.put(&format!("optimizer.{key}"), choice);
        }
        all.put("optimizer.interpolation-steps", self.interpolation_steps);
        all.put("optimizer.average-after", self.average_after);
        all.put("lookahead.lookahead-every", self.lookahead_every);
        all.put("lookahead.lookahead-share", self.lookahead_share);
        all
    }
}
