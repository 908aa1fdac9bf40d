//! Arms against the reference, in plain tables.

use crate::tables::{Table, reference};
use crate::{AgainstReference, BEST};

/// The first section of the page.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) heading: String,
    pub(super) tables: Vec<Table>,
    pub(super) notes: &'a [String],
}

pub(super) fn of(against: &AgainstReference) -> Section<'_> {
    Section {
        heading: match against.name.as_str() {
            BEST => "Against the best baseline".to_owned(),
            name => format!("Against {name}"),
        },
        tables: reference(against, false),
        notes: &against.notes,
    }
}
