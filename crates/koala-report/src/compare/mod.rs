//! From a suite's folder to what it found.

pub(crate) mod arms;
mod choices;
mod clock;
mod ends;
mod found;
mod measure;
mod overview;
mod pairs;
mod profiles;
mod reference;
mod suite;
#[cfg(test)]
mod tests;
mod trials;
mod verdict;
mod warnings;
mod words;

pub(crate) use reference::who;
pub use suite::compare;
pub(crate) use suite::compare_listed;
pub(crate) use verdict::{gain, leader, seen};
pub(crate) use words::{BY_ITSELF, interval, interval_of, list, probability, ratio, signed};
