//! What the interval of a mean ratio over several problems says.

use crate::MeanRatio;

/// An arm whose whole interval is no farther from the reference than this factor is said to be within so many percent of it.
const NEAR: f64 = 1.05;
/// Of fewer workloads no resample reaches far enough for a confidence of 95 %.
pub(super) const FEW: usize = 6;

/// What the interval of a mean ratio says.
pub(super) enum MeanVerdict {
    /// No farther from the reference than so many percent.
    Within(f64),
    Better,
    Worse,
    Undecided,
}

impl MeanVerdict {
    /// Nothing of few problems: an interval of them holds too little to call one better.
    pub fn of(result: &MeanRatio) -> Option<Self> {
        let ends = result.interval?;
        let near = (ends.high - 1.0).max(1.0 / ends.low - 1.0);
        Some(if near <= NEAR - 1.0 {
            // Rounded up: no more than what holds.
            Self::Within((100.0 * near).ceil().max(1.0))
        } else if result.workloads < FEW {
            return None;
        } else if ends.high < 1.0 {
            Self::Better
        } else if ends.low > 1.0 {
            Self::Worse
        } else {
            Self::Undecided
        })
    }

    /// In the answer.
    pub fn words(&self, reference: &str) -> String {
        match self {
            Self::Within(percent) => format!("is within {percent:.0} % of {reference}"),
            Self::Better => format!("is better overall than {reference}"),
            Self::Worse => format!("is worse overall than {reference}"),
            Self::Undecided => format!("is too close to {reference} to call overall"),
        }
    }

    /// Behind the number that it is about.
    pub fn brief(&self) -> String {
        match self {
            Self::Within(percent) => format!("within {percent:.0} %"),
            Self::Better => "better".to_owned(),
            Self::Worse => "worse".to_owned(),
            Self::Undecided => "too close to call".to_owned(),
        }
    }
}
