//! What `koala watch` is asked.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `koala watch`.
#[derive(Args)]
pub struct WatchArguments {
    /// Folder of a run, or one that holds runs
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print what there is now, as text, and leave
    #[arg(long, help_heading = "Output")]
    pub once: bool,
    /// Print what there is now, as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}
