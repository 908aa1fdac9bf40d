//! Who is better than whom: a row an arm, a column the same arms, colour and sign.

use super::chart::Palette;
use super::svg::{Anchor, BOLD, Colour, Mark, Scene, cut, width};
use super::{dots, ranking};
use crate::{Comparison, Duel, Verdicts};

/// Width of a name, at most.
const NAME: f64 = 190.0;
/// Of more arms a matrix is no longer small.
const ARMS: usize = 14;
const HIGH: f64 = 28.0;
const TOP: f64 = 26.0;
const FOOT: f64 = 26.0;

/// A pair as its row sees it.
struct Seen {
    better: Verdicts,
    worse: Verdicts,
    undecided: usize,
    unknown: usize,
}

/// The matrix; nothing of one arm. Of many arms ours and the first others stand in it.
pub(super) fn of(comparison: &Comparison, palette: &Palette) -> Option<Scene> {
    let overview = &comparison.overview;
    let mut arms = ranking::order(comparison);
    while arms.len() > ARMS {
        let at = arms
            .iter()
            .rposition(|arm| !overview.field[*arm].is_koala());
        arms.remove(at.unwrap_or(arms.len() - 1));
    }
    if arms.len() < 2 {
        return None;
    }
    let several = comparison.workloads.len() > 1;
    let pairs = arms
        .iter()
        .flat_map(|own| arms.iter().map(move |other| (own, other)));
    let signs = pairs.filter_map(|(own, other)| seen(&overview.duels, *own, *other));
    let signs = signs.map(|seen| width(&sign(&seen, several)) * BOLD + 8.0);
    let wide = signs.fold(if several { 46.0 } else { 34.0 }, f64::max);
    let mixed = ranking::mixed(arms.iter().map(|arm| overview.field[*arm].kind));
    let named = arms.iter().map(|arm| {
        let entrant = &overview.field[*arm];
        cut(
            &ranking::name(&entrant.optimizer, entrant.kind, mixed),
            NAME,
        )
    });
    let names: Vec<String> = named.collect();
    let widest = names.iter().map(|name| width(name)).fold(0.0, f64::max);
    let left = widest * BOLD + 34.0;
    let (across, down) = (wide * arms.len() as f64, HIGH * arms.len() as f64);
    let foot = match (several, lengths(comparison)) {
        (true, true) => "+ better, − worse, on so many, each length by itself; = undecided",
        (true, false) => "+ better, − worse, on so many problems; = undecided",
        (false, _) => "+ better, − worse, = undecided",
    };
    let mut scene = Scene {
        // No narrower than the ranking beside it: a page draws both as wide as there is room, and letters are to be of one size.
        width: (left + across + 2.0).max(width(foot)).max(dots::WIDTH),
        height: TOP + down + FOOT,
        title: "Who is better than whom".to_owned(),
        ..Scene::default()
    };
    let quiet = Colour::Named("quiet");
    let mut told = Vec::new();
    for (row, (own, name)) in arms.iter().zip(&names).enumerate() {
        let entrant = &overview.field[*own];
        let hue = palette.series(String::new(), &entrant.optimizer);
        let top = TOP + HIGH * row as f64;
        let foot = top + HIGH / 2.0 + 4.5;
        let number = (row + 1).to_string();
        scene.marks.push(Mark::text(
            (18.0, foot),
            Anchor::End,
            "tick",
            quiet,
            number.clone(),
        ));
        let class = if hue.koala { "name strong" } else { "name" };
        scene.marks.push(Mark::text(
            (28.0, foot),
            Anchor::Start,
            class,
            Colour::Hue(hue.hue),
            name,
        ));
        let head = (left + wide * (row as f64 + 0.5), TOP - 9.0);
        scene
            .marks
            .push(Mark::text(head, Anchor::Middle, "tick", quiet, number));
        for (column, other) in arms.iter().enumerate() {
            let place = [
                left + wide * column as f64 + 1.0,
                top + 1.0,
                wide - 2.0,
                HIGH - 2.0,
            ];
            let middle = (place[0] + place[2] / 2.0, foot);
            let Some(seen) = seen(&overview.duels, *own, *other) else {
                scene.marks.push(Mark::Cell {
                    place,
                    class: "self",
                    colour: Colour::Named("line"),
                    share: 0.6,
                    told: String::new(),
                });
                continue;
            };
            let words = words(
                &entrant.words(),
                &overview.field[*other].words(),
                &seen,
                several,
            );
            let (colour, share) = tint(&seen);
            scene.marks.push(Mark::Cell {
                place,
                class: "cell",
                colour,
                share,
                told: words.clone(),
            });
            let class = match seen.better.adjusted + seen.worse.adjusted {
                0 => "value",
                _ => "value strong",
            };
            scene.marks.push(Mark::text(
                middle,
                Anchor::Middle,
                class,
                Colour::Named("text"),
                sign(&seen, several),
            ));
            if column > row {
                told.push(words);
            }
        }
    }
    scene.description = told.join("; ");
    scene.marks.push(Mark::text(
        (0.0, TOP + down + 19.0),
        Anchor::Start,
        "axis",
        quiet,
        foot,
    ));
    Some(scene)
}

