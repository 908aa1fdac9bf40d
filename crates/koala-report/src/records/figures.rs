//! Loss and error under the names that logs and results use.

use serde::{Deserialize, Deserializer};

use crate::Measure;

/// What a network was found to do on some samples. NaN where it was not finite or not told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Mean loss; a cross-entropy is in nats.
    pub loss: f64,
    /// Share of misread samples in percent; NaN of samples without classes.
    pub error: f64,
}

impl Scores {
    /// What is judged; nothing if it is not finite.
    pub fn of(&self, measure: Measure) -> Option<f64> {
        let value = match measure {
            Measure::Error => self.error,
            Measure::Loss | Measure::SquaredError => self.loss,
        };
        value.is_finite().then_some(value)
    }

    fn told(loss: Option<f64>, error: Option<f64>) -> Option<Self> {
        (loss.is_some() || error.is_some()).then(|| Self {
            loss: loss.unwrap_or(f64::NAN),
            error: error.unwrap_or(f64::NAN),
        })
    }
}

/// Scores by what the samples were for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// The epoch's batches as they were met.
    pub train: Option<Scores>,
    /// Held-out samples.
    pub validation: Option<Scores>,
    /// Test samples.
    pub test: Option<Scores>,
    /// Test samples with the weights of the best evaluation.
    pub best_test: Option<Scores>,
}

impl<'de> Deserialize<'de> for Figures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Flat {
            train_loss: Option<f64>,
            train_error: Option<f64>,
            validation_loss: Option<f64>,
            validation_error: Option<f64>,
            test_loss: Option<f64>,
            test_error: Option<f64>,
            best_test_loss: Option<f64>,
            best_test_error: Option<f64>,
        }
        let flat = Flat::deserialize(deserializer)?;
        Ok(Self {
            train: Scores::told(flat.train_loss, flat.train_error),
            validation: Scores::told(flat.validation_loss, flat.validation_error),
            test: Scores::told(flat.test_loss, flat.test_error),
            best_test: Scores::told(flat.best_test_loss, flat.best_test_error),
        })
    }
}
