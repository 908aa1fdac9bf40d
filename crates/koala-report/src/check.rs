//! Whether folders are what `docs/format.md` says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::records::{Fault, check_run};
use crate::{Error, LISTING_FILE, Listing, Run, run_folders};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Runs that were looked at.
    pub runs: usize,
    /// Runs that are listed and were not begun.
    pub missing: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Checks the folder of a suite, of a run, or one that holds runs.
///
/// # Errors
///
/// [`Error::NoRun`] if there is none; [`Error::File`] if the folder cannot be read. What is damaged is no error, but told.
pub fn check(folder: &Path) -> Result<Checked, Error> {
    let mut checked = Checked::default();
    if !folder.join(LISTING_FILE).is_file() {
        for run in run_folders(folder)? {
            checked.run(&run);
        }
        return Ok(checked);
    }
    match Listing::read(folder) {
        Ok(listing) => checked.suite(folder, &listing),
        Err(fault) => {
            checked.fault(folder.join(LISTING_FILE), fault.to_string());
            for run in run_folders(folder).unwrap_or_default() {
                checked.run(&run);
            }
        }
    }
    Ok(checked)
}

impl Checked {
    fn fault(&mut self, path: PathBuf, what: String) {
        self.faults.push(Fault {
            path,
            line: None,
            what,
        });
    }

    fn run(&mut self, folder: &Path) {
        self.runs += 1;
        self.faults.extend(check_run(folder));
    }

    fn suite(&mut self, folder: &Path, listing: &Listing) {
        let mut met = BTreeSet::new();
        for listed in &listing.runs {
            if !met.insert(&listed.folder) {
                continue;
            }
            let path = folder.join(&listed.folder);
            if !Run::is_begun(&path) {
                self.missing += 1;
                continue;
            }
            self.run(&path);
            let start = Run::read(&path, crate::Detail::Measures)
                .ok()
                .and_then(|run| run.log.start);
            let seed = start.as_ref().map(|start| start.seed);
            let optimizer = start.as_ref().map(|start| start.optimizer.as_str());
            if let (Some(method), Some(optimizer)) = (&listed.method, optimizer)
                && method != optimizer
            {
                let what = format!(
                    "is listed as {} of {method}, and its log says {optimizer}",
                    listed.optimizer
                );
                self.fault(path.clone(), what);
            }
            if let Some(seed) = seed.filter(|seed| *seed != listed.seed) {
                let what = format!(
                    "is listed with seed {}, and its log says {seed}",
                    listed.seed
                );
                self.fault(path, what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::testing::Outcome;
    use crate::{Measure, Role};

    const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/runs");

    #[test]
    fn runs_of_every_kind_hold() {
        let checked = check(Path::new(RUNS)).unwrap();
        assert_eq!(checked.faults, []);
        assert_eq!((checked.runs, checked.missing), (15, 0));
    }

    /// A run with a file of it changed.
    fn changed(file: &str, change: impl Fn(&str) -> String) -> Vec<String> {
        changed_in("images", file, change)
    }

    fn changed_in(run: &str, file: &str, change: impl Fn(&str) -> String) -> Vec<String> {
        let folder = TempDir::new().unwrap();
        copied(run, folder.path());
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, change(&text)).unwrap();
        let prefix = format!("{}/", folder.path().display());
        let told = check(folder.path()).unwrap().faults.into_iter();
        told.map(|fault| fault.to_string().replace(&prefix, ""))
            .collect()
    }

    /// Lines of the log, some of them other ones.
    fn log(change: impl Fn(&mut Vec<String>)) -> Vec<String> {
        changed("events.jsonl", |text| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            change(&mut lines);
            lines.join("\n") + "\n"
        })
    }

    #[test]
    fn what_is_wrong_with_a_log_is_told_with_its_line() {
        assert!(log(|_| {}).is_empty());
        let told = log(|lines| lines[2] = "{]".to_owned());
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("events.jsonl, line 3: "), "{told:?}");
        let told = log(|lines| lines[1] = lines[1].replace("\"step\":0,", ""));
        assert!(told[0].contains("line 2: missing field `step`"), "{told:?}");
        let told = log(|lines| lines[1] = lines[1].replace("measured", "lost"));
        assert!(
            told[0].contains("line 2: unknown variant `lost`"),
            "{told:?}"
        );
        let told = log(|lines| lines.swap(0, 1));
        assert_eq!(
            told,
            ["events.jsonl, line 1: stands before the event `start`"]
        );
        let told = log(|lines| {
            let again = lines[1].clone();
            lines.insert(2, again);
        });
        assert_eq!(
            told,
            ["events.jsonl, line 3: tells of step 0 after 1 steps"]
        );
        let told = log(|lines| {
            let again = lines[0].clone();
            lines.insert(2, again);
        });
        assert_eq!(told, ["events.jsonl, line 3: begins the run a second time"]);
        let told = log(|lines| {
            let again = lines[1].clone();
            lines.push(again);
        });
        assert!(
            told[0].ends_with("stands behind the end of the run"),
            "{told:?}"
        );
        let told = changed("events.jsonl", |_| String::new());
        assert!(told[0].contains("has no event `start`"), "{told:?}");
        let told = log(|lines| {
            let fault = "[]".to_owned();
            lines.splice(1..1, std::iter::repeat_n(fault, 50));
        });
        assert_eq!(told.len(), 21);
        assert_eq!(told[20], "events.jsonl: 30 more lines are wrong");
    }

    fn copied(name: &str, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(Path::new(RUNS).join(name)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }

    #[test]
    fn a_run_that_failed_before_it_began_has_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        copied("diverged", &run);
        fs::remove_file(run.join("events.jsonl")).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults, []);
        // One with a result had one.
        copied("images", &folder.path().join("other"));
        fs::remove_file(folder.path().join("other/events.jsonl")).unwrap();
        assert!(!check(folder.path()).unwrap().faults.is_empty());
    }

