//! Every figure of the page as a file.

use std::collections::BTreeSet;
use std::path::Path;

use super::chart::{Drawings, Palette};
use super::curves::{self, Told};
use super::figures::Figure;
use super::svg::{self, Scene, standalone};
use super::{filter, glance, profiles, tuning};
use crate::{Comparison, Error};

/// A figure as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Name of the file, with its ending.
    pub file: String,
    /// The SVG.
    pub text: String,
}

/// Every figure of the page, as the page shows it at first, by day. The same folders give the same bytes.
///
/// # Errors
///
/// [`Error::Page`] if one cannot be put together. Runs that cannot be read are no error: they have no curves.
pub fn pictures(comparison: &Comparison, root: &Path) -> Result<Vec<Picture>, Error> {
    let arms = comparison
        .workloads
        .iter()
        .flat_map(|workload| &workload.arms);
    let palette = Palette::of(arms);
    let mut scenes: Vec<(String, Scene)> = Vec::new();
    let named = |drawn: Vec<glance::Captioned>| {
        drawn
            .into_iter()
            .map(|(_, scene, name)| (name, scene))
            .collect::<Vec<_>>()
    };
    scenes.extend(named(glance::over_all(comparison, &palette)));
    for workload in &comparison.workloads {
        let told = Told::all(workload, root, &palette);
        scenes.extend(named(glance::of(comparison, workload, &told, &palette)));
        let mut drawings = Drawings::default();
        let mut figures = curves::of(workload, &told, &mut drawings);
        figures.extend(tuning::sensitivity(workload, &palette, &mut drawings));
        figures.extend(tuning::trials(workload, &palette, &mut drawings));
        let own = figures.iter().map(|figure| (workload.name.clone(), figure));
        scenes.extend(charts(own, &drawings));
        for inside in filter::of(&told, workload.measure, &mut drawings) {
            let name = format!("{} {}", workload.name, inside.name);
            let own = inside.figures.iter().map(|figure| (name.clone(), figure));
            scenes.extend(charts(own, &drawings));
            scenes.extend(inside.heat.iter().filter_map(|figure| {
                let scene = svg::heat(
                    drawings.heat_of(figure)?,
                    &figure.caption,
                    &figure.description,
                );
                Some((format!("{name} {}", figure.caption), scene))
            }));
        }
    }
    for profile in &comparison.profiles {
        let mut drawings = Drawings::default();
        let shown = profiles::of(profile, &palette, &mut drawings);
        let own = [("profile".to_owned(), &shown.figure)];
        scenes.extend(charts(own.into_iter(), &drawings));
    }
    let mut known = BTreeSet::new();
    scenes
        .into_iter()
        .map(|(name, scene)| {
            let mut taken = file(&name);
            // What is cut or replaced may be what told two names apart.
            let mut again = 2;
            while !known.insert(taken.clone()) {
                taken = file(&format!("{again} {name}"));
                again += 1;
            }
            Ok(Picture {
                file: taken,
                text: standalone(scene)?,
            })
        })
        .collect()
}

fn charts<'a>(
    figures: impl Iterator<Item = (String, &'a Figure)>,
    drawings: &Drawings,
) -> Vec<(String, Scene)> {
    figures
        .filter_map(|(name, figure)| {
            let chart = drawings.chart_of(figure)?;
            let scene = svg::chart(chart, &figure.caption, &figure.description)?;
            Some((format!("{name} {}", figure.caption), scene))
        })
        .collect()
}

/// A file's name of letters, digits and dashes, whatever a figure is called.
pub(super) fn file(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut file = String::new();
    for letter in name.chars() {
        match letter {
            _ if letter.is_ascii_alphanumeric() => file.push(letter.to_ascii_lowercase()),
            _ if file.ends_with('-') || file.is_empty() => {}
            _ => file.push('-'),
        }
        if file.len() == LONGEST {
            break;
        }
    }
    let file = file.trim_end_matches('-');
    match file.is_empty() {
        true => "figure.svg".to_owned(),
        false => format!("{file}.svg"),
    }
}

#[cfg(test)]
mod tests {
    use super::file;

    #[test]
    fn names_of_files_are_harmless() {
        assert_eq!(
            file("digits-mlp Training: loss of batches"),
            "digits-mlp-training-loss-of-batches.svg"
        );
        assert_eq!(file("../../etc/passwd\u{0}"), "etc-passwd.svg");
        assert_eq!(file("</svg>"), "svg.svg");
        assert_eq!(file("…"), "figure.svg");
        assert_eq!(file(&"x".repeat(500)).len(), 84);
    }
}