/// Whether there are several lengths of each problem.
fn lengths(comparison: &Comparison) -> bool {
    let over_all = comparison.overview.over_all.as_ref();
    over_all.is_some_and(|of| of.length.is_some())
}

/// What its heading says: also over how many problems it counts, which may be more than the ranking beside it has.
pub(super) fn caption(comparison: &Comparison) -> String {
    let of = match (comparison.workloads.len(), lengths(comparison)) {
        (..2, _) => "",
        (all, false) => &format!(", {all} problems"),
        (all, true) => &format!(", all lengths, {all} in all"),
    };
    format!("Who is better: row against column{of}")
}

fn seen(duels: &[Duel], own: usize, other: usize) -> Option<Seen> {
    let turned = own > other;
    let pair = (own.min(other), own.max(other));
    let duel = duels
        .iter()
        .find(|duel| (duel.first, duel.second) == pair)?;
    let (better, worse) = match turned {
        false => (duel.better, duel.worse),
        true => (duel.worse, duel.better),
    };
    Some(Seen {
        better,
        worse,
        undecided: duel.undecided,
        unknown: duel.unknown,
    })
}

/// `+5 −1`, or `+` of one problem.
fn sign(seen: &Seen, several: bool) -> String {
    let part = |sign: &str, verdicts: &Verdicts| match (verdicts.all, several) {
        (0, _) => String::new(),
        (_, false) => sign.to_owned(),
        (some, true) => format!("{sign}{some}"),
    };
    let told = [part("+", &seen.better), part("−", &seen.worse)];
    match told.concat().is_empty() {
        false => told.join(" ").trim().to_owned(),
        true if seen.undecided > 0 => "=".to_owned(),
        true => "?".to_owned(),
    }
}

fn tint(seen: &Seen) -> (Colour, f64) {
    let all = seen.better.all + seen.worse.all + seen.undecided + seen.unknown;
    let balance = seen.better.all as f64 - seen.worse.all as f64;
    let share = balance.abs() / all.max(1) as f64;
    match balance {
        0.0 => (Colour::Named("raised"), 1.0),
        ..0.0 => (Colour::Named("worse"), 0.15 + 0.45 * share),
        _ => (Colour::Named("better"), 0.15 + 0.45 * share),
    }
}

