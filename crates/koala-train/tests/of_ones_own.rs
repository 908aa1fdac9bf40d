//! Data, network and optimizer of one's own in a run: the same to the bit as what they stand for, and faults told.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Int, Tensor};
use koala_data::{ImageSet, LabelledTable, Parting, SampleSet, Share, Split, Table, digits};
use koala_models::{Classifier, ImageShape, Mlp, MlpSpec};
use koala_train::Error;
use koala_train::optimizers::OptimizerSpec;
use koala_train::own::{OwnData, OwnModel, OwnNetwork, OwnOptimizer, Parameter, Rule, StepAt};
use koala_train::run::{
    DatasetSpec, ModelSpec, Outcome, Override, RunConfig, RunFolder, Settled, execute,
};
use koala_train::training::{Event, Interrupt, Observer, Silent};
use serde::{Deserialize, Serialize};
use toml::Table as Options;

const COLUMNS: usize = 64;
const CLASSES: usize = 10;

/// The losses of all steps and evaluations.
#[derive(Default)]
struct Losses(Vec<u64>);

impl Observer for Losses {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Step(step) => self.0.push(step.loss.to_bits()),
            Event::Epoch(epoch) => self.0.push(epoch.judged.evaluation.loss.to_bits()),
            _ => {}
        }
        Ok(())
    }
}

fn losses(config: &RunConfig) -> (Vec<u64>, Outcome) {
    let mut losses = Losses::default();
    let outcome = execute(config, &mut losses, &Interrupt::default()).unwrap();
    losses.0.push(outcome.result.test_loss().to_bits());
    (losses.0, outcome)
}

/// The network `mlp`, as one of one's own.
#[derive(Module, Debug)]
struct Wrapped {
    mlp: Mlp,
}

impl OwnNetwork for Wrapped {
    type Samples = LabelledTable;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        let [count, columns] = rows.dims();
        self.mlp.forward(rows.reshape([count, 1, 1, columns]))
    }
}

fn wrapped() -> OwnModel {
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

/// A line through rows of numbers, with Burn's own first weights.
#[derive(Module, Debug)]
struct Line {
    layer: Linear,
}

impl OwnNetwork for Line {
    type Samples = Table;

    fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        self.layer.forward(rows)
    }
}

fn line() -> OwnModel {
    let make = |draws: &mut koala_train::own::Draws| Line {
        layer: LinearConfig::new(2, 1).init(draws.device()),
    };
    OwnModel::new("line", "1", make).unwrap()
}

fn table(count: usize) -> Table {
    let features: Vec<f32> = (0..2 * count).map(|i| (i as f32 * 0.7).sin()).collect();
    let targets = features.chunks(2).map(|x| x[0] - 3.0 * x[1] + 0.5);
    let targets = targets.collect();
    Table::new(2, features, targets).unwrap()
}

fn with(model: OwnModel, samples: usize) -> RunConfig {
    let mut config = RunConfig::resolve(None, &[Override::new("epochs", 3)]).unwrap();
    let data = OwnData::drawn("plane", table(samples), Parting::default());
    config.dataset = DatasetSpec::Own(data.unwrap());
    config.model = ModelSpec::Own(model);
    config
}

