//! Which files of a folder are pictures of which class and part.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::picture::promised;
use crate::warning::listed;
use crate::{DataError, PartName};

/// More classes than labels can number.
const MOST_CLASSES: usize = 1 << 16;
/// What desktops, archives and servers leave in folders.
const DROPPINGS: [&str; 4] = ["thumbs.db", "desktop.ini", "__macosx", "@eadir"];
/// Names of the folders of parts.
const PARTS: [(PartName, &[&str]); 3] = [
    (PartName::Train, &["train"]),
    (PartName::Validation, &["val", "valid", "validation"]),
    (PartName::Test, &["test"]),
];
/// How the folders have to be.
const LAYOUT: &str = "Each class wants a folder of its own with its pictures in it: DIR/CLASS/PICTURE, or DIR/train/CLASS/PICTURE and \
                      DIR/test/CLASS/PICTURE";

/// A picture and the number of its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub file: PathBuf,
    pub label: u16,
}

/// The pictures of a folder, sorted by class and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Names of the classes, sorted.
    pub classes: Vec<String>,
    /// Those of the folder `train`, or all of them if there is none.
    pub train: Vec<Entry>,
    /// Those of a folder for validation, if there is one.
    pub validation: Option<Vec<Entry>>,
    /// Those of the folder `test`, if there is one.
    pub test: Option<Vec<Entry>>,
}

/// A visible file or folder.
struct Item {
    name: OsString,
    path: PathBuf,
    is_folder: bool,
}

/// Looks through a folder.
///
/// # Errors
///
/// [`DataError`] if it cannot be read, has no class, has a class without pictures, or has files or folders where none
/// belong.
pub(super) fn layout(folder: &Path) -> Result<Layout, DataError> {
    let items = items(folder)?;
    let Some(parts) = parts(folder, &items)? else {
        let names = class_names(folder, &items, None)?;
        return Ok(Layout {
            train: pictures(folder, &items, &names, true)?,
            classes: shown(&names),
            validation: None,
            test: None,
        });
    };
    let [train, validation, test] = parts;
    // `parts` gives none without a training part.
    let train = train.unwrap_or_default();
    let inside = self::items(&train)?;
    let names = class_names(&train, &inside, None)?;
    let other = |part: Option<PathBuf>| {
        part.map(|part| {
            let inside = self::items(&part)?;
            class_names(&part, &inside, Some(&names))?;
            pictures(&part, &inside, &names, false)
        })
        .transpose()
    };
    Ok(Layout {
        train: pictures(&train, &inside, &names, true)?,
        validation: other(validation)?,
        test: other(test)?,
        classes: shown(&names),
    })
}