fn words(own: &str, other: &str, seen: &Seen, several: bool) -> String {
    if !several {
        let verdict = match (seen.better, seen.worse, seen.undecided) {
            (
                Verdicts {
                    all: 1..,
                    adjusted: 0,
                },
                ..,
            ) => "is better by itself, not after adjusting, than",
            (Verdicts { all: 1.., .. }, ..) => "is better than",
            (
                _,
                Verdicts {
                    all: 1..,
                    adjusted: 0,
                },
                _,
            ) => "is worse by itself, not after adjusting, than",
            (_, Verdicts { all: 1.., .. }, _) => "is worse than",
            (.., 1..) => "is undecided against",
            _ => "has too few seeds in common with",
        };
        return format!("{own} {verdict} {other}");
    }
    let adjusted = |verdicts: &Verdicts| match verdicts.all {
        0 => String::new(),
        _ => format!(" ({} also after adjusting)", verdicts.adjusted),
    };
    let mut told = format!(
        "{own} is better than {other} on {}{}, worse on {}{}, undecided on {}",
        seen.better.all,
        adjusted(&seen.better),
        seen.worse.all,
        adjusted(&seen.worse),
        seen.undecided
    );
    if seen.unknown > 0 {
        told.push_str(&format!(", not held against it on {}", seen.unknown));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Suite;
    use crate::{Horizon, Measure, Role};

    /// A page draws it as wide as the ranking beside it, and says over how much it counts.
    #[test]
    fn a_matrix_of_two_is_as_wide_as_the_ranking_and_tells_what_it_counts() {
        let mut suite = Suite::new(&[0, 1, 2]);
        let mut workload = |name: &str| {
            suite.workload(name, Measure::Error, None);
            suite.arm("koala-a", &Role::Defaults, 1.0, &[1.0, 1.1, 1.2]);
            suite.arm("adamw", &Role::Defaults, 1.0, &[2.0, 2.1, 2.3]);
            suite.compare()
        };
        let one = workload("w0");
        let arms = one.workloads.iter().flat_map(|of| &of.arms);
        let scene = of(&one, &Palette::of(arms)).unwrap();
        assert!(scene.width >= dots::WIDTH);
        assert_eq!(caption(&one), "Who is better: row against column");
        let two = workload("w1");
        assert_eq!(
            caption(&two),
            "Who is better: row against column, 2 problems"
        );
    }

    /// Two problems at two lengths are four comparisons.
    #[test]
    fn lengths_are_counted_and_said_to_be() {
        let mut suite = Suite::new(&[0, 1, 2]);
        for factor in [0.5, 1.0] {
            for of in ["w0", "w1"] {
                suite.workload(&format!("{of}@{factor}"), Measure::Error, None);
                let of = of.to_owned();
                suite.listing.workloads.last_mut().unwrap().horizon = Some(Horizon { of, factor });
                suite.arm("koala-a", &Role::Defaults, 1.0, &[1.0, 1.1, 1.2]);
                suite.arm("adamw", &Role::Defaults, 1.0, &[2.0, 2.1, 2.3]);
            }
        }
        assert_eq!(
            caption(&suite.compare()),
            "Who is better: row against column, all lengths, 4 in all"
        );
    }

    /// Who is better ten times and worse ten times is told within its cell.
    #[test]
    fn numbers_have_room_in_their_cells() {
        let mut suite = Suite::new(&[0, 1, 2, 3]);
        let (low, high) = ([2.0, 2.1, 1.95, 2.0], [3.0, 3.1, 2.9, 3.05]);
        for at in 0..20 {
            suite.workload(&format!("w{at}"), Measure::Error, None);
            let (first, second) = if at < 10 { (low, high) } else { (high, low) };
            suite.arm("sgd", &Role::Defaults, 1.0, &first);
            suite.arm("adamw", &Role::Defaults, 1.0, &second);
        }
        let comparison = suite.compare();
        let arms = comparison.workloads.iter().flat_map(|of| &of.arms);
        let scene = of(&comparison, &Palette::of(arms)).unwrap();
        let cells = scene.marks.iter().filter_map(|mark| match mark {
            Mark::Cell { place, class, .. } => (*class == "cell").then_some(*place),
            _ => None,
        });
        let numbers = scene.marks.iter().filter_map(|mark| match mark {
            Mark::Text { x, text, .. } => text.contains('−').then_some((*x, text.as_str())),
            _ => None,
        });
        let told: Vec<_> = cells.zip(numbers).collect();
        assert_eq!(told.len(), 2);
        for ([left, _, wide, _], (middle, text)) in told {
            assert_eq!(text, "+10 −10");
            let half = width(text) * BOLD / 2.0;
            assert!(middle - half >= left && middle + half <= left + wide);
        }
        assert!(scene.marks.iter().any(
            |mark| matches!(mark, Mark::Text { text, .. } if text.contains("on so many problems;"))
        ));
    }
}
