//! Folders and names, made and removed so that it lasts.

use std::fs::{self, File};
use std::io::{ErrorKind, Result};
use std::path::Path;

use crate::faults::{Operation, change};
use crate::links;

/// Makes a folder and all that it lies in, where they are not there; their names outlast a crash of the system. Links on the way
/// are followed: they are whose the path is.
///
/// # Errors
///
/// What the system says.
pub fn make_folders(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folders(parent)?;
    }
    match change(Operation::MakeFolder(path), || fs::create_dir(path)) {
        // Another program was faster.
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }?;
    sync_folder(path.parent().unwrap_or(Path::new("")))
}

/// Makes a folder inside one that is there; one of its name that is there already is taken, but no link to one.
///
/// # Errors
///
/// What the system says: also if what it is to lie in has been removed.
pub fn own_folder(path: &Path) -> Result<()> {
    if links::check_folder(path)? {
        return Ok(());
    }
    match change(Operation::MakeFolder(path), || fs::create_dir(path)) {
        // Another program was faster, if what it made is a folder.
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists && links::check_folder(path)? => {
            Ok(())
        }
        made => made,
    }?;
    sync_folder(path.parent().unwrap_or(Path::new("")))
}

/// Makes the names in a folder outlast a crash of the system.
///
/// # Errors
///
/// What the system says.
pub fn sync_folder(folder: &Path) -> Result<()> {
    change(Operation::SyncFolder(folder), || {
        // Other systems cannot open a folder, and need not.
        if cfg!(unix) {
            let here = folder.as_os_str().is_empty();
            File::open(if here { Path::new(".") } else { folder })?.sync_all()?;
        }
        Ok(())
    })
}

/// Gives a file or folder another name, in place of a file that has it.
///
/// # Errors
///
/// What the system says.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    change(Operation::Rename(from, to), || fs::rename(from, to))
}

/// Removes a file, or a link and not what it points to; it is as well if there is none.
///
/// # Errors
///
/// What the system says.
pub fn remove_file(path: &Path) -> Result<()> {
    change(Operation::RemoveFile(path), || {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        }
    })
}

/// Removes a folder and all that is in it; it is as well if there is none. Links in it are removed and not followed.
///
/// # Errors
///
/// What the system says.
pub fn remove_tree(path: &Path) -> Result<()> {
    // A link in its place is refused.
    if !links::check_folder(path)? {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            remove_file(&entry.path())?;
        }
    }
    remove_folder(path)
}

/// Makes a folder that is not there yet, for one program alone; its name outlasts a crash.
///
/// # Errors
///
/// What the system says, and [`ErrorKind::AlreadyExists`] if something has its name.
pub fn new_folder(path: &Path) -> Result<()> {
    change(Operation::MakeFolder(path), || fs::create_dir(path))?;
    sync_folder(path.parent().unwrap_or(Path::new("")))
}

/// Removes a folder with nothing in it; it is as well if there is none.
///
/// # Errors
///
/// What the system says, [`ErrorKind::DirectoryNotEmpty`] say.
pub fn remove_folder(path: &Path) -> Result<()> {
    change(Operation::RemoveFolder(path), || {
        match fs::remove_dir(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_ours_is_no_link_and_lies_in_one_that_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let inner = parent.path().join("a/b");
        assert_eq!(own_folder(&inner).unwrap_err().kind(), ErrorKind::NotFound);
        make_folders(&inner).unwrap();
        make_folders(&inner).unwrap();
        own_folder(&inner).unwrap();
        #[cfg(unix)]
        {
            let link = parent.path().join("link");
            std::os::unix::fs::symlink(&inner, &link).unwrap();
            let text = own_folder(&link).unwrap_err().to_string();
            assert!(text.contains("it is a link"), "{text}");
            // On the way to a folder it is followed.
            make_folders(&link.join("c")).unwrap();
            assert!(inner.join("c").is_dir());
        }
        fs::write(parent.path().join("file"), "").unwrap();
        assert!(own_folder(&parent.path().join("file")).is_err());
    }

    #[test]
    fn several_may_make_the_same_folder_at_once() {
        let parent = tempfile::tempdir().unwrap();
        for round in 0..200 {
            let path = parent.path().join(round.to_string());
            let barrier = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        barrier.wait();
                        own_folder(&path).unwrap();
                    });
                }
            });
        }
    }

    #[test]
    fn what_is_not_there_is_as_good_as_removed() {
        let parent = tempfile::tempdir().unwrap();
        remove_file(&parent.path().join("a")).unwrap();
        remove_folder(&parent.path().join("a")).unwrap();
        make_folders(&parent.path().join("a/b")).unwrap();
        assert!(remove_folder(&parent.path().join("a")).is_err());
    }

    #[test]
    fn a_tree_goes_with_the_links_in_it_and_not_with_what_they_point_to() {
        let parent = tempfile::tempdir().unwrap();
        let (tree, foreign) = (parent.path().join("tree"), parent.path().join("foreign"));
        make_folders(&tree.join("a/b")).unwrap();
        make_folders(&foreign).unwrap();
        fs::write(foreign.join("c"), "precious").unwrap();
        fs::write(tree.join("a/c"), "").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&foreign, tree.join("a/link")).unwrap();
            std::os::unix::fs::symlink(&foreign, parent.path().join("link")).unwrap();
            assert!(remove_tree(&parent.path().join("link")).is_err());
        }
        remove_tree(&tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::read(foreign.join("c")).unwrap(), b"precious");
    }
}
