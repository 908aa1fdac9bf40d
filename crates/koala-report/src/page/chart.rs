//! Charts as data: the page's script draws whatever stands here.

use serde::Serialize;

use super::figures::Figure;
use super::numbers::Short;
use crate::{Arm, ArmKind};

/// Everything that the script draws.
#[derive(Debug, Default, Serialize)]
pub(super) struct Drawings {
    charts: Vec<Chart>,
    heats: Vec<super::heat::Heat>,
}

impl Drawings {
    /// Keeps a chart; the number by which the page refers to it.
    pub(super) fn chart(&mut self, chart: Chart) -> usize {
        self.charts.push(chart);
        self.charts.len() - 1
    }

    /// The chart of a figure.
    pub(super) fn chart_of(&self, figure: &Figure) -> Option<&Chart> {
        self.charts.get(figure.number)
    }

    /// The heat map of a figure.
    pub(super) fn heat_of(&self, figure: &Figure) -> Option<&super::heat::Heat> {
        self.heats.get(figure.number)
    }

    /// Keeps a heat map; the number by which the page refers to it.
    pub(super) fn heat(&mut self, heat: super::heat::Heat) -> usize {
        self.heats.push(heat);
        self.heats.len() - 1
    }
}

/// A chart of lines.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// What the vertical axis shows.
    pub(super) y: String,
    /// Whether the vertical axis starts out logarithmic.
    pub(super) log: bool,
    /// Whether the horizontal axis is logarithmic.
    pub(super) log_x: bool,
    /// How points are joined.
    pub(super) join: Join,
    /// A value to compare with, and its name.
    pub(super) reference: Option<(Short, String)>,
    pub(super) series: Vec<Series>,
    /// The same series against one thing or another.
    pub(super) views: Vec<View>,
}

/// How points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Join {
    Lines,
    /// Lines with a dot at each point: there are few.
    Dots,
    Steps,
}

/// What a line looks like: the same hue for the same optimizer on the whole page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Series {
    pub(super) name: String,
    /// Number of the hue; grey if there is none.
    pub(super) hue: Option<usize>,
    /// Number of the dash pattern, 0 for none.
    pub(super) dash: usize,
    /// Whether it is one of ours: drawn wider, and always shown at first.
    pub(super) koala: bool,
    /// Kind of the arm, where the page lets one choose.
    pub(super) kind: Option<ArmKind>,
    /// Whether it is shown at first.
    pub(super) shown: bool,
}

impl Series {
    /// A line of no optimizer, in grey.
    pub(super) fn grey(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            hue: None,
            dash: 0,
            koala: false,
            kind: None,
            shown: true,
        }
    }
}

/// Shows of each kind no more lines than can be told apart: ours, and the first few others by `rank`, lowest first.
pub(super) fn choose(series: &mut [Series], rank: impl Fn(usize) -> f64) {
    const MANY: usize = 8;
    const OTHERS: usize = 3;
    let kinds = [None].into_iter().chain(ArmKind::ALL.map(Some));
    for kind in kinds {
        let own = |at: &usize| series[*at].kind == kind;
        let own: Vec<usize> = (0..series.len()).filter(own).collect();
        if own.len() <= MANY {
            continue;
        }
        let mut others: Vec<usize> = own
            .iter()
            .copied()
            .filter(|at| !series[*at].koala)
            .collect();
        others.sort_by(|one, other| rank(*one).total_cmp(&rank(*other)));
        for at in others.into_iter().skip(OTHERS) {
            series[at].shown = false;
        }
    }
}

/// Lines against something.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// What the horizontal axis shows.
    pub(super) x: String,
    pub(super) xs: Vec<Short>,
    /// In the order of [`Chart::series`].
    pub(super) lines: Vec<Line>,
}

/// A line with its band, each as long as [`View::xs`], or empty if it has none.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line {
    pub(super) middle: Vec<Short>,
    pub(super) low: Vec<Short>,
    pub(super) high: Vec<Short>,
}

