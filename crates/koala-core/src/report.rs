//! What a step did and why: the one record that logs, progress bars and reports read.

use serde::{Deserialize, Serialize};

/// Everything the filter knows of one update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Number of this update, from 0.
    pub step: u64,
    /// Whether the measurement was used.
    pub outcome: Outcome,
    /// L, the mean loss.
    pub loss: f64,
    /// M, the second moment of the per-sample losses about the target.
    pub second_moment: f64,
    /// T, the target.
    pub target: f64,
    /// e, the gain multiplier: gain times schedule, before the groups' own.
    pub gain: f64,
    /// R after this step.
    pub measurement_noise: f64,
    /// Q, as used in this step.
    pub process_noise: ProcessNoise,
    /// P after this step.
    pub covariance: Covariance,
    /// Index in `blocks` of the block with the largest |h|^2, which set the covariance.
    pub limiting_block: Option<usize>,
    /// |dx|: norm of the whole update, decoupled decay aside.
    pub update_norm: f64,
    /// |h| over all updated blocks.
    pub gradient_norm: f64,
    /// Factor by which the update was shortened to respect the bound on its norm; 1 if it was not.
    pub bound_factor: f64,
    /// Measurements missing in a row, this one included.
    pub missing_in_a_row: u32,
    /// Blocks, in the layout's order (one for the partition `Global`).
    pub blocks: Vec<BlockReport>,
}

impl StepReport {
    /// |dx| / |h|: one effective learning rate for the whole model (0 if nothing moved).
    pub fn effective_learning_rate(&self) -> f64 {
        if self.gradient_norm > 0.0 {
            self.update_norm / self.gradient_norm
        } else {
            0.0
        }
    }

    /// Number of blocks that were skipped.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, BlockOutcome::Skipped(_)))
    }

    /// Number of blocks whose residual was negative and clamped to 0.
    pub fn clamped(&self) -> usize {
        self.count(|outcome| outcome == BlockOutcome::Clamped)
    }

    fn count(&self, which: impl Fn(BlockOutcome) -> bool) -> usize {
        self.blocks
            .iter()
            .filter(|block| which(block.outcome))
            .count()
    }
}

/// What became of the measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was used.
    Measured,
    /// No block had a usable gradient: R was measured, P is as predicted.
    NoGradient,
    /// Loss, M or a norm was not finite: nothing but the prediction happened.
    Missing {
        /// What was not finite.
        cause: String,
    },
}

/// Q of the method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessNoise {
    /// q of KOALA-V, Q of KOALA++.
    Scalar(f64),
    /// q_x and q_v of KOALA-M.
    PositionVelocity {
        /// q_x.
        position: f64,
        /// q_v.
        velocity: f64,
    },
}

/// P of the method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// KOALA-V.
    Scalar(f64),
    /// KOALA-M, [[p11, p12], [p12, p22]] of position and velocity.
    Matrix {
        /// Variance of the position.
        p11: f64,
        /// Covariance of position and velocity.
        p12: f64,
        /// Variance of the velocity.
        p22: f64,
    },
    /// KOALA++ keeps products with the gradient instead, a vector a block.
    Product,
}

/// One block in one update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockReport {
    /// Name of the block: the parameter's, or `all`.
    pub name: String,
    /// What happened.
    pub outcome: BlockOutcome,
    /// |h_b|.
    pub gradient_norm: f64,
    /// T - L_b: target minus the block's loss, penalty included. After clamping.
    pub innovation: f64,
    /// S_b, the innovation's predicted variance.
    pub innovation_variance: f64,
    /// innovation^2 / S_b; near 1 on average if the filter is honest about its uncertainty.
    pub normalised_innovation_squared: f64,
    /// Norm of the block's Kalman gain vector (P |h| / S for V and M, |v + Q H| / S for ++).
    pub gain_norm: f64,
    /// Step along the gradient per unit of gradient: e (L_b - T) P / S for V and M; for ++ the projection of the
    /// step on h. Negative only where the policy allows the residual to be. With own gains in the block `all`: of gain e.
    pub effective_learning_rate: f64,
    /// |dx_b|.
    pub update_norm: f64,
}

/// What happened to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockOutcome {
    /// It was updated.
    Updated,
    /// It was updated with its negative residual clamped to 0.
    Clamped,
    /// It was updated after KOALA++ had restarted its covariance (also at the block's first step).
    Restarted,
    /// It was left alone.
    Skipped(SkipReason),
}

/// Why a block was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Its group is frozen.
    Frozen,
    /// It had no gradient.
    NoGradient,
    /// |g_b| < 1e-9.
    VanishingGradient,
    /// The whole measurement was missing.
    MissingMeasurement,
}
