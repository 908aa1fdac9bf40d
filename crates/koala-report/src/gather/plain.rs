//! Runs that belong to no suite, sorted as if they did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::settings::{self, Settings};
use crate::{LISTING_FORMAT, ListedRun, Listing, Measure, Role, Run, Workload};

/// A run that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) folder: PathBuf,
    run: Run,
    /// What decided it, by name: `optimizer.gain`, `batch-size`.
    settings: Settings,
}

/// Data sets that are someone's own, so that the name does not tell which it is.
const OWN: [&str; 4] = ["text", "images", "idx", "table"];

impl Found {
    pub(super) fn new(folder: &Path, run: Run) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: run.config.as_ref().map(settings::of).unwrap_or_default(),
            run,
        }
    }

    fn setting(&self, name: &str, told: fn(&crate::Start) -> &str) -> String {
        let start = self.run.log.start.as_ref();
        match (self.settings.get(name), start) {
            (Some(value), _) => value.clone(),
            (None, Some(start)) => told(start).to_owned(),
            (None, None) => "unknown".to_owned(),
        }
    }

    fn workload(&self) -> (String, String) {
        let mut dataset = self.setting("dataset.name", |start| &start.dataset);
        if OWN.contains(&dataset.as_str()) {
            dataset += &self.own_data();
        }
        (dataset, self.setting("model.name", |start| &start.model))
    }

    /// What tells data of one's own from others of the same kind: the file or folder, and what is to be told of it.
    fn own_data(&self) -> String {
        let of = |name: &str| self.settings.get(name).filter(|value| !value.is_empty());
        let place = of("dataset.file").or_else(|| of("dataset.data-dir"));
        let place = place.map(|place| {
            let name = Path::new(place).file_name();
            name.map_or(place.clone(), |name| name.to_string_lossy().into_owned())
        });
        let label = of("dataset.label").map(|label| format!("({label})"));
        let told = place.into_iter().chain(label);
        told.map(|text| format!(" {text}")).collect()
    }

    /// What its result warns of, if it has come to its end.
    fn warnings(&self) -> Option<&[String]> {
        let result = self.run.result.as_ref()?;
        Some(&result.warnings)
    }

    fn optimizer(&self) -> String {
        self.setting("optimizer.name", |start| &start.optimizer)
    }

    fn seed(&self) -> u64 {
        let config = self.run.config.as_ref();
        let seed = config.and_then(|config| config.get("seed")?.as_integer());
        let started = self.run.log.start.as_ref().map(|start| start.seed);
        started.or_else(|| u64::try_from(seed?).ok()).unwrap_or(0)
    }

    /// Networks that classify tell how much they misread.
    fn classifies(&self) -> bool {
        let mut evaluations = self.run.log.evaluations.iter();
        evaluations.any(|at| at.judged().is_some_and(|scores| scores.error.is_finite()))
    }

    fn squares(&self) -> bool {
        let start = self.run.log.start.as_ref();
        start.is_some_and(crate::Start::is_of_squared_errors)
    }

    fn examples(&self) -> u64 {
        let size = self.settings.get("batch-size");
        size.and_then(|size| size.parse().ok()).unwrap_or(1)
    }
}

/// What runs of one workload are judged by.
fn measure(group: &[&Found]) -> Measure {
    if group.iter().any(|run| run.classifies()) {
        Measure::Error
    } else if group.iter().any(|run| run.squares()) {
        Measure::SquaredError
    } else {
        Measure::Loss
    }
}

/// What is worth knowing of the data of runs: what all their results tell. The rest concerns runs.
fn data_warnings(group: &[&Found]) -> Vec<String> {
    let mut all = group.iter().filter_map(|run| run.warnings());
    let Some(first) = all.next() else {
        return Vec::new();
    };
    let mut shared = first.to_vec();
    for other in all {
        shared.retain(|text| other.contains(text));
    }
    shared
}

/// A listing of them below `root`, and what should be known of it.
pub(super) fn listing(found: &[Found], root: &Path) -> (Listing, Vec<String>) {
    let mut warnings = vec![
        "These runs belong to no suite: what differs between them besides the optimizer was not chosen for a comparison, \
         and which of them shared the machine is not known."
            .to_owned(),
    ];
    let mut groups: BTreeMap<(String, String), Vec<&Found>> = BTreeMap::new();
    for run in found {
        groups.entry(run.workload()).or_default().push(run);
    }
    let (mut workloads, mut runs) = (Vec::new(), Vec::new());
    for ((dataset, model), group) in groups {
        let name = format!("{model} on {dataset}");
        let mut taken: BTreeSet<(String, u64)> = BTreeSet::new();
        for run in &group {
            let (optimizer, seed) = (label(run, &group), run.seed());
            let inner = run.folder.strip_prefix(root).unwrap_or(&run.folder);
            let folder = inner.to_string_lossy().into_owned();
            if !taken.insert((optimizer.clone(), seed)) {
                warnings.push(format!(
                    "{folder} is left out: it has the settings and the seed of another run."
                ));
                continue;
            }
            runs.push(ListedRun {
                folder,
                workload: name.clone(),
                optimizer,
                method: None,
                seed,
                role: Role::Defaults,
            });
        }
        workloads.push(Workload {
            name,
            dataset,
            model,
            measure: measure(&group),
            target: None,
            examples_per_step: group.first().map_or(1, |run| run.examples()),
            test_samples: None,
            data_warnings: data_warnings(&group),
            horizon: None,
        });
    }
    let seeds: BTreeSet<u64> = runs.iter().map(|run| run.seed).collect();
    let name = root.file_name().unwrap_or(root.as_os_str());
    let listing = Listing {
        format: LISTING_FORMAT,
        program: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: name.to_string_lossy().into_owned(),
        source: "koala report".to_owned(),
        seeds: seeds.into_iter().collect(),
        tuning: None,
        reference: None,
        jobs: 1,
        threads: 0,
        workloads,
        runs,
        choices: Vec::new(),
    };
    (listing, warnings)
}

/// The optimizer, and every setting in which runs of this optimizer on this workload differ.
fn label(run: &Found, group: &[&Found]) -> String {
    let optimizer = run.optimizer();
    let same = group.iter().filter(|other| other.optimizer() == optimizer);
    let all: Vec<&Settings> = same.map(|other| &other.settings).collect();
    settings::label(&optimizer, &run.settings, &all)
}
