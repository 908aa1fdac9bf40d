//! Folders whose operations are counted, made to fail and written down.

use std::fs::File;
use std::io::{Result, Write};
use std::path::{Path, PathBuf, absolute};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Fault, Journal};

/// An operation that changes the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation<'a> {
    MakeFolder(&'a Path),
    /// Makes a file that was not there.
    Create(&'a Path),
    /// Opens a file and makes it if it was not there.
    Open(&'a Path),
    Write(&'a Path, u64, &'a [u8]),
    Cut(&'a Path, u64),
    SyncFile(&'a Path),
    SyncFolder(&'a Path),
    Rename(&'a Path, &'a Path),
    RemoveFile(&'a Path),
    RemoveFolder(&'a Path),
}

impl Operation<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::MakeFolder(path)
            | Self::Create(path)
            | Self::Open(path)
            | Self::Write(path, ..)
            | Self::Cut(path, _)
            | Self::SyncFile(path)
            | Self::SyncFolder(path)
            | Self::Rename(path, _)
            | Self::RemoveFile(path)
            | Self::RemoveFolder(path) => path,
        }
    }

    /// Whether it needs space.
    fn grows(&self) -> bool {
        matches!(
            self,
            Self::MakeFolder(_) | Self::Create(_) | Self::Open(_) | Self::Write(..)
        )
    }
}

struct Watch {
    root: PathBuf,
    state: Mutex<State>,
}

struct State {
    fault: Fault,
    operations: u64,
    journal: Option<Journal>,
}

static WATCHES: Mutex<Vec<Arc<Watch>>> = Mutex::new(Vec::new());
/// How many there are: in a program that is no test, all that is looked at.
static WATCHED: AtomicUsize = AtomicUsize::new(0);

/// Does `work` with operations below `root` failing as asked; what it gave, and how many operations it asked for.
///
/// In threads that `work` starts too; which of them asks first is then for the test to settle.
pub fn failing<T>(root: &Path, fault: Fault, work: impl FnOnce() -> T) -> (T, u64) {
    let (given, state) = watched(root, fault, None, work);
    (given, state.operations)
}

/// Does `work` and writes down what it does to the disk below `root`.
///
/// # Panics
///
/// If what is there already cannot be read.
pub fn recording<T>(root: &Path, work: impl FnOnce() -> T) -> (T, Journal) {
    let root = place(root);
    let journal = Journal::of(&root);
    let journal = journal.unwrap_or_else(|cause| unreadable(&root, &cause));
    let (given, state) = watched(&root, Fault::none(), Some(journal.clone()), work);
    (given, state.journal.unwrap_or(journal))
}

/// A test that cannot begin is a test that fails.
#[allow(clippy::panic)]
fn unreadable(root: &Path, cause: &std::io::Error) -> ! {
    panic!("{}: {cause}", root.display())
}

fn watched<T>(
    root: &Path,
    fault: Fault,
    journal: Option<Journal>,
    work: impl FnOnce() -> T,
) -> (T, State) {
    /// Ends the watch also if `work` panics.
    struct Ended(Arc<Watch>);
    impl Drop for Ended {
        fn drop(&mut self) {
            lock(&WATCHES).retain(|other| !Arc::ptr_eq(other, &self.0));
            WATCHED.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let state = State {
        fault,
        operations: 0,
        journal,
    };
    let watch = Arc::new(Watch {
        root: place(root),
        state: Mutex::new(state),
    });
    lock(&WATCHES).push(watch.clone());
    WATCHED.fetch_add(1, Ordering::SeqCst);
    let ended = Ended(watch.clone());
    let given = work();
    drop(ended);
    let mut state = lock(&watch.state);
    let state = State {
        fault,
        operations: state.operations,
        journal: state.journal.take(),
    };
    (given, state)
}

/// A path as it is compared.
fn place(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn watch_of(path: &Path) -> Option<Arc<Watch>> {
    if WATCHED.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let path = place(path);
    let watches = lock(&WATCHES);
    watches
        .iter()
        .find(|watch| path.starts_with(&watch.root))
        .cloned()
}

/// What a panic of a test leaves is still a count.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Counts an operation; the fault, if it is to fail.
    fn pass(&self, operation: &Operation<'_>) -> Option<Fault> {
        let mut state = lock(&self.state);
        state.operations += 1;
        let strikes = state.fault.strikes(state.operations, operation.grows());
        strikes.then_some(state.fault)
    }

    fn note(&self, operation: &Operation<'_>) {
        if let Some(journal) = &mut lock(&self.state).journal {
            // Of what lies elsewhere there is nothing to note.
            let below = |path: &Path| place(path).strip_prefix(&self.root).map(Path::to_owned);
            if let Ok(path) = below(operation.path()) {
                let to = match operation {
                    Operation::Rename(_, to) => below(to).ok(),
                    _ => None,
                };
                journal.note(operation, &path, to.as_deref());
            }
        }
    }
}

/// Does what is an operation on the disk, unless it is to fail.
pub(crate) fn change<T>(operation: Operation<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(watch) = watch_of(operation.path()) else {
        return work();
    };
    match watch.pass(&operation) {
        Some(fault) => Err(fault.error()),
        None => work().inspect(|_| watch.note(&operation)),
    }
}

/// Writes all of it at a file's place, which is `at`, or fails as asked.
pub(crate) fn write(file: &mut File, path: &Path, at: u64, content: &[u8]) -> Result<()> {
    let Some(watch) = watch_of(path) else {
        return file.write_all(content);
    };
    let operation = Operation::Write(path, at, content);
    match watch.pass(&operation) {
        Some(fault) => {
            file.write_all(&content[..fault.part(content.len())])?;
            Err(fault.error())
        }
        None => file.write_all(content).inspect(|()| watch.note(&operation)),
    }
}

/// Whether a file can be read, which is no operation.
pub(crate) fn readable(path: &Path) -> Result<()> {
    let Some(watch) = watch_of(path) else {
        return Ok(());
    };
    let state = lock(&watch.state);
    match state.fault.blinds(state.operations) {
        true => Err(state.fault.error()),
        false => Ok(()),
    }
}
