//! The curves of steps, epochs and the filter as a whole.
//!
//! Structs are taken apart field by field, so that a new number cannot be forgotten here.

use koala_filter::{BlockOutcome, Covariance, Outcome, ProcessNoise, StepReport, Whiteness};

use super::blocks;
use super::scalar::Scalar;
use crate::training::{EpochEvent, EvaluationEvent, Figures, Misread, StepEvent};

/// The points of a step.
pub(super) fn step(event: &StepEvent) -> Vec<Scalar> {
    let StepEvent {
        step: _,
        epoch: _,
        loss,
        misread,
        gain,
        effective_learning_rate,
        seconds,
        filter,
    } = event;
    let mut points = vec![Scalar::new(
        "train/loss",
        *loss,
        "Mean loss of the batch before the step; a cross-entropy is in nats.",
    )];
    points.extend(misread.iter().flat_map(errors));
    points.extend([
        Scalar::new(
            "gain",
            *gain,
            "Gain of KOALA or learning rate of the others, the schedule's factor in it.",
        ),
        Scalar::new(
            "effective_learning_rate",
            *effective_learning_rate,
            "The learning rate with which plain gradient descent would have made a step as long.",
        ),
        Scalar::new("seconds", *seconds, "Seconds since the start."),
    ]);
    if let Some(report) = filter {
        self::filter(report, &mut points);
    }
    points
}

/// The shares of a batch that were misread.
fn errors(misread: &Misread) -> [Scalar; 2] {
    let Misread { error, top5_error } = misread;
    [
        Scalar::new(
            "train/error",
            *error,
            "Share of the batch that was misread before the step, in percent.",
        ),
        Scalar::new(
            "train/top5_error",
            *top5_error,
            "Share of the batch whose class was not among the five with the highest scores, in percent.",
        ),
    ]
}

/// The points of the filter as a whole and of each block.
pub(super) fn filter(report: &StepReport, points: &mut Vec<Scalar>) {
    whole(report, points);
    for block in &report.blocks {
        blocks::points(block, points);
    }
}

/// The points of an evaluation within an epoch.
pub(super) fn evaluation(event: &EvaluationEvent) -> Vec<Scalar> {
    let EvaluationEvent {
        step: _,
        epoch: _,
        judged,
        // The curve of the steps has them.
        seconds: _,
        training_seconds: _,
    } = event;
    figures("", judged)
}

/// The points of an epoch.
pub(super) fn epoch(event: &EpochEvent) -> Vec<Scalar> {
    let EpochEvent {
        epoch,
        step: _,
        train,
        judged,
        seconds: _,
        training_seconds: _,
    } = event;
    let mut points = vec![Scalar::new("epoch", *epoch as f64, "Epochs done.")];
    points.extend(figures("epoch_", train));
    points.extend(figures("", judged));
    points
}

/// The numbers of an evaluation. Those of training batches, met while the network was changing, have another name than
/// those of single batches.
fn figures(prefix: &str, figures: &Figures) -> Vec<Scalar> {
    let samples = figures.samples.name();
    let point = |(name, value): (&'static str, f64)| {
        let about = match name {
            "loss" => "Mean loss of the samples; a cross-entropy is in nats.",
            "error" => "Share of the samples that was misread, in percent.",
            "top5_error" => {
                "Share of the samples whose class was not among the five with the highest scores, in percent."
            }
            "root" => "Root of the mean squared error.",
            _ => "exp of the mean loss.",
        };
        Scalar::new(format!("{samples}/{prefix}{name}"), value, about)
    };
    figures.numbers().into_iter().map(point).collect()
}

