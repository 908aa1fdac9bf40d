//! Which operations fail, and how.

use std::io::{Error, ErrorKind};

/// Which operations fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The first that fails, from 1; 0 for none.
    at: u64,
    reach: Reach,
    /// Whether a write that fails has written half of it.
    torn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Once,
    Killed,
    Full,
    Broken,
}

impl Fault {
    /// Nothing fails.
    pub fn none() -> Self {
        Self::once(0)
    }

    /// The operation of this number fails, from 1, and the next ones do not.
    pub fn once(at: u64) -> Self {
        Self::new(at, Reach::Once)
    }

    /// The operation of this number fails, and all that change the disk after it: a program that is killed cleans nothing up.
    pub fn killed(at: u64) -> Self {
        Self::new(at, Reach::Killed)
    }

    /// From the operation of this number on there is no space: nothing is made or written, while names go and change as before.
    pub fn full(at: u64) -> Self {
        Self::new(at, Reach::Full)
    }

    /// The operation of this number fails, and all that follow, those that read too: a disk that has broken.
    pub fn broken(at: u64) -> Self {
        Self::new(at, Reach::Broken)
    }

    /// The same, and a write that fails has written half of what it should.
    #[must_use]
    pub fn torn(self) -> Self {
        Self { torn: true, ..self }
    }

    fn new(at: u64, reach: Reach) -> Self {
        Self {
            at,
            reach,
            torn: false,
        }
    }

    /// Whether the operation of this number fails, which `grows` what is on the disk or does not.
    pub(super) fn strikes(self, operation: u64, grows: bool) -> bool {
        match self.reach {
            _ if self.at == 0 => false,
            Reach::Once => operation == self.at,
            Reach::Killed | Reach::Broken => operation >= self.at,
            Reach::Full => operation >= self.at && grows,
        }
    }

    /// Whether nothing can be read once so many operations have been asked for.
    pub(super) fn blinds(self, operations: u64) -> bool {
        self.reach == Reach::Broken && self.at > 0 && operations >= self.at
    }

    /// How much of so many bytes is written all the same.
    pub(super) fn part(self, length: usize) -> usize {
        if self.torn { length / 2 } else { 0 }
    }

    /// What the system would say.
    pub(super) fn error(self) -> Error {
        let told = "it was made to fail by a test";
        match self.reach {
            Reach::Once | Reach::Killed => Error::other(told),
            Reach::Full => Error::new(ErrorKind::StorageFull, told),
            #[cfg(unix)]
            Reach::Broken => Error::from_raw_os_error(libc::EIO),
            #[cfg(not(unix))]
            Reach::Broken => Error::other(told),
        }
    }
}
