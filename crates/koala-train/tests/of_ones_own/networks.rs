//! Networks of one's own are what they stand for, and their first weights follow from the seed.

use std::time::Duration;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Int, Tensor};
use koala_data::{ImageSet, LabelledTable, Split, digits};
use koala_models::{Classifier, ImageShape, Mlp, MlpSpec};
use koala_train::optimizers::OptimizerSpec;
use koala_train::own::{Draws, OwnData, OwnModel, OwnNetwork};
use koala_train::run::{DatasetSpec, ModelSpec, Override, RunConfig};

use super::support::{CLASSES, COLUMNS, Line, losses, with};

/// The network `mlp`, as one of one's own.
#[derive(Module, Debug)]
pub struct Wrapped {
    mlp: Mlp,
}

impl OwnNetwork for Wrapped {
    type Samples = LabelledTable;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let [count, columns] = rows.dims();
        self.mlp.forward(rows.reshape([count, 1, 1, columns]))
    }
}

pub fn wrapped() -> OwnModel {
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
        classes: CLASSES,
    };
    let make = move |draws: &mut _| Wrapped {
        mlp: Mlp::new(&MlpSpec::default(), shape, draws),
    };
    OwnModel::new("wrapped", "1", make).unwrap()
}

/// The digits as rows of numbers.
fn rows() -> Split<LabelledTable> {
    let rows = |set: &ImageSet| {
        let all: Vec<usize> = (0..set.len()).collect();
        let batch = set.host_batch(&all, None);
        LabelledTable::new(COLUMNS, CLASSES, batch.images, batch.labels).unwrap()
    };
    let split = digits().unwrap();
    Split::new(rows(&split.train), rows(&split.test))
}

fn built_in(optimizer: &str) -> RunConfig {
    let over = [
        Override::new("optimizer.name", optimizer),
        Override::new("epochs", 2),
        Override::new("validation", 200),
        Override::new("seed", 5),
        Override::new("schedule.name", "cosine"),
    ];
    RunConfig::resolve(None, &over).unwrap()
}

#[test]
fn data_and_network_of_ones_own_learn_as_the_same_ones_of_koala() {
    let data = OwnData::parted("digit-rows", rows()).unwrap();
    for optimizer in OptimizerSpec::NAMES {
        let config = built_in(optimizer);
        let (expected, outcome) = losses(&config);
        let mut own = config.clone();
        own.dataset = DatasetSpec::Own(data.clone());
        own.model = ModelSpec::Own(wrapped());
        let (found, of_own) = losses(&own);
        assert_eq!(found, expected, "{optimizer}");
        assert!(expected.len() > 30);
        let (result, expected) = (&of_own.result, &outcome.result);
        assert_eq!(result.test_error(), expected.test_error(), "{optimizer}");
        assert_eq!(result.parameters, expected.parameters);
        assert_eq!(
            (result.dataset.as_str(), result.model.as_str()),
            ("digit-rows", "wrapped")
        );
        assert!(
            of_own.network.own::<Wrapped>().is_some() && of_own.network.own::<Line>().is_none()
        );
        // And other first weights are seen.
        own.seed += 1;
        assert_ne!(losses(&own).0, found);
    }
}

/// Burn's generator is one for the whole program.
#[test]
fn first_weights_that_burn_draws_follow_from_the_seed_whoever_draws_beside() {
    // Long enough at it that another one would come in between.
    let slowly = || {
        let make = |draws: &mut Draws| {
            let before: Linear = LinearConfig::new(2, 1).init(draws.device());
            before.weight.val();
            std::thread::sleep(Duration::from_millis(5));
            Line::new(draws)
        };
        with(OwnModel::new("line", "1", make).unwrap(), 120)
    };
    let (expected, _) = losses(&slowly());
    let found: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| losses(&slowly()).0))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for found in found {
        assert_eq!(found, expected);
    }
    let mut other = slowly();
    other.seed = 1;
    assert_ne!(losses(&other).0, expected);
}

/// Images too, and the data sets that Koala has.
#[test]
fn a_network_of_ones_own_learns_from_koalas_images() {
    #[derive(Module, Debug)]
    struct Pixels {
        layer: Linear,
    }
    impl OwnNetwork for Pixels {
        type Samples = ImageSet;

        fn forward(&self, images: Tensor<4>) -> Tensor<2> {
            self.layer.forward(images.flatten(1, 3))
        }

        fn losses(&self, outputs: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
            koala_models::cross_entropy(outputs, targets) * 2.0
        }
    }
    let make = |draws: &mut Draws| Pixels {
        layer: LinearConfig::new(COLUMNS, CLASSES).init(draws.device()),
    };
    let over = [
        Override::new("epochs", 4),
        Override::new("dataset.augment", "crop-flip"),
    ];
    let mut config = RunConfig::resolve(None, &over).unwrap();
    config.model = ModelSpec::Own(OwnModel::new("pixels", "1", make).unwrap());
    let (changed, _) = losses(&config);
    config.dataset = RunConfig::resolve(None, &[]).unwrap().dataset;
    let (plain, outcome) = losses(&config);
    assert_ne!(plain, changed);
    // By chance it would be 90.
    assert!(outcome.result.test_error() < 30.0);
}
