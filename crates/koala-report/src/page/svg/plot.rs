//! A frame with two axes, in which lines are drawn and named at their ends.

use std::fmt::Write;

use super::{Anchor, Axis, BOLD, Colour, Mark, Scale, Scene, cut, spread, ticks, width};

/// Between the feet of two lines of words.
pub(in crate::page) const LINE: f64 = 16.0;
/// Width of a name beside a line, at most.
const NAME: f64 = 190.0;
/// Room for the labels of a vertical axis, at least.
const LEFT: f64 = 52.0;
/// Between the labels of a vertical axis.
const LABELS: f64 = 8.0;
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

    /// The room that labels of a vertical axis take.
    pub(in crate::page) fn left(y: &Axis) -> f64 {
        let labels = ticks(y, LABELS, |_| LINE);
        let widest = labels.iter().map(|(_, label)| width(label));
        (widest.fold(0.0, f64::max) + 10.0).max(LEFT)
    }

    /// Both axes, their marks and names.
    pub(in crate::page) fn axes(&self, scene: &mut Scene, x: &str, y: &str) {
        let [left, top, wide, high] = self.frame;
        let mut grid = String::new();
        // Labels of the vertical axis are as high as a line, however long.
        for (value, label) in ticks(&self.y, LABELS, |_| LINE) {
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

    /// A horizontal line at a value, named where the fewest of the lines that will be drawn (their places, and their values there)
    /// pass through its name.
    pub(in crate::page) fn level(
        &self,
        scene: &mut Scene,
        value: f64,
        name: &str,
        (xs, lines): (&[f64], &[&[f64]]),
    ) {
        if !self.y.holds(value) {
            return;
        }
        let [left, _, wide, _] = self.frame;
        let at = self.y.at(value);
        let d = format!("M{left:.1} {at:.1}h{wide:.1}");
        scene
            .marks
            .push(Mark::path("level", Colour::Named("text"), d));
        let named = width(name);
        let (start, end) = (left + 6.0, left + wide - 6.0 - named);
        let middle = f64::midpoint(start, end);
        let places = [at - 5.0, at + 14.0].map(|y| [start, end, middle].map(|x| (x, y)));
        let [_, top, _, high] = self.frame;
        let within = places
            .into_iter()
            .flatten()
            .filter(|(_, y)| y - 10.0 >= top && *y + 2.0 <= top + high);
        let crossed = |place: &(f64, f64)| {
            let lines = lines.iter();
            lines
                .filter(|values| self.passes(xs, values, [place.0, place.1 - 11.0, named, 13.0]))
                .count()
        };
        let place = within.min_by_key(crossed).unwrap_or((start, at - 5.0));
        scene.marks.push(Mark::text(
            place,
            Anchor::Start,
            "level",
            Colour::Named("text"),
            name,
        ));
    }

    /// Whether a line passes through a box (left, top, width, height).
    fn passes(&self, xs: &[f64], values: &[f64], [left, top, wide, high]: [f64; 4]) -> bool {
        let points: Vec<(f64, f64)> = xs
            .iter()
            .zip(values)
            .filter(|(_, value)| value.is_finite())
            .map(|(x, value)| (self.x.at(*x), self.far(*value)))
            .collect();
        points.windows(2).any(|pair| {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            let (from, to) = (x0.max(left), x1.min(left + wide));
            if from > to {
                return false;
            }
            let at = |x: f64| match x1 > x0 {
                true => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
                false => y0,
            };
            let (one, other) = (at(from), at(to));
            one.min(other) <= top + high && one.max(other) >= top
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(y: Axis) -> Plot {
        Plot {
            frame: [60.0, 20.0, 300.0, 200.0],
            x: Axis::over(Scale::Linear, [0.0, 30.0], (60.0, 360.0)),
            y,
        }
    }

    /// Lines come down where a name would stand at first: it stands elsewhere.
    #[test]
    fn the_name_of_a_level_stands_where_no_line_passes() {
        let plot = plot(Axis::over(Scale::Linear, [0.0, 66.0], (220.0, 20.0)));
        let xs: Vec<f64> = (0..=30).map(f64::from).collect();
        let line = |steps: f64| -> Vec<f64> {
            let at = |x: &f64| (66.0 * (1.0 - x / steps)).max(0.0);
            xs.iter().map(at).collect()
        };
        let lines = [line(3.0), line(8.0)];
        let lines: Vec<&[f64]> = lines.iter().map(Vec::as_slice).collect();
        let place = |lines: &[&[f64]]| {
            let mut scene = Scene::default();
            plot.level(&mut scene, 0.0, "target", (&xs, lines));
            scene.marks.into_iter().find_map(|mark| match mark {
                Mark::Text { x, y, .. } => Some([x, y - 11.0, width("target"), 13.0]),
                _ => None,
            })
        };
        let (free, beside) = (place(&[]).unwrap(), place(&lines).unwrap());
        assert!(plot.passes(&xs, lines[0], free));
        assert!(lines.iter().all(|line| !plot.passes(&xs, line, beside)));
    }

    #[test]
    fn long_labels_of_the_vertical_axis_have_room() {
        let axis = |high: f64| Axis::over(Scale::Linear, [0.0, high], (220.0, 20.0));
        let small = axis(1e-9);
        let labels = ticks(&small, LABELS, |_| LINE);
        assert!(labels.iter().any(|(_, label)| width(label) + 6.0 > LEFT));
        for (_, label) in labels {
            assert!(width(&label) + 6.0 <= Plot::left(&small), "{label}");
        }
        assert_eq!(Plot::left(&axis(1.0)), LEFT);
    }
}
