//! Numbers and names as they stand in sentences.

use crate::{ArmKind, Interval, MeanRatio, Measure, Standing};

impl Measure {
    /// What it is called, as in "a lower test error".
    pub fn noun(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Loss => "loss",
            Self::SquaredError => "squared error",
        }
    }

    /// Its unit in a table's head.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Error => "%",
            Self::Loss | Self::SquaredError => self.loss_unit(),
        }
    }

    /// The unit of the losses of what is judged so.
    pub fn loss_unit(self) -> &'static str {
        match self {
            Self::Error | Self::Loss => "nats",
            Self::SquaredError => "squared units",
        }
    }

    /// Digits after the point that are shown.
    pub fn digits(self) -> usize {
        match self {
            Self::Error => 2,
            Self::Loss | Self::SquaredError => 4,
        }
    }

    /// A value with its unit.
    pub(crate) fn value(self, value: f64) -> String {
        format!("{value:.*} {}", self.digits(), self.unit())
    }

    /// The unit of differences; those of percentages are points.
    pub(crate) fn difference(self) -> &'static str {
        match self {
            Self::Error => "points",
            Self::Loss | Self::SquaredError => self.loss_unit(),
        }
    }
}

impl ArmKind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Own, Self::Defaults, Self::Tuned];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Defaults => "defaults",
            Self::Tuned => "tuned",
        }
    }

    /// As it stands in a sentence: "On digits, tuned, ...".
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Own => "with their own settings",
            Self::Defaults => "with defaults",
            Self::Tuned => "tuned",
        }
    }
}

impl Standing {
    /// What stands in a table.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::BetterAlone => "better by itself",
            Self::Worse => "worse",
            Self::WorseAlone => "worse by itself",
            Self::Undecided => "undecided",
            Self::Broken => "ahead, but a run failed",
            Self::TooFew => "too few seeds",
            Self::Same => "kept the defaults",
        }
    }
}

/// What "by itself" means in a table.
pub(crate) const BY_ITSELF: &str = "\"By itself\": in this pair alone, but not when p is adjusted (Holm) for all pairs of the same kind on the workload. \
     Differences are of the test measure, seed by seed; below zero the optimizer is better than what it is held against. \
     \"p, signs\" is one-sided, by flipping the signs of the differences; \"p, t, Holm\" is Student's, two-sided and \
     adjusted.";

/// Names in a row: `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// `1 run`, `2 runs`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A probability.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A difference with its sign: `-0.52`; what is zero but for rounding has none.
pub(crate) fn signed(difference: f64, digits: usize) -> String {
    const ROUNDING: f64 = 1e-12;
    if difference.abs() < ROUNDING {
        format!("{:.digits$}", 0.0)
    } else {
        format!("{difference:+.digits$}")
    }
}

/// An interval with signs: `-0.90 to -0.10`.
pub(crate) fn interval(interval: Interval, digits: usize) -> String {
    format!(
        "{} to {}",
        signed(interval.low, digits),
        signed(interval.high, digits)
    )
}

/// A ratio with three digits behind the point, fewer of large ones: `0.980`, `12.3`, `4.1e5`.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.3}"),
        ..100.0 => format!("{value:.1}"),
        ..10_000.0 => format!("{value:.0}"),
        _ => format!("{value:.1e}"),
    }
}

/// The interval of a mean ratio: `0.980 to 1.310`, or `from 0.980` where the mean is a lower bound.
pub(crate) fn interval_of(mean: &MeanRatio) -> Option<String> {
    let ends = mean.interval?;
    Some(match mean.at_least {
        true => format!("from {}", ratio(ends.low)),
        false => format!("{} to {}", ratio(ends.low), ratio(ends.high)),
    })
}
