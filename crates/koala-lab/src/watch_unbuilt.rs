//! What stands in place of `koala watch` where the feature `watch` was left out.

use std::process::ExitCode;

use koala_compare::Error;

use crate::flags::WatchArguments;
use crate::terminal;

/// Refuses, and says how to get it.
pub fn run(_arguments: &WatchArguments) -> Result<ExitCode, Error> {
    terminal::error(
        &"this koala was built without watch. Build one with it: cargo install --path crates/koala-lab --features watch",
    );
    Ok(ExitCode::FAILURE)
}
