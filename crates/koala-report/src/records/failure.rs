//! `failure.json`: why a run failed that would fail again.

use std::path::Path;

use serde::Deserialize;

use super::{read_text, version};
use crate::Error;

const FILE: &str = "failure.json";
const LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
struct Failure {
    message: String,
}

/// Why the run in a folder failed; nothing if that is not remembered there.
///
/// # Errors
///
/// [`Error`] if the file cannot be read or is damaged.
pub(super) fn read(folder: &Path) -> Result<Option<String>, Error> {
    let path = folder.join(FILE);
    let Some(text) = read_text(&path, LIMIT)? else {
        return Ok(None);
    };
    version::check(&path, &text)?;
    match serde_json::from_str::<Failure>(&text) {
        Ok(failure) => Ok(Some(failure.message)),
        Err(fault) => Err(Error::Damaged {
            line: Some(fault.line()),
            fault: fault.to_string(),
            remedy: "delete it and do the run again",
            path,
        }),
    }
}