/// What is in a folder, sorted by name, without hidden files and droppings.
fn items(folder: &Path) -> Result<Vec<Item>, DataError> {
    let name_it = "Name the folder that has one folder of pictures for each class with --data-dir";
    if folder.is_file() {
        return Err(DataError::own(
            folder,
            "it is a file, not a folder",
            name_it,
        ));
    }
    if !folder.exists() {
        return Err(DataError::own(folder, "there is no such folder", name_it));
    }
    let mut items = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::unreadable(folder))? {
        let entry = entry.map_err(DataError::unreadable(folder))?;
        let (name, path) = (entry.file_name(), entry.path());
        let small = name.to_string_lossy().to_lowercase();
        if small.starts_with('.') || DROPPINGS.contains(&small.as_str()) {
            continue;
        }
        // What a link points to.
        let is_folder = fs::metadata(&path)
            .map_err(DataError::unreadable(&path))?
            .is_dir();
        items.push(Item {
            name,
            path,
            is_folder,
        });
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// The folders of the parts, if the data set has them: if there is a folder `train` with folders in it. One with pictures
/// in it is a class, of railways.
fn parts(folder: &Path, all: &[Item]) -> Result<Option<[Option<PathBuf>; 3]>, DataError> {
    let named = |item: &Item, names: &[&str]| {
        let name = item.name.to_string_lossy();
        item.is_folder && names.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let [train, ..] = PARTS;
    let Some(train) = all.iter().find(|item| named(item, train.1)) else {
        return Ok(None);
    };
    if !items(&train.path)?.iter().any(|item| item.is_folder) {
        return Ok(None);
    }
    let mut found = [const { None }; 3];
    for item in all.iter().filter(|item| item.is_folder) {
        let Some(at) = PARTS.iter().position(|(_, names)| named(item, names)) else {
            return Err(DataError::own(
                &item.path,
                format!(
                    "a folder beside '{}', which holds the classes of the training part",
                    train.name.display()
                ),
                format!(
                    "Move it into the folder of a part, or out of {}",
                    folder.display()
                ),
            ));
        };
        if let Some(before) = found[at].replace(item.path.clone()) {
            return Err(DataError::own(
                &item.path,
                format!(
                    "a second {} part beside {}",
                    PARTS[at].0.name(),
                    before.display()
                ),
                "Put the pictures of both into one of them",
            ));
        }
    }
    Ok(Some(found))
}

/// The names of the classes of a part, sorted; `known` are those there may be.
fn class_names(
    folder: &Path,
    items: &[Item],
    known: Option<&[OsString]>,
) -> Result<Vec<OsString>, DataError> {
    if let Some(item) = items
        .iter()
        .find(|item| !item.is_folder && promised(&item.path).is_some())
    {
        return Err(DataError::own(
            &item.path,
            "a picture that lies in no folder of a class",
            LAYOUT,
        ));
    }
    let names: Vec<OsString> = items
        .iter()
        .filter(|item| item.is_folder)
        .map(|item| item.name.clone())
        .collect();
    if names.is_empty() {
        return Err(DataError::own(
            folder,
            "it has no folder of a class",
            LAYOUT,
        ));
    }
    if names.len() > MOST_CLASSES {
        return Err(DataError::own(
            folder,
            format!(
                "it has {} folders: more than {MOST_CLASSES} classes",
                names.len()
            ),
            LAYOUT,
        ));
    }
    let new: Vec<String> = match known {
        Some(known) => shown(names.iter().filter(|name| !known.contains(name))),
        None => Vec::new(),
    };
    if !new.is_empty() {
        return Err(DataError::own(
            folder,
            format!(
                "it has the classes {}, which the training part has not",
                listed(&new)
            ),
            "Add pictures of them to the training part, or remove them here",
        ));
    }
    Ok(names)
}

fn shown<'a>(names: impl IntoIterator<Item = &'a OsString>) -> Vec<String> {
    let names = names.into_iter();
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// The pictures of all classes of a part; each class of a `whole` one must have some.
fn pictures(
    folder: &Path,
    all: &[Item],
    names: &[OsString],
    whole: bool,
) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    for class in all.iter().filter(|item| item.is_folder) {
        // Every class of this part is among them, and there are no more than labels can number.
        let label = names.binary_search(&class.name).unwrap_or_default() as u16;
        let before = entries.len();
        for item in items(&class.path)? {
            if item.is_folder {
                return Err(DataError::own(
                    &item.path,
                    format!("a folder within the class '{}'", class.name.display()),
                    format!(
                        "Put its pictures into {} itself; or, if the folders in it are the classes, name that folder with \
                         --data-dir",
                        class.path.display()
                    ),
                ));
            }
            if promised(&item.path).is_none() {
                return Err(no_picture(&item.path));
            }
            entries.push(Entry {
                file: item.path,
                label,
            });
        }
        if whole && entries.len() == before {
            return Err(DataError::own(
                &class.path,
                "the folder of a class without a picture",
                "Put pictures of the class into it, or remove it",
            ));
        }
    }
    if entries.is_empty() {
        return Err(DataError::own(folder, "it has no picture", LAYOUT));
    }
    Ok(entries)
}

/// A file whose name is not that of a picture.
fn no_picture(file: &Path) -> DataError {
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    let remedy = match ending.to_ascii_lowercase().as_str() {
        "gif" | "tif" | "tiff" | "heic" | "heif" | "avif" | "ppm" | "pgm" | "svg" | "jp2" => {
            format!(
                "Convert it, for example by `magick mogrify -format png` on all files like it, and move the old .{ending} files away"
            )
        }
        "zip" | "gz" | "tar" | "7z" => "Unpack it, and move it away".to_owned(),
        _ => "Move it out of the folder; or, if it is a picture, give it the ending of its format"
            .to_owned(),
    };
    DataError::own(
        file,
        "a file that is no picture: those that end with png, jpg, jpeg, webp or bmp are read",
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with empty files of these names; a folder where a name ends with a stroke.
    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::write(path, "").unwrap();
            }
        }
        folder
    }

    fn told(folder: &tempfile::TempDir, entries: &[Entry]) -> Vec<String> {
        let name = |entry: &Entry| {
            let path = entry.file.strip_prefix(folder.path()).unwrap();
            format!("{} {}", entry.label, path.display())
        };
        entries.iter().map(name).collect()
    }

    fn fault(names: &[&str]) -> String {
        let folder = folder(names);
        let text = layout(folder.path()).unwrap_err().to_string();
        text.replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn classes_and_files_are_sorted_and_hidden_ones_ignored() {
        let folder = folder(&[
            "dog/b.JPG",
            "dog/a.png",
            "cat/10.webp",
            "cat/9.bmp",
            "cat/.hidden.png",
            "cat/Thumbs.db",
            ".git/x.png",
            "__MACOSX/cat/._a.png",
            "README.md",
            "labels.csv",
        ]);
        let found = layout(folder.path()).unwrap();
        assert_eq!(found.classes, ["cat", "dog"]);
        assert_eq!(
            told(&folder, &found.train),
            ["0 cat/10.webp", "0 cat/9.bmp", "1 dog/a.png", "1 dog/b.JPG"]
        );
        assert_eq!((found.validation, found.test), (None, None));
    }

    #[test]
    fn parts_have_folders_of_their_own() {
        for validation in ["val", "valid", "Validation"] {
            let file = format!("{validation}/dog/2.png");
            let folder = folder(&[
                "train/cat/1.png",
                "train/dog/1.png",
                &file,
                "test/cat/3.png",
                "test/dog/",
            ]);
            let found = layout(folder.path()).unwrap();
            assert_eq!(found.classes, ["cat", "dog"]);
            assert_eq!(
                told(&folder, &found.train),
                ["0 train/cat/1.png", "1 train/dog/1.png"]
            );
            assert_eq!(
                told(&folder, &found.validation.unwrap()),
                [format!("1 {file}")]
            );
            assert_eq!(told(&folder, &found.test.unwrap()), ["0 test/cat/3.png"]);
        }
    }

    #[test]
    fn a_class_may_be_called_train() {
        let folder = folder(&["bus/1.png", "test/2.png", "train/1.png"]);
        assert_eq!(
            layout(folder.path()).unwrap().classes,
            ["bus", "test", "train"]
        );
    }

    #[test]
    fn what_does_not_belong_is_named_with_its_remedy() {
        assert_eq!(
            fault(&["cat/1.png", "cat/more/2.png"]),
            "DIR/cat/more: a folder within the class 'cat'. Put its pictures into DIR/cat itself; or, if the folders in it are the \
             classes, name that folder with --data-dir"
        );
        let text = fault(&["cat/1.png", "cat/notes.txt"]);
        assert!(
            text.starts_with(
                "DIR/cat/notes.txt: a file that is no picture: those that end with png,"
            ),
            "{text}"
        );
        assert!(fault(&["cat/1.gif"]).contains("`magick mogrify -format png`"));
        let text = fault(&["cat/1.png", "dog/"]);
        assert_eq!(
            text,
            "DIR/dog: the folder of a class without a picture. Put pictures of the class into it, or remove it"
        );
        assert!(
            fault(&["1.png", "2.png"])
                .starts_with("DIR/1.png: a picture that lies in no folder of a class. Each class")
        );
        assert!(
            fault(&["train/1.png", "train/cat/2.png"])
                .starts_with("DIR/train/1.png: a picture that lies in no")
        );
        assert!(fault(&[]).starts_with("DIR: it has no folder of a class. "));
        let text = fault(&["train/cat/1.png", "test/cat/1.png", "test/cow/1.png"]);
        assert!(
            text.starts_with("DIR/test: it has the classes 'cow', which the training part has not"),
            "{text}"
        );
        let text = fault(&["train/cat/1.png", "dog/1.png"]);
        assert!(
            text.starts_with("DIR/dog: a folder beside 'train', which holds the classes"),
            "{text}"
        );
        let text = fault(&["train/cat/1.png", "val/cat/1.png", "valid/cat/1.png"]);
        assert!(
            text.starts_with("DIR/valid: a second validation part beside DIR/val"),
            "{text}"
        );
        assert!(
            fault(&["train/cat/1.png", "test/cat/"]).starts_with("DIR/test: it has no picture")
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let text = layout(Path::new("nowhere/photos")).unwrap_err().to_string();
        assert!(
            text.starts_with("nowhere/photos: there is no such folder. Name"),
            "{text}"
        );
        let folder = folder(&["photos.zip"]);
        let text = layout(&folder.path().join("photos.zip"))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("photos.zip: it is a file, not a folder. "),
            "{text}"
        );
    }
}
