//! What a step did and why: the one record that logs, progress bars and reports read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::number;

/// Everything the filter knows of one update. JSON has no numbers that are not finite: there they are written as `null` and
/// come back as NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Number of this update, from 0.
    pub step: u64,
    /// Whether the measurement was used.
    pub outcome: Outcome,
    /// L, the mean loss.
    #[serde(deserialize_with = "number::or_nan")]
    pub loss: f64,
    /// M, the second moment of the per-sample losses about the target.
    #[serde(deserialize_with = "number::or_nan")]
    pub second_moment: f64,
    /// T, the target.
    #[serde(deserialize_with = "number::or_nan")]
    pub target: f64,
    /// e, the gain multiplier: gain times schedule, before the groups' own.
    #[serde(deserialize_with = "number::or_nan")]
    pub gain: f64,
    /// R after this step.
    #[serde(deserialize_with = "number::or_nan")]
    pub measurement_noise: f64,
    /// Q, as used in this step; KOALA-A's after it.
    pub process_noise: ProcessNoise,
    /// P after this step.
    pub covariance: Covariance,
    /// Index in `blocks` of the block with the largest |h|^2, which set the covariance; `None` where the whole model did.
    pub limiting_block: Option<usize>,
    /// |dx|: norm of the whole update, decoupled decay aside.
    #[serde(deserialize_with = "number::or_nan")]
    pub update_norm: f64,
    /// |h| over all updated blocks.
    #[serde(deserialize_with = "number::or_nan")]
    pub gradient_norm: f64,
    /// Factor by which the update was shortened to respect the bound on its norm; 1 if it was not.
    #[serde(deserialize_with = "number::or_nan")]
    pub bound_factor: f64,
    /// Measurements missing in a row, this one included.
    pub missing_in_a_row: u32,
    /// Blocks, in the layout's order (one for the partition `Global`).
    pub blocks: Vec<BlockReport>,
    /// What KOALA-A's whiteness test said; `None` for the other methods, and where the measurement is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whiteness: Option<Whiteness>,
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
    /// q of KOALA-V, Q of KOALA++ and KOALA-A.
    Scalar(#[serde(deserialize_with = "number::or_nan")] f64),
    /// q_x and q_v of KOALA-M.
    PositionVelocity {
        /// q_x.
        #[serde(deserialize_with = "number::or_nan")]
        position: f64,
        /// q_v.
        #[serde(deserialize_with = "number::or_nan")]
        velocity: f64,
    },
}

/// KOALA-A's test of whether its innovations are white, by which it finds Q.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whiteness {
    /// G = h . A h: the gradient, squared in the metric.
    #[serde(deserialize_with = "number::or_nan")]
    pub gradient_squared: f64,
    /// ρ in [-1, 1], of this step: above 0 the gradient still points along the velocity, the filter moves too little; below,
    /// too much. 0 in the first step and where there is no gradient or no velocity.
    #[serde(deserialize_with = "number::or_nan")]
    pub correlation: f64,
    /// ρ', its running mean from 0.
    #[serde(deserialize_with = "number::or_nan")]
    pub smoothed_correlation: f64,
    /// ρ̂, the running mean corrected for its start: what moves Q.
    #[serde(deserialize_with = "number::or_nan")]
    pub corrected_correlation: f64,
}

/// P of the method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// KOALA-V.
    Scalar(#[serde(deserialize_with = "number::or_nan")] f64),
    /// KOALA-M and KOALA-A, [[p11, p12], [p12, p22]] of position and velocity.
    Matrix {
        /// Variance of the position.
        #[serde(deserialize_with = "number::or_nan")]
        p11: f64,
        /// Covariance of position and velocity.
        #[serde(deserialize_with = "number::or_nan")]
        p12: f64,
        /// Variance of the velocity.
        #[serde(deserialize_with = "number::or_nan")]
        p22: f64,
    },
    /// KOALA++ keeps products with the gradient instead, a vector a block.
    Product,
}

/// One block in one update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockReport {
    /// Name of the block: the parameter's, or `all`.
    pub name: Arc<str>,
    /// What happened.
    pub outcome: BlockOutcome,
    /// |h_b|.
    #[serde(deserialize_with = "number::or_nan")]
    pub gradient_norm: f64,
    /// T - L_b: target minus the block's loss, penalty included. After clamping.
    #[serde(deserialize_with = "number::or_nan")]
    pub innovation: f64,
    /// S_b, the innovation's predicted variance.
    #[serde(deserialize_with = "number::or_nan")]
    pub innovation_variance: f64,
    /// innovation^2 / S_b; near 1 on average if the filter is honest about its uncertainty.
    #[serde(deserialize_with = "number::or_nan")]
    pub normalised_innovation_squared: f64,
    /// Norm of the block's Kalman gain vector (P |h| / S for V and M, |v + Q H| / S for ++, p11 |A h| / S for A).
    #[serde(deserialize_with = "number::or_nan")]
    pub gain_norm: f64,
    /// Step along the gradient per unit of gradient: e (L_b - T) P / S for V and M; for ++ the projection of the
    /// step on h. Negative only where the policy allows the residual to be. With own gains in the block `all`: of gain e.
    #[serde(deserialize_with = "number::or_nan")]
    pub effective_learning_rate: f64,
    /// |dx_b|.
    #[serde(deserialize_with = "number::or_nan")]
    pub update_norm: f64,
    /// Mean of KOALA-A's metric over the block, weighted by the second moments; over the whole model it is 1. `None` for
    /// the other methods, and without a diagonal metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<f64>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_not_finite_come_back_from_json() {
        let block = BlockReport {
            name: "w".into(),
            outcome: BlockOutcome::Skipped(SkipReason::MissingMeasurement),
            gradient_norm: f64::INFINITY,
            innovation: f64::NAN,
            innovation_variance: 1.0,
            normalised_innovation_squared: f64::NAN,
            gain_norm: 0.0,
            effective_learning_rate: 0.0,
            update_norm: 0.0,
            metric: None,
        };
        let report = StepReport {
            step: 3,
            outcome: Outcome::Missing {
                cause: "loss".to_owned(),
            },
            loss: f64::NAN,
            second_moment: f64::INFINITY,
            target: 0.0,
            gain: 1.0,
            measurement_noise: 2.5,
            process_noise: ProcessNoise::Scalar(f64::NAN),
            covariance: Covariance::Matrix {
                p11: 0.5,
                p12: f64::NAN,
                p22: 0.25,
            },
            limiting_block: None,
            update_norm: 0.0,
            gradient_norm: f64::NAN,
            bound_factor: 1.0,
            missing_in_a_row: 1,
            blocks: vec![block],
            whiteness: None,
        };
        let text = serde_json::to_string(&report).unwrap();
        let found: StepReport = serde_json::from_str(&text).unwrap();
        assert!(found.loss.is_nan() && found.second_moment.is_nan());
        assert_eq!(found.measurement_noise, 2.5);
        assert!(matches!(found.process_noise, ProcessNoise::Scalar(q) if q.is_nan()));
        // Written again it is the same text: nothing but the kind of what is not finite was lost.
        assert_eq!(serde_json::to_string(&found).unwrap(), text);
    }
}
