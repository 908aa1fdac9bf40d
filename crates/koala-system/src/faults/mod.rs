//! A disk that fails, and one that forgets, when a test wants it to.
//!
//! Each operation of this crate that changes what lies below a folder is counted, whichever thread asks for it. A test walks over all
//! of them, and lets each fail in turn:
//!
//! ```
//! use koala_system::faults::{Fault, failing};
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let (whole, operations) = failing(folder, Fault::none(), || koala_system::write_whole(folder, "a", b"new"));
//! whole?;
//! for at in 1..=operations {
//!     let (outcome, _) = failing(folder, Fault::killed(at), || koala_system::write_whole(folder, "a", b"newer"));
//!     assert!(outcome.is_err());
//!     assert!(std::fs::read(folder.join("a"))?.starts_with(b"new"));
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Or it has them written into a [`Journal`], from which every state can be built that a disk may be in after a crash of the system:
//! what was synced is there, and of the rest whatever the test chooses.
//!
//! ```
//! use koala_system::faults::{Loss, recording};
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let (whole, journal) = recording(folder, || koala_system::write_whole(folder, "a", b"new"));
//! whole?;
//! for crash in 0..=journal.len() {
//!     let after = tempfile::tempdir()?;
//!     journal.after_crash(crash, Loss::Names, after.path())?;
//!     let found = std::fs::read(after.path().join("a"));
//!     assert!(found.is_err() || found? == b"new");
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

mod disk;
mod fault;
mod journal;
mod watch;

pub use fault::Fault;
pub use journal::{Fate, Journal, Loss};
pub use watch::{failing, recording};

pub(crate) use watch::{Operation, change, readable, write};
