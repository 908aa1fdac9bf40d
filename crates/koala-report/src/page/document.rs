//! The page as a whole.

use std::path::Path;

use askama::Template;
use koala_system::visible_lines;

use super::chart::{Drawings, Palette};
use super::curves::{self, Told};
use super::embed;
use super::figures::Figure;
use super::filter::{self, Inside};
use super::forest::{self, Forest};
use super::glance::{self, Drawn};
use super::profiles::{self, Shown};
use super::ranking;
use super::reference;
use super::svg::STYLE;
use super::tables::{self as numbers, Table};
use super::tuning::{self, TrialRow};
use super::verdict::{self, Said};
use crate::compare::{BY_ITSELF, list};
use crate::tables;
use crate::{Comparison, Error, Sampler, WorkloadComparison};

/// A comparison as one HTML file that needs nothing else. The runs' curves are read from their folders below `root`; the
/// same folders give the same bytes.
///
/// # Errors
///
/// [`Error::Page`] if the page cannot be put together. Runs that cannot be read are no error: they have no curves.
pub fn html(comparison: &Comparison, root: &Path) -> Result<String, Error> {
    let arms = comparison
        .workloads
        .iter()
        .flat_map(|workload| &workload.arms);
    let palette = Palette::of(arms);
    let mut drawings = Drawings::default();
    let ordered = own_length_first(&comparison.workloads);
    let open = open(&ordered);
    let workloads = ordered
        .into_iter()
        .map(|workload| Section::of(comparison, workload, root, &palette, &mut drawings))
        .collect::<Result<Vec<Section>, Error>>()?;
    let profiles = comparison
        .profiles
        .iter()
        .map(|profile| profiles::of(profile, &palette, &mut drawings))
        .collect();
    let page = Page {
        comparison,
        facts: facts(comparison),
        over_all: glance::drawn(glance::over_all(comparison, &palette))?,
        choices: tables::choices(comparison),
        reference: comparison.reference.as_ref().map(reference::of),
        verdict: verdict::of(comparison),
        by_itself: match comparison
            .verdict
            .iter()
            .all(|said| said.evidence.is_empty())
        {
            true => "",
            false => BY_ITSELF,
        },
        workloads,
        open,
        profiles,
        data: embed::json(&drawings).map_err(|fault| Error::Page(fault.to_string()))?,
        styles: [
            include_str!("../../assets/uplot.min.css"),
            include_str!("../../assets/palette.css"),
            include_str!("../../assets/page.css"),
        ],
        scene_style: STYLE,
        scripts: [
            include_str!("../../assets/uplot.min.js"),
            include_str!("../../assets/page.js"),
            include_str!("../../assets/save.js"),
            include_str!("../../assets/tables.js"),
            include_str!("../../assets/chart.js"),
            include_str!("../../assets/heat.js"),
        ],
    };
    page.render()
        .map(|text| visible_lines(&text))
        .map_err(|fault| Error::Page(fault.to_string()))
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    comparison: &'a Comparison,
    facts: Vec<String>,
    /// What is drawn over all problems.
    over_all: Vec<Drawn>,
    choices: Option<tables::Table>,
    reference: Option<reference::Section<'a>>,
    verdict: Vec<Said<'a>>,
    by_itself: &'static str,
    workloads: Vec<Section<'a>>,
    /// How many of them are shown at first; the others are a click away.
    open: usize,
    profiles: Vec<Shown>,
    data: String,
    styles: [&'static str; 3],
    /// How drawings look; a drawing that is saved takes it along.
    scene_style: &'static str,
    scripts: [&'static str; 6],
}

/// Problems that are shown at first, so that a page of many can be taken in.
const OPEN: usize = 12;

/// Workloads of their problem's own length, then the others, each in the suite's order.
fn own_length_first(workloads: &[WorkloadComparison]) -> Vec<&WorkloadComparison> {
    let mut ordered: Vec<&WorkloadComparison> = workloads.iter().collect();
    ordered.sort_by_key(|workload| workload.length.is_some_and(|factor| factor != 1.0));
    ordered
}

/// How many workloads are shown at first: those of their own length, if there are any, and no more than [`OPEN`].
fn open(ordered: &[&WorkloadComparison]) -> usize {
    let own = ordered
        .iter()
        .filter(|workload| workload.length.is_none_or(|factor| factor == 1.0))
        .count();
    match own {
        0 => ordered.len(),
        own => own,
    }
    .min(OPEN)
}

/// A workload on the page.
struct Section<'a> {
    workload: &'a WorkloadComparison,
    facts: String,
    heads: Vec<String>,
    /// What is drawn of it at first sight.
    drawn: Vec<Drawn>,
    /// How many arms are not among them.
    left_out: usize,
    tables: Vec<Table>,
    curves: Vec<Figure>,
    forests: Vec<Forest>,
    sensitivity: Option<Figure>,
    tuning: Option<Figure>,
    trials: Vec<TrialRow>,
    inside: Vec<Inside>,
}

impl<'a> Section<'a> {
    fn of(
        comparison: &Comparison,
        workload: &'a WorkloadComparison,
        root: &Path,
        palette: &Palette,
        drawings: &mut Drawings,
    ) -> Result<Self, Error> {
        let (shown, all) = ranking::shown(comparison, workload);
        let arms = Told::all(workload, root, palette);
        let hue = |arm: &crate::Arm| palette.series(String::new(), &arm.optimizer).hue;
        Ok(Self {
            workload,
            facts: setting(workload),
            drawn: glance::drawn(glance::of(comparison, workload, &arms, palette))?,
            left_out: all - shown.len(),
            heads: numbers::heads(workload.measure),
            tables: numbers::of(workload, comparison.timed, hue),
            curves: curves::of(workload, &arms, drawings),
            forests: forest::of(workload),
            sensitivity: tuning::sensitivity(workload, palette, drawings),
            tuning: tuning::trials(workload, palette, drawings),
            trials: tuning::rows(workload),
            inside: filter::of(&arms, workload.measure, drawings),
        })
    }
}

fn setting(workload: &WorkloadComparison) -> String {
    let mut facts = format!("{} on {}", workload.model, workload.dataset);
    if let Some(parameters) = workload.parameters {
        facts.push_str(&format!(", {parameters} parameters"));
    }
    if let Some(target) = workload.target {
        facts.push_str(&format!(
            "; target: validation {} of {:.*} {}{}",
            workload.measure.noun(),
            workload.measure.digits(),
            target.value,
            workload.measure.unit(),
            match target.derived {
                true => " (the median over the arms of their median best value)",
                false => "",
            }
        ));
    }
    if !workload.writers.is_empty() {
        facts.push_str(&format!("; runs written by {}", list(&workload.writers)));
    }
    facts.push('.');
    facts
}

fn facts(comparison: &Comparison) -> Vec<String> {
    let numbers = |seeds: &[u64]| -> String {
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        seeds.join(", ")
    };
    let mut facts = vec![format!(
        "Seeds that are reported: {}.",
        numbers(&comparison.seeds)
    )];
    facts.push(match &comparison.tuning {
        Some(tuning) => format!(
            "Tuning: {} trials of each optimizer{} on each workload, from {}, with {} {} that {} not reported, judged by held-out samples.",
            tuning.trials,
            match tuning.untuned.as_slice() {
                [] => String::new(),
                untuned => format!(" but {}", list(untuned)),
            },
            match tuning.sampler {
                Sampler::Grid => "a grid",
                Sampler::Halton => "Halton's sequence",
            },
            if tuning.seeds.len() == 1 { "seed" } else { "seeds" },
            numbers(&tuning.seeds),
            if tuning.seeds.len() == 1 { "is" } else { "are" },
        ),
        None => "Nothing was tuned.".to_owned(),
    });
    facts
}
