//! What was done to a disk, and what a crash of the system may leave of it.

use std::ffi::OsString;
use std::io::Result;
use std::path::Path;

use super::Operation;
use super::disk::{Disk, Node, ROOT};

/// What was done to the disk below a folder, in its order.
///
/// A crash of the system leaves what was synced: what is in a file by syncing the file, names in a folder by syncing the folder. Of all
/// else any part may be there: each change by itself, in no order, as no file system promises another. One change is whole: a name that
/// goes to another place is at one of both.
#[derive(Debug, Clone)]
pub struct Journal {
    before: Disk,
    /// As the program sees it.
    now: Disk,
    effects: Vec<Effect>,
}

#[derive(Debug, Clone)]
enum Effect {
    /// Names in folders that become another node's, or nothing's.
    Names(Vec<(Node, OsString, Option<Node>)>),
    Write(Node, u64, Vec<u8>),
    Cut(Node, u64),
    SyncFile(Node),
    SyncFolder(Node),
    /// An operation that changed nothing, as removing what is not there.
    Nothing,
}

/// What becomes of a change that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is on the disk.
    Kept,
    /// It never came there.
    Lost,
    /// Half of what was written came there; of other changes, as if lost.
    Torn,
    /// The file has grown, and what was written is zero; of other changes, as if lost.
    Hollow,
}

/// What becomes of all changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// None is lost: the program was killed.
    None,
    /// All are.
    All,
    /// Names are there, and what was written is not.
    Content,
    /// What was written is there, and names are not.
    Names,
    /// Each has a fate of its own, drawn from this seed.
    Random(u64),
}

impl Loss {
    fn fate(self, number: usize, is_name: bool) -> Fate {
        match self {
            Self::None => Fate::Kept,
            Self::All => Fate::Lost,
            Self::Content if is_name => Fate::Kept,
            Self::Content => Fate::Hollow,
            Self::Names if is_name => Fate::Lost,
            Self::Names => Fate::Kept,
            Self::Random(seed) => match mixed(seed, number as u64) % 6 {
                0 | 1 => Fate::Kept,
                2 | 3 => Fate::Lost,
                4 => Fate::Torn,
                _ => Fate::Hollow,
            },
        }
    }
}

