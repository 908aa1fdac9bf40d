//! What is drawn against steps.

use koala_report::{Evaluated, Log, Scores};

use super::filter;

/// Weight of the past in smoothed losses.
const SMOOTHING: f64 = 0.9;

/// Curves that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: &'static str,
    /// Whether its values may be shown logarithmically.
    pub logarithmic: bool,
    /// Its curves; those without a point are left out.
    pub curves: Vec<Curve>,
    /// What is said if there are none.
    pub empty: &'static str,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub name: &'static str,
    /// What it is drawn with; nothing for a fine line.
    pub mark: Option<char>,
    /// (steps, value), all of them finite.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve without what is not finite.
    pub fn new(
        name: &'static str,
        mark: Option<char>,
        points: impl Iterator<Item = (u64, f64)>,
    ) -> Self {
        Self {
            name,
            mark,
            points: points
                .filter(|(_, value)| value.is_finite())
                .map(|(step, value)| (step as f64, value))
                .collect(),
        }
    }
}

impl Panel {
    /// A panel of the curves that have points.
    pub fn new(title: &'static str, empty: &'static str, curves: Vec<Curve>) -> Self {
        Self {
            title,
            logarithmic: true,
            curves: curves
                .into_iter()
                .filter(|curve| !curve.points.is_empty())
                .collect(),
            empty,
        }
    }

    /// All panels of a run.
    pub fn all(log: &Log) -> Vec<Self> {
        if log.adversarial.is_empty() && log.distances.is_empty() {
            let mut panels = vec![losses(log), errors(log)];
            panels.extend(filter::panels(log));
            panels
        } else {
            adversarial(log)
        }
    }
}

/// Values smoothed exponentially; what is not finite is left out.
pub fn smoothed(points: impl Iterator<Item = (u64, f64)>) -> impl Iterator<Item = (u64, f64)> {
    let mut mean = None;
    points
        .filter(|(_, value)| value.is_finite())
        .map(move |(step, value)| {
            let now = mean.map_or(value, |old: f64| {
                SMOOTHING * old + (1.0 - SMOOTHING) * value
            });
            mean = Some(now);
            (step, now)
        })
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
    Panel::new(
        "Loss (nats)",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_leaves_out_what_is_not_finite() {
        let points = [(0, f64::NAN), (1, 2.0), (2, f64::INFINITY), (3, 1.0)];
        let smooth: Vec<(u64, f64)> = smoothed(points.into_iter()).collect();
        assert_eq!(smooth, [(1, 2.0), (3, 0.9 * 2.0 + (1.0 - 0.9) * 1.0)]);
    }
}
