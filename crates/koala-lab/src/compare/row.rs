//! What a comparison says of one optimizer.

use serde::Serialize;

use crate::run::RunResult;

/// One optimizer over all seeds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Name of the optimizer.
    pub optimizer: String,
    /// Runs that ended well.
    pub n: usize,
    /// Test error in percent.
    pub test_error: Option<Mean>,
    /// Test loss in nats.
    pub test_loss: Option<Mean>,
    /// Training loss of the last epoch in nats.
    pub train_loss: Option<Mean>,
    /// Runs that reached the target loss.
    pub reached_target: usize,
    /// Steps to the target loss; only if every run reached it, since a mean over the lucky ones would flatter.
    pub steps_to_target: Option<Mean>,
    /// Seconds of training, tests left out.
    pub seconds: Option<Mean>,
    /// Seconds inside the optimizer.
    pub optimizer_seconds: Option<Mean>,
    /// Every run.
    pub seeds: Vec<SeedResult>,
}

/// One run of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct SeedResult {
    /// Its seed.
    pub seed: u64,
    /// Steps to the target loss; nothing if it was never reached.
    pub steps_to_target: Option<u64>,
    /// What came of it; nothing if it failed.
    pub result: Option<RunResult>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation; nothing for a single value.
    pub deviation: Option<f64>,
}

impl Mean {
    /// The mean of these values; nothing if there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Self {
            mean,
            deviation: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
        })
    }
}

impl Row {
    /// Sums up the runs of one optimizer.
    pub fn new(optimizer: &str, seeds: Vec<SeedResult>) -> Self {
        let results: Vec<&RunResult> = seeds.iter().filter_map(|s| s.result.as_ref()).collect();
        let mean = |value: fn(&RunResult) -> f64| Mean::of(results.iter().map(|r| value(r)));
        let steps: Vec<f64> = seeds
            .iter()
            .filter(|s| s.result.is_some())
            .filter_map(|s| s.steps_to_target)
            .map(|s| s as f64)
            .collect();
        Self {
            optimizer: optimizer.to_owned(),
            n: results.len(),
            test_error: mean(RunResult::test_error),
            test_loss: mean(RunResult::test_loss),
            train_loss: mean(RunResult::train_loss),
            reached_target: steps.len(),
            steps_to_target: (steps.len() == seeds.len())
                .then(|| Mean::of(steps))
                .flatten(),
            seconds: mean(|r| r.training_seconds),
            optimizer_seconds: mean(|r| r.optimizer_seconds),
            seeds,
        }
    }

    /// The first failure among the runs, with its seed.
    pub fn failure(&self) -> Option<(u64, &str)> {
        self.seeds
            .iter()
            .find_map(|s| s.failure.as_deref().map(|f| (s.seed, f)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations() {
        assert_eq!(Mean::of([]), None);
        assert_eq!(Mean::of([2.0]).unwrap().deviation, None);
        let mean = Mean::of([1.0, 3.0]).unwrap();
        assert_eq!((mean.mean, mean.deviation), (2.0, Some(2.0f64.sqrt())));
    }

    #[test]
    fn failures_are_kept_and_named() {
        let seed = |seed, failure: Option<&str>| SeedResult {
            seed,
            steps_to_target: None,
            result: None,
            failure: failure.map(str::to_owned),
        };
        let row = Row::new("sgd", vec![seed(0, None), seed(1, Some("diverged"))]);
        assert_eq!(
            (row.n, row.test_error, row.steps_to_target),
            (0, None, None)
        );
        assert_eq!(row.failure(), Some((1, "diverged")));
    }
}
