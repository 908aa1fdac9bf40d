//! Runs to choose from.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use koala_compare::Error;
use koala_report::{
    Detail, Follower, LISTING_FILE, ListedRun, Listing, Log, Role, Run, run_folders,
};
use koala_system::visible;
use koala_train::run::RunFolder;

use super::snapshot::Snapshot;
use super::state::State;

/// What tells most of a run, the best of it first.
const JUDGED: [&str; 5] = [
    "test error",
    "held-out error",
    "test loss",
    "held-out loss",
    "distance from real images",
];

/// Runs to choose from.
pub struct Rows {
    folder: PathBuf,
    /// In the order of their suite, or of their names.
    pub rows: Vec<Row>,
}

/// One of them.
pub struct Row {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is called.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// Steps done.
    pub done: u64,
    /// Steps asked for.
    pub planned: Option<u64>,
    /// What can be said of it in a few words.
    pub told: String,
    follower: Follower,
}

impl Rows {
    /// Whether a folder is one to choose from: a suite's, or no run's.
    pub fn are_in(folder: &Path) -> bool {
        folder.join(LISTING_FILE).is_file() || !Run::is_begun(folder)
    }

    /// The runs in a folder.
    ///
    /// # Errors
    ///
    /// [`Error`] if there are none or one cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut rows = Self {
            folder: folder.to_owned(),
            rows: Vec::new(),
        };
        rows.look()?;
        Ok(rows)
    }

    /// Looks again at all that may have changed.
    ///
    /// # Errors
    ///
    /// As [`Rows::read`]; what was seen before stays.
    pub fn look(&mut self) -> Result<(), Error> {
        let wanted = wanted(&self.folder)?;
        let known = std::mem::take(&mut self.rows).into_iter();
        let mut known: HashMap<PathBuf, Row> = known.map(|row| (row.folder.clone(), row)).collect();
        for (folder, name) in wanted {
            let row = known.remove(&folder);
            let mut row = row.unwrap_or_else(|| Row::new(folder));
            row.name = visible(&name);
            row.look();
            self.rows.push(row);
        }
        Ok(())
    }
}

fn wanted(folder: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    if !folder.join(LISTING_FILE).is_file() {
        let folders = run_folders(folder)?;
        return Ok(folders
            .into_iter()
            .map(|run| {
                let name = run.strip_prefix(folder).unwrap_or(&run);
                let name = name.display().to_string();
                (run, name)
            })
            .collect());
    }
    let listing = Listing::read(folder)?;
    let mut met = BTreeSet::new();
    let runs = listing.runs.iter();
    let once = runs.filter(|run| met.insert(run.folder.as_str()));
    Ok(once
        .map(|run| (folder.join(&run.folder), name(run)))
        .collect())
}

fn name(run: &ListedRun) -> String {
    let role = match &run.role {
        Role::Defaults => "defaults".to_owned(),
        Role::Tuned => "tuned".to_owned(),
        Role::Trial { trial, .. } => format!("trial {trial}"),
        Role::Sweep {
            parameter, value, ..
        } => format!("{parameter} {value}"),
    };
    format!(
        "{} {} seed {} {role}",
        run.workload, run.optimizer, run.seed
    )
}

impl Row {
    fn new(folder: PathBuf) -> Self {
        Self {
            follower: Follower::new(&folder.join(Log::FILE), Detail::Measures),
            folder,
            name: String::new(),
            state: State::NotBegun,
            done: 0,
            planned: None,
            told: String::new(),
        }
    }

    /// One row that cannot be read does not take the others away.
    fn look(&mut self) {
        // A finished run is done with, and reading hundreds of them twice a second is not for nothing.
        if self.state == State::Finished && self.folder.join("result.json").is_file() {
            return;
        }
        if let Err(error) = self.read() {
            self.told = visible(&error.to_string());
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        self.follower.look()?;
        if !self.follower.found() && !Run::is_begun(&self.folder) {
            self.state = State::NotBegun;
            self.told = String::new();
            return Ok(());
        }
        let busy = RunFolder::is_busy(&self.folder)?;
        let run = Run::followed(&self.folder, &self.follower)?;
        run.check_files()?;
        let shown = Snapshot::of(&run, self.follower.latest().as_ref(), busy, 0.0);
        let known = || shown.result.iter().chain(&shown.scores);
        let judged = JUDGED
            .iter()
            .find_map(|name| known().find(|fact| fact.name == *name));
        self.told = match (&shown.state, judged) {
            (State::Failed(cause), _) => cause.clone(),
            (_, Some(fact)) => fact.words(),
            _ => String::new(),
        };
        (self.state, self.done, self.planned) = (shown.state, shown.done, shown.planned);
        Ok(())
    }
}
