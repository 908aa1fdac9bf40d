//! Learning to tell the target of a row.

use burn::tensor::{Device, Tensor, TensorData};
use koala_data::{Table, TableBatch};
use koala_models::{Regressor, squared_error};

use super::{Goal, Learnable, Losses, Measure};

/// The targets of rows of features. The loss of a row is its [`squared_error`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Regression;

impl Goal for Regression {
    type Set = Table;
    type Batch = TableBatch;

    fn batch(&self, set: &Table, samples: &[usize], _drawn: Option<(u64, usize)>) -> TableBatch {
        set.batch(samples)
    }

    fn pieces(&self, batch: TableBatch, size: usize) -> Vec<TableBatch> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &TableBatch) -> usize {
        batch.targets.len()
    }

    fn measure(&self) -> Measure {
        Measure::SquaredError
    }
}

impl<M: Regressor> Learnable<M> for Regression {
    fn losses(&self, model: &M, batch: TableBatch, device: &Device) -> Losses {
        let count = batch.targets.len();
        let rows = TensorData::new(batch.features, [count, batch.columns]);
        let targets = TensorData::new(batch.targets, [count]);
        let told = model.tell(Tensor::from_data(rows, device));
        Losses::alone(squared_error(told, Tensor::from_data(targets, device)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Part, SampleTask, Task};
    use super::*;
    use burn::module::Module;
    use koala_data::{BatchOrder, SampleSet, Split};

    /// The sum of a row's features.
    #[derive(Module, Debug)]
    struct Sum {
        bias: f64,
    }

    impl Regressor for Sum {
        fn tell(&self, rows: Tensor<2>) -> Tensor<1> {
            rows.sum_dim(1).squeeze_dim(1) + self.bias
        }
    }

    #[test]
    fn an_evaluation_is_the_mean_squared_error() {
        let table = |targets| Table::new(2, vec![1.0, 2.0, 3.0, 4.0], targets).unwrap();
        let mut split = Split::new(table(vec![0.0, 0.0]), table(vec![103.0, 7.5]));
        split.hold_out(1);
        let order = BatchOrder {
            seed: 1,
            samples: split.train.len(),
            batch_size: 1,
            drop_last: false,
        };
        // One row at a time, so that the means of batches are put together.
        let task = SampleTask::with_goal(&split, order, Regression, 1, &Device::flex());
        let found = task.evaluate(&Sum { bias: 0.0 }, Part::Test);
        assert_eq!((found.loss, found.misread), ((1e4 + 0.25) / 2.0, None));
        let held_out = task.evaluate(&Sum { bias: 1.0 }, Part::Validation);
        assert_eq!(held_out.loss, 64.0);
        assert_eq!(Task::<Sum>::measure(&task), Measure::SquaredError);
    }
}
