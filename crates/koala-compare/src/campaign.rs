//! Doing a comparison: tuning, the choice, the runs that are reported; and sweeps.

use std::path::{Path, PathBuf};

use koala_report::{Choice, Comparison, LISTING_FORMAT, ListedRun, Listing, Tuning, Workload};
use koala_system::read_text;
use koala_train::run::{DatasetSpec, LARGEST_CONFIG, RunFolder, Settled, write_whole};
use koala_train::training::Interrupt;

use super::Suite;
use super::choose::choose;
use super::identity::run_folder;
use super::observer::SuiteObserver;
use super::planned::{Planned, reported_runs, trial_runs};
use super::resolved::Resolved;
use super::store::{self, Bases, Question};
use super::sweeps::{SweepPlan, sweep_runs};
use super::workers::{Orders, Tally, Workers};
use crate::Error;

const COMPARISON_FILE: &str = "comparison.json";

/// A suite and the folder it is done in.
#[derive(Debug)]
pub struct Campaign<'a> {
    suite: &'a Suite,
    folder: PathBuf,
    orders: Orders,
    resolved: Vec<Resolved>,
    sweeps: Option<Vec<Planned>>,
    /// Whether runs of an earlier comparison may go out of the listing.
    replace: bool,
}

/// How a campaign has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Runs that have come to their end, those of earlier times and of other programs among them.
    pub runs: usize,
    /// Those that were at work here, this time.
    pub ours: usize,
    /// Those that failed by themselves, with the reason.
    pub failed: Vec<(ListedRun, String)>,
    /// Those of which a file is damaged, and which it is: they are left as they are.
    pub damaged: Vec<(ListedRun, String)>,
    /// Whether it was stopped before its end; the same command goes on.
    pub interrupted: bool,
}

/// A run that will be done, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The run.
    pub run: ListedRun,
    /// How it stands; nothing if it was never begun.
    pub state: Option<&'static str>,
}

impl<'a> Campaign<'a> {
    /// Resolves every configuration and checks it against its data, so that a mistake costs nothing; with `sweep`, the runs
    /// are those of its sweeps. Nothing is written.
    ///
    /// # Errors
    ///
    /// [`koala_train::Error::Config`] if something in the suite is wrong, [`koala_train::Error::Data`] if data are missing.
    pub fn new(
        suite: &'a Suite,
        folder: &Path,
        orders: Orders,
        sweep: Option<&SweepPlan>,
    ) -> Result<Self, Error> {
        let mut sweeps = sweep.map(|_| Vec::new());
        let mut number = 0;
        let resolved = suite.resolve(&mut |problem, data| {
            if let (Some(plan), Some(all)) = (sweep, &mut sweeps) {
                let mut runs = sweep_runs(suite, (number, problem), plan);
                // A batch may be too large for a text, or for whole batches.
                runs.retain(|run| run.config.check(data).is_ok());
                all.append(&mut runs);
            }
            number += 1;
            Ok(())
        })?;
        Ok(Self {
            suite,
            folder: folder.to_owned(),
            orders,
            resolved,
            sweeps,
            replace: false,
        })
    }

