//! What is worth knowing of a data set that can be learned from all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::encoding::WITHOUT_CONTROLS;
use super::{SampleSet, Split};

/// A part of fewer samples is told of.
const FEW: usize = 100;
/// Names that a message lists at most.
const LISTED: usize = 5;

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    /// What is trained on.
    Train,
    /// What is chosen by.
    Validation,
    /// What is tested on.
    Test,
}

impl PartName {
    /// Its name in messages and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Why a column of a table is not learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// It has one value, or none at all.
    Constant,
    /// It counts the rows, so that it tells their order in the file.
    RowNumbers,
    /// Nearly every row has a text of its own: a name, or prose.
    Identifier,
}

/// Something worth knowing of a data set. It is shown by [`fmt::Display`] as one sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[non_exhaustive]
pub enum Warning {
    /// The validation or test part has fewer than 100 samples, and so tells little.
    FewSamples {
        /// The part.
        part: PartName,
        /// Its samples.
        samples: usize,
        /// Of classes, the standard error of an error rate of 10 %, sqrt(0.1 * 0.9 / n), as a fraction of all samples; of
        /// numbers, that of a mean squared error, as a fraction of itself, sqrt(2 / n) for normal errors.
        standard_error: f64,
        /// Whether samples have classes.
        classes: bool,
    },
    /// All samples to train on are of one class.
    OneClass {
        /// The class.
        class: String,
    },
    /// All rows to train on have the same number to tell.
    OneNumber {
        /// The column.
        column: String,
        /// The number.
        number: f64,
    },
    /// A part has no sample of some classes.
    MissingClasses {
        /// The part.
        part: PartName,
        /// The classes.
        classes: Vec<String>,
    },
    /// A folder has a part to choose by, but none to test on, which the former is taken for.
    ValidationIsTest,
    /// Values of a column are missing.
    MissingValues {
        /// The column.
        column: String,
        /// Rows without it.
        rows: usize,
        /// Of so many.
        of: usize,
        /// Whether the column is of numbers; otherwise it is of categories.
        numbers: bool,
    },
    /// Rows have no label and are left out.
    RowsWithoutLabel {
        /// The column of labels.
        column: String,
        /// How many.
        rows: usize,
        /// The line of the first.
        line: u64,
    },
    /// A column is not learned from.
    ColumnLeftOut {
        /// The column.
        column: String,
        /// Why.
        cause: LeftOut,
    },
    /// A text has control characters that are no white space; they are learned as others are.
    ControlCharacters {
        /// Which, as `U+001B`.
        characters: Vec<String>,
        /// How many there are of them.
        count: usize,
    },
    /// A text begins with a byte order mark, which is learned as other characters are.
    ByteOrderMark,
    /// A part has categories that the training part has not; they are taken for none of them.
    UnknownCategories {
        /// The part.
        part: PartName,
        /// The column.
        column: String,
        /// Rows with one.
        rows: usize,
        /// Some of the categories.
        examples: Vec<String>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewSamples {
                part,
                samples,
                standard_error,
                classes,
            } => {
                let percent = 100.0 * standard_error;
                let part = part.name();
                let plural = if *samples == 1 { "" } else { "s" };
                write!(f, "the {part} part has {samples} sample{plural}: ")?;
                if *classes {
                    write!(
                        f,
                        "an error rate of 10 % has a standard error of {percent:.1} percentage points there"
                    )
                } else {
                    write!(f, "a mean squared error has a standard error of about {percent:.0} % there")
                }
            }
            Self::OneClass { class } => write!(
                f,
                "all samples to train on are of the class '{class}': there is nothing to tell apart"
            ),
            Self::OneNumber { column, number } => write!(
                f,
                "all rows to train on have {number} in column '{column}': there is nothing to learn but that; give another column \
                 with --label, or rows that differ"
            ),
            Self::MissingClasses { part, classes } => write!(
                f,
                "the {} part has no sample of {}",
                part.name(),
                listed(classes)
            ),
            Self::ValidationIsTest => f.write_str(
                "there is a validation part but no test part: the former is tested on, and nothing should be chosen by it",
            ),
            Self::MissingValues {
                column,
                rows,
                of,
                numbers,
            } => {
                write!(f, "column '{column}': {rows} of {of} values are missing: ")?;
                f.write_str(if *numbers {
                    "the training part's mean stands for them, and a column of its own says where"
                } else {
                    "they are a category of their own"
                })
            }
            Self::RowsWithoutLabel { column, rows, line } => write!(
                f,
                "column '{column}': {rows} row{} without a label {} left out, the first in line {line}",
                if *rows == 1 { "" } else { "s" },
                if *rows == 1 { "is" } else { "are" },
            ),
            Self::ColumnLeftOut { column, cause } => {
                write!(f, "column '{column}' is left out: ")?;
                f.write_str(match cause {
                    LeftOut::Constant => "it is the same in all rows",
                    LeftOut::RowNumbers => "it numbers the rows, which tells their order in the file",
                    LeftOut::Identifier => "nearly every row has a text of its own there",
                })
            }
            Self::ControlCharacters { characters, count } => write!(
                f,
                "the text has {count} control character{} ({}), learned as others are: `{WITHOUT_CONTROLS} FILE > NEW` leaves {} out",
                if *count == 1 { "" } else { "s" },
                listed(characters),
                if *count == 1 { "it" } else { "them" },
            ),
            Self::ByteOrderMark => f.write_str(
                "the text begins with a byte order mark (U+FEFF), learned as other characters are: `tail -c +4 FILE > NEW` leaves it out",
            ),
            Self::UnknownCategories {
                part,
                column,
                rows,
                examples,
            } => write!(
                f,
                "column '{column}': {rows} row{} of the {} part {} a category that the training part has not ({})",
                if *rows == 1 { "" } else { "s" },
                part.name(),
                if *rows == 1 { "has" } else { "have" },
                listed(examples)
            ),
        }
    }
}

