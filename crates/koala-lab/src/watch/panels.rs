//! The panels of a run: what is drawn against its steps.

use koala_report::{Evaluated, Log, Scores, Start};

use super::curves::{Curve, Panel, smoothed};
use super::filter;

/// All panels of a run.
pub fn all(log: &Log) -> Vec<Panel> {
    if log.adversarial.is_empty() && log.distances.is_empty() {
        let mut panels = vec![losses(log)];
        // What has no classes has no error, and no empty panel of it.
        if !log.start.as_ref().is_some_and(Start::is_without_classes) {
            panels.push(errors(log));
        }
        panels.extend(filter::panels(log));
        panels
    } else {
        adversarial(log)
    }
}

/// The loss of batches.
pub fn training(log: &Log) -> impl Iterator<Item = (u64, f64)> {
    log.steps.iter().map(|point| (point.step, point.loss))
}

type Part = fn(&Evaluated) -> Option<Scores>;

fn evaluated(log: &Log, part: Part, value: fn(Scores) -> f64) -> impl Iterator<Item = (u64, f64)> {
    let found = log.evaluations.iter();
    found.filter_map(move |evaluated| Some((evaluated.step, part(evaluated).map(value)?)))
}

const HELD_OUT: Part = |evaluated| evaluated.figures.validation;
const TEST: Part = |evaluated| evaluated.figures.test;

fn losses(log: &Log) -> Panel {
    let loss = |scores: Scores| scores.loss;
    let squared = log.start.as_ref().is_some_and(Start::is_of_squared_errors);
    Panel::new(
        match squared {
            true => "Squared error",
            false => "Loss (nats)",
        },
        "no step has been told yet",
        vec![
            Curve::new("training", None, smoothed(training(log))),
            Curve::new("held-out", Some('o'), evaluated(log, HELD_OUT, loss)),
            Curve::new("test", Some('+'), evaluated(log, TEST, loss)),
        ],
    )
}

fn errors(log: &Log) -> Panel {
    let error = |scores: Scores| scores.error;
    Panel::new(
        "Error (%)",
        "nothing has been evaluated yet",
        vec![
            Curve::new(
                "training",
                Some('.'),
                evaluated(log, |found| found.figures.train, error),
            ),
            Curve::new("held-out", Some('o'), evaluated(log, HELD_OUT, error)),
            Curve::new("test", Some('+'), evaluated(log, TEST, error)),
        ],
    )
}

fn adversarial(log: &Log) -> Vec<Panel> {
    let steps = || log.adversarial.iter();
    let empty = "no step has been told yet";
    let mut panels = vec![
        Panel::new(
            "Losses",
            empty,
            vec![
                Curve::new(
                    "critic",
                    Some('c'),
                    smoothed(steps().map(|point| (point.step, point.critic.loss))),
                ),
                Curve::new(
                    "generator",
                    Some('g'),
                    smoothed(steps().map(|point| (point.step, point.generator.loss))),
                ),
            ],
        ),
        Panel::new(
            "Wasserstein estimate",
            empty,
            vec![Curve::new(
                "smoothed",
                None,
                smoothed(steps().map(|point| (point.step, point.wasserstein))),
            )],
        ),
        Panel::new(
            "Distance from real images",
            "nothing has been evaluated yet",
            vec![Curve::new(
                "sliced",
                Some('o'),
                log.distances.iter().copied(),
            )],
        ),
        Panel::new(
            "Effective learning rate",
            empty,
            vec![
                Curve::new(
                    "critic",
                    Some('c'),
                    steps().map(|point| (point.step, point.critic.effective_learning_rate)),
                ),
                Curve::new(
                    "generator",
                    Some('g'),
                    steps().map(|point| (point.step, point.generator.effective_learning_rate)),
                ),
            ],
        ),
    ];
    // Neither has a sign.
    for panel in &mut panels[..2] {
        panel.logarithmic = false;
    }
    panels
}
