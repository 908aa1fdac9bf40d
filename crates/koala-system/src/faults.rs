//! Operations on files that fail when a test wants them to.
//!
//! Each operation of this crate that changes a disk is counted in the thread that asks for it. A test walks over all of them:
//!
//! ```
//! use koala_system::faults::{Fault, failing};
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let (whole, operations) = failing(Fault::none(), || koala_system::write_whole(folder, "a", b"new"));
//! whole?;
//! for at in 1..=operations {
//!     let (outcome, _) = failing(Fault::from(at), || koala_system::write_whole(folder, "a", b"newer"));
//!     assert!(outcome.is_err());
//!     assert!(std::fs::read(folder.join("a"))?.starts_with(b"new"));
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind, Write};

/// Which operations fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The first that fails, from 1; 0 for none.
    at: u64,
    /// Whether all that follow fail too: a disk that is full, or a program that was killed and cleans nothing up.
    lasting: bool,
    /// Whether a write that fails has written half of it.
    torn: bool,
    kind: ErrorKind,
}

impl Fault {
    /// Nothing fails.
    pub fn none() -> Self {
        Self::once(0)
    }

    /// The operation of this number fails, from 1, and the next ones do not.
    pub fn once(at: u64) -> Self {
        Self {
            at,
            lasting: false,
            torn: false,
            kind: ErrorKind::Other,
        }
    }

    /// The operation of this number fails and all that follow: the disk is full.
    pub fn from(at: u64) -> Self {
        Self {
            lasting: true,
            kind: ErrorKind::StorageFull,
            ..Self::once(at)
        }
    }

    /// The same, and a write that fails has written half of what it should.
    #[must_use]
    pub fn torn(self) -> Self {
        Self { torn: true, ..self }
    }
}

thread_local! {
    static FAULT: Cell<Option<(Fault, u64)>> = const { Cell::new(None) };
}

/// Does `work` with operations of this thread failing as asked; what it gave, and how many operations it asked for.
pub fn failing<T>(fault: Fault, work: impl FnOnce() -> T) -> (T, u64) {
    /// Takes the fault away also if `work` panics.
    struct Restored;
    impl Drop for Restored {
        fn drop(&mut self) {
            FAULT.set(None);
        }
    }
    FAULT.set(Some((fault, 0)));
    let restored = Restored;
    let given = work();
    let operations = FAULT.get().map_or(0, |(_, operations)| operations);
    drop(restored);
    (given, operations)
}

/// The fault of the next operation, if it is to fail.
fn next() -> Option<Fault> {
    let (fault, before) = FAULT.get()?;
    let operation = before + 1;
    FAULT.set(Some((fault, operation)));
    let due = operation == fault.at || (fault.lasting && operation > fault.at);
    (fault.at > 0 && due).then_some(fault)
}

/// Counts an operation, and fails it if it is to fail.
pub(crate) fn pass() -> io::Result<()> {
    match next() {
        None => Ok(()),
        Some(fault) => Err(error(fault)),
    }
}

/// Writes all of it, or fails as asked.
pub(crate) fn write(file: &mut File, content: &[u8]) -> io::Result<()> {
    match next() {
        None => file.write_all(content),
        Some(fault) => {
            if fault.torn {
                file.write_all(&content[..content.len() / 2])?;
            }
            Err(error(fault))
        }
    }
}

fn error(fault: Fault) -> io::Error {
    io::Error::new(fault.kind, "it was made to fail by a test")
}
