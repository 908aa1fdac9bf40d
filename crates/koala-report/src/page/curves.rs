//! What the runs of a workload went through.

use std::path::Path;

use super::chart::{Chart, Drawings, Join, Line, Palette, Series, View, choose, spans};
use super::clock::Clock;
use super::figures::{Figure, ends};
use super::numbers::{Short, short};
use super::resample::{Band, Point, at, band, grid};
use crate::{Arm, ArmKind, Detail, Finding, Measure, Run, WorkloadComparison};

/// Places of a curve. Two axes, two measures and three numbers a place: a few kilobytes an arm.
const PLACES: usize = 160;

/// Reports of the filter that are shown.
const REPORTS: usize = 120;

/// An arm with its runs, as far as they can be read; those that cannot are among the comparison's warnings.
#[derive(Debug)]
pub(super) struct Told {
    /// What it is called.
    pub(super) name: String,
    pub(super) series: Series,
    /// Its mean result on test samples.
    test: Option<f64>,
    pub(super) runs: Vec<Run>,
    /// Whether an arm before it has the same runs: tuning kept the defaults.
    pub(super) again: bool,
}

impl Told {
    /// Whether it is that arm.
    pub(super) fn is(&self, arm: &Arm) -> bool {
        self.series.name == arm.optimizer && self.series.kind == Some(arm.kind)
    }

    pub(super) fn all(workload: &WorkloadComparison, root: &Path, palette: &Palette) -> Vec<Self> {
        let arms = workload.arms.iter();
        arms.map(|arm| {
            let name = name(workload, &arm.optimizer, arm.kind);
            let mut runs: Vec<Run> = Vec::new();
            for measured in &arm.runs {
                // One run's filter is shown: the first that has one.
                let detail = match runs.iter().all(|run| run.log.filter.is_empty()) {
                    true => Detail::Filter(REPORTS),
                    false => Detail::Curves,
                };
                runs.extend(
                    Run::find(&root.join(&measured.folder), detail)
                        .ok()
                        .flatten(),
                );
            }
            Self {
                name,
                series: Series {
                    kind: Some(arm.kind),
                    ..palette.series(arm.optimizer.clone(), &arm.optimizer)
                },
                test: arm.test.mean,
                runs,
                again: workload.gains.iter().any(|gain| {
                    arm.kind == ArmKind::Tuned
                        && gain.first == arm.optimizer
                        && gain.finding == Finding::Same
                }),
            }
        })
        .collect()
    }
}

/// What an arm is called; its kind is told only where there are two.
pub(super) fn name(workload: &WorkloadComparison, optimizer: &str, kind: ArmKind) -> String {
    let tuned = |arm: &Arm| arm.kind == ArmKind::Tuned;
    match workload.arms.iter().any(tuned) {
        true => format!("{optimizer}, {}", kind.name()),
        false => optimizer.to_owned(),
    }
}

/// Held-out samples, and the loss of training, as far as there is any.
pub(super) fn of(
    workload: &WorkloadComparison,
    arms: &[Told],
    drawings: &mut Drawings,
) -> Vec<Figure> {
    let measure = workload.measure;
    let target = workload
        .target
        .map(|target| (Short(target.value), "target".to_owned()));
    let validation = |run: &Run, clock: Option<&Clock>| evaluated(run, measure, clock);
    let training = |run: &Run, clock: Option<&Clock>| {
        points(run.log.steps.iter().map(|point| {
            let step = point.step as f64;
            (
                clock.map_or(step, |clock| clock.at(step, point.seconds)),
                point.loss,
            )
        }))
    };
    let figures = [
        figure(
            Wanted {
                caption: format!("Held-out samples: {}", measure.noun()),
                y: format!("validation {} ({})", measure.noun(), measure.unit()),
                reference: target,
            },
            arms,
            validation,
            drawings,
        ),
        figure(
            Wanted {
                caption: "Training: loss of batches".to_owned(),
                y: format!("training loss ({})", measure.loss_unit()),
                reference: None,
            },
            arms,
            training,
            drawings,
        ),
    ];
    figures.into_iter().flatten().collect()
}

