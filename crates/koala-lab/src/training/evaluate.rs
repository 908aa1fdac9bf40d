//! How well a network does on samples it was not trained on.

use burn::tensor::Device;
use serde::Serialize;

use super::loss::cross_entropy;
use crate::data::ImageSet;
use crate::models::Classifier;

/// Samples a forward pass takes at once.
const BATCH: usize = 500;

/// Mean loss and share of misread samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// Mean cross-entropy in nats; not a number if there is no sample.
    pub loss: f64,
    /// Share of misread samples in percent; not a number if there is no sample.
    pub error: f64,
}

/// Tests an inference model on all samples of a set, in order.
pub fn evaluate<M: Classifier>(model: &M, set: &ImageSet, device: &Device) -> Evaluation {
    let samples: Vec<usize> = (0..set.len()).collect();
    let mut tally = Tally::default();
    for chunk in samples.chunks(BATCH) {
        let batch = set.batch(chunk, device);
        let scores = model.forward(batch.images);
        let losses = floats(cross_entropy(scores.clone(), batch.targets).into_data());
        tally.add(&losses, &floats(scores.into_data()), &batch.labels);
    }
    tally.evaluation()
}

/// The values of a float tensor on the host.
pub(super) fn floats(data: burn::tensor::TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec().unwrap_or_default()
}

/// Sums of losses and misread samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    loss: f64,
    misread: usize,
    count: usize,
}

impl Tally {
    /// Counts a batch, given its losses and scores, `[batch, classes]` row by row.
    pub(super) fn add(&mut self, losses: &[f32], scores: &[f32], labels: &[u16]) -> Evaluation {
        let classes = scores.len() / labels.len().max(1);
        let batch = Self {
            loss: losses.iter().map(|l| f64::from(*l)).sum(),
            misread: scores
                .chunks(classes.max(1))
                .zip(labels)
                .filter(|(row, label)| highest(row) != Some(usize::from(**label)))
                .count(),
            count: labels.len(),
        };
        self.loss += batch.loss;
        self.misread += batch.misread;
        self.count += batch.count;
        batch.evaluation()
    }

    pub(super) fn evaluation(&self) -> Evaluation {
        Evaluation {
            loss: self.loss / self.count as f64,
            error: 100.0 * self.misread as f64 / self.count as f64,
        }
    }
}

/// The first of the highest scores; none if one of them is not a number.
fn highest(scores: &[f32]) -> Option<usize> {
    let mut best = None;
    for (i, score) in scores.iter().enumerate() {
        if score.is_nan() {
            return None;
        }
        if best.is_none_or(|b: usize| *score > scores[b]) {
            best = Some(i);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misread_samples_are_counted() {
        let mut tally = Tally::default();
        let first = tally.add(&[1.0, 3.0], &[0.0, 1.0, 2.0, 2.0], &[1, 1]);
        assert_eq!((first.loss, first.error), (2.0, 50.0));
        tally.add(&[2.0, 2.0], &[f32::NAN, 1.0, 0.0, -1.0], &[1, 0]);
        let all = tally.evaluation();
        assert_eq!((all.loss, all.error), (2.0, 50.0));
        assert!(Tally::default().evaluation().loss.is_nan());
    }
}
