//! Which program wrote a run.

use super::Run;

/// What programs are called that do not name themselves.
pub(super) const OURS: &str = "koala";

/// The program that wrote a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// Its name.
    pub program: String,
    /// Its version, if it is told.
    pub version: Option<String>,
}

impl Writer {
    /// Whether it is another program than `koala`.
    pub fn is_another(&self) -> bool {
        self.program != OURS
    }

    /// Name and version.
    pub fn words(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.program),
            None => self.program.clone(),
        }
    }
}

impl Run {
    /// The program that wrote it, as its result, its log or its configuration tells.
    pub fn writer(&self) -> Writer {
        let (start, result) = (self.log.start.as_ref(), self.result.as_ref());
        let configured = self
            .config
            .as_ref()
            .and_then(|config| config.get("program")?.as_str());
        let named = result
            .and_then(|result| result.program.as_deref())
            .or_else(|| start?.program.as_deref())
            .or(configured);
        let version = result
            .and_then(|result| result.version.clone())
            .or_else(|| start?.version.clone());
        Writer {
            program: named.unwrap_or(OURS).to_owned(),
            version,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use crate::{Detail, Run};

    fn writer(files: &[(&str, &str)]) -> (String, bool) {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let writer = Run::read(folder.path(), Detail::Measures).unwrap().writer();
        (writer.words(), writer.is_another())
    }

    #[test]
    fn a_program_that_names_itself_is_known_from_any_file() {
        const CONFIG: (&str, &str) = ("config.toml", "program = \"koala-optim\"\nseed = 0\n");
        const LOG: (&str, &str) = (
            "events.jsonl",
            "{\"event\":\"start\",\"program\":\"koala-optim\",\"version\":\"0.1.0\",\"optimizer\":\"adamw\",\"dataset\":\"x\",\
             \"model\":\"mlp\",\"parameters\":3,\"seed\":0}\n",
        );
        const RESULT: (&str, &str) = (
            "result.json",
            "{\"status\":\"completed\",\"steps\":3,\"program\":\"koala-optim\",\"version\":\"0.1.1\"}",
        );
        assert_eq!(writer(&[CONFIG]), ("koala-optim".to_owned(), true));
        assert_eq!(
            writer(&[CONFIG, LOG]),
            ("koala-optim 0.1.0".to_owned(), true)
        );
        // It may have gone on with another version.
        assert_eq!(
            writer(&[CONFIG, LOG, RESULT]),
            ("koala-optim 0.1.1".to_owned(), true)
        );
    }

    #[test]
    fn folders_that_name_none_are_ours() {
        const CONFIG: (&str, &str) = ("config.toml", "seed = 0\n");
        const RESULT: (&str, &str) = (
            "result.json",
            "{\"status\":\"completed\",\"steps\":3,\"version\":\"0.1.0\"}",
        );
        assert_eq!(writer(&[CONFIG]), ("koala".to_owned(), false));
        assert_eq!(writer(&[CONFIG, RESULT]), ("koala 0.1.0".to_owned(), false));
    }
}
