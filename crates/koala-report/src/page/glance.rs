//! The first screen: who is how good, who is better than whom, and the curves.

use askama::Template;

use super::chart::Palette;
use super::curves::Told;
use super::svg::Scene;
use super::{matrix, ranking, zoom};
use crate::{Comparison, Error, WorkloadComparison};

/// A drawing that stands in the page as it is.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) caption: String,
    /// Made by a template of its own, which escapes what stands in it.
    pub(super) svg: String,
    /// Name of its file.
    pub(super) file: String,
}

impl Drawn {
    fn of(scene: Scene, caption: String, file: &str) -> Result<Self, Error> {
        let svg = scene.render();
        Ok(Self {
            caption,
            svg: svg.map_err(|fault| Error::Page(fault.to_string()))?,
            file: super::pictures::file(file),
        })
    }
}

/// A drawing with its caption and the name of its file.
pub(super) type Captioned = (String, Scene, String);

fn named(of: &str, caption: String, scene: Scene) -> Captioned {
    let name = format!("{of} {caption}");
    (caption, scene, name)
}

fn ranked(
    comparison: &Comparison,
    workload: &WorkloadComparison,
    palette: &Palette,
) -> Option<(String, Scene)> {
    let scene = ranking::of(comparison, workload, palette)?;
    let caption = format!("Test {}, best first", workload.measure.noun());
    Some((caption, scene))
}

/// What is drawn over all problems.
pub(super) fn over_all(comparison: &Comparison, palette: &Palette) -> Vec<Captioned> {
    let first = match comparison.workloads.as_slice() {
        // Of one problem the ranking is that of all.
        [only] => ranked(comparison, only, palette),
        _ => ranking::over_all(comparison, palette).and_then(|scene| {
            let over_all = comparison.overview.over_all.as_ref()?;
            Some((format!("Over {}, best first", over_all.problems()), scene))
        }),
    };
    let second = matrix::of(comparison, palette).map(|scene| (matrix::caption(comparison), scene));
    let both = first.into_iter().chain(second);
    both.map(|(caption, scene)| named(&comparison.name, caption, scene))
        .collect()
}

/// What is drawn of one problem.
pub(super) fn of(
    comparison: &Comparison,
    workload: &WorkloadComparison,
    arms: &[Told],
    palette: &Palette,
) -> Vec<Captioned> {
    let ranking = match comparison.workloads.len() {
        1 => None,
        _ => ranked(comparison, workload, palette),
    };
    let caption = format!("Validation {} over steps", workload.measure.noun());
    let curve = zoom::of(comparison, workload, arms).map(|scene| (caption, scene));
    let both = ranking.into_iter().chain(curve);
    both.map(|(caption, scene)| named(&workload.name, caption, scene))
        .collect()
}

/// As they stand in the page.
pub(super) fn drawn(scenes: Vec<Captioned>) -> Result<Vec<Drawn>, Error> {
    let all = scenes.into_iter();
    all.map(|(caption, scene, name)| Drawn::of(scene, caption, &name))
        .collect()
}
