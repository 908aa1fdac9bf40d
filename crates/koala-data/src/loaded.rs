//! A data set in memory, with what was done to it and what is worth knowing of it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Corpus, Data, ImagePreparation, ImageSet, LabelledTable, OwnImages, OwnRows, OwnTable,
    SampleSet, Split, Table, TablePreparation, TextPreparation, Warning, characters,
};

/// A data set in memory, with what was done to it and what is worth knowing of it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The samples.
    pub data: Data,
    /// What was done to them, of data of one's own: of the others it is always the same.
    pub preparation: Option<Preparation>,
    /// What is worth knowing, of data of one's own.
    pub warnings: Vec<Warning>,
    /// Made when it is first asked for: many runs may share the data.
    fingerprint: OnceLock<String>,
}

/// What was done to data of one's own, and so what is to be done to samples that a network is to judge. To be stored with a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Preparation {
    /// To pictures.
    Images(ImagePreparation),
    /// To the rows of a table.
    Table(TablePreparation),
    /// To a text.
    Text(TextPreparation),
}

impl Loaded {
    /// A text of one's own.
    pub fn of_text(corpus: Corpus) -> Self {
        let preparation = TextPreparation {
            characters: corpus.vocabulary.tokens().to_vec(),
        };
        Self {
            warnings: characters::warnings(&corpus),
            data: Data::Text(corpus),
            preparation: Some(Preparation::Text(preparation)),
            fingerprint: OnceLock::new(),
        }
    }

    /// The SHA-256 of all samples of data of one's own, part by part in their order, in lower-case hexadecimal digits: what tells
    /// whether a file has changed since a run was begun. Nothing for the others, whose files are known.
    pub fn fingerprint(&self) -> Option<&str> {
        self.preparation.as_ref()?;
        Some(self.sha256())
    }

    /// The SHA-256 of all samples, or tokens, part by part in their order, in lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        self.fingerprint.get_or_init(|| self.digest())
    }

    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        match &self.data {
            Data::Images(split) => parts(split, &mut digest, |set: &ImageSet, digest| {
                for size in [set.channels, set.height, set.width, set.classes] {
                    digest.update((size as u64).to_le_bytes());
                }
                digest.update(&set.pixels);
                labels(set.labels(), digest);
            }),
            Data::Labelled(split) => parts(split, &mut digest, |set: &LabelledTable, digest| {
                digest.update((set.classes() as u64).to_le_bytes());
                (0..set.len()).for_each(|row| numbers(set.row(row), digest));
                labels(set.labels(), digest);
            }),
            Data::Table(split) => parts(split, &mut digest, |set: &Table, digest| {
                (0..set.len()).for_each(|row| numbers(set.row(row), digest));
                numbers(set.targets(), digest);
            }),
            Data::Text(corpus) => {
                let words = corpus.vocabulary.tokens();
                digest.update((words.len() as u64).to_le_bytes());
                for word in words {
                    digest.update((word.len() as u64).to_le_bytes());
                    digest.update(word.as_bytes());
                }
                for part in [&corpus.train, &corpus.validation, &corpus.test] {
                    digest.update((part.len() as u64).to_le_bytes());
                    part.iter()
                        .for_each(|token| digest.update(token.to_le_bytes()));
                }
            }
        }
        let digest = digest.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The digest of each part, with its size first.
fn parts<S: SampleSet>(split: &Split<S>, digest: &mut Sha256, of: impl Fn(&S, &mut Sha256)) {
    let validation = split.validation.as_ref();
    for part in [Some(&split.train), validation, Some(&split.test)] {
        let size = part.map_or(0, SampleSet::len);
        digest.update((size as u64).to_le_bytes());
        if let Some(set) = part {
            of(set, digest);
        }
    }
}

fn labels(labels: &[u16], digest: &mut Sha256) {
    labels
        .iter()
        .for_each(|label| digest.update(label.to_le_bytes()));
}

fn numbers(numbers: &[f32], digest: &mut Sha256) {
    numbers
        .iter()
        .for_each(|number| digest.update(number.to_le_bytes()));
}

impl From<Data> for Loaded {
    fn from(data: Data) -> Self {
        Self {
            data,
            preparation: None,
            warnings: Vec::new(),
            fingerprint: OnceLock::new(),
        }
    }
}

impl From<OwnImages> for Loaded {
    fn from(own: OwnImages) -> Self {
        Self {
            data: Data::Images(own.split),
            preparation: Some(Preparation::Images(own.preparation)),
            warnings: own.warnings,
            fingerprint: OnceLock::new(),
        }
    }
}

impl From<OwnTable> for Loaded {
    fn from(own: OwnTable) -> Self {
        Self {
            data: match own.rows {
                OwnRows::Classes(split) => Data::Labelled(split),
                OwnRows::Numbers(split) => Data::Table(split),
            },
            preparation: Some(Preparation::Table(own.preparation)),
            warnings: own.warnings,
            fingerprint: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageFolderOptions, TableOptions, image_folder, sample, table_file};

    #[test]
    fn a_character_that_changes_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letters.txt");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Loaded::of_text(crate::text(Some(&file)).unwrap())
        };
        let (before, same) = (read(&"abc ".repeat(30)), read(&"abc ".repeat(30)));
        // As many characters of as many kinds, in another order; and others in the same order.
        let (other, renamed) = (read(&"acb ".repeat(30)), read(&"abd ".repeat(30)));
        assert_eq!(before.fingerprint(), same.fingerprint());
        assert!(before.fingerprint().is_some());
        assert_ne!(before.fingerprint(), other.fingerprint());
        assert_ne!(before.fingerprint(), renamed.fingerprint());
    }

    #[test]
    fn a_sample_that_changes_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let file = sample::write_table(folder.path(), 150, 0).unwrap();
        let read = || {
            let options = TableOptions {
                label: "animal".to_owned(),
                ..TableOptions::default()
            };
            Loaded::from(table_file(&file, &options).unwrap())
        };
        let before = read();
        assert_eq!(before.fingerprint(), read().fingerprint());
        assert_eq!(before.fingerprint().unwrap().len(), 64);
        let text = std::fs::read_to_string(&file).unwrap();
        let (first, last) = text.trim_end().rsplit_once('\n').unwrap();
        std::fs::write(&file, format!("{first}\n1{last}\n")).unwrap();
        assert_ne!(before.fingerprint(), read().fingerprint());
        assert_eq!(Loaded::from(before.data).fingerprint(), None);
    }

    #[test]
    fn what_was_done_reads_back_as_it_was_stored() {
        let folder = tempfile::tempdir().unwrap();
        sample::write_image_folder(&folder.path().join("spots"), 40, 8, 0).unwrap();
        let pictures = image_folder(&folder.path().join("spots"), &ImageFolderOptions::default());
        let file = sample::write_table(folder.path(), 150, 0).unwrap();
        let table = |label: &str| {
            let label = label.to_owned();
            let options = TableOptions {
                label,
                ..TableOptions::default()
            };
            Loaded::from(table_file(&file, &options).unwrap())
        };
        let (classes, numbers) = (table("animal"), table("leaves_g"));
        assert!(
            matches!(classes.data, Data::Labelled(_)) && matches!(numbers.data, Data::Table(_))
        );
        for loaded in [pictures.unwrap().into(), classes, numbers] {
            let preparation = loaded.preparation.unwrap();
            let stored = toml::to_string(&preparation).unwrap();
            assert_eq!(
                toml::from_str::<Preparation>(&stored).unwrap(),
                preparation,
                "{stored}"
            );
        }
    }
}
