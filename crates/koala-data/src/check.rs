//! Looking over a data set that is there.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fetch::sha256;
use super::{Corpus, Data, DataError, DatasetName, Loaded, Preparation, SampleSet, Split, Warning};

/// What a data set holds, once all of it has been read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckReport {
    /// The data set.
    pub name: DatasetName,
    /// The folder or file it was read from; nothing if it is embedded.
    pub place: Option<PathBuf>,
    /// Classes of images or rows, different tokens of a text, or features of a row with a number.
    pub classes: usize,
    /// Its parts.
    pub parts: Vec<PartReport>,
    /// What was done to data of one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
    /// What is worth knowing of data of one's own, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Those of the files given out by its host that are there, compared with their published checksums.
    pub files: Vec<FileReport>,
}

/// What one part of a data set holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartReport {
    /// `train`, `validation` or `test`.
    pub part: &'static str,
    /// Images, tokens of a text, or rows.
    pub samples: usize,
    /// The class with the fewest samples and how many there are; the first of several. Of samples with classes only.
    pub fewest: Option<(usize, usize)>,
    /// The class with the most samples and how many there are; the first of several. Of samples with classes only.
    pub most: Option<(usize, usize)>,
}

/// One file that the host of the data set gives out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Whether that is the published one. A packed file that is not may hold the same data, packed anew.
    pub published: bool,
}

impl CheckReport {
    /// Whether every file that its host gives out and that is there is the published one.
    pub fn is_published(&self) -> bool {
        self.files.iter().all(|file| file.published)
    }
}

/// Reads a data set whole, as [`DatasetName::load`] does.
///
/// # Errors
///
/// [`DataError`] if a file is missing or is not what it should be.
pub fn check(dataset: DatasetName, path: Option<&Path>) -> Result<CheckReport, DataError> {
    let place = if dataset.has_folder() && !dataset.is_own() {
        Some(dataset.find(path)?)
    } else {
        path.map(Path::to_owned).filter(|_| !dataset.is_embedded())
    };
    let mut report = report(dataset, &dataset.load(path, None)?);
    report.files = files(dataset, path, place.as_deref())?;
    report.place = place;
    Ok(report)
}

/// The report on data of one's own, which were read from `place`.
pub fn check_own(dataset: DatasetName, place: &Path, loaded: &Loaded) -> CheckReport {
    CheckReport {
        place: Some(place.to_owned()),
        preparation: loaded.preparation.clone(),
        warnings: loaded.warnings.iter().map(Warning::to_string).collect(),
        ..report(dataset, &loaded.data)
    }
}

fn report(dataset: DatasetName, data: &Data) -> CheckReport {
    let (classes, parts) = match data {
        Data::Images(split) => (split.train.classes, labelled(split, split.train.classes)),
        Data::Labelled(split) => (
            split.train.classes(),
            labelled(split, split.train.classes()),
        ),
        Data::Text(corpus) => (corpus.vocabulary.len(), texts(corpus)),
        Data::Table(Split {
            train,
            validation,
            test,
        }) => {
            let mut parts = vec![unlabelled("train", train.len())];
            parts.extend(
                validation
                    .as_ref()
                    .map(|set| unlabelled("validation", set.len())),
            );
            parts.push(unlabelled("test", test.len()));
            (train.columns(), parts)
        }
    };
    CheckReport {
        name: dataset,
        place: None,
        classes,
        parts,
        preparation: None,
        warnings: Vec::new(),
        files: Vec::new(),
    }
}

/// The parts of samples in so many classes.
fn labelled<S: SampleSet>(split: &Split<S>, classes: usize) -> Vec<PartReport> {
    let mut parts = vec![counted("train", &split.train, classes)];
    let validation = split.validation.as_ref();
    parts.extend(validation.map(|set| counted("validation", set, classes)));
    parts.push(counted("test", &split.test, classes));
    parts
}

