//! Unpacking archives that are not trusted.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::bufread::GzDecoder;
use koala_system::{LogFile, make_folders, own_folder, remove_tree, rename, sync_folder};
use zip::ZipArchive;

use super::{FetchError, Packing};

/// Most files, and most bytes in all, that an archive may unpack to: no data set here comes near.
const FILES: usize = 1_000;
const BYTES: u64 = 1 << 33;

/// Unpacks an archive into `folder`. All of it is unpacked beside first, so that a damaged archive leaves nothing, and
/// each file is then moved into its place, over one that is there. Only files and folders below `folder` are taken: an
/// absolute path, `..`, a link or a device is an error.
///
/// # Errors
///
/// [`FetchError::Archive`] if the archive is damaged or asks for more than that, [`FetchError::File`] if a file cannot be
/// written.
pub fn unpack(packing: Packing, archive: &Path, folder: &Path) -> Result<(), FetchError> {
    let mut beside = archive.as_os_str().to_owned();
    beside.push(".unpacking");
    let beside = PathBuf::from(beside);
    // What an earlier try may have left.
    remove_tree(&beside).map_err(FetchError::file(&beside, "remove it"))?;
    own_folder(&beside).map_err(FetchError::file(&beside, "make it"))?;
    let mut unpacking = Unpacking {
        archive,
        root: &beside,
        files: BTreeSet::new(),
        bytes: 0,
    };
    let result = match packing {
        Packing::Plain => Ok(()),
        Packing::TarGz => unpacking.tar_gz(),
        Packing::Zip => unpacking.zip(),
    };
    let result = result.and_then(|()| unpacking.place(folder));
    // What cannot be removed is in nobody's way.
    let _ = remove_tree(&beside);
    result
}

struct Unpacking<'a> {
    archive: &'a Path,
    /// The folder beside.
    root: &'a Path,
    /// What has been unpacked, relative to it; of a name that is there twice the last counts.
    files: BTreeSet<PathBuf>,
    bytes: u64,
}

