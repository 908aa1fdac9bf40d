//! Runs that a newer major version wrote, whose files may mean something else.

use std::path::Path;

use serde::Deserialize;

use super::writer::OURS;
use crate::Error;

/// Programs whose versions are this project's.
const NUMBERED: [&str; 2] = [OURS, "koala-optim"];

/// Who wrote a file, whatever else is in it.
#[derive(Deserialize)]
struct Head {
    program: Option<String>,
    version: Option<String>,
}

/// Refuses a file of a newer major version by what its text says of that, before anything else of it is read. What says nothing is
/// left to its reader.
pub(super) fn check(path: &Path, text: &str) -> Result<(), Error> {
    match serde_json::from_str::<Head>(text) {
        Ok(head) => check_writer(path, head.program.as_deref(), head.version.as_deref()),
        Err(_) => Ok(()),
    }
}

/// The same of a program and its version.
pub(super) fn check_writer(
    path: &Path,
    program: Option<&str>,
    version: Option<&str>,
) -> Result<(), Error> {
    let program = program.unwrap_or(OURS);
    let Some(version) = version.filter(|_| NUMBERED.contains(&program)) else {
        return Ok(());
    };
    match major(version) > major(env!("CARGO_PKG_VERSION")) {
        true => Err(Error::NewerRun {
            path: path.to_owned(),
            writer: format!("{program} {version}"),
            needed: version.to_owned(),
        }),
        false => Ok(()),
    }
}

/// The number before the first point; of something else 0, which is no newer than anything.
fn major(version: &str) -> u64 {
    let number = version.split('.').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use crate::{Detail, Run, check};

    const NEWER: &str = "a run of koala 7.1.0: version 0.1.0 cannot read what it means; read it with koala 7.1.0 or newer";

    #[test]
    fn a_run_of_a_newer_major_version_is_refused_by_its_name_whatever_its_files_hold() {
        let start = "{\"event\":\"start\",\"version\":\"7.1.0\",\"optimizer\":\"adamw\",\"dataset\":\"x\",\"model\":\"y\",\
                     \"parameters\":1,\"seed\":0}\n";
        let result = "{\"status\":{\"of\":\"another kind\"},\"version\":\"7.1.0\"}";
        let failure = "{\"messages\":[],\"version\":\"7.1.0\"}";
        for (name, text) in [
            ("events.jsonl", start),
            ("result.json", result),
            ("failure.json", failure),
        ] {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join("config.toml"), "seed = 0\n").unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let told = Run::read(folder.path(), Detail::Measures).unwrap_err();
            assert_eq!(
                told.to_string(),
                format!("{} is of {NEWER}", folder.path().join(name).display())
            );
            let faults = check(folder.path()).unwrap().faults;
            assert!(
                faults.iter().any(|fault| fault.to_string().contains(NEWER)),
                "{faults:?}"
            );
        }
    }

    #[test]
    fn versions_of_other_programs_and_what_is_no_version_are_read() {
        for writer in [
            "\"program\":\"of mine\",\"version\":\"7.1.0\"",
            "\"version\":\"0.99.0\"",
            "\"version\":\"unreleased\"",
            "\"version\":\"99999999999999999999999.0\"",
            "\"program\":\"koala-optim\",\"version\":\"0.2.0\"",
        ] {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join("config.toml"), "seed = 0\n").unwrap();
            let text = format!("{{\"status\":\"completed\",\"steps\":3,{writer}}}");
            fs::write(folder.path().join("result.json"), text).unwrap();
            Run::read(folder.path(), Detail::Measures).unwrap();
        }
    }
}
