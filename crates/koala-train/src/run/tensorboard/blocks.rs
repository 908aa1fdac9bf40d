//! The curves of the filter's blocks, and charts that show all blocks at once.

use koala_filter::{BlockOutcome, BlockReport, SkipReason, StepReport};
use prost::Message;

use super::proto::{Category, Chart, Layout, Lines, Value};
use super::scalar::Scalar;
use super::text::literal;

/// The numbers of an updated block: name, title of the chart, and what they are.
const NUMBERS: [(&str, &str, &str); 7] = [
    (
        "effective_learning_rate",
        "effective learning rate",
        "Step along the gradient per unit of gradient.",
    ),
    (
        "normalised_innovation_squared",
        "normalised innovation squared",
        "innovation^2 / S; near 1 on average if the filter is honest about its uncertainty.",
    ),
    (
        "innovation",
        "innovation",
        "T - L: target minus the block's loss, penalty included, after clamping.",
    ),
    (
        "innovation_variance",
        "S, the innovation's variance",
        "S, the innovation's predicted variance.",
    ),
    (
        "gradient_norm",
        "norm of the gradient",
        "Norm of the gradient.",
    ),
    (
        "gain_norm",
        "norm of the Kalman gain",
        "Norm of the Kalman gain.",
    ),
    ("update_norm", "norm of the update", "Norm of the update."),
];

/// The points of a block. One that was left alone has no numbers, only the reason.
pub(super) fn points(report: &BlockReport, points: &mut Vec<Scalar>) {
    let BlockReport {
        name,
        outcome,
        gradient_norm,
        innovation,
        innovation_variance,
        normalised_innovation_squared,
        gain_norm,
        effective_learning_rate,
        update_norm,
        metric,
    } = report;
    points.push(Scalar::new(
        format!("blocks/{name}/outcome"),
        code(*outcome),
        "What happened to the block. 0: updated; 1: negative residual set to 0; 2: updated after KOALA++ restarted its \
         covariance. Left alone: 3, frozen; 4, no gradient; 5, vanishing gradient; 6, missing measurement.",
    ));
    if matches!(outcome, BlockOutcome::Skipped(_)) {
        return;
    }
    // In the order of `NUMBERS`.
    let values = [
        effective_learning_rate,
        normalised_innovation_squared,
        innovation,
        innovation_variance,
        gradient_norm,
        gain_norm,
        update_norm,
    ];
    points.extend(
        NUMBERS
            .iter()
            .zip(values)
            .map(|((number, _, about), value)| {
                Scalar::new(format!("blocks/{name}/{number}"), *value, about)
            }),
    );
    points.extend(metric.map(|metric| {
        Scalar::new(
            format!("blocks/{name}/metric"),
            metric,
            "Mean of KOALA-A's metric over the block, weighted by the second moments; 1 over the whole model.",
        )
    }));
}

fn code(outcome: BlockOutcome) -> f64 {
    match outcome {
        BlockOutcome::Updated => 0.0,
        BlockOutcome::Clamped => 1.0,
        BlockOutcome::Restarted => 2.0,
        BlockOutcome::Skipped(SkipReason::Frozen) => 3.0,
        BlockOutcome::Skipped(SkipReason::NoGradient) => 4.0,
        BlockOutcome::Skipped(SkipReason::VanishingGradient) => 5.0,
        BlockOutcome::Skipped(SkipReason::MissingMeasurement) => 6.0,
    }
}

/// The blocks with their numbers, as a text; `prefix` stands before its name.
pub(super) fn list(prefix: &str, report: &StepReport) -> Value {
    let lines: Vec<String> = report
        .blocks
        .iter()
        .enumerate()
        .map(|(index, block)| format!("{index:4}  {}", block.name))
        .collect();
    literal(&format!("{prefix}filter/blocks"), &lines.join("\n"))
}

/// A chart a number with all blocks in it, for the dashboard of custom scalars; for each of the prefixes that stand before
/// the blocks' curves.
pub(super) fn charts(prefixes: &[&str]) -> Value {
    let category = |prefix: &&str| Category {
        title: format!("{prefix}blocks"),
        charts: NUMBERS
            .iter()
            .map(|(number, title, _)| Chart {
                title: (*title).to_owned(),
                lines: Some(Lines {
                    tags: vec![format!("{prefix}blocks/.*/{number}$")],
                }),
            })
            .collect(),
    };
    let layout = Layout {
        categories: prefixes.iter().map(category).collect(),
    };
    Value::string(
        "custom_scalars__config__",
        "custom_scalars",
        layout.encode_to_vec(),
    )
}
