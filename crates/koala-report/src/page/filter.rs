//! The filter's inside: whether it is honest about its uncertainty, and what it does with it.

use koala_filter::{StepReport, Whiteness};

use super::chart::{Chart, Drawings, HUES, Join, Line, Series, View, spans};
use super::curves::{Told, line};
use super::figures::{Figure, ends};
use super::heat::Heat;
use super::numbers::{Short, plain, short};
use super::resample::{Band, band};
use crate::statistics::median;
use crate::{Measure, VARIANCES, was_measured};

/// What one run's filter did.
#[derive(Debug)]
pub(super) struct Inside {
    /// The arm.
    pub(super) name: String,
    /// The run's seed.
    pub(super) seed: Option<u64>,
    /// Whether the filter is honest, in words.
    pub(super) honesty: String,
    pub(super) figures: Vec<Figure>,
    pub(super) heat: Option<Figure>,
}

/// One run of each arm that has a filter; runs that stand for two arms once.
pub(super) fn of(arms: &[Told], measure: Measure, drawings: &mut Drawings) -> Vec<Inside> {
    let with = |told| {
        let told: &Told = told;
        let run = told.runs.iter().find(|run| !run.log.filter.is_empty())?;
        let seed = run.log.start.as_ref().map(|start| start.seed);
        Some((told, run.log.filter.clone(), seed))
    };
    let inside = arms.iter().filter(|told| !told.again).filter_map(with);
    inside
        .map(|(told, reports, seed)| one(told, &reports, seed, measure, drawings))
        .collect()
}

fn one(
    told: &Told,
    reports: &[StepReport],
    seed: Option<u64>,
    measure: Measure,
    drawings: &mut Drawings,
) -> Inside {
    let series = &told.series;
    let steps: Vec<f64> = reports.iter().map(|report| report.step as f64).collect();
    let squared = over_blocks(reports, |block| block.normalised_innovation_squared);
    let heat = Heat::of(reports).map(|heat| Figure {
        caption: "Effective learning rate of each block".to_owned(),
        description: heat.words(),
        number: drawings.heat(heat),
    });
    Inside {
        name: told.name.clone(),
        seed,
        honesty: honesty(&squared.middle),
        figures: [
            Some(normalised(series, &steps, &squared, drawings)),
            Some(innovation(series, &steps, reports, measure, drawings)),
            Some(covariances(&steps, reports, drawings)),
            whiteness(series, &steps, reports, drawings),
        ]
        .into_iter()
        .flatten()
        .collect(),
        heat,
    }
}

/// Median, least and largest over the blocks that were measured.
fn over_blocks(reports: &[StepReport], value: fn(&koala_filter::BlockReport) -> f64) -> Band {
    let values = |report: &StepReport| -> Vec<f64> {
        let updated = report.blocks.iter().filter(|block| was_measured(block));
        updated
            .map(value)
            .filter(|value| value.is_finite())
            .collect()
    };
    // Each report is one place with its blocks as runs.
    let mut all = Band::default();
    for report in reports {
        let runs: Vec<Vec<f64>> = values(report)
            .into_iter()
            .map(|value| vec![value])
            .collect();
        let place = band(&runs, 1);
        all.middle.extend(place.middle);
        all.low.extend(place.low);
        all.high.extend(place.high);
    }
    all
}

fn honesty(squared: &[f64]) -> String {
    // The first half is the way in, far from where the filter was begun.
    let settled: Vec<f64> = squared[squared.len() / 2..]
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let Some(middle) = median(&settled) else {
        return "No block was measured in the second half of the steps shown.".to_owned();
    };
    let judged = if middle > 2.0 {
        "the loss is farther from its target than the filter expects, which is too sure of itself. If the curve is restless, let it \
         trust the loss less: a larger fixed R (--measurement-noise-initial), an adaptive one that follows faster \
         (--measurement-noise-smoothing nearer to 0), or a smaller --gain. If the curve falls evenly, nothing has to be done."
    } else if middle < 0.5 {
        "the loss is nearer to its target than the filter expects, which is less sure than it could be. If the curve falls too slowly, \
         try a larger --gain, or more process noise (--process-noise; koala-a finds its own). If the curve is good as it is, nothing has \
         to be done."
    } else {
        "about what the filter expects. Nothing has to be done."
    };
    format!(
        "In the second half of the steps shown, the median of the normalised innovation squared is {}: {judged}",
        plain(middle)
    )
}