/// The first few names.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().take(LISTED).enumerate() {
        text += if at > 0 { ", " } else { "" };
        text += &format!("'{}'", name.as_ref());
    }
    if names.len() > LISTED {
        text += &format!(" and {} more", names.len() - LISTED);
    }
    text
}

impl<S: SampleSet> Split<S> {
    /// What is worth knowing of the parts as they are: too few samples to choose or judge by, classes that one lacks, one
    /// class alone. `names` are those of the classes, so many as there are; empty for samples without classes.
    pub fn warnings(&self, names: &[String]) -> Vec<Warning> {
        let held_out = self
            .validation
            .as_ref()
            .map(|set| (PartName::Validation, set));
        let judged = held_out.into_iter().chain([(PartName::Test, &self.test)]);
        let mut warnings = Vec::new();
        for (part, set) in judged.clone().filter(|(_, set)| set.len() < FEW) {
            let samples = set.len();
            let count = samples.max(1) as f64;
            warnings.push(Warning::FewSamples {
                part,
                samples,
                standard_error: if names.is_empty() {
                    (2.0 / count).sqrt()
                } else {
                    (0.1 * 0.9 / count).sqrt()
                },
                classes: !names.is_empty(),
            });
        }
        let mut present = vec![false; names.len()];
        mark(&self.train, &mut present);
        let mut known = names.iter().zip(&present).filter(|(_, there)| **there);
        if let (Some((class, _)), None) = (known.next(), known.next()) {
            warnings.push(Warning::OneClass {
                class: class.clone(),
            });
        }
        for (part, set) in [(PartName::Train, &self.train)].into_iter().chain(judged) {
            let mut present = vec![false; names.len()];
            mark(set, &mut present);
            let missing = names.iter().zip(&present).filter(|(_, there)| !**there);
            let classes: Vec<String> = missing.map(|(name, _)| name.clone()).collect();
            if !classes.is_empty() && !set.is_empty() {
                warnings.push(Warning::MissingClasses { part, classes });
            }
        }
        warnings
    }
}

/// Marks the classes that a set has.
fn mark<S: SampleSet>(set: &S, present: &mut [bool]) {
    for label in set.strata() {
        if let Some(there) = present.get_mut(usize::from(*label)) {
            *there = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::three;
    use crate::{Table, digits};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn told<S: SampleSet>(split: &Split<S>, of: &[String]) -> Vec<String> {
        split.warnings(of).iter().map(Warning::to_string).collect()
    }

    #[test]
    fn small_parts_are_told_with_their_standard_error() {
        let each = |count: usize| {
            let samples: Vec<usize> = (0..count).map(|sample| sample % 3).collect();
            three().select(&samples)
        };
        let split = Split::new(each(9), each(99));
        assert_eq!(
            told(&split, &names(&["a", "b", "c"])),
            [
                "the test part has 99 samples: an error rate of 10 % has a standard error of 3.0 percentage points there"
            ]
        );
        assert!(
            Split::new(each(9), each(102))
                .warnings(&names(&["a", "b", "c"]))
                .is_empty()
        );
        let ten: Vec<String> = (0..10).map(|class: i32| class.to_string()).collect();
        assert!(digits().unwrap().warnings(&ten).is_empty());
        let rows = |count| Table::new(1, vec![1.0; count], vec![1.0; count]).unwrap();
        let split = Split {
            validation: Some(rows(50)),
            ..Split::new(rows(100), rows(100))
        };
        assert_eq!(
            told(&split, &[]),
            [
                "the validation part has 50 samples: a mean squared error has a standard error of about 20 % there"
            ]
        );
    }

    #[test]
    fn classes_that_a_part_lacks_are_named() {
        let many = |sample| three().select(&vec![sample; 100]);
        // The samples are of the classes 2, 0 and 1.
        let split = Split::new(many(0), many(1));
        assert_eq!(
            told(&split, &names(&["ant", "bee", "cat"])),
            [
                "all samples to train on are of the class 'cat': there is nothing to tell apart",
                "the train part has no sample of 'ant', 'bee'",
                "the test part has no sample of 'bee', 'cat'",
            ]
        );
    }

    #[test]
    fn values_can_be_stored() {
        for warning in [
            Warning::ValidationIsTest,
            Warning::ColumnLeftOut {
                column: "id".to_owned(),
                cause: LeftOut::RowNumbers,
            },
            Warning::FewSamples {
                part: PartName::Test,
                samples: 1,
                standard_error: 0.3,
                classes: true,
            },
        ] {
            let text = toml::to_string(&warning).unwrap();
            assert_eq!(toml::from_str::<Warning>(&text).unwrap(), warning, "{text}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let many: Vec<String> = (0..9).map(|at: i32| at.to_string()).collect();
        assert_eq!(listed(&many), "'0', '1', '2', '3', '4' and 4 more");
    }
}
