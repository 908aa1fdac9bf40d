//! A frame with two axes, in which lines are drawn and named at their ends.

use std::fmt::Write;

use super::{Anchor, Axis, BOLD, Colour, Mark, Scale, Scene, cut, spread, ticks, width};

/// Between the feet of two lines of words.
pub(in crate::page) const LINE: f64 = 16.0;
/// Width of a name beside a line, at most.
const NAME: f64 = 190.0;
/// How names of lines are dashed, besides none: the page's script knows the same.
const DASHES: [&str; 5] = ["", " dash-1", " dash-2", " dash-3", " dash-4"];

/// A frame (left, top, width, height) and its axes.
#[derive(Debug)]
pub(in crate::page) struct Plot {
    pub(in crate::page) frame: [f64; 4],
    pub(in crate::page) x: Axis,
    pub(in crate::page) y: Axis,
}

/// What a line looks like.
#[derive(Debug, Clone)]
pub(in crate::page) struct Look {
    pub(in crate::page) name: String,
    pub(in crate::page) hue: Option<usize>,
    pub(in crate::page) dash: usize,
    pub(in crate::page) strong: bool,
}

impl Plot {
    /// The room that names at the ends of lines take.
    pub(in crate::page) fn margin<'a>(names: impl IntoIterator<Item = &'a str>) -> f64 {
        let widths = names.into_iter().map(|name| width(name).min(NAME));
        // Beside the leader an arrow may stand.
        widths.fold(0.0, f64::max) * BOLD + width(" ↑") + 16.0
    }

    /// Both axes, their marks and names.
    pub(in crate::page) fn axes(&self, scene: &mut Scene, x: &str, y: &str) {
        let [left, top, wide, high] = self.frame;
        let mut grid = String::new();
        // Labels of the vertical axis are as high as a line, however long.
        for (value, label) in ticks(&self.y, 8.0, |_| LINE) {
            let at = self.y.at(value);
            // Writing to a string cannot fail.
            let _ = write!(grid, "M{left:.1} {at:.1}h{wide:.1}");
            let place = (left - 6.0, at + 4.0);
            scene
                .marks
                .push(Mark::of_axis(place, Anchor::End, "tick", label));
        }
        for (value, label) in ticks(&self.x, 10.0, width) {
            let at = self.x.at(value);
            let _ = write!(grid, "M{at:.1} {:.1}v4", top + high);
            let place = (at, top + high + 17.0);
            scene
                .marks
                .push(Mark::of_axis(place, Anchor::Middle, "tick", label));
        }
        scene
            .marks
            .insert(0, Mark::path("grid", Colour::Named("line"), grid));
        let foot = (left + wide, top + high + 34.0);
        scene
            .marks
            .push(Mark::of_axis(foot, Anchor::End, "axis", x));
        let scale = match self.y.scale {
            Scale::Linear => y.to_owned(),
            Scale::Logarithmic => format!("{y}, logarithmic"),
        };
        let head = (0.0, top - 10.0);
        scene
            .marks
            .push(Mark::of_axis(head, Anchor::Start, "axis", scale));
    }

    /// A horizontal line at a value, named.
    pub(in crate::page) fn level(&self, scene: &mut Scene, value: f64, name: &str) {
        if !self.y.holds(value) {
            return;
        }
        let [left, _, wide, _] = self.frame;
        let at = self.y.at(value);
        let d = format!("M{left:.1} {at:.1}h{wide:.1}");
        scene
            .marks
            .push(Mark::path("level", Colour::Named("text"), d));
        let place = (left + 6.0, at - 5.0);
        scene.marks.push(Mark::text(
            place,
            Anchor::Start,
            "level",
            Colour::Named("text"),
            name,
        ));
    }

    /// The area between two lines.
    pub(in crate::page) fn band(
        &self,
        scene: &mut Scene,
        xs: &[f64],
        low: &[f64],
        high: &[f64],
        hue: Option<usize>,
    ) {
        let known = |at: &usize| {
            let pair = low.get(*at).zip(high.get(*at));
            pair.is_some_and(|(low, high)| low.is_finite() && high.is_finite())
        };
        let mut d = String::new();
        let all: Vec<usize> = (0..xs.len()).filter(known).collect();
        // A gap in the values is one in the area.
        for run in all
            .chunk_by(|one, other| one + 1 == *other)
            .filter(|run| run.len() > 1)
        {
            let there = run.iter().map(|at| (xs[*at], high[*at]));
            let back = run.iter().rev().map(|at| (xs[*at], low[*at]));
            for (at, (x, y)) in there.chain(back).enumerate() {
                let _ = write!(
                    d,
                    "{}{:.1} {:.1}",
                    if at == 0 { 'M' } else { 'L' },
                    self.x.at(x),
                    self.far(y)
                );
            }
            d.push('Z');
        }
        if !d.is_empty() {
            scene.marks.push(Mark::Path {
                d,
                class: "band",
                colour: Colour::Hue(hue),
                within: Some(self.frame),
            });
        }
    }

    /// A line; `over` gaps or not, by steps or straight.
    pub(in crate::page) fn line(
        &self,
        scene: &mut Scene,
        points: &[(f64, f64)],
        look: &Look,
        steps: bool,
    ) {
        let mut d = String::new();
        let mut pen = false;
        for (x, y) in points {
            if !y.is_finite() || !x.is_finite() {
                pen = false;
                continue;
            }
            let (x, y) = (self.x.at(*x), self.far(*y));
            let _ = match (pen, steps) {
                (false, _) => write!(d, "M{x:.1} {y:.1}"),
                (true, false) => write!(d, "L{x:.1} {y:.1}"),
                (true, true) => write!(d, "H{x:.1}V{y:.1}"),
            };
            pen = true;
        }
        if d.is_empty() {
            return;
        }
        let class = match (look.strong, DASHES[look.dash % DASHES.len()]) {
            (true, "") => "curve strong",
            (false, "") => "curve",
            (_, " dash-1") => "curve dash-1",
            (_, " dash-2") => "curve dash-2",
            (_, " dash-3") => "curve dash-3",
            _ => "curve dash-4",
        };
        scene.marks.push(Mark::Path {
            d,
            class,
            colour: Colour::Hue(look.hue),
            within: Some(self.frame),
        });
    }

    /// Where a value lies, no farther outside of the frame than needed to leave it.
    fn far(&self, value: f64) -> f64 {
        let [_, top, _, high] = self.frame;
        match self.y.at(value) {
            // What has no logarithm lies below all that has one.
            at if at.is_nan() => top + 2.0 * high,
            at => at.clamp(top - high, top + 2.0 * high),
        }
    }

    /// Names at the ends (x, y) of lines, each connected with its own; what ends outside of the frame is named at its edge, with an
    /// arrow and its value.
    pub(in crate::page) fn names(&self, scene: &mut Scene, ends: &[((f64, f64), Look)]) {
        let [left, top, wide, high] = self.frame;
        let wished: Vec<f64> = ends.iter().map(|((_, y), _)| self.y.inside(*y)).collect();
        let places = spread(&wished, LINE, top + 4.0, top + high);
        for (((end, look), wished), place) in ends.iter().zip(&wished).zip(places) {
            let colour = Colour::Hue(look.hue);
            let x = self.x.inside(end.0);
            let d = format!(
                "M{:.1} {wished:.1}H{:.1}L{:.1} {place:.1}",
                x + 2.0,
                left + wide + 3.0,
                left + wide + 11.0
            );
            scene.marks.push(Mark::path("leader", colour, d));
            let name = cut(&look.name, NAME);
            let text = match () {
                _ if end.1 > self.y.high => format!("{name} ↑"),
                _ if end.1 < self.y.low => format!("{name} ↓"),
                () => name,
            };
            let class = if look.strong { "name strong" } else { "name" };
            scene.marks.push(Mark::text(
                (left + wide + 14.0, place + 4.0),
                Anchor::Start,
                class,
                colour,
                text,
            ));
        }
    }
}
