//! What a run's folder may hold: what is a run's may be removed, and nothing else is touched.

use std::fs::{self, DirEntry};
use std::io::Read;
use std::path::{Path, PathBuf};

use koala_system::{MANIFEST, read_text, remove_file, remove_folder};
use toml::Table;

use super::checkpoints;
use super::lock::LOCK;
use super::resolve::LARGEST_CONFIG;
use crate::Error;

pub(super) const CONFIG: &str = "config.toml";
pub(super) const EVENTS: &str = "events.jsonl";
pub(super) const BOARD: &str = "events.out.tfevents.koala";
pub(super) const DATA: &str = "data.json";
pub(super) const RESULT: &str = "result.json";
pub(super) const FAILURE: &str = "failure.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const CRITIC: &str = "critic.safetensors";
pub(super) const BEST: &str = "best.safetensors";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const SAMPLES: &str = "samples";
/// What `koala report` puts there.
const REPORT: &str = "report";

/// The result goes first and the configuration last: a folder from which not all was removed is still a run's.
const FILES: [&str; 9] = [
    RESULT, MANIFEST, FAILURE, WEIGHTS, CRITIC, BEST, EVENTS, BOARD, DATA,
];
const REPORTS: [&str; 7] = [
    "report.html",
    "report.md",
    "report.tex",
    "runs.csv",
    "arms.csv",
    "reference.csv",
    "ratios.csv",
];
/// Where it puts its figures, if they are asked for by themselves; they have names of their own, and all begin so.
const FIGURES: &str = "figures";
const FIGURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"scene\"";

/// The files and folders of a run, in the order in which they are removed.
#[derive(Debug, Default)]
pub(super) struct Contents {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    config: Option<PathBuf>,
}

impl Contents {
    /// Of a folder, its lock left out.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`] with the first thing in it that no run has written, be it a link; [`Error::File`] if it cannot be read.
    pub(super) fn of(folder: &Path) -> Result<Self, Error> {
        let mut found = Self::default();
        for (entry, name) in entries(folder)? {
            let path = entry.path();
            match Kind::of(&entry)? {
                Kind::File if name == LOCK => {}
                Kind::File if name == CONFIG => found.config = Some(path),
                Kind::File if FILES.contains(&name.as_str()) || is_draft(&name) => {
                    found.files.push(path);
                }
                Kind::Folder if name == CHECKPOINTS => {
                    for (inner, name) in entries(&path)? {
                        if !checkpoints::is_one(&name) || Kind::of(&inner)? != Kind::Folder {
                            return Err(foreign(inner.path()));
                        }
                        found.all_of(inner.path(), |_, name| checkpoints::is_part(name))?;
                    }
                    found.folders.push(path);
                }
                Kind::Folder if name == SAMPLES => found.all_of(path, |_, name| is_sample(name))?,
                Kind::Folder if name == REPORT => {
                    let figures = path.join(FIGURES);
                    if let Ok(kind) = fs::symlink_metadata(&figures)
                        && kind.is_dir()
                    {
                        found.all_of(figures, |path, _| is_figure(path))?;
                    }
                    found.all_of(path, |_, name| is_report(name))?;
                }
                _ => return Err(foreign(path)),
            }
        }
        // Others have files of these names too.
        let is_run = found.config.as_deref().is_some_and(is_config);
        let other = found.config.clone().filter(|_| !is_run);
        let mut files = found.files.iter().chain(&found.folders);
        match other.or_else(|| files.find(|path| !is_run && !is_draft_at(path)).cloned()) {
            Some(path) => Err(foreign(path)),
            None => Ok(found),
        }
    }

    /// Whether there is nothing but the beginning of a run that broke off before it had a configuration.
    pub(super) fn is_nothing(&self) -> bool {
        self.config.is_none() && self.folders.is_empty()
    }

    /// Whether there is anything to remove.
    pub(super) fn is_anything(&self) -> bool {
        self.config.is_some() || !self.files.is_empty() || !self.folders.is_empty()
    }

    /// Removes all of it.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if something cannot be removed.
    pub(super) fn remove(self) -> Result<(), Error> {
        for file in self.files {
            remove_file(&file).map_err(Error::file(file, "replace"))?;
        }
        for folder in self.folders {
            remove_folder(&folder).map_err(Error::file(folder, "replace"))?;
        }
        match self.config {
            Some(file) => remove_file(&file).map_err(Error::file(file, "replace")),
            None => Ok(()),
        }
    }

    /// All in a folder, but for folders that are known already, and the folder itself.
    fn all_of(&mut self, folder: PathBuf, is_ours: fn(&Path, &str) -> bool) -> Result<(), Error> {
        for (entry, name) in entries(&folder)? {
            let path = entry.path();
            if self.folders.contains(&path) {
                continue;
            }
            if Kind::of(&entry)? != Kind::File || !is_ours(&path, &name) {
                return Err(foreign(path));
            }
            self.files.push(path);
        }
        self.folders.push(folder);
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link, say, which no run has made.
    Other,
}

impl Kind {
    fn of(entry: &DirEntry) -> Result<Self, Error> {
        let kind = entry
            .file_type()
            .map_err(Error::file(entry.path(), "look at"))?;
        Ok(match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Folder,
            _ => Self::Other,
        })
    }
}

