//! Drawings as SVG: made here, so that a page shows them without scripts and files hold the same.

mod axis;
mod chart;
mod ends;
mod heat;
mod plot;
mod scene;
mod standalone;
mod width;

pub(super) use axis::{Axis, Scale, ticks};
pub(super) use chart::of as chart;
pub(super) use ends::spread;
pub(super) use heat::of as heat;
pub(super) use plot::{LINE, Look, Plot};
pub(super) use scene::{Anchor, Colour, Mark, Scene};
pub(super) use standalone::{STYLE, standalone};
pub(super) use width::{BOLD, cut, width};
