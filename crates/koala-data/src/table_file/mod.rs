//! A table of one's own from a CSV file: columns of numbers and of categories, and a column to tell.

mod column;
mod label;
mod preparation;
mod read;
mod rows;
mod text;
mod value;

pub use label::{LabelKind, LabelPreparation};
pub use preparation::{ColumnPreparation, TablePreparation};
pub use read::{OwnRows, OwnTable, TableOptions, table_file};