/// What is in a folder, by name, so that the same is named first every time.
fn entries(folder: &Path) -> Result<Vec<(DirEntry, String)>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::file(folder, "read"))? {
        let entry = entry.map_err(Error::file(folder, "read"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((entry, name));
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(found)
}

fn foreign(path: PathBuf) -> Error {
    Error::Foreign { path }
}

/// What a whole file is written as, left by a program that was killed.
fn is_draft(name: &str) -> bool {
    let inner = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".part"));
    inner.is_some_and(|name| name == CONFIG || FILES.contains(&name))
}

fn is_draft_at(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| is_draft(&name.to_string_lossy()))
}

fn is_sample(name: &str) -> bool {
    let whole = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".part"));
    let number = |name: &str| {
        let digits = name
            .strip_prefix("step-")
            .and_then(|name| name.strip_suffix(".png"));
        digits.is_some_and(|digits| digits.parse::<u64>().is_ok())
    };
    let name = whole.unwrap_or(name);
    name == "real.png" || number(name)
}

fn is_report(name: &str) -> bool {
    let whole = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".part"));
    REPORTS.contains(&whole.unwrap_or(name))
}

/// Whether a file is a figure of a report.
fn is_figure(path: &Path) -> bool {
    let mut start = [0; FIGURE.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == FIGURE.as_bytes()
}

/// Whether a file is the configuration of a run, be it another program's.
fn is_config(path: &Path) -> bool {
    let text = read_text(path, LARGEST_CONFIG).unwrap_or_default();
    let Ok(table) = text.parse::<Table>() else {
        return false;
    };
    ["dataset", "model", "optimizer"].iter().all(|part| {
        let name = table.get(*part).and_then(|part| part.get("name"));
        name.is_some_and(toml::Value::is_str)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "[dataset]\nname = 'd'\n[model]\nname = 'm'\n[optimizer]\nname = 'o'\n";

    /// A folder with these files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, RUN).unwrap();
        }
        folder
    }

    const WHOLE: [&str; 12] = [
        ".lock",
        "config.toml",
        "result.json",
        ".result.json.part",
        "events.jsonl",
        "model.safetensors",
        "checkpoints/step-000000000100/manifest.json",
        "checkpoints/step-000000000100/model.safetensors",
        "checkpoints/.step-000000000200.part/progress.json",
        "samples/real.png",
        "samples/step-000000500.png",
        "report/report.html",
    ];

    #[test]
    fn a_run_is_removed_and_nothing_else_is_there_then() {
        let run = folder(&WHOLE);
        Contents::of(run.path()).unwrap().remove().unwrap();
        let left: Vec<_> = fs::read_dir(run.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert!(run.path().join(".lock").is_file());
    }

    #[test]
    fn whatever_is_no_runs_is_named_and_nothing_is_removed() {
        for other in [
            "notes.txt",
            "checkpoints/llama/model.pt",
            "checkpoints/mine.txt",
            "checkpoints/step-000000000100/mine.json",
            "checkpoints/step-100-mine/model.safetensors",
            "samples/holiday.png",
            "report/thesis.tex",
            "data/a",
        ] {
            let mut files = WHOLE.to_vec();
            files.push(other);
            let run = folder(&files);
            let fault = Contents::of(run.path()).unwrap_err();
            let Error::Foreign { path } = &fault else {
                panic!("{fault}");
            };
            let inner = path.strip_prefix(run.path()).unwrap();
            assert!(Path::new(other).starts_with(inner), "{other}: {fault}");
            assert!(
                files.iter().all(|name| run.path().join(name).is_file()),
                "{other}"
            );
        }
    }

    #[test]
    fn files_of_the_same_names_without_a_run_are_someone_elses() {
        for files in [
            &["model.safetensors"][..],
            &["checkpoints/step-000000000001/model.safetensors"],
        ] {
            let found = folder(files);
            assert!(
                matches!(Contents::of(found.path()), Err(Error::Foreign { .. })),
                "{files:?}"
            );
        }
        let found = folder(&["model.safetensors", "config.toml"]);
        fs::write(
            found.path().join("config.toml"),
            "[package]\nname = 'theirs'",
        )
        .unwrap();
        let text = Contents::of(found.path()).unwrap_err().to_string();
        assert!(
            text.contains("config.toml: this is no part of a run"),
            "{text}"
        );
        // What a run that broke off at its very beginning leaves is nothing.
        let begun = folder(&[".lock", ".config.toml.part"]);
        assert!(Contents::of(begun.path()).unwrap().is_nothing());
        assert!(!Contents::of(folder(&WHOLE).path()).unwrap().is_nothing());
    }

    #[test]
    fn figures_are_known_by_how_they_begin() {
        let run = folder(&WHOLE);
        let figures = run.path().join("report/figures");
        fs::create_dir(&figures).unwrap();
        fs::write(figures.join("a-b.svg"), format!("{FIGURE} viewBox")).unwrap();
        assert!(Contents::of(run.path()).is_ok());
        fs::write(figures.join("mine.svg"), "<svg>").unwrap();
        let fault = Contents::of(run.path()).unwrap_err().to_string();
        assert!(fault.contains("mine.svg"), "{fault}");
        fs::remove_file(figures.join("mine.svg")).unwrap();
        Contents::of(run.path()).unwrap().remove().unwrap();
        assert!(!run.path().join("report").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_no_runs() {
        let elsewhere = folder(&["step-000000000100/model.safetensors"]);
        for name in ["checkpoints", "events.jsonl", "samples"] {
            let run = folder(&["config.toml"]);
            std::os::unix::fs::symlink(elsewhere.path(), run.path().join(name)).unwrap();
            assert!(
                matches!(Contents::of(run.path()), Err(Error::Foreign { .. })),
                "{name}"
            );
        }
    }
}