fn normalised(series: &Series, steps: &[f64], squared: &Band, drawings: &mut Drawings) -> Figure {
    let name = "median over blocks";
    let number = drawings.chart(Chart {
        y: "normalised innovation squared".to_owned(),
        log: spans(squared.middle.iter().copied()),
        log_x: false,
        join: Join::Lines,
        reference: Some((Short(1.0), "honest: 1".to_owned())),
        series: vec![renamed(series, name, 0)],
        views: vec![against(steps, vec![line(squared)])],
    });
    Figure {
        number,
        caption: "Is the filter honest? Innovation squared over its predicted variance".to_owned(),
        description: ends([(name, squared.middle.as_slice())]),
    }
}

fn innovation(
    series: &Series,
    steps: &[f64],
    reports: &[StepReport],
    measure: Measure,
    drawings: &mut Drawings,
) -> Figure {
    let innovation = over_blocks(reports, |block| block.innovation);
    let spread = over_blocks(reports, |block| block.innovation_variance.sqrt());
    let name = "innovation, median over blocks";
    let predicted = Line {
        middle: Vec::new(),
        low: spread.middle.iter().map(|spread| Short(-spread)).collect(),
        high: short(&spread.middle),
    };
    let number = drawings.chart(Chart {
        y: format!("innovation ({})", measure.loss_unit()),
        log: false,
        log_x: false,
        join: Join::Lines,
        reference: None,
        series: vec![
            renamed(series, name, 0),
            Series::grey("predicted spread, ±√S"),
        ],
        views: vec![against(steps, vec![line(&innovation), predicted])],
    });
    Figure {
        number,
        caption: "Innovation (target minus loss) and its predicted spread".to_owned(),
        description: ends([
            (name, innovation.middle.as_slice()),
            ("√S", spread.middle.as_slice()),
        ]),
    }
}

fn covariances(steps: &[f64], reports: &[StepReport], drawings: &mut Drawings) -> Figure {
    let told: Vec<(&str, Vec<f64>)> = VARIANCES
        .iter()
        .map(|(name, of)| {
            let values = reports.iter().map(|report| of(report).unwrap_or(f64::NAN));
            (*name, values.collect::<Vec<f64>>())
        })
        .filter(|(_, values)| values.iter().any(|value| value.is_finite()))
        .collect();
    let lines = told.iter().map(|(_, values)| Line {
        middle: short(values),
        ..Line::default()
    });
    let number = drawings.chart(Chart {
        y: "P, R, Q".to_owned(),
        log: spans(told.iter().flat_map(|(_, values)| values.iter().copied())),
        log_x: false,
        join: Join::Lines,
        reference: None,
        views: vec![against(steps, lines.collect())],
        series: told
            .iter()
            .enumerate()
            .map(|(at, (name, _))| Series {
                // A hue each: none of them is an optimizer.
                hue: Some(at % HUES),
                koala: true,
                ..Series::grey(name)
            })
            .collect(),
    });
    Figure {
        number,
        caption: "Covariance P, measurement noise R, process noise Q".to_owned(),
        description: ends(told.iter().map(|(name, values)| (*name, values.as_slice()))),
    }
}

/// What moves the process noise, of a method that tests its innovations for whiteness.
fn whiteness(
    series: &Series,
    steps: &[f64],
    reports: &[StepReport],
    drawings: &mut Drawings,
) -> Option<Figure> {
    reports.iter().find_map(|report| report.whiteness)?;
    let values = |of: fn(&Whiteness) -> f64| -> Vec<f64> {
        let each = |report: &StepReport| report.whiteness.as_ref().map_or(f64::NAN, of);
        reports.iter().map(each).collect()
    };
    let correlation = values(|whiteness| whiteness.correlation);
    let mean = values(|whiteness| whiteness.corrected_correlation);
    let lines = [&correlation, &mean].map(|values| Line {
        middle: short(values),
        ..Line::default()
    });
    let name = "its running mean, which moves Q";
    let number = drawings.chart(Chart {
        y: "ρ".to_owned(),
        log: false,
        log_x: false,
        join: Join::Lines,
        reference: Some((Short(0.0), "white: 0".to_owned())),
        series: vec![
            Series::grey("correlation of gradient and velocity"),
            renamed(series, name, 0),
        ],
        views: vec![against(steps, lines.into())],
    });
    Some(Figure {
        number,
        caption: "Are the innovations white? Above 0 the filter moves too little and Q grows, below it falls"
            .to_owned(),
        description: ends([
            ("correlation", correlation.as_slice()),
            (name, mean.as_slice()),
        ]),
    })
}

fn renamed(series: &Series, name: &str, dash: usize) -> Series {
    Series {
        hue: series.hue,
        dash,
        koala: series.koala,
        ..Series::grey(name)
    }
}

fn against(steps: &[f64], lines: Vec<Line>) -> View {
    View {
        x: "steps".to_owned(),
        xs: short(steps),
        lines,
    }
}