/// The points of the filter as a whole.
fn whole(report: &StepReport, points: &mut Vec<Scalar>) {
    let StepReport {
        step: _,
        outcome,
        loss,
        second_moment,
        target,
        gain,
        measurement_noise,
        process_noise,
        covariance,
        limiting_block,
        update_norm,
        gradient_norm,
        bound_factor,
        missing_in_a_row,
        blocks,
        whiteness,
    } = report;
    let mut add = |tag: &'static str, value, about| points.push(Scalar::new(tag, value, about));
    let outcome = match outcome {
        Outcome::Measured => 0.0,
        Outcome::NoGradient => 1.0,
        Outcome::Missing { .. } => 2.0,
    };
    add(
        "filter/outcome",
        outcome,
        "What became of the measurement. 0: used; 1: no block had a usable gradient; 2: missing, since the loss or a \
         norm was not finite.",
    );
    add("filter/loss", *loss, "L, the mean loss.");
    add(
        "filter/second_moment",
        *second_moment,
        "M, the second moment of the per-sample losses about the target.",
    );
    add("filter/target", *target, "T, the target.");
    add(
        "filter/gain",
        *gain,
        "e, gain times schedule, before the groups' own.",
    );
    add(
        "filter/measurement_noise",
        *measurement_noise,
        "R after the step.",
    );
    match process_noise {
        ProcessNoise::Scalar(q) => add(
            "filter/process_noise",
            *q,
            "Q, as used in the step; KOALA-A's after it.",
        ),
        ProcessNoise::PositionVelocity { position, velocity } => {
            add(
                "filter/process_noise/position",
                *position,
                "q_x, as used in the step.",
            );
            add(
                "filter/process_noise/velocity",
                *velocity,
                "q_v, as used in the step.",
            );
        }
    }
    match covariance {
        Covariance::Scalar(p) => add("filter/covariance", *p, "P after the step."),
        Covariance::Matrix { p11, p12, p22 } => {
            add(
                "filter/covariance/p11",
                *p11,
                "Variance of the position after the step.",
            );
            add(
                "filter/covariance/p12",
                *p12,
                "Covariance of position and velocity after the step.",
            );
            add(
                "filter/covariance/p22",
                *p22,
                "Variance of the velocity after the step.",
            );
        }
        // A vector a block, of which the blocks' own numbers tell.
        Covariance::Product => {}
    }
    if let Some(Whiteness {
        gradient_squared,
        correlation,
        smoothed_correlation: _,
        corrected_correlation,
    }) = *whiteness
    {
        add(
            "filter/whiteness/gradient_squared",
            gradient_squared,
            "G, the gradient squared in the metric.",
        );
        add(
            "filter/whiteness/correlation",
            correlation,
            "rho of this step: above 0 the gradient still points along the velocity, and Q grows; below, it falls.",
        );
        add(
            "filter/whiteness/corrected_correlation",
            corrected_correlation,
            "The running mean of rho, corrected for its start: what moves Q.",
        );
    }
    if let Some(index) = *limiting_block {
        add(
            "filter/limiting_block/index",
            index as f64,
            "The block with the largest gradient, which set P: its number in the text `filter/blocks`.",
        );
        if let Some(block) = blocks.get(index) {
            add(
                "filter/limiting_block/innovation",
                block.innovation,
                "T - L of the block with the largest gradient.",
            );
            add(
                "filter/limiting_block/innovation_variance",
                block.innovation_variance,
                "S of the block with the largest gradient.",
            );
            add(
                "filter/limiting_block/normalised_innovation_squared",
                block.normalised_innovation_squared,
                "innovation^2 / S of the block with the largest gradient; near 1 on average if the filter is honest about \
                 its uncertainty.",
            );
        }
    }
    add(
        "filter/update_norm",
        *update_norm,
        "Norm of the whole update, decoupled decay aside.",
    );
    add(
        "filter/gradient_norm",
        *gradient_norm,
        "Norm of the gradient over all updated blocks.",
    );
    add(
        "filter/bound_factor",
        *bound_factor,
        "Factor by which the update was shortened to respect the bound on its norm; 1 if it was not.",
    );
    add(
        "filter/missing_in_a_row",
        f64::from(*missing_in_a_row),
        "Measurements missing in a row, this one included.",
    );
    let restarted = blocks
        .iter()
        .filter(|block| block.outcome == BlockOutcome::Restarted);
    add(
        "filter/skipped_blocks",
        report.skipped() as f64,
        "Blocks that were left alone.",
    );
    add(
        "filter/clamped_blocks",
        report.clamped() as f64,
        "Blocks whose residual was negative and set to 0.",
    );
    add(
        "filter/restarted_blocks",
        restarted.count() as f64,
        "Blocks of which KOALA++ restarted the covariance.",
    );
}