impl Unpacking<'_> {
    fn fault(&self, expected: impl Into<String>, found: impl ToString) -> FetchError {
        FetchError::Archive {
            archive: self.archive.to_owned(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    fn open(&self) -> Result<BufReader<File>, FetchError> {
        let file = File::open(self.archive);
        Ok(BufReader::new(
            file.map_err(FetchError::file(self.archive, "read it"))?,
        ))
    }

    fn tar_gz(&mut self) -> Result<(), FetchError> {
        let mut archive = tar::Archive::new(GzDecoder::new(self.open()?));
        let damaged = |this: &Self, cause| this.fault("a whole .tar.gz archive", cause);
        let entries = archive.entries().map_err(|e| damaged(self, e))?;
        for entry in entries {
            let mut entry = entry.map_err(|e| damaged(self, e))?;
            let name = entry.path().map_err(|e| damaged(self, e))?.into_owned();
            let kind = entry.header().entry_type();
            if kind.is_dir() {
                self.checked(&name)?;
            } else if kind.is_file() {
                self.take(&name, &mut entry)?;
            } else if !kind.is_pax_global_extensions() {
                return Err(self.fault(
                    "files and folders",
                    format!("{kind:?} '{}'", name.display()),
                ));
            }
        }
        Ok(())
    }

    fn zip(&mut self) -> Result<(), FetchError> {
        let damaged = |this: &Self, cause: &dyn ToString| {
            this.fault("a whole .zip archive", cause.to_string())
        };
        let mut archive = ZipArchive::new(self.open()?).map_err(|e| damaged(self, &e))?;
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(|e| damaged(self, &e))?;
            let name = PathBuf::from(entry.name().map_err(|e| damaged(self, &e))?.as_ref());
            if entry.is_symlink() {
                return Err(self.fault("files and folders", format!("a link '{}'", name.display())));
            }
            if entry.is_dir() {
                self.checked(&name)?;
            } else {
                self.take(&name, &mut entry)?;
            }
        }
        Ok(())
    }

    /// The path below the folder beside, if the name stays below it.
    fn checked(&self, name: &Path) -> Result<PathBuf, FetchError> {
        let below = name
            .components()
            .all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        // On other systems a backslash or a colon would be more than a letter.
        let plain = !name.to_string_lossy().contains(['\\', ':', '\0']);
        if below && plain {
            Ok(self.root.join(name))
        } else {
            Err(self.fault("names below its folder", format!("'{}'", name.display())))
        }
    }

    /// Unpacks one file.
    fn take(&mut self, name: &Path, content: &mut impl Read) -> Result<(), FetchError> {
        let path = self.checked(name)?;
        if self.files.len() >= FILES {
            return Err(self.fault(format!("at most {FILES} files"), "more"));
        }
        let parent = path.parent().unwrap_or(self.root);
        make_folders(parent).map_err(FetchError::file(parent, "make it"))?;
        let failed = || FetchError::file(&path, "write it");
        let mut file = LogFile::create(&path).map_err(failed())?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = content.read(&mut buffer);
            let count = count.map_err(|e| self.fault("a whole archive", e))?;
            if count == 0 {
                break;
            }
            self.bytes += count as u64;
            if self.bytes > BYTES {
                return Err(self.fault(format!("at most {BYTES} bytes when unpacked"), "more"));
            }
            let piece = buffer.get(..count).unwrap_or_default();
            file.append(piece).map_err(failed())?;
        }
        file.sync().map_err(failed())?;
        let parts = name.components();
        let plain = parts.filter(|part| matches!(part, Component::Normal(_)));
        self.files.insert(plain.collect());
        Ok(())
    }

    /// Moves everything to where it belongs.
    fn place(&self, folder: &Path) -> Result<(), FetchError> {
        if self.files.is_empty() {
            return Err(self.fault("some files", "none"));
        }
        let mut parents = BTreeSet::new();
        for name in &self.files {
            let target = folder.join(name);
            let parent = target.parent().unwrap_or(folder);
            make_folders(parent).map_err(FetchError::file(parent, "make it"))?;
            rename(&self.root.join(name), &target)
                .map_err(FetchError::file(&target, "write it"))?;
            parents.insert(parent.to_owned());
        }
        for parent in parents {
            sync_folder(&parent).map_err(FetchError::file(&parent, "write it"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::gzip;
    use std::fs;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    /// An archive of one entry whose name is written without any check.
    fn tar_of(name: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, content).unwrap();
        gzip(&builder.into_inner().unwrap()).unwrap()
    }

    fn zip_of(names: &[&str]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Unpacks into a folder of its own and says what is in it then, and in the folder around it.
    fn unpacked(packing: Packing, bytes: &[u8]) -> (Result<(), String>, Vec<String>) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("in");
        fs::create_dir(&folder).unwrap();
        let archive = folder.join("a");
        fs::write(&archive, bytes).unwrap();
        let result = unpack(packing, &archive, &folder).map_err(|e| e.to_string());
        let mut names = Vec::new();
        for place in [around.path(), &folder, &folder.join("d")] {
            for entry in fs::read_dir(place).into_iter().flatten() {
                names.push(entry.unwrap().file_name().into_string().unwrap());
            }
        }
        names.sort();
        (result, names)
    }

    #[test]
    fn files_come_to_their_places() {
        let tar = tar_of("d/file.bin", tar::EntryType::Regular, b"abc");
        assert_eq!(
            unpacked(Packing::TarGz, &tar),
            (
                Ok(()),
                ["a", "d", "file.bin", "in"].map(String::from).to_vec()
            )
        );
        let zip = zip_of(&["d/x.tokens", "d/y.tokens"]);
        assert_eq!(
            unpacked(Packing::Zip, &zip),
            (
                Ok(()),
                ["a", "d", "in", "x.tokens", "y.tokens"]
                    .map(String::from)
                    .to_vec()
            )
        );
    }

    /// Found by the reader's fuzz target: the second of them was no longer there to be moved.
    #[test]
    fn of_a_name_that_is_there_twice_the_last_counts() {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in [("d/x.bin", b"old"), ("./d/x.bin", b"new")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, &content[..])
                .unwrap();
        }
        let archive = gzip(&builder.into_inner().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, archive).unwrap();
        unpack(Packing::TarGz, &file, folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("d/x.bin")).unwrap(), b"new");
    }

    #[test]
    fn nothing_escapes_its_folder() {
        let refused = |packing, bytes: &[u8], why: &str| {
            let (result, names) = unpacked(packing, bytes);
            let text = result.unwrap_err();
            assert!(text.contains(why), "{text}");
            assert_eq!(names, ["a", "in"], "{text}");
        };
        for name in [
            "../out",
            "/tmp/koala-out",
            "d/../../out",
            "c:\\out",
            "..\\out",
        ] {
            let below = "names below its folder";
            refused(
                Packing::TarGz,
                &tar_of(name, tar::EntryType::Regular, b"x"),
                below,
            );
            refused(
                Packing::TarGz,
                &tar_of(name, tar::EntryType::Directory, b""),
                below,
            );
            refused(Packing::Zip, &zip_of(&["good", name]), "");
        }
        for kind in [
            tar::EntryType::Symlink,
            tar::EntryType::Link,
            tar::EntryType::Fifo,
        ] {
            refused(
                Packing::TarGz,
                &tar_of("x", kind, b""),
                "expected files and folders",
            );
        }
    }

    #[test]
    fn damaged_archives_leave_nothing() {
        let tar = tar_of("d/file.bin", tar::EntryType::Regular, &[7; 5000]);
        let zip = zip_of(&["d/x.tokens", "d/y.tokens"]);
        for (packing, whole) in [(Packing::TarGz, tar), (Packing::Zip, zip)] {
            for length in 0..whole.len() {
                let (result, names) = unpacked(packing, &whole[..length]);
                // A tar archive may end without its last empty blocks, and gzip's trailer is behind them.
                if result.is_err() {
                    assert_eq!(names, ["a", "in"], "{length} of {packing:?}");
                }
                assert!(
                    result.is_err() || packing == Packing::TarGz && length > 50,
                    "{length}"
                );
            }
        }
    }
}
