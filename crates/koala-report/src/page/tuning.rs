//! How much hyperparameters matter: sensitivity curves, and the trials of tuning.

use super::chart::{Chart, Drawings, Join, Line, Palette, Series, View, choose};
use super::figures::{Figure, ends};
use super::numbers::{NOTHING, short};
use super::tables::values;
use crate::{Sweep, Trial, WorkloadComparison};

/// Sensitivity: each hyperparameter as a multiple of its default, so that all share an axis. Nothing if nothing was swept.
pub(super) fn sensitivity(
    workload: &WorkloadComparison,
    palette: &Palette,
    drawings: &mut Drawings,
) -> Option<Figure> {
    let usable: Vec<&Sweep> = workload
        .sweeps
        .iter()
        .filter(|sweep| sweep.default > 0.0 && sweep.points.iter().any(|point| point.value > 0.0))
        .collect();
    if usable.is_empty() {
        return None;
    }
    let ratio = |sweep: &Sweep, value: f64| value / sweep.default;
    let places = ascending(usable.iter().flat_map(|sweep| {
        let points = sweep.points.iter().filter(|point| point.value > 0.0);
        points.map(|point| ratio(sweep, point.value))
    }));
    let mut parameters: Vec<&str> = Vec::new();
    let (mut series, mut lines, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for sweep in usable {
        if !parameters.contains(&sweep.parameter.as_str()) {
            parameters.push(&sweep.parameter);
        }
        let point = |place: &f64| {
            let points = &sweep.points;
            points
                .iter()
                .find(|point| ratio(sweep, point.value) == *place)
        };
        let middle: Vec<f64> = places
            .iter()
            .map(|place| {
                point(place)
                    .and_then(|point| point.validation.median)
                    .unwrap_or(f64::NAN)
            })
            .collect();
        let end = |high: bool| -> Vec<f64> {
            let interval = |place: &f64| point(place)?.validation.interval;
            places
                .iter()
                .map(|place| match interval(place) {
                    Some(interval) if high => interval.high,
                    Some(interval) => interval.low,
                    None => f64::NAN,
                })
                .collect()
        };
        let name = format!("{}, {}", sweep.optimizer, sweep.parameter);
        let mut look = palette.series(name.clone(), &sweep.optimizer);
        let place = parameters
            .iter()
            .position(|known| *known == sweep.parameter);
        look.dash += place.unwrap_or(0);
        series.push(look);
        lines.push(Line {
            low: short(&end(false)),
            high: short(&end(true)),
            middle: short(&middle),
        });
        told.push((name, middle));
    }
    let best = |at: usize| {
        let values = told[at].1.iter().copied();
        values.fold(f64::INFINITY, f64::min)
    };
    choose(&mut series, best);
    let measure = workload.measure;
    let number = drawings.chart(Chart {
        y: format!("best validation {} ({})", measure.noun(), measure.unit()),
        log: super::chart::spans(told.iter().flat_map(|(_, values)| values.iter().copied())),
        log_x: true,
        join: Join::Dots,
        reference: None,
        series,
        views: vec![View {
            x: "value / default".to_owned(),
            xs: short(&places),
            lines,
        }],
    });
    Some(Figure {
        number,
        caption: "Sensitivity: how much a hyperparameter matters".to_owned(),
        description: ends(
            told.iter()
                .map(|(name, values)| (name.as_str(), values.as_slice())),
        ),
    })
}

/// What tuning had found after so many trials. Nothing if nothing was tried.
pub(super) fn trials(
    workload: &WorkloadComparison,
    palette: &Palette,
    drawings: &mut Drawings,
) -> Option<Figure> {
    let last = workload.trials.iter().map(|trial| trial.trial).max()?;
    let places: Vec<f64> = (0..=last.min(999))
        .map(|trial| (trial + 1) as f64)
        .collect();
    let mut optimizers: Vec<&str> = Vec::new();
    for trial in &workload.trials {
        if !optimizers.contains(&trial.optimizer.as_str()) {
            optimizers.push(&trial.optimizer);
        }
    }
    let best = |optimizer: &&str| -> Vec<f64> {
        let mut best = f64::NAN;
        let own = |at: usize| {
            let of = |trial: &&Trial| trial.optimizer == *optimizer && trial.trial == at;
            workload.trials.iter().find(of)?.validation
        };
        // `min` leaves out what is not a number.
        let mut after = |at: usize| {
            best = best.min(own(at).unwrap_or(f64::NAN));
            best
        };
        (0..places.len()).map(&mut after).collect()
    };
    let found: Vec<Vec<f64>> = optimizers.iter().map(best).collect();
    let measure = workload.measure;
    let mut series: Vec<Series> = optimizers
        .iter()
        .map(|name| palette.series((*name).to_owned(), name))
        .collect();
    choose(&mut series, |at| {
        found[at].last().copied().unwrap_or(f64::NAN)
    });
    let lines = found.iter().map(|values| Line {
        middle: short(values),
        ..Line::default()
    });
    let number = drawings.chart(Chart {
        y: format!("best {} so far ({})", measure.noun(), measure.unit()),
        log: false,
        log_x: false,
        join: Join::Dots,
        reference: None,
        series,
        views: vec![View {
            x: "trials".to_owned(),
            xs: short(&places),
            lines: lines.collect(),
        }],
    });
    Some(Figure {
        number,
        caption: "Tuning: the best so far after each trial".to_owned(),
        description: ends(
            optimizers
                .iter()
                .copied()
                .zip(found.iter().map(Vec::as_slice)),
        ),
    })
}

/// A trial as a row of a table.
#[derive(Debug)]
pub(super) struct TrialRow {
    pub(super) optimizer: String,
    pub(super) number: usize,
    pub(super) values: String,
    pub(super) validation: String,
    pub(super) chosen: bool,
}

/// All trials.
pub(super) fn rows(workload: &WorkloadComparison) -> Vec<TrialRow> {
    let digits = workload.measure.digits();
    let row = |trial: &Trial| TrialRow {
        optimizer: trial.optimizer.clone(),
        number: trial.trial + 1,
        values: values(&trial.values),
        validation: match trial.validation {
            Some(value) => format!("{value:.digits$}"),
            None => NOTHING.to_owned(),
        },
        chosen: trial.chosen,
    };
    workload.trials.iter().map(row).collect()
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
