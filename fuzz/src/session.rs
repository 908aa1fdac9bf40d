//! A reader that is tried with one input after the other.

use std::path::{Path, PathBuf};

use peak_alloc::PeakAlloc;

use crate::Target;

/// Most bytes of memory that a reader may take for an input of at most `LONGEST` bytes: gzip and PNG make a thousand of one, and some
/// readers hold a picture twice.
pub const MOST: usize = 256 << 20;
/// Longest input.
const LONGEST: usize = 1 << 16;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A reader that is tried, with a folder of its own.
pub struct Session {
    target: &'static Target,
    folder: PathBuf,
}

impl Session {
    /// Makes what the reader needs beside the input in a folder that is there and empty.
    pub fn new(target: &'static Target, folder: &Path) -> Self {
        (target.prepare)(folder);
        Self {
            target,
            folder: folder.to_owned(),
        }
    }

    /// Has the input read.
    ///
    /// # Panics
    ///
    /// If that is a finding.
    pub fn run(&self, input: &[u8]) {
        if input.len() > LONGEST {
            return;
        }
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        (self.target.read)(&self.folder, input);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        assert!(taken <= MOST, "{} took {taken} bytes", self.target.name);
    }
}
