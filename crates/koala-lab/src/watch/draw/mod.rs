//! Drawing on the terminal.

mod chart;
mod list;
mod look;
mod screen;

pub use list::{RowsView, rows};
pub use look::Look;
pub use screen::run;
