//! Evaluations under the names that logs and results use.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Evaluation, Measure, Samples};

/// An evaluation under the names that logs and results use: `test_loss`, `test_error` and `test_top5_error`, and for texts
/// `test_perplexity` too; with `train_` or `validation_` for other samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// What the samples were.
    pub samples: Samples,
    /// What was found.
    pub evaluation: Evaluation,
    /// Whether they were texts, of which perplexity is told.
    pub text: bool,
}

impl Figures {
    /// What was found on these samples of a task that is judged by this measure.
    pub fn new(samples: impl Into<Samples>, evaluation: Evaluation, measure: Measure) -> Self {
        Self {
            samples: samples.into(),
            evaluation,
            text: measure == Measure::Loss,
        }
    }

    /// The number that matters most, in words: `error 8.38 %` or `perplexity 4.71`.
    pub fn headline(&self) -> String {
        if self.text {
            format!("perplexity {:.2}", self.evaluation.perplexity())
        } else {
            format!("error {:.2} %", self.evaluation.error)
        }
    }

    /// Loss and headline, in a width that does not jump from line to line.
    pub fn line(&self) -> String {
        let loss = self.evaluation.loss;
        if self.text {
            format!(
                "loss {loss:.4}  perplexity {:8.2}",
                self.evaluation.perplexity()
            )
        } else {
            format!("loss {loss:.4}  error {:6.2} %", self.evaluation.error)
        }
    }

    /// Each number by its name, the loss first.
    pub fn numbers(&self) -> Vec<(&'static str, f64)> {
        let mut all = vec![
            ("loss", self.evaluation.loss),
            ("error", self.evaluation.error),
            ("top5_error", self.evaluation.top5_error),
        ];
        if self.text {
            all.push(("perplexity", self.evaluation.perplexity()));
        }
        all
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = self.numbers();
        let mut map = serializer.serialize_map(Some(numbers.len()))?;
        for (name, value) in numbers {
            map.serialize_entry(&format!("{}_{name}", self.samples.name()), &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;

    #[test]
    fn names_say_what_the_samples_were() {
        let evaluation = Evaluation {
            loss: 0.0,
            error: 2.5,
            top5_error: 0.5,
        };
        let image = Figures::new(Part::Test, evaluation, Measure::Error);
        assert_eq!(
            serde_json::to_string(&image).unwrap(),
            r#"{"test_loss":0.0,"test_error":2.5,"test_top5_error":0.5}"#
        );
        let text = Figures::new(Samples::Train, evaluation, Measure::Loss);
        assert!(
            serde_json::to_string(&text)
                .unwrap()
                .ends_with(r#""train_perplexity":1.0}"#)
        );
    }
}