/// The finaliser of SplitMix64.
fn mixed(seed: u64, number: u64) -> u64 {
    let mut z = (seed << 20 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Journal {
    pub(super) fn of(root: &Path) -> Result<Self> {
        let before = Disk::of(root)?;
        Ok(Self {
            now: before.clone(),
            before,
            effects: Vec::new(),
        })
    }

    /// How many operations there were.
    pub fn len(&self) -> usize {
        self.effects.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Whether what is in a folder is what the operations have made: none has escaped being written down.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn is_all_of(&self, root: &Path) -> Result<bool> {
        let found = Disk::of(root)?;
        let here = Path::new("");
        Ok(found.named(ROOT, here) == self.now.named(ROOT, here))
    }

    /// Puts into an empty folder what a crash after so many operations leaves.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn after_crash(&self, operations: usize, loss: Loss, into: &Path) -> Result<()> {
        self.after_crash_with(
            operations,
            |number, is_name| loss.fate(number, is_name),
            into,
        )
    }

    /// The same, with the fate of each change that was not synced chosen: by its number, and whether it is one of names.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn after_crash_with(
        &self,
        operations: usize,
        mut fate: impl FnMut(usize, bool) -> Fate,
        into: &Path,
    ) -> Result<()> {
        let effects = &self.effects[..operations.min(self.effects.len())];
        let mut disk = self.now.emptied(&self.before);
        for (number, effect) in effects.iter().enumerate() {
            let later = &effects[number + 1..];
            let is_name = matches!(effect, Effect::Names(_));
            let fate = match effect.is_synced_by(later) {
                true => Fate::Kept,
                false => fate(number, is_name),
            };
            effect.come(&mut disk, fate);
        }
        disk.put(ROOT, into)
    }

    /// Writes down an operation at a path below the folder, and at another if that is what it is about.
    pub(super) fn note(&mut self, operation: &Operation<'_>, path: &Path, to: Option<&Path>) {
        let effect = self.effect(operation, path, to).unwrap_or(Effect::Nothing);
        effect.come(&mut self.now, Fate::Kept);
        self.effects.push(effect);
    }

    fn effect(
        &mut self,
        operation: &Operation<'_>,
        path: &Path,
        to: Option<&Path>,
    ) -> Option<Effect> {
        let found = self.now.find(path);
        let named = |disk: &Disk, path: &Path, node| {
            let (folder, name) = disk.parent(path)?;
            Some((folder, name.to_owned(), node))
        };
        let effect = match operation {
            Operation::MakeFolder(_) => {
                let node = self.now.folder();
                Effect::Names(vec![named(&self.now, path, Some(node))?])
            }
            Operation::Create(_) | Operation::Open(_) => {
                if found.is_some() {
                    return None;
                }
                let node = self.now.file();
                Effect::Names(vec![named(&self.now, path, Some(node))?])
            }
            Operation::Write(_, at, content) => Effect::Write(found?, *at, content.to_vec()),
            Operation::Cut(_, length) => Effect::Cut(found?, *length),
            Operation::SyncFile(_) => Effect::SyncFile(found?),
            Operation::SyncFolder(_) => Effect::SyncFolder(found?),
            Operation::Rename(..) => Effect::Names(vec![
                named(&self.now, path, None)?,
                named(&self.now, to?, Some(found?))?,
            ]),
            Operation::RemoveFile(_) | Operation::RemoveFolder(_) => {
                found?;
                Effect::Names(vec![named(&self.now, path, None)?])
            }
        };
        Some(effect)
    }
}

impl Effect {
    /// Whether a crash cannot take it away, after what came later.
    fn is_synced_by(&self, later: &[Self]) -> bool {
        let file = |node: &Node| {
            let mut later = later.iter();
            later.any(|effect| matches!(effect, Self::SyncFile(synced) if synced == node))
        };
        let folder = |node: &Node| {
            let mut later = later.iter();
            later.any(|effect| matches!(effect, Self::SyncFolder(synced) if synced == node))
        };
        match self {
            // Of a name that goes elsewhere the folder it goes to decides, and the change is whole.
            Self::Names(changes) => changes.last().is_none_or(|(node, ..)| folder(node)),
            Self::Write(node, ..) | Self::Cut(node, _) => file(node),
            Self::SyncFile(_) | Self::SyncFolder(_) | Self::Nothing => true,
        }
    }

    fn come(&self, disk: &mut Disk, fate: Fate) {
        match (self, fate) {
            (_, Fate::Lost) => {}
            (Self::Write(node, at, content), fate) => {
                let at = *at as usize;
                match fate {
                    Fate::Torn => disk.write(*node, at, &content[..content.len() / 2]),
                    Fate::Hollow => disk.write(*node, at, &vec![0; content.len()]),
                    _ => disk.write(*node, at, content),
                }
            }
            (Self::Names(changes), Fate::Kept) => {
                for (folder, name, node) in changes {
                    disk.name(*folder, name, *node);
                }
            }
            (Self::Cut(node, length), Fate::Kept) => disk.cut(*node, *length as usize),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording;
    use super::*;
    use crate::{LogFile, make_folders, rename, sync_folder, write_synced, write_whole};
    use std::fs;

    fn left(journal: &Journal, operations: usize, loss: Loss) -> tempfile::TempDir {
        let after = tempfile::tempdir().unwrap();
        journal.after_crash(operations, loss, after.path()).unwrap();
        after
    }

    const LOSSES: [Loss; 6] = [
        Loss::None,
        Loss::All,
        Loss::Content,
        Loss::Names,
        Loss::Random(1),
        Loss::Random(2),
    ];

    #[test]
    fn what_is_written_whole_is_old_or_new_after_every_crash() {
        let folder = tempfile::tempdir().unwrap();
        write_whole(folder.path(), "a", b"old").unwrap();
        let (written, journal) =
            recording(folder.path(), || write_whole(folder.path(), "a", b"newer"));
        written.unwrap();
        assert!(journal.is_all_of(folder.path()).unwrap());
        for crash in 0..=journal.len() {
            for loss in LOSSES {
                let found = fs::read(left(&journal, crash, loss).path().join("a")).unwrap();
                let last = crash == journal.len();
                assert!(
                    found == b"newer" || (!last && found == b"old"),
                    "{crash} {loss:?}"
                );
            }
        }
    }

    /// The double must be able to lose: a file that is renamed without being synced is there and empty of what was written.
    #[test]
    fn what_is_not_synced_can_be_lost() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ((), journal) = recording(root, || {
            let mut log = LogFile::create(&root.join("draft")).unwrap();
            log.append(b"new").unwrap();
            rename(&root.join("draft"), &root.join("a")).unwrap();
        });
        let all = journal.len();
        let found = |loss| fs::read(left(&journal, all, loss).path().join("a")).ok();
        assert_eq!(found(Loss::None).unwrap(), b"new");
        assert_eq!(found(Loss::Content).unwrap(), b"\0\0\0");
        assert_eq!(found(Loss::All), None);
        assert_eq!(found(Loss::Names), None);
        let random: Vec<_> = (0..200).map(|seed| found(Loss::Random(seed))).collect();
        let seen = |content: Option<&[u8]>| random.iter().any(|one| one.as_deref() == content);
        assert!(seen(None) && seen(Some(b"new")) && seen(Some(b"n")) && seen(Some(b"")));
    }

    #[test]
    fn syncing_a_file_keeps_its_content_and_not_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ((), journal) = recording(root, || {
            make_folders(&root.join("d")).unwrap();
            write_synced(&root.join("d/a"), b"new").unwrap();
        });
        let after = left(&journal, journal.len(), Loss::All);
        assert_eq!(fs::read_dir(after.path().join("d")).unwrap().count(), 0);
        let after = left(&journal, journal.len(), Loss::Content);
        assert_eq!(fs::read(after.path().join("d/a")).unwrap(), b"new");
        let ((), journal) = recording(root, || sync_folder(&root.join("d")).unwrap());
        let after = left(&journal, journal.len(), Loss::All);
        assert_eq!(fs::read(after.path().join("d/a")).unwrap(), b"new");
    }

    /// A cut that is lost leaves an old end behind what was written since.
    #[test]
    fn changes_of_one_file_come_in_no_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("log"), "one,two,three").unwrap();
        let ((), journal) = recording(root, || {
            let mut log = LogFile::open(&root.join("log")).unwrap();
            log.cut(4).unwrap();
            log.append(b"2").unwrap();
        });
        assert!(journal.is_all_of(root).unwrap());
        let after = tempfile::tempdir().unwrap();
        let fate = |number, _| if number == 1 { Fate::Lost } else { Fate::Kept };
        journal
            .after_crash_with(journal.len(), fate, after.path())
            .unwrap();
        let found = fs::read(after.path().join("log")).unwrap();
        assert_eq!(found, b"one,2wo,three");
    }

    #[test]
    fn what_escapes_the_journal_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ((), journal) = recording(root, || fs::write(root.join("a"), "x").unwrap());
        assert!(journal.is_empty() && !journal.is_all_of(root).unwrap());
    }
}
