//! Arms below each other on one axis: a dot each, with its interval.

use std::fmt::Write;

use super::svg::{Anchor, Axis, BOLD, Colour, LINE, Mark, Scale, Scene, cut, ticks, width};

pub(super) const WIDTH: f64 = 450.0;
/// Height of a row.
const ROW: f64 = 23.0;
/// Width of a name, at most.
const NAME: f64 = 165.0;
const TOP: f64 = 8.0;
const FOOT: f64 = 42.0;
/// Between the edge and the longest name, at least.
const NAMED: f64 = 6.0;
/// Between a name and the axis: a dot at its end is not the name's.
const ROOM: f64 = 22.0;

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) hue: Option<usize>,
    pub(super) strong: bool,
    /// Nothing for an arm without a result.
    pub(super) value: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
    /// Smaller dots beside it, each with its name.
    pub(super) parts: Vec<(String, f64)>,
    /// The result in digits, or why there is none.
    pub(super) told: String,
}

/// What the rows have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) title: String,
    pub(super) axis: String,
    /// What else one has to know to read it.
    pub(super) note: Option<&'static str>,
    pub(super) scale: Scale,
    /// A value to compare with.
    pub(super) mark: Option<f64>,
}

/// The drawing; rows stand as they are given.
pub(super) fn draw(common: &Common, rows: &[Row]) -> Scene {
    let widest = |text: fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| width(text(row)).min(NAME));
        widths.fold(0.0, f64::max)
    };
    let left = widest(|row| &row.name) * BOLD + NAMED + ROOM;
    let right = widest(|row| &row.told) + 14.0;
    let high = ROW * rows.len() as f64;
    let axis = Axis::over(common.scale, values(common, rows), (left, WIDTH - right));
    let mut scene = Scene {
        width: WIDTH,
        height: TOP + high + FOOT + common.note.map_or(0.0, |_| LINE),
        title: common.title.clone(),
        description: words(rows),
        ..Scene::default()
    };
    let mut grid = String::new();
    for (value, label) in ticks(&axis, 10.0, width) {
        let at = axis.at(value);
        // Writing to a string cannot fail.
        let _ = write!(grid, "M{at:.1} {TOP}v{:.1}", high + 4.0);
        let place = (at, TOP + high + 18.0);
        scene
            .marks
            .push(Mark::of_axis(place, Anchor::Middle, "tick", label));
    }
    scene
        .marks
        .insert(0, Mark::path("grid", Colour::Named("line"), grid));
    // In the middle of the axis, as far as the drawing has room there.
    let half = (width(&common.axis) / 2.0).min(WIDTH / 2.0);
    let middle = f64::midpoint(left, WIDTH - right).clamp(half, WIDTH - half);
    let foot = (middle, TOP + high + 36.0);
    let words = cut(&common.axis, WIDTH);
    scene
        .marks
        .push(Mark::of_axis(foot, Anchor::Middle, "axis", words));
    if let Some(note) = common.note {
        let foot = (foot.0, foot.1 + LINE);
        scene
            .marks
            .push(Mark::of_axis(foot, Anchor::Middle, "axis", note));
    }
    if let Some(mark) = common.mark.filter(|mark| axis.holds(*mark)) {
        let d = format!("M{:.1} {TOP}v{:.1}", axis.at(mark), high);
        scene
            .marks
            .push(Mark::path("level", Colour::Named("text"), d));
    }
    for (at, row) in rows.iter().enumerate() {
        let middle = TOP + ROW * (at as f64 + 0.5);
        draw_row(&mut scene, &axis, row, middle, left);
        let place = (WIDTH, middle + 4.0);
        scene.marks.push(Mark::text(
            place,
            Anchor::End,
            "value",
            Colour::Named("text"),
            &*row.told,
        ));
    }
    scene
}

