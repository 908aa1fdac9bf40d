//! Statistics of few runs.

mod bootstrap;
mod geometric;
#[cfg(test)]
mod geometric_properties;
mod holm;
mod moments;
mod paired;
mod profile;
#[cfg(test)]
mod properties;
mod sign_flip;
mod student;
mod summary;

pub(crate) use geometric::{Matched, geometric_mean, interval as interval_of_ratios, ratio};
pub(crate) use holm::holm;
pub(crate) use paired::{Ahead, Differences, LEAST, ahead};
pub(crate) use profile::{ratios, score};
pub(crate) use summary::median;
