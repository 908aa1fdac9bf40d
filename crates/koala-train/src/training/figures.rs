//! Evaluations under the names that logs and results use.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Evaluation, Measure, Samples};

/// An evaluation under the names that logs and results use: `test_loss`; of samples with classes `test_error` and
/// `test_top5_error`; of texts `test_perplexity` too, and of squared errors `test_root`; with `train_` or `validation_` for other
/// samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// What the samples were.
    pub samples: Samples,
    /// What was found.
    pub evaluation: Evaluation,
    /// By what evaluations are compared.
    pub measure: Measure,
}

impl Figures {
    /// What was found on these samples of a task that is judged by this measure.
    pub fn new(samples: impl Into<Samples>, evaluation: Evaluation, measure: Measure) -> Self {
        Self {
            samples: samples.into(),
            evaluation,
            measure,
        }
    }

    /// The number that matters most, in words: `error 8.38 %`, `perplexity 4.71` or `loss 0.2913`.
    pub fn headline(&self) -> String {
        match self.measure {
            Measure::Error => format!("error {:.2} %", self.evaluation.error()),
            Measure::Perplexity => format!("perplexity {:.2}", self.evaluation.perplexity()),
            Measure::Loss => format!("loss {:.4}", self.evaluation.loss),
            Measure::SquaredError => format!("root of squared error {:.4}", self.evaluation.root()),
        }
    }

    /// Loss and headline, in a width that does not jump from line to line.
    pub fn line(&self) -> String {
        let loss = self.evaluation.loss;
        match self.measure {
            Measure::Error => format!("loss {loss:.4}  error {:6.2} %", self.evaluation.error()),
            Measure::Perplexity => format!(
                "loss {loss:.4}  perplexity {:8.2}",
                self.evaluation.perplexity()
            ),
            Measure::Loss => format!("loss {loss:.4}"),
            Measure::SquaredError => {
                format!("loss {loss:10.4}  root {:8.4}", self.evaluation.root())
            }
        }
    }

    /// Each number by its name, the loss first.
    pub fn numbers(&self) -> Vec<(&'static str, f64)> {
        let mut all = vec![("loss", self.evaluation.loss)];
        if let Some(misread) = self.evaluation.misread
            && matches!(self.measure, Measure::Error | Measure::Perplexity)
        {
            all.push(("error", misread.error));
            all.push(("top5_error", misread.top5_error));
        }
        match self.measure {
            Measure::Error | Measure::Loss => {}
            Measure::Perplexity => all.push(("perplexity", self.evaluation.perplexity())),
            Measure::SquaredError => all.push(("root", self.evaluation.root())),
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
    use super::super::Tally;
    use super::super::{Misread, Part};
    use super::*;

    #[test]
    fn names_say_what_the_samples_were() {
        let evaluation = Evaluation {
            loss: 0.0,
            misread: Some(Misread {
                error: 2.5,
                top5_error: 0.5,
            }),
        };
        let image = Figures::new(Part::Test, evaluation, Measure::Error);
        assert_eq!(
            serde_json::to_string(&image).unwrap(),
            r#"{"test_loss":0.0,"test_error":2.5,"test_top5_error":0.5}"#
        );
        let text = Figures::new(Samples::Train, evaluation, Measure::Perplexity);
        assert!(
            serde_json::to_string(&text)
                .unwrap()
                .ends_with(r#""train_perplexity":1.0}"#)
        );
    }

    #[test]
    fn samples_without_classes_have_no_error() {
        let evaluation = Evaluation {
            loss: 6.25,
            misread: None,
        };
        let told = |measure| {
            let figures = Figures::new(Part::Test, evaluation, measure);
            (
                serde_json::to_string(&figures).unwrap(),
                figures.headline(),
                figures.line(),
            )
        };
        let (json, headline, line) = told(Measure::Loss);
        assert_eq!(json, r#"{"test_loss":6.25}"#);
        assert_eq!(
            (headline.as_str(), line.as_str()),
            ("loss 6.2500", "loss 6.2500")
        );
        let (json, headline, line) = told(Measure::SquaredError);
        assert_eq!(json, r#"{"test_loss":6.25,"test_root":2.5}"#);
        assert_eq!(headline, "root of squared error 2.5000");
        assert_eq!(line, "loss     6.2500  root   2.5000");
        // A run that was stopped before its first step has counted nothing, which looks like samples with classes.
        let nothing = Figures::new(Samples::Train, Tally::default().evaluation(), Measure::Loss);
        assert_eq!(
            serde_json::to_string(&nothing).unwrap(),
            r#"{"train_loss":null}"#
        );
    }
}