fn draw_row(scene: &mut Scene, axis: &Axis, row: &Row, middle: f64, left: f64) {
    let hue = Colour::Hue(row.hue);
    let class = if row.strong { "name strong" } else { "name" };
    let name = cut(&row.name, NAME);
    scene.marks.push(Mark::text(
        (left - ROOM, middle + 4.0),
        Anchor::End,
        class,
        hue,
        name,
    ));
    for (name, value) in &row.parts {
        scene.marks.push(Mark::Dot {
            x: axis.inside(*value),
            y: middle,
            radius: 2.75,
            class: "faint",
            colour: hue,
            told: format!("{name}: {}", super::plain(*value)),
        });
    }
    let Some(value) = row.value else { return };
    if let Some((low, high)) = row.interval {
        let (from, to) = (axis.inside(low), axis.inside(high));
        let d = format!("M{from:.1} {middle:.1}H{to:.1}");
        scene.marks.push(Mark::path("span", hue, d));
        // An arrow where it goes on.
        let mut arrows = String::new();
        if !axis.holds(low) {
            let _ = write!(arrows, "M{:.1} {:.1}l-5 4l5 4", from + 5.0, middle - 4.0);
        }
        if !axis.holds(high) {
            let _ = write!(arrows, "M{:.1} {:.1}l5 4l-5 4", to - 5.0, middle - 4.0);
        }
        if !arrows.is_empty() {
            scene.marks.push(Mark::path("leader", hue, arrows));
        }
    }
    let x = axis.inside(value);
    match axis.holds(value) {
        true => scene.marks.push(Mark::Dot {
            x,
            y: middle,
            radius: 5.0,
            class: "dot",
            colour: hue,
            told: String::new(),
        }),
        false => {
            let d = format!("M{:.1} {:.1}l6 5l-6 5", x - 6.0, middle - 5.0);
            scene.marks.push(Mark::path("span", hue, d));
        }
    }
}

/// What the axis shows: all values, with their intervals as far as these do not press the values together; without those that would
/// press all others flat.
fn values(common: &Common, rows: &[Row]) -> Vec<f64> {
    let log = common.scale == Scale::Logarithmic;
    let to = |value: f64| if log { value.ln() } else { value };
    let from = |value: f64| if log { value.exp() } else { value };
    let usable = |value: &f64| value.is_finite() && (!log || *value > 0.0);
    let mut found: Vec<f64> = rows
        .iter()
        .filter_map(|row| row.value)
        .filter(usable)
        .map(to)
        .collect();
    found.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (found.first().copied(), found.last().copied()) else {
        return Vec::new();
    };
    // Less is better: only what is far worse than most is cut off.
    let middle = found[found.len() / 2];
    let apart = middle - first > 1e-9 * first.abs().max(middle.abs());
    let most = match found.len() {
        3.. if apart => last.min(middle + 4.0 * (middle - first)),
        // Most are the same: there is nothing that the others could press flat.
        _ => last,
    };
    let reach = most - first;
    let (least, most_of_all) = (first - 0.6 * reach, most + 0.6 * reach);
    let ends = rows.iter().flat_map(|row| {
        let ends = row.interval.into_iter().flat_map(|(low, high)| [low, high]);
        ends.chain(row.parts.iter().map(|part| part.1))
    });
    let ends = ends.filter(usable).map(to).map(|end| match reach > 0.0 {
        true => end.clamp(least, most_of_all),
        false => end,
    });
    let shown = found.iter().copied().filter(|value| *value <= most);
    let mut values: Vec<f64> = shown.chain(ends).map(from).collect();
    values.extend(common.mark);
    values
}

fn words(rows: &[Row]) -> String {
    let told: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row.name, row.told))
        .collect();
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: f64) -> Row {
        Row {
            name: name.to_owned(),
            hue: Some(0),
            strong: false,
            value: Some(value),
            interval: Some((0.9 * value, 1.1 * value)),
            parts: Vec::new(),
            told: super::super::plain(value),
        }
    }

    fn dots(scene: &Scene) -> Vec<f64> {
        let place = |mark: &Mark| match mark {
            Mark::Dot {
                x, class: "dot", ..
            } => Some(*x),
            _ => None,
        };
        scene.marks.iter().filter_map(place).collect()
    }

    /// Nothing but dots.
    fn plain() -> Common {
        Common {
            title: String::new(),
            axis: String::new(),
            note: None,
            scale: Scale::Linear,
            mark: None,
        }
    }

    #[test]
    fn what_is_far_worse_than_most_is_an_arrow_and_presses_nothing_flat() {
        let common = plain();
        let rows: Vec<Row> = [1.0, 1.1, 1.2, 1.3, 90.0]
            .map(|value| row("o", value))
            .into();
        let scene = draw(&common, &rows);
        let dots = dots(&scene);
        assert_eq!(dots.len(), 4);
        assert!(dots[3] - dots[0] > 60.0, "{dots:?}");
        // Its digits stand there all the same.
        let told = |mark: &Mark| matches!(mark, Mark::Text { text, .. } if text == "90");
        assert!(scene.marks.iter().any(told));
    }

    #[test]
    fn beside_many_that_are_the_same_the_others_are_seen() {
        let common = plain();
        for same in [0.0, 2.25] {
            let rows: Vec<Row> = [same, same, same, same + 5.0]
                .map(|value| row("o", value))
                .into();
            let places = dots(&draw(&common, &rows));
            assert_eq!(places.len(), 4);
            assert!(places[3] - places[0] > 60.0, "{places:?}");
        }
    }
}
