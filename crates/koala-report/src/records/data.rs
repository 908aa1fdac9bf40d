//! `data.json`: what a run learned from, if that is data of one's own.

use std::path::Path;

use serde::Deserialize;

use super::fault::Faults;
use super::{Run, Status, read_text};
use crate::Error;

const FILE: &str = "data.json";
/// A table may have many columns of many categories each.
const LIMIT: u64 = 64 << 20;

/// Data of one's own by the names of `koala`, and what becomes of their samples.
const OWN: [(&str, &str); 4] = [
    ("images", "images"),
    ("idx", "images"),
    ("table", "table"),
    ("text", "text"),
];
/// Runs of it from before there was a note on it have none.
const WITHOUT: &str = "text";

/// What stands in it, as `docs/format/data.schema.json` says.
#[derive(Deserialize)]
struct Note {
    samples: Samples,
    sha256: String,
    warnings: Vec<String>,
    preparation: Preparation,
}

#[derive(Deserialize)]
struct Samples {
    train: u64,
    #[serde(rename = "validation")]
    _validation: u64,
    test: u64,
}

#[derive(Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
enum Preparation {
    Images {
        classes: Vec<String>,
        channels: u64,
        height: u64,
        width: u64,
        #[serde(rename = "resize")]
        _resize: bool,
        mean: Vec<f64>,
        deviation: Vec<f64>,
    },
    Table {
        #[serde(rename = "header")]
        _header: bool,
        label: Label,
        columns: Vec<Column>,
    },
    Text {
        characters: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Label {
    Classes {
        #[serde(rename = "name")]
        _name: String,
        classes: Vec<String>,
    },
    Numbers {
        name: String,
        #[serde(rename = "mean")]
        _mean: f64,
        deviation: f64,
    },
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Column {
    Numbers {
        name: String,
        #[serde(rename = "mean")]
        _mean: f64,
        deviation: f64,
        #[serde(rename = "indicator")]
        _indicator: bool,
    },
    Categories {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "categories")]
        _categories: Vec<String>,
        #[serde(rename = "missing")]
        _missing: bool,
    },
}

/// What is wrong with the note on a run's data, by itself and beside the other files.
pub(super) fn check(run: &Run, faults: &mut Faults) {
    let path = run.folder.join(FILE);
    match read(&path) {
        Ok(Some(note)) => {
            for what in alone(&note).into_iter().chain(beside(&note, run)) {
                faults.add(&path, None, what);
            }
        }
        Ok(None) => {
            // It is written before the log is begun.
            let noted = own(run).filter(|name| *name != WITHOUT);
            if let (Some(name), Some(_)) = (noted, &run.log.start) {
                let what =
                    format!("is missing, and the run learns from data of one's own ('{name}')");
                faults.add(&path, None, what);
            }
        }
        Err(Error::Damaged {
            path, line, fault, ..
        }) => faults.add(&path, line, fault),
        Err(fault) => faults.add(&path, None, fault.to_string()),
    }
}

fn read(path: &Path) -> Result<Option<Note>, Error> {
    let Some(text) = read_text(path, LIMIT)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|fault| Error::Damaged {
            path: path.to_owned(),
            line: Some(fault.line()),
            fault: fault.to_string(),
            remedy: "do the run again",
        })
}

/// The data set, if it is `koala`'s name for data of one's own: other programs may mean others by these names.
fn own(run: &Run) -> Option<&str> {
    let config = run.config.as_ref()?;
    if config.contains_key("program") {
        return None;
    }
    let name = config.get("dataset")?.get("name")?.as_str()?;
    OWN.iter().any(|(own, _)| *own == name).then_some(name)
}

fn alone(note: &Note) -> Vec<String> {
    let mut told = Vec::new();
    let mut unless = |holds: bool, what: &str| {
        if !holds {
            told.push(what.to_owned());
        }
    };
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    unless(
        note.sha256.len() == 64 && note.sha256.bytes().all(digit),
        "sha256 is no SHA-256: 64 hexadecimal digits in lower case",
    );
    unless(
        note.samples.train > 0,
        "samples.train is 0: nothing was learned from",
    );
    match &note.preparation {
        Preparation::Images {
            classes,
            channels,
            height,
            width,
            mean,
            deviation,
            ..
        } => {
            unless(!classes.is_empty(), "preparation.classes names no class");
            unless(
                [1, 3].contains(channels),
                "preparation.channels is neither 1 (grey) nor 3",
            );
            unless(
                *height > 0 && *width > 0,
                "preparation: pictures have no pixels",
            );
            let each = |numbers: &[f64]| numbers.len() as u64 == *channels;
            unless(
                each(mean) && each(deviation),
                "preparation: mean and deviation need a number for each channel",
            );
            unless(
                deviation.iter().all(|deviation| *deviation > 0.0),
                "preparation.deviation is not above 0",
            );
        }
        Preparation::Table { label, columns, .. } => {
            match label {
                Label::Classes { classes, .. } => {
                    unless(
                        !classes.is_empty(),
                        "preparation.label.classes names no class",
                    );
                }
                Label::Numbers {
                    name, deviation, ..
                } => unless(
                    *deviation > 0.0,
                    &format!("preparation: the deviation of the label '{name}' is not above 0"),
                ),
            }
            unless(
                !columns.is_empty(),
                "preparation.columns names none to learn from",
            );
            for column in columns {
                if let Column::Numbers {
                    name, deviation, ..
                } = column
                {
                    unless(
                        *deviation > 0.0,
                        &format!(
                            "preparation: the deviation of the column '{name}' is not above 0"
                        ),
                    );
                }
            }
        }
        Preparation::Text { characters } => {
            unless(!characters.is_empty(), "preparation.characters names none")
        }
    }
    told
}

fn beside(note: &Note, run: &Run) -> Vec<String> {
    let mut told = Vec::new();
    let of = match note.preparation {
        Preparation::Images { .. } => "images",
        Preparation::Table { .. } => "table",
        Preparation::Text { .. } => "text",
    };
    if let Some(name) = own(run)
        && !OWN.contains(&(name, of))
    {
        told.push(format!(
            "preparation is of '{of}', and dataset.name in config.toml is '{name}'"
        ));
    }
    let start = run.log.start.as_ref();
    for (part, noted, logged) in [
        (
            "train",
            note.samples.train,
            start.and_then(|start| start.train_samples),
        ),
        (
            "test",
            note.samples.test,
            start.and_then(|start| start.test_samples),
        ),
    ] {
        if let Some(logged) = logged.filter(|logged| *logged != noted) {
            told.push(format!(
                "samples.{part} is {noted}, and the log says {logged}"
            ));
        }
    }
    // A run that goes on notes its data anew; an interrupted one's result may be older.
    if let Some(result) = &run.result
        && result.status == Status::Completed
        && !result.warnings.starts_with(&note.warnings)
    {
        told.push("warnings are not those of result.json".to_owned());
    }
    told
}