/// The optimizers of the page, ours first, each as they are met: the place decides the look.
#[derive(Debug)]
pub(super) struct Palette<'a> {
    names: Vec<&'a str>,
    koala: usize,
}

/// Hues that the page's style knows: so many optimizers have one of their own.
pub const HUES: usize = 18;
/// Hues that are far apart with every kind of colour vision; lines of others are dashed besides.
pub(super) const FAR: usize = 8;
/// Dash patterns that the page's script knows, besides none.
const DASHES: usize = 4;

impl<'a> Palette<'a> {
    pub(super) fn of(optimizers: impl IntoIterator<Item = &'a Arm>) -> Self {
        let (mut koala, mut others) = (Vec::new(), Vec::new());
        for arm in optimizers {
            let names = if arm.is_koala() {
                &mut koala
            } else {
                &mut others
            };
            if !names.contains(&arm.optimizer.as_str()) {
                names.push(arm.optimizer.as_str());
            }
        }
        Self {
            koala: koala.len(),
            names: koala.into_iter().chain(others).collect(),
        }
    }

    /// How an optimizer's line looks: a hue of its own, and with more optimizers than are far apart a dash pattern too. Ours are wider.
    pub(super) fn series(&self, name: String, optimizer: &str) -> Series {
        let place = self.names.iter().position(|known| *known == optimizer);
        Series {
            name,
            hue: place.map(|place| place % HUES),
            dash: match place {
                Some(place) if place >= FAR => 1 + place / HUES % DASHES,
                _ => 0,
            },
            koala: place.is_some_and(|place| place < self.koala),
            kind: None,
            shown: true,
        }
    }
}

/// Whether values call for a logarithmic axis: all above zero, and the largest far above the least.
pub(super) fn spans(values: impl IntoIterator<Item = f64>) -> bool {
    const FAR: f64 = 20.0;
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for value in values.into_iter().filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    low > 0.0 && low.is_finite() && high / low > FAR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, koala: bool) -> Series {
        Series {
            koala,
            ..Series::grey(name)
        }
    }

    #[test]
    fn of_many_lines_ours_and_the_best_others_are_shown() {
        let mut few: Vec<Series> = (0..8).map(|_| series("o", false)).collect();
        choose(&mut few, |_| 0.0);
        assert!(few.iter().all(|line| line.shown));
        let mut many: Vec<Series> = (0..12).map(|at| series("o", at < 2)).collect();
        choose(&mut many, |at| -(at as f64));
        let shown: Vec<usize> = (0..12).filter(|at| many[*at].shown).collect();
        assert_eq!(shown, [0, 1, 9, 10, 11]);
        // What has no value comes last.
        let mut many: Vec<Series> = (0..9).map(|_| series("o", false)).collect();
        choose(&mut many, |at| if at < 6 { f64::NAN } else { at as f64 });
        assert!(many[6].shown && many[8].shown && !many[0].shown);
    }

    #[test]
    fn every_optimizer_of_a_page_looks_different() {
        let names: Vec<String> = (0..3 * HUES).map(|at| format!("o{at}")).collect();
        let palette = Palette {
            names: names.iter().map(String::as_str).collect(),
            koala: 4,
        };
        let look = |at: usize| {
            let series = palette.series(String::new(), &names[at]);
            (series.hue, series.dash)
        };
        let mut met: Vec<_> = (0..names.len()).map(look).collect();
        assert!(
            (0..FAR).all(|at| met[at].1 == 0),
            "the first are not dashed"
        );
        assert!((FAR..2 * FAR).all(|at| met[at].1 > 0), "the next are");
        let hues: Vec<_> = (0..HUES).map(|at| met[at].0).collect();
        assert_eq!(hues, (0..HUES).map(Some).collect::<Vec<_>>());
        met.sort_unstable();
        met.dedup();
        assert_eq!(met.len(), names.len());
    }
}
