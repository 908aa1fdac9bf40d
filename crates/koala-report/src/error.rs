//! What can go wrong when runs are read, each with its cause and its remedy.

use std::path::{Path, PathBuf};

/// Errors of reading what runs left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },

    /// A folder is no suite.
    #[error(
        "{} has no {file}: it is not the folder of a comparison; give the folder that `koala compare` wrote",
        folder.display()
    )]
    NoSuite {
        /// The folder.
        folder: PathBuf,
        /// What it should hold.
        file: &'static str,
    },

    /// A folder is no run.
    #[error(
        "{} has neither config.toml nor events.jsonl: it is not the folder of a run; give the folder that `koala train` wrote",
        folder.display()
    )]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },

    /// A file does not hold what it should.
    #[error("{}: {fault}; {remedy}", place(path, *line))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its line, from 1, if it is known.
        line: Option<usize>,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        remedy: &'static str,
    },

    /// A file of another version.
    #[error(
        "{} has format {found}, and this program reads format {expected}: read it with the version of koala that wrote it{}",
        path.display(),
        writer.as_ref().map_or_else(String::new, |version| format!(" ({version})"))
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format that can be read.
        expected: u32,
        /// The version of the program that wrote it, if it says so.
        writer: Option<String>,
    },

    /// A run that a newer major version wrote.
    #[error(
        "{} is of a run of {writer}: version {} cannot read what it means; read it with koala {needed} or newer",
        path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    NewerRun {
        /// The file that says so.
        path: PathBuf,
        /// The program that wrote it, and its version.
        writer: String,
        /// The version that reads it.
        needed: String,
    },

    /// A file is longer than anything that belongs there.
    #[error("{} has {size} bytes, more than the {limit} that are read: it is no such file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// What is read at most.
        limit: u64,
    },
    /// What the others are to be held against is not there.
    #[error("no optimizer here is called '{name}'{hint}")]
    NoReference {
        /// The name that was given.
        name: String,
        /// The nearest name, or all of them, in words.
        hint: String,
    },
    /// What the others are to be held against is not everywhere.
    #[error(
        "reference '{name}' has no runs on workload {workload}, where there are those of {there}: name another, or add it to what is \
         compared and run the comparison again"
    )]
    ReferenceWithoutRuns {
        /// The reference.
        name: String,
        /// The workload.
        workload: String,
        /// The optimizers that have runs there.
        there: String,
    },
    /// A page could not be put together.
    #[error(
        "the page could not be put together: {0}; this is a fault of this program, please report it"
    )]
    Page(String),
    /// Nothing to show was given.
    #[error(
        "no folder of a run was given; give folders that `koala train` or `koala compare` wrote"
    )]
    NoFolder,
}

impl Error {
    /// An error of `action` on `path`.
    pub(crate) fn file(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File {
            path,
            action,
            cause,
        }
    }
}

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}, line {line}", path.display()),
        None => path.display().to_string(),
    }
}