/// Burn's generator is one for the whole program.
#[test]
fn first_weights_that_burn_draws_follow_from_the_seed_whoever_draws_beside() {
    // Long enough at it that another one would come in between.
    let slowly = || {
        let make = |draws: &mut koala_train::own::Draws| {
            let before: Linear = LinearConfig::new(2, 1).init(draws.device());
            before.weight.val();
            std::thread::sleep(Duration::from_millis(5));
            Line {
                layer: LinearConfig::new(2, 1).init(draws.device()),
            }
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
    let make = |draws: &mut koala_train::own::Draws| Absolute {
        line: Line {
            layer: LinearConfig::new(2, 1).init(draws.device()),
        },
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
        let make = move |draws: &mut koala_train::own::Draws| Odd {
            line: Line {
                layer: LinearConfig::new(2, 1).init(draws.device()),
            },
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
        let make = move |draws: &mut koala_train::own::Draws| Odd {
            line: Line {
                layer: LinearConfig::new(2, 1).init(draws.device()),
            },
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

/// Gradient descent, in one's own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Descent {
    learning_rate: f64,
    momentum: f64,
}

impl Rule for Descent {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let fault = || ("momentum", "must be below 1".to_owned());
        (self.momentum >= 1.0).then(fault)
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        for parameter in parameters {
            let old = parameter.memory[0].clone();
            let velocity = old * self.momentum + parameter.gradient.clone();
            parameter.x = parameter.x.clone() - velocity.clone() * at.rate;
            parameter.memory[0] = velocity;
        }
        Ok(())
    }
}

fn descent() -> OwnOptimizer {
    let rule = Descent {
        learning_rate: 0.05,
        momentum: 0.9,
    };
    OwnOptimizer::new("descent", "1", rule).unwrap()
}

#[test]
fn a_rule_of_ones_own_descends_as_koalas_sgd_does() {
    let over = [
        Override::new("optimizer.name", "sgd"),
        Override::new("optimizer.learning-rate", 0.05),
        Override::new("optimizer.momentum", 0.9),
        Override::new("epochs", 2),
        Override::new("schedule.name", "cosine"),
    ];
    let mut config = RunConfig::resolve(None, &over).unwrap();
    let (expected, sgd) = losses(&config);
    config.optimizer = OptimizerSpec::Own(descent());
    let (found, own) = losses(&config);
    for (found, expected) in found.iter().zip(&expected) {
        let (found, expected) = (f64::from_bits(*found), f64::from_bits(*expected));
        assert!(
            (found - expected).abs() <= 1e-4 * expected.abs(),
            "{found} {expected}"
        );
    }
    let bytes = |outcome: &Outcome| outcome.result.optimizer_state_bytes;
    assert_eq!(bytes(&own), bytes(&sgd));
    assert_eq!(own.result.optimizer, "descent");
}

/// Leaves something else than it had.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Careless {
    learning_rate: f64,
    fault: i64,
}

impl Rule for Careless {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        let Some(first) = parameters.first_mut().filter(|_| at.number == 2) else {
            return Ok(());
        };
        match self.fault {
            0 => first.x = first.x.clone().narrow(0, 0, 1),
            1 => first.memory[0] = first.x.clone().narrow(0, 0, 1),
            2 => first.memory.clear(),
            _ => return Err(format!("the loss of {:.1} is none for me", at.loss * 0.0)),
        }
        Ok(())
    }
}

#[test]
fn a_rule_that_refuses_or_leaves_another_size_ends_the_run_with_its_reason() {
    let told = |fault: i64| {
        let rule = Careless {
            learning_rate: 1.0,
            fault,
        };
        let mut config = with(line(), 120);
        let own = OwnOptimizer::new("careless", "1", rule).unwrap();
        config.optimizer = OptimizerSpec::Own(own);
        let run = execute(&config, &mut Silent, &Interrupt::default());
        run.unwrap_err().to_string()
    };
    let expected = [
        "it left 1 numbers in x of 'layer.weight' instead of 2: give each its own",
        "it left 1 numbers in velocity of 'layer.weight' instead of 2: give each its own",
        "it left 0 tensors to remember of 'layer.weight', and says that it remembers 1: put each where it was",
        "the loss of 0.0 is none for me",
    ];
    for (fault, expected) in (0..).zip(expected) {
        let expected = format!("step 2: the optimizer 'careless': {expected}");
        assert_eq!(told(fault), expected);
    }
}

#[test]
fn what_cannot_be_your_own_is_refused_with_its_remedy() {
    let rule = |momentum| Descent {
        learning_rate: 0.1,
        momentum,
    };
    let optimizer = |name: &str, version: &str, momentum: f64| {
        let own = OwnOptimizer::new(name, version, rule(momentum));
        own.unwrap_err().to_string()
    };
    assert_eq!(
        optimizer("adamw", "1", 0.9),
        "your optimizer 'adamw': the name is taken by one of Koala's own: give another, such as my-adamw"
    );
    assert_eq!(
        optimizer("koala-z", "1", 0.9),
        "your optimizer 'koala-z': names that begin with 'koala' are held to be KOALA's: give another"
    );
    assert_eq!(
        optimizer("de scent", "1", 0.9),
        "your optimizer 'de scent': its name must be of letters, digits, '-', '_' and '.', at most 100 of them, and not begin with '.', \
         not 'de scent'"
    );
    assert!(optimizer("descent", "", 0.9).contains("its version must be"));
    assert_eq!(
        optimizer("descent", "1", 1.0),
        "your optimizer 'descent': momentum must be below 1"
    );
    assert_eq!(
        optimizer("descent", "1", f64::NAN),
        "your optimizer 'descent': momentum must be finite, not nan"
    );
    let options = |text: &str| descent().with_options(&text.parse::<Options>().unwrap());
    let refused = |text: &str| {
        let (key, fault) = options(text).unwrap_err();
        format!("{key}: {fault}")
    };
    assert_eq!(
        refused("momentun = 0.5"),
        "momentun: is no option of descent, did you mean 'momentum'?"
    );
    assert_eq!(
        refused("momentum = 'much'"),
        "momentum: must be a number, not \"much\""
    );
    assert_eq!(refused("momentum = 2"), "momentum: must be below 1");
    let changed = options("momentum = 0.5\nlearning-rate = 1").unwrap();
    assert!(changed != descent() && options("momentum = 0.9").unwrap() == descent());
    assert_eq!(
        toml::to_string(&changed).unwrap(),
        "name = \"descent\"\nversion = \"1\"\nlearning-rate = 1.0\nmomentum = 0.5\n"
    );

    let data = |name: &str, test: Share| {
        let parting = Parting {
            test,
            ..Parting::default()
        };
        let own = OwnData::drawn(name, table(20), parting);
        own.unwrap_err().to_string()
    };
    assert!(data("digits", Share::Count(4)).contains("the name is taken"));
    assert_eq!(
        data("plane", Share::Count(0)),
        "your data 'plane': there is no sample to test on: give more, or part them otherwise, such as a fifth to test on"
    );
    assert!(data("plane", Share::Count(20)).contains("leave nothing to train on of 20 samples"));
    let empty = Split::new(table(0), table(3));
    let text = OwnData::parted("plane", empty).unwrap_err().to_string();
    assert!(text.contains("no sample to train on"), "{text}");
    let model = OwnModel::new("gpt", "1", |draws| Line {
        layer: LinearConfig::new(2, 1).init(draws.device()),
    });
    assert!(model.unwrap_err().to_string().contains("the name is taken"));

    // Rows with numbers for a network of classes.
    let mut config = with(wrapped(), 30);
    let text = config.load().unwrap_err().to_string();
    assert_eq!(
        text,
        "the model 'wrapped' does not fit the dataset 'plane': it learns from rows with classes: give it some, or say what it learns \
         from in its `type Samples`"
    );
    config.dataset = RunConfig::resolve(None, &[]).unwrap().dataset;
    let text = config.load().unwrap_err().to_string();
    assert!(text.contains("the data are images"), "{text}");
}

/// What a configuration tells of what is one's own is what its identity rests on.
#[test]
fn other_rows_or_another_version_are_another_configuration() {
    let of = |rows: Table, version: &str| {
        let mut config = with(line(), 20);
        let data = OwnData::drawn("plane", rows, Parting::default()).unwrap();
        config.dataset = DatasetSpec::Own(data);
        config.model = ModelSpec::Own(
            OwnModel::new("line", version, |draws| Line {
                layer: LinearConfig::new(2, 1).init(draws.device()),
            })
            .unwrap(),
        );
        config.to_toml()
    };
    let mut targets = table(20).targets().to_vec();
    targets[7] += 1e-3;
    let features = (0..20)
        .flat_map(|row| table(20).row(row).to_vec())
        .collect();
    let changed = Table::new(2, features, targets).unwrap();
    let first = of(table(20), "1");
    assert_eq!(first, of(table(20), "1"));
    assert!(first.contains("name = \"plane\"\nsha256 = \""), "{first}");
    assert_ne!(first, of(changed, "1"));
    assert_ne!(first, of(table(20), "2"));
    // Nothing in a file can name them.
    let text = RunConfig::parse(&first, "configuration x.toml", &[]);
    let text = text.unwrap_err().to_string();
    assert!(text.contains("no dataset is called 'plane'"), "{text}");
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
    let make = |draws: &mut koala_train::own::Draws| Pixels {
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