fn counted<S: SampleSet>(part: &'static str, set: &S, classes: usize) -> PartReport {
    let mut counts = vec![0usize; classes];
    for label in set.strata() {
        if let Some(count) = counts.get_mut(usize::from(*label)) {
            *count += 1;
        }
    }
    let numbered = || counts.iter().copied().enumerate();
    PartReport {
        part,
        samples: set.len(),
        fewest: numbered().min_by_key(|(_, count)| *count),
        most: numbered().rev().max_by_key(|(_, count)| *count),
    }
}

fn texts(corpus: &Corpus) -> Vec<PartReport> {
    vec![
        unlabelled("train", corpus.train.len()),
        unlabelled("validation", corpus.validation.len()),
        unlabelled("test", corpus.test.len()),
    ]
}

/// A part of so many samples without classes.
fn unlabelled(part: &'static str, samples: usize) -> PartReport {
    PartReport {
        part,
        samples,
        fewest: None,
        most: None,
    }
}

/// The files of the host, beside the data or in the folder around it.
fn files(
    dataset: DatasetName,
    given: Option<&Path>,
    place: Option<&Path>,
) -> Result<Vec<FileReport>, DataError> {
    let around = match (given, place) {
        (None, Some(place)) => dataset
            .places()
            .into_iter()
            .find(|usual| place.starts_with(usual)),
        (given, _) => given.map(Path::to_owned),
    };
    let mut reports = Vec::new();
    for remote in dataset.source().files {
        let beside = place.map(|place| place.join(remote.name));
        let outside = around.as_ref().map(|folder| folder.join(remote.name));
        let there = beside.into_iter().chain(outside).find(|f| f.is_file());
        if let Some(file) = there {
            let sha256 = sha256(&file).map_err(DataError::unreadable(&file))?;
            reports.push(FileReport {
                published: sha256 == remote.sha256,
                file,
                sha256,
            });
        }
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn parts_and_classes_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Cifar10, folder.path(), 52, 1).unwrap();
        let report = check(DatasetName::Cifar10, Some(folder.path())).unwrap();
        assert_eq!((report.classes, report.files.len()), (10, 0));
        let train = PartReport {
            part: "train",
            samples: 52,
            fewest: Some((2, 5)),
            most: Some((0, 6)),
        };
        assert_eq!(report.parts[0], train);
        assert_eq!(report.parts[1].samples, 11);
        assert_eq!(
            report.place,
            Some(folder.path().join("cifar-10-batches-bin"))
        );
        assert!(report.is_published());
    }

    #[test]
    fn files_of_the_host_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Ptb, folder.path(), 50, 1).unwrap();
        let report = check(DatasetName::Ptb, Some(folder.path())).unwrap();
        assert_eq!((report.files.len(), report.parts.len()), (3, 3));
        assert!(!report.is_published());
        // An archive beside the folder it was unpacked to.
        let folder = tempfile::tempdir().unwrap();
        sample::write(DatasetName::Wikitext2, folder.path(), 50, 1).unwrap();
        let archive = folder.path().join("wikitext-2-v1.zip");
        std::fs::write(&archive, "no archive").unwrap();
        let report = check(DatasetName::Wikitext2, Some(folder.path())).unwrap();
        assert_eq!(report.files[0].file, archive);
        assert!(!report.files[0].published);
    }

    #[test]
    fn embedded_data_sets_are_whole() {
        let report = check(DatasetName::Digits, None).unwrap();
        assert_eq!((report.place, report.parts[0].samples), (None, 1442));
        let report = check(DatasetName::TinyShakespeare, None).unwrap();
        assert_eq!((report.classes, report.parts[0].samples), (65, 1_003_854));
        let report = check(DatasetName::Friedman, None).unwrap();
        assert_eq!((report.classes, report.parts[0].samples), (10, 8000));
        assert_eq!((report.place, report.parts[1].fewest), (None, None));
        assert!(check(DatasetName::Text, None).is_err());
    }
}
