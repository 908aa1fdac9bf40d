//! Losses of one's own, and outputs and losses that are none.

use burn::module::Module;
use burn::tensor::Tensor;
use koala_data::{Parting, SampleSet, Table};
use koala_train::optimizers::OptimizerSpec;
use koala_train::own::{Draws, OwnModel, OwnNetwork};
use koala_train::run::{ModelSpec, RunFolder, Settled, execute};
use koala_train::training::{Interrupt, Silent};

use super::support::{Line, line, losses, table, with};

/// Absolute errors in place of squared ones.
#[derive(Module, Debug)]
struct Absolute {
    line: Line,
}

impl OwnNetwork for Absolute {
    type Samples = Table;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        self.line.forward(rows)
    }

    fn losses(&self, outputs: Tensor<2>, targets: Tensor<1>) -> Tensor<1> {
        (outputs.squeeze_dim(1) - targets).abs()
    }
}

#[test]
fn a_loss_of_ones_own_is_what_is_learned_and_told() {
    let make = |draws: &mut Draws| Absolute {
        line: Line::new(draws),
    };
    let mut config = with(OwnModel::new("absolute", "1", make).unwrap(), 120);
    let (_, of_own) = losses(&config);
    config.model = ModelSpec::Own(line());
    let (_, squared) = losses(&config);
    assert_ne!(of_own.result.test_loss(), squared.result.test_loss());
    let line = of_own.network.own::<Absolute>().unwrap();
    // The test part, as it was drawn.
    let test = Parting::default().split(&table(120)).unwrap().test;
    let mut sum = 0.0;
    let weights: Vec<f32> = line
        .line
        .layer
        .weight
        .val()
        .into_data()
        .try_into_vec()
        .unwrap();
    let bias = line.line.layer.bias.as_ref().unwrap().val().into_data();
    let bias = bias.try_into_vec::<f32>().unwrap()[0];
    for row in 0..test.len() {
        let x = test.row(row);
        sum += (x[0] * weights[0] + x[1] * weights[1] + bias - test.targets()[row]).abs();
    }
    let mean = f64::from(sum) / test.len() as f64;
    assert!((of_own.result.test_loss() - mean).abs() < 1e-5);
}

/// A network that gives something else.
#[derive(Module, Debug)]
struct Odd {
    line: Line,
    /// 0: outputs for half of the rows; 1: the mean of the losses; 2: no losses for some rows, from the second epoch on.
    fault: usize,
}

impl OwnNetwork for Odd {
    type Samples = Table;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let outputs = self.line.forward(rows);
        let [count, _] = outputs.dims();
        match self.fault {
            0 => outputs.narrow(0, 0, count / 2),
            _ => outputs,
        }
    }

    fn losses(&self, outputs: Tensor<2>, targets: Tensor<1>) -> Tensor<1> {
        let count = targets.dims()[0];
        let losses = koala_models::squared_error(outputs.squeeze_dim(1), targets);
        match self.fault {
            1 => losses.mean(),
            // The last batch of an epoch is smaller.
            2 if count < 64 => losses.narrow(0, 0, count - 1),
            _ => losses,
        }
    }
}

#[test]
fn outputs_and_losses_of_another_form_are_told_with_their_remedy() {
    let told = |fault: usize| {
        let make = move |draws: &mut Draws| Odd {
            line: Line::new(draws),
            fault,
        };
        let config = with(OwnModel::new("odd", "1", make).unwrap(), 120);
        let run = execute(&config, &mut Silent, &Interrupt::default());
        run.unwrap_err().to_string()
    };
    assert_eq!(
        told(0),
        "your network 'odd': it gives outputs of the shape [32, 1] for a batch of 64: give [64, 1], a number a sample"
    );
    assert_eq!(
        told(1),
        "your network 'odd': its losses are 1 for a batch of 64: give one a sample, not their mean or sum"
    );
    assert_eq!(
        told(2),
        "your network 'odd': its losses are 31 for a batch of 32: give one a sample, not their mean or sum"
    );
}

/// Nothing of what was wrong is kept: once the network is mended, the run goes on as if it had never been.
#[test]
fn a_network_that_was_mended_goes_on_before_its_fault() {
    let of = |fault: usize| {
        let make = move |draws: &mut Draws| Odd {
            line: Line::new(draws),
            fault,
        };
        let mut config = with(OwnModel::new("odd", "1", make).unwrap(), 120);
        config.optimizer = OptimizerSpec::named("adam").unwrap();
        config.checkpoint_every = 1;
        config
    };
    let here = tempfile::tempdir().unwrap();
    let go = |folder: &str, fault: usize| {
        let config = of(fault);
        let folder = RunFolder::take(&here.path().join(folder), false)
            .unwrap_or_else(|_| RunFolder::at(&here.path().join(folder)));
        let (data, silent) = (config.load().unwrap(), &mut Silent);
        let settled =
            folder.settle_on(&config, &data, silent, &Interrupt::default(), &mut |text| {
                panic!("{text}")
            });
        let weights = std::fs::read(folder.weights()).ok();
        (settled.map_err(|error| error.to_string()), weights)
    };
    let (settled, whole) = go("whole", 3);
    assert_eq!(settled, Ok(Settled::Completed));
    let (settled, weights) = go("mended", 2);
    assert!(settled.unwrap_err().contains("its losses are 31"));
    assert!(weights.is_none() && !here.path().join("mended/failure.json").exists());
    let checkpoints = std::fs::read_dir(here.path().join("mended/checkpoints")).unwrap();
    assert_eq!(checkpoints.count(), 1);
    let (settled, weights) = go("mended", 3);
    assert_eq!((settled, weights), (Ok(Settled::Completed), whole));
}
