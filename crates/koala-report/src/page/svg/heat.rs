//! A heat map of the page as a drawing.

use super::{Anchor, Colour, Mark, Scene, cut, width};
use crate::page::heat::Heat;
use crate::page::plain;

const WIDTH: f64 = 760.0;
/// Width of a block's name, at most.
const NAME: f64 = 200.0;
/// Colours that are told apart.
const LEVELS: i32 = 48;
/// Cividis: the same for all kinds of colour vision, and in grey; the page's script has the same stops.
const STOPS: [[u8; 3]; 6] = [
    [0, 32, 77],
    [49, 68, 107],
    [102, 105, 112],
    [149, 143, 120],
    [203, 186, 105],
    [255, 234, 70],
];

/// A row a block, a column a step.
pub(in crate::page) fn of(heat: &Heat, title: &str, description: &str) -> Scene {
    let row = (300.0 / heat.cells.len().max(1) as f64).clamp(5.0, 20.0);
    let names = heat.blocks.iter().map(|name| width(name).min(NAME));
    let named = row >= 11.0;
    let left = if named {
        names.fold(0.0, f64::max) + 12.0
    } else {
        0.0
    };
    let high = row * heat.cells.len() as f64;
    let mut scene = Scene {
        width: WIDTH,
        height: high + 48.0,
        title: title.to_owned(),
        description: description.to_owned(),
        ..Scene::default()
    };
    let quiet = Colour::Named("quiet");
    let each = (WIDTH - left) / heat.steps.len().max(1) as f64;
    for (block, (name, cells)) in heat.blocks.iter().zip(&heat.cells).enumerate() {
        let top = row * block as f64;
        if named {
            let place = (left - 8.0, top + row / 2.0 + 4.0);
            scene.marks.push(Mark::text(
                place,
                Anchor::End,
                "tick",
                quiet,
                cut(name, NAME),
            ));
        }
        let levels: Vec<Option<i32>> = cells
            .iter()
            .map(|cell| cell.map(|value| level(heat, value)))
            .collect();
        let mut from = 0;
        // Neighbours of one colour are one rectangle.
        for same in levels.chunk_by(|one, other| one == other) {
            if let Some(Some(level)) = same.first() {
                let place = [
                    left + each * from as f64,
                    top,
                    each * same.len() as f64 + 0.1,
                    row,
                ];
                let colour = Colour::Fixed(colour(f64::from(*level) / f64::from(LEVELS - 1)));
                scene.marks.push(Mark::Cell {
                    place,
                    class: "cell",
                    colour,
                    share: 1.0,
                    told: String::new(),
                });
            }
            from += same.len();
        }
    }
    let value = |hundredths: i32| plain(10f64.powf(f64::from(hundredths) / 100.0));
    let foot = high + 18.0;
    let steps = |at: Option<&crate::page::numbers::Short>| {
        format!("step {}", at.map_or(0.0, |step| step.0))
    };
    scene.marks.push(Mark::text(
        (left, foot),
        Anchor::Start,
        "tick",
        quiet,
        steps(heat.steps.first()),
    ));
    scene.marks.push(Mark::text(
        (WIDTH, foot),
        Anchor::End,
        "tick",
        quiet,
        steps(heat.steps.last()),
    ));
    let told = format!(
        "dark {}, bright {}, logarithmic; empty: left alone",
        value(heat.low),
        value(heat.high)
    );
    scene.marks.push(Mark::text(
        (left, foot + 20.0),
        Anchor::Start,
        "tick",
        quiet,
        told,
    ));
    scene
}

fn level(heat: &Heat, value: i32) -> i32 {
    match heat.high > heat.low {
        true => (value - heat.low) * (LEVELS - 1) / (heat.high - heat.low),
        false => LEVELS / 2,
    }
}

fn colour(share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let at = (place.floor() as usize).min(STOPS.len() - 2);
    let mix = |part: usize| {
        let (from, to) = (f64::from(STOPS[at][part]), f64::from(STOPS[at + 1][part]));
        (from + (to - from) * (place - at as f64)).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}