/// Held-out samples by steps: the same places for all arms, and each one's band there.
pub(super) fn validation(measure: Measure, arms: &[&Told]) -> (Vec<f64>, Vec<Band>) {
    let run = |run: &Run| evaluated(run, measure, None);
    let arm = |told: &&Told| {
        let runs = told.runs.iter().map(run);
        runs.filter(|run| !run.is_empty()).collect()
    };
    let all: Vec<Vec<Vec<Point>>> = arms.iter().map(arm).collect();
    bands(&all)
}

/// What evaluations found, by steps or by a clock.
fn evaluated(run: &Run, measure: Measure, clock: Option<&Clock>) -> Vec<Point> {
    let evaluations = run.log.evaluations.iter();
    points(evaluations.filter_map(|evaluated| {
        let value = evaluated.judged()?.of(measure).unwrap_or(f64::NAN);
        let step = evaluated.step as f64;
        let log = evaluated.trained_seconds().unwrap_or(f64::NAN);
        Some((clock.map_or(step, |clock| clock.at(step, log)), value))
    }))
}

struct Wanted {
    caption: String,
    y: String,
    reference: Option<(Short, String)>,
}

/// Nothing if no run has told anything.
fn figure(
    wanted: Wanted,
    arms: &[Told],
    read: impl Fn(&Run, Option<&Clock>) -> Vec<Point>,
    drawings: &mut Drawings,
) -> Option<Figure> {
    let by = |seconds: bool| -> Vec<Vec<Vec<Point>>> {
        let run = |run: &Run| read(run, seconds.then(|| Clock::of(run)).as_ref());
        let arm = |told: &Told| {
            told.runs
                .iter()
                .map(run)
                .filter(|run| !run.is_empty())
                .collect()
        };
        arms.iter().map(arm).collect()
    };
    let (xs, steps) = bands(&by(false));
    if xs.is_empty() {
        return None;
    }
    let (seconds, timed) = bands(&by(true));
    let description = ends(
        arms.iter()
            .zip(&steps)
            .map(|(told, band)| (told.name.as_str(), band.middle.as_slice())),
    );
    let mut series: Vec<Series> = arms.iter().map(|told| told.series.clone()).collect();
    choose(&mut series, |at| arms[at].test.unwrap_or(f64::INFINITY));
    let number = drawings.chart(Chart {
        y: wanted.y,
        log: spans(steps.iter().flat_map(|band| band.middle.iter().copied())),
        log_x: false,
        join: Join::Lines,
        reference: wanted.reference,
        series,
        views: vec![
            view("steps", &xs, steps),
            view("seconds of training", &seconds, timed),
        ],
    });
    Some(Figure {
        number,
        caption: wanted.caption,
        description,
    })
}

fn points(told: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut points: Vec<Point> = told.filter(|point| point.0.is_finite()).collect();
    // A run that was resumed may have gone back.
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points
}

/// The same places for all arms, and each arm's band there.
fn bands(arms: &[Vec<Vec<Point>>]) -> (Vec<f64>, Vec<Band>) {
    let places = grid(&arms.concat(), PLACES);
    let arm = |runs: &Vec<Vec<Point>>| {
        let runs: Vec<Vec<f64>> = runs.iter().map(|run| at(run, &places)).collect();
        band(&runs, places.len())
    };
    let bands = arms.iter().map(arm).collect();
    (places, bands)
}

fn view(x: &str, xs: &[f64], bands: Vec<Band>) -> View {
    View {
        x: x.to_owned(),
        xs: short(xs),
        lines: bands.iter().map(line).collect(),
    }
}

/// A band as it is drawn.
pub(super) fn line(band: &Band) -> Line {
    Line {
        middle: short(&band.middle),
        low: short(&band.low),
        high: short(&band.high),
    }
}