    #[test]
    fn suites_are_checked_with_their_runs() {
        let mut suite = crate::testing::Suite::new(&[0]);
        suite.workload("digits", Measure::Error, None);
        suite.run("koala-m", 0, Role::Defaults, Outcome::Missing);
        suite.run("sgd", 1, Role::Defaults, Outcome::Missing);
        suite.listing.runs[1].method = Some("adamw".to_owned());
        let folder = suite.folder();
        copied("images", &folder.join("runs/0001"));
        let checked = check(folder).unwrap();
        let told: Vec<&str> = checked.faults.iter().map(|fault| &*fault.what).collect();
        assert_eq!(
            told,
            [
                "is listed as sgd of adamw, and its log says koala-m",
                "is listed with seed 1, and its log says 0"
            ]
        );
        assert_eq!((checked.runs, checked.missing), (1, 1));
        fs::write(folder.join(LISTING_FILE), "{\"format\": 7}").unwrap();
        let checked = check(folder).unwrap();
        assert!(
            checked.faults[0].what.contains("has format 7"),
            "{checked:?}"
        );
        assert_eq!((checked.runs, checked.faults.len()), (1, 1));
    }

    #[test]
    fn a_run_whose_data_are_still_read_has_no_log() {
        let folder = TempDir::new().unwrap();
        copied("images", folder.path());
        fs::remove_file(folder.path().join("events.jsonl")).unwrap();
        let told = check(folder.path()).unwrap().faults;
        assert!(told[0].what.starts_with("is missing"), "{told:?}");
        fs::remove_file(folder.path().join("result.json")).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults, []);
    }

    #[test]
    fn a_log_that_is_being_written_is_whole() {
        assert!(changed("events.jsonl", |text| text[..text.len() - 20].to_owned()).is_empty());
        assert!(log(|lines| lines.insert(1, r#"{"event":"of-tomorrow"}"#.to_owned())).is_empty());
    }

    #[test]
    fn files_that_say_different_things_are_told() {
        let told = changed("config.toml", |text| text.replace("seed = 0", "seed = 7"));
        assert_eq!(told, ["config.toml: seed is 7, and the log says 0"]);
        let told = changed("config.toml", |text| text.replace("\"mlp\"", "\"cnn\""));
        assert_eq!(
            told,
            ["config.toml: model.name is 'cnn', and the log says 'mlp'"]
        );
        let told = changed("config.toml", |_| "seed = -1".to_owned());
        assert_eq!(told.len(), 4, "{told:?}");
        let told = changed("config.toml", |_| "seed =".to_owned());
        assert!(told[0].starts_with("config.toml, line 1: "), "{told:?}");
        let told = changed("result.json", |text| text.replace("completed", "lost"));
        assert!(
            told[0].starts_with("result.json: status is 'lost'"),
            "{told:?}"
        );
        let told = changed("result.json", |text| {
            text.replace("\"steps\": ", "\"steps\": 0")
        });
        assert!(told[0].starts_with("result.json, line "), "{told:?}");
        let told = changed("failure.json", |_| r#"{"message":"why"}"#.to_owned());
        assert!(
            told[0].starts_with("failure.json: stands beside"),
            "{told:?}"
        );
    }

    #[test]
    fn what_is_wrong_with_the_note_on_data_is_told() {
        let note = |run: &str, from: &str, to: &str| {
            changed_in(run, "data.json", |text| {
                assert!(text.contains(from), "{run}: {from}");
                text.replacen(from, to, 1)
            })
        };
        for (run, from, to, what) in [
            (
                "own-table",
                "\"sha256\": \"5",
                "\"sha256\": \"Z",
                "sha256 is no SHA-256",
            ),
            (
                "own-table",
                "\"sha256\": \"",
                "\"sha256\": \"0",
                "sha256 is no SHA-256",
            ),
            (
                "own-table",
                "\"train\": 76",
                "\"train\": 75",
                "samples.train is 75, and the log says 76",
            ),
            (
                "own-idx",
                "\"test\": 20",
                "\"test\": 21",
                "samples.test is 21, and the log says 20",
            ),
            (
                "own-idx",
                "has 20 samples",
                "has 2 samples",
                "warnings are not those of result.json",
            ),
            (
                "own-idx",
                "\"channels\": 1",
                "\"channels\": 3",
                "mean and deviation need a number for each channel",
            ),
            (
                "own-idx",
                "\"height\": 4",
                "\"height\": 0",
                "pictures have no pixels",
            ),
            (
                "own-idx",
                "\"deviation\": [\n      0",
                "\"deviation\": [\n      -0",
                "preparation.deviation is not above 0",
            ),
            (
                "own-number",
                "\"deviation\": 1",
                "\"deviation\": -1",
                "the deviation of the label 'ear_cm' is not above 0",
            ),
            (
                "own-number",
                "\"deviation\": 2",
                "\"deviation\": -2",
                "the deviation of the column 'weight_kg' is not above 0",
            ),
        ] {
            let told = note(run, from, to);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with("data.json: ") && told[0].contains(what),
                "{told:?}"
            );
        }
        for (from, to, what) in [
            ("\"of\": \"table\"", "\"of\": \"sounds\"", "`sounds`"),
            ("\"kind\": \"classes\"", "\"kind\": \"ranks\"", "`ranks`"),
            ("\"test\": 24", "\"test\": -24", "invalid value"),
            ("\"header\": true,", "", "missing field `header`"),
            ("{", "{]", "key must be a string"),
        ] {
            let told = note("own-table", from, to);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with("data.json, line ") && told[0].contains(what),
                "{told:?}"
            );
        }
    }

    #[test]
    fn the_note_on_data_belongs_to_runs_of_data_of_ones_own() {
        let renamed = |name: &str| {
            changed_in("own-table", "config.toml", |text| {
                text.replace("\"table\"", &format!("\"{name}\""))
            })
        };
        assert_eq!(
            renamed("idx"),
            [
                "config.toml: dataset.name is 'idx', and the log says 'table'",
                "data.json: preparation is of 'table', and dataset.name in config.toml is 'idx'"
            ]
        );
        let folder = TempDir::new().unwrap();
        copied("own-table", folder.path());
        fs::remove_file(folder.path().join("data.json")).unwrap();
        let told = check(folder.path()).unwrap().faults;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            told[0].what,
            "is missing, and the run learns from data of one's own ('table')"
        );
        // What another program calls a table is its own affair.
        let config = folder.path().join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("program = \"another\"\n{text}")).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults, []);
        // It is written before the log, and stays without a result.
        copied("own-table", folder.path());
        fs::remove_file(folder.path().join("result.json")).unwrap();
        fs::remove_file(folder.path().join("events.jsonl")).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults, []);
        // The result of a run that was stopped may be older than the note of one that goes on.
        copied("own-table", folder.path());
        let result = folder.path().join("result.json");
        let text = fs::read_to_string(&result).unwrap();
        let older = text.replace("samples: an", "samples, so that an");
        assert_ne!(text, older);
        fs::write(&result, &older).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults.len(), 1);
        fs::write(&result, older.replace("completed", "interrupted")).unwrap();
        assert_eq!(check(folder.path()).unwrap().faults, []);
        let more = changed_in("own-table", "data.json", |text| {
            text.replacen('{', "{\"of-tomorrow\": 1,", 1)
        });
        assert!(more.is_empty(), "{more:?}");
    }
}
