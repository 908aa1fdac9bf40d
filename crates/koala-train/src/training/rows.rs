//! Learning to tell rows of a table apart.

use burn::tensor::Device;
use koala_data::{HostBatch, LabelledTable};
use koala_models::Classifier;

use super::images::told_apart;
use super::{Goal, Learnable, Losses, Measure};

/// Classes of rows of features. Their batches are those of images, so that what tells images apart learns them.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowClassification;

impl Goal for RowClassification {
    type Set = LabelledTable;
    type Batch = HostBatch;

    fn batch(
        &self,
        set: &LabelledTable,
        samples: &[usize],
        _drawn: Option<(u64, usize)>,
    ) -> HostBatch {
        set.host_batch(samples)
    }

    fn pieces(&self, batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &HostBatch) -> usize {
        batch.labels.len()
    }

    fn measure(&self) -> Measure {
        Measure::Error
    }
}

impl<M: Classifier> Learnable<M> for RowClassification {
    fn losses(&self, model: &M, batch: HostBatch, device: &Device) -> Losses {
        told_apart(model, batch, device)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Part, SampleTask, Task};
    use super::*;
    use burn::module::Module;
    use burn::tensor::Tensor;
    use koala_data::{BatchOrder, Split};

    /// The features are the scores.
    #[derive(Module, Debug)]
    struct Features {
        nothing: f64,
    }

    impl Classifier for Features {
        fn forward(&self, images: Tensor<4>) -> Tensor<2> {
            images.flatten(1, 3)
        }
    }

    #[test]
    fn an_evaluation_is_of_all_rows_with_their_classes() {
        let table =
            |labels| LabelledTable::new(2, 2, vec![0.0, 9.0, 9.0, 0.0, 0.0, 0.0], labels).unwrap();
        let split = Split::new(table(vec![1, 0, 0]), table(vec![1, 1, 1]));
        let order = BatchOrder {
            seed: 1,
            samples: 3,
            batch_size: 2,
            drop_last: false,
        };
        // Two rows at a time, so that batches are put together.
        let task = SampleTask::with_goal(&split, order, RowClassification, 2, &Device::flex());
        let found = task.evaluate(&Features { nothing: 0.0 }, Part::Test);
        // -ln of 1 / (1 + e^-9), 1 / (1 + e^9) and 1 / 2.
        let expected = ((1.0 + (-9f64).exp()).ln() + (1.0 + 9f64.exp()).ln() + 2f64.ln()) / 3.0;
        assert!((found.loss - expected).abs() < 1e-5, "{}", found.loss);
        assert!(
            (found.error() - 100.0 / 3.0).abs() < 1e-9
                || (found.error() - 200.0 / 3.0).abs() < 1e-9
        );
        assert_eq!(Task::<Features>::measure(&task), Measure::Error);
    }
}
