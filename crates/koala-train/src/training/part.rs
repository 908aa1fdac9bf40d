//! What samples are for.

/// A part of the data that training does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Samples to choose by.
    Validation,
    /// Samples to report on.
    Test,
}

/// What samples are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// To train on: they were met once each, while the network was changing.
    Train,
    /// To choose by.
    Validation,
    /// To report on.
    Test,
    /// The same, met by the weights of the best evaluation instead of the last ones.
    BestTest,
}

impl From<Part> for Samples {
    fn from(part: Part) -> Self {
        match part {
            Part::Validation => Self::Validation,
            Part::Test => Self::Test,
        }
    }
}

impl Samples {
    /// `train`, `validation`, `test` or `best_test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::BestTest => "best_test",
        }
    }
}