    /// Whether this comparison may take the place of another one in the folder, whose runs are then in no listing. Without it
    /// [`run`](Self::run) refuses to.
    #[must_use]
    pub fn replacing(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// The runs that are known of before anything is done, and how many more there will be once tuning has chosen.
    ///
    /// # Errors
    ///
    /// [`koala_train::Error::File`] if it cannot be found out how one stands.
    pub fn expected(&self) -> Result<(Vec<Expected>, usize), Error> {
        let (trials, reported) = (self.trials(), self.reported(&[]));
        let runs = match &self.sweeps {
            Some(sweeps) => sweeps.iter(),
            None => [].iter(),
        };
        let mut met = std::collections::BTreeSet::new();
        let mut all = Vec::new();
        for run in trials.iter().chain(&reported).chain(runs) {
            if !met.insert(&run.listed.folder) {
                continue;
            }
            let folder = RunFolder::at(&self.folder.join(&run.listed.folder));
            all.push(Expected {
                run: run.listed.clone(),
                state: match folder.settled()? {
                    Some(Settled::Failed(_)) => Some("failed"),
                    Some(Settled::Damaged(_)) => Some("damaged"),
                    Some(_) => Some("done"),
                    None => folder.is_begun().then_some("begun"),
                },
            });
        }
        Ok((all, self.tuned()))
    }

    /// What is worth knowing of each workload's data.
    pub fn warnings(&self) -> Vec<String> {
        let each = |problem: &Resolved| -> Vec<String> {
            let Workload {
                name,
                data_warnings,
                ..
            } = &problem.workload;
            let of = |text: &String| format!("workload {name}: {text}");
            data_warnings.iter().map(of).collect()
        };
        self.resolved.iter().flat_map(each).collect()
    }

    /// Whether runs in the folder learned from other samples that have the name of these. Their folders have other names, so that nothing
    /// would go on in them: they would be left behind.
    fn check_samples(&self) -> Result<(), Error> {
        let Some(before) = store::before(&self.folder)?.filter(|_| !self.replace) else {
            return Ok(());
        };
        for problem in &self.resolved {
            let configs = problem.entries.iter().map(|entry| &entry.config.dataset);
            let Some(DatasetSpec::Own(data)) = configs.into_iter().next() else {
                continue;
            };
            let mut runs = before
                .runs
                .iter()
                .filter(|run| run.workload == problem.workload.name);
            let noted = runs.find_map(|run| noted(&self.folder.join(&run.folder), data.name()));
            if let Some(was) = noted.filter(|was| was != data.sha256()) {
                return Err(Error::OtherSamples {
                    folder: self.folder.clone(),
                    data: data.name().to_owned(),
                    was,
                    is: data.sha256().to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether what was done in the folder was done on the same data, where these are one's own.
    fn check_data(&self) -> Result<(), Error> {
        self.check_samples()?;
        let (trials, reported) = (self.trials(), self.reported(&[]));
        for run in trials
            .iter()
            .chain(&reported)
            .chain(self.sweeps.iter().flatten())
        {
            let problem = self.resolved.get(run.problem);
            if let Some(now) = problem.and_then(|problem| problem.fingerprint.as_deref()) {
                let folder = RunFolder::at(&self.folder.join(&run.listed.folder));
                folder.check_data(Some(now))?;
            }
        }
        Ok(())
    }

    /// Does all that is not done yet. `suite.json` in the folder says from the beginning which runs there are, and after
    /// tuning what was chosen.
    ///
    /// # Errors
    ///
    /// [`Error::OtherComparison`] if the folder holds one whose runs are not part of this one; [`Error::OtherSamples`] if they learned from
    /// other samples of your own;
    /// [`koala_train::Error::OtherData`] if runs in it were done on data of one's own that have changed; [`Error`] if a file cannot be read
    /// or written. Runs that fail by themselves are no error.
    pub fn run(
        &self,
        observer: &mut dyn SuiteObserver,
        interrupt: &Interrupt,
    ) -> Result<Ended, Error> {
        self.check_data()?;
        store::take(&self.folder)?;
        match &self.sweeps {
            Some(sweeps) => self.sweep(sweeps, observer, interrupt),
            None => self.compare(observer, interrupt),
        }
    }

    fn compare(
        &self,
        observer: &mut dyn SuiteObserver,
        interrupt: &Interrupt,
    ) -> Result<Ended, Error> {
        let question = Question::Comparison;
        let (trials, defaults) = (self.trials(), self.reported(&[]));
        let mut known = vec![0; self.resolved.len()];
        for run in trials.iter().chain(&defaults) {
            known[run.problem] += 1;
        }
        for (count, problem) in known.iter_mut().zip(&self.resolved) {
            *count += self.tuned_of(problem);
        }
        let listing = |choices: &[Choice], jobs: usize| {
            let reported = self.reported(choices);
            self.listing(trials.iter().chain(&reported), choices, jobs)
        };
        let trials_due = self.due(&trials)?;
        // What tuning chose at an earlier time stays listed, and what is about to run is as if it had run: this program may
        // be killed.
        let mut choices = match &self.suite.tuning {
            Some(tuning) if !trials_due => choose(&self.folder, &self.resolved, &trials, tuning)?,
            _ => Vec::new(),
        };
        let due = trials_due || self.due(&self.reported(&choices))?;
        let first = listing(&choices, self.at_once(due));
        self.keep_others(&first, question)?;
        self.write(&first, question)?;
        let workers = Workers::new(&self.folder, self.orders, &known, observer, interrupt);
        if let Some(tuning) = &self.suite.tuning {
            let tally = workers.work(&trials)?;
            if tally.interrupted {
                let listing = listing(&choices, self.together(&tally));
                self.write(&listing, question)?;
                return Ok(tally.into());
            }
            choices = choose(&self.folder, &self.resolved, &trials, tuning)?;
            let due = self.due(&self.reported(&choices))?;
            let jobs = self.together(&tally).max(self.at_once(due));
            self.write(&listing(&choices, jobs), question)?;
        }
        let tally = workers.work(&self.reported(&choices))?;
        self.write(&listing(&choices, self.together(&tally)), question)?;
        Ok(tally.into())
    }

    fn sweep(
        &self,
        sweeps: &[Planned],
        observer: &mut dyn SuiteObserver,
        interrupt: &Interrupt,
    ) -> Result<Ended, Error> {
        let question = Question::Sensitivity;
        let mut known = vec![0; self.resolved.len()];
        for run in sweeps {
            known[run.problem] += 1;
        }
        let jobs = self.at_once(self.due(sweeps)?);
        let first = self.listing(sweeps, &[], jobs);
        self.keep_others(&first, question)?;
        self.write(&first, question)?;
        let workers = Workers::new(&self.folder, self.orders, &known, observer, interrupt);
        let tally = workers.work(sweeps)?;
        let listing = self.listing(sweeps, &[], self.together(&tally));
        self.write(&listing, question)?;
        Ok(tally.into())
    }

    /// What the runs in the folder have found so far, also kept there as `comparison.json`.
    ///
    /// # Errors
    ///
    /// [`Error`] if `suite.json` cannot be read or the file cannot be written.
    pub fn found(&self) -> Result<Comparison, Error> {
        let comparison = koala_report::compare(&self.folder)?;
        let file = self.folder.join(COMPARISON_FILE);
        let mut text = serde_json::to_string_pretty(&comparison)
            .map_err(|e| Error::file(file, "write")(e.into()))?;
        text.push('\n');
        // Programs that share the folder often come to their end together.
        let _lock = store::hold(&self.folder)?;
        write_whole(&self.folder, COMPARISON_FILE, text.as_bytes())?;
        Ok(comparison)
    }

    /// Refuses to take runs of an earlier comparison out of the listing, unless that is wished.
    fn keep_others(&self, listing: &Listing, question: Question) -> Result<(), Error> {
        match self.replace {
            true => Ok(()),
            false => store::keep_others(&self.folder, listing, question, &self.bases()),
        }
    }

    fn write(&self, listing: &Listing, question: Question) -> Result<(), Error> {
        store::write(&self.folder, listing, question, &self.bases())
    }

    /// The runs at the workloads' own settings, those that meet the test samples and those that do not.
    fn bases(&self) -> Bases {
        let mut bases = Bases::new();
        for problem in &self.resolved {
            let folders = bases.entry(problem.workload.name.clone()).or_default();
            for entry in &problem.entries {
                for &seed in &self.suite.seeds {
                    let mut config = entry.config.clone();
                    config.seed = seed;
                    folders.insert(run_folder(&config));
                    config.test = false;
                    folders.insert(run_folder(&config));
                }
            }
        }
        bases
    }

    fn trials(&self) -> Vec<Planned> {
        match &self.suite.tuning {
            Some(tuning) if self.sweeps.is_none() => trial_runs(&self.resolved, tuning),
            _ => Vec::new(),
        }
    }

    fn reported(&self, choices: &[Choice]) -> Vec<Planned> {
        match self.sweeps {
            None => {
                let Suite { seeds, tuning, .. } = self.suite;
                reported_runs(&self.resolved, seeds, tuning.as_ref(), choices)
            }
            Some(_) => Vec::new(),
        }
    }

    /// Runs of chosen hyperparameters.
    fn tuned(&self) -> usize {
        self.resolved.iter().map(|p| self.tuned_of(p)).sum()
    }

    fn tuned_of(&self, problem: &Resolved) -> usize {
        let tuned = problem.entries.iter().filter(|e| !e.trials.is_empty());
        match self.sweeps {
            None => tuned.count() * self.suite.seeds.len(),
            Some(_) => 0,
        }
    }

    /// Whether one of these runs has not come to its end.
    fn due(&self, runs: &[Planned]) -> Result<bool, Error> {
        for run in runs {
            let folder = RunFolder::at(&self.folder.join(&run.listed.folder));
            if !folder.is_over()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Runs that will be at work at once here, if there are some to do.
    fn at_once(&self, due: bool) -> usize {
        if due { self.orders.jobs.max(1) } else { 1 }
    }

    /// Runs that were at work at once, as far as is known.
    fn together(&self, tally: &Tally) -> usize {
        match (tally.ours, tally.company) {
            (0, false) => 1,
            (_, company) => self.orders.jobs + usize::from(company),
        }
    }

    fn listing<'r>(
        &self,
        runs: impl IntoIterator<Item = &'r Planned>,
        choices: &[Choice],
        jobs: usize,
    ) -> Listing {
        let suite = self.suite;
        Listing {
            format: LISTING_FORMAT,
            program: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: suite.name.clone(),
            source: suite.source.clone(),
            seeds: suite.seeds.clone(),
            tuning: suite.tuning.as_ref().map(|tuning| Tuning {
                trials: tuning.trials,
                sampler: tuning.sampler,
                seeds: tuning.seeds.clone(),
                untuned: tuning.untuned.clone(),
            }),
            reference: suite.reference.clone(),
            workloads: self.resolved.iter().map(|p| p.workload.clone()).collect(),
            runs: runs.into_iter().map(|run| run.listed.clone()).collect(),
            choices: choices.to_vec(),
            jobs,
            threads: self.orders.threads,
        }
    }
}

/// The SHA-256 of samples of this name, as the configuration of a run notes it; nothing if it notes none, or cannot be read.
fn noted(run: &Path, data: &str) -> Option<String> {
    let text = read_text(&run.join("config.toml"), LARGEST_CONFIG).ok()?;
    let config: toml::Table = text.parse().ok()?;
    let dataset = config.get("dataset")?;
    let named = dataset.get("name")?.as_str()? == data;
    named.then(|| Some(dataset.get("sha256")?.as_str()?.to_owned()))?
}

impl From<Tally> for Ended {
    fn from(tally: Tally) -> Self {
        let listed = |runs: Vec<(Planned, String)>| {
            runs.into_iter()
                .map(|(run, why)| (run.listed, why))
                .collect()
        };
        Self {
            runs: tally.ended,
            ours: tally.ours,
            failed: listed(tally.failed),
            damaged: listed(tally.damaged),
            interrupted: tally.interrupted,
        }
    }
}
