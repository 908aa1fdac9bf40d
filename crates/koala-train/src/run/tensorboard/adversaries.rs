//! The curves of adversarial training.
//!
//! Structs are taken apart field by field, so that a new number cannot be forgotten here.

use super::scalar::Scalar;
use super::scalars::filter;
use crate::gan::{
    FoundDistance, GanEpochEvent, GanEvaluationEvent, GanLosses, GanStepEvent, NetworkStep,
};

/// The names of both networks, before their curves.
pub(super) const NETWORKS: [&str; 2] = ["critic", "generator"];

/// The points of a step.
pub(super) fn step(event: &GanStepEvent) -> Vec<Scalar> {
    let GanStepEvent {
        step: _,
        epoch: _,
        critic,
        generator,
        wasserstein,
        penalty,
        seconds,
    } = event;
    let mut points = vec![
        Scalar::new("critic/wasserstein", *wasserstein, WASSERSTEIN),
        Scalar::new("critic/penalty", *penalty, PENALTY),
        Scalar::new("seconds", *seconds, "Seconds since the start."),
    ];
    for (name, network) in NETWORKS.into_iter().zip([critic, generator]) {
        let own = self::network(network).into_iter().map(|point| Scalar {
            tag: format!("{name}/{}", point.tag).into(),
            ..point
        });
        points.extend(own);
    }
    points
}

const WASSERSTEIN: &str = "The critic's mean score of real images minus that of made ones.";
const PENALTY: &str =
    "Mean of (norm of the critic's gradient at mixed images - 1)^2, without its weight.";

fn network(step: &NetworkStep) -> Vec<Scalar> {
    let NetworkStep {
        loss,
        gain,
        effective_learning_rate,
        filter: report,
    } = step;
    let mut points = vec![
        Scalar::new("loss", *loss, "Mean loss before the update."),
        Scalar::new(
            "gain",
            *gain,
            "Gain of KOALA or learning rate of the others, the schedule's factor in it.",
        ),
        Scalar::new(
            "effective_learning_rate",
            *effective_learning_rate,
            "The learning rate with which plain gradient descent would have made an update as long.",
        ),
    ];
    if let Some(report) = report {
        filter(report, &mut points);
    }
    points
}

/// The points of an evaluation within an epoch.
pub(super) fn evaluation(event: &GanEvaluationEvent) -> Vec<Scalar> {
    let GanEvaluationEvent {
        step: _,
        epoch: _,
        judged,
        // The curve of the steps has them.
        seconds: _,
    } = event;
    distances(judged)
}

/// The points of an epoch.
pub(super) fn epoch(event: &GanEpochEvent) -> Vec<Scalar> {
    let GanEpochEvent {
        epoch,
        step: _,
        train,
        judged,
        seconds: _,
    } = event;
    let GanLosses {
        critic_loss,
        generator_loss,
        wasserstein,
        penalty,
    } = train;
    const LOSS: &str = "Mean loss over the steps of the epoch, as they were met.";
    let mut points = vec![
        Scalar::new("epoch", *epoch as f64, "Epochs done."),
        Scalar::new("critic/epoch_loss", *critic_loss, LOSS),
        Scalar::new("generator/epoch_loss", *generator_loss, LOSS),
        Scalar::new("critic/epoch_wasserstein", *wasserstein, WASSERSTEIN),
        Scalar::new("critic/epoch_penalty", *penalty, PENALTY),
    ];
    points.extend(distances(judged));
    points
}

fn distances(found: &FoundDistance) -> Vec<Scalar> {
    const ABOUT: &str = "Sliced Wasserstein distance of patches between made and real images, in standard deviations.";
    let samples = found.samples.name();
    let Some(distance) = &found.distance else {
        return Vec::new();
    };
    let mut points = vec![Scalar::new(
        format!("distance/{samples}"),
        distance.mean,
        ABOUT,
    )];
    points.extend(distance.levels.iter().map(|level| {
        let tag = format!("distance/{samples}_{}x{}", level.height, level.width);
        Scalar::new(tag, level.distance, ABOUT)
    }));
    points
}
