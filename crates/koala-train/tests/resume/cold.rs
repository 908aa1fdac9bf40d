//! Goes on from a checkpoint with the optimizer's memory and without: only the first gives the bits of the run that was not
//! stopped.

use burn::module::Module;
use burn::tensor::Device;
use koala_data::{Augmentation, BatchOrder, Split, digits};
use koala_models::{Classifier, Cnn, CnnSpec, Draws, Mlp, MlpSpec};
use koala_train::Error;
use koala_train::optimizers::{Baseline, KoalaOptimizer, Optimizer, OptimizerSpec};
use koala_train::run::weights_to_bytes;
use koala_train::training::{
    Checkpoint, Company, ImageTask, Interrupt, Keeper, Learner, Plan, ScheduleSpec, Silent,
    shape_of, train,
};

/// Keeps the checkpoint of one step.
struct Catch(u64, Option<Checkpoint>);

impl Keeper for Catch {
    fn due(&mut self, step: u64, _last: bool) -> bool {
        step == self.0
    }

    fn keep(&mut self, checkpoint: Checkpoint) -> Result<Option<String>, Error> {
        self.1 = Some(checkpoint);
        Ok(None)
    }

    fn best(&mut self, _weights: &mut dyn FnMut() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
        Ok(())
    }
}

fn optimizer<M: Module + 'static>(spec: &OptimizerSpec, model: &M) -> Box<dyn Optimizer<M>> {
    match spec {
        OptimizerSpec::Sgd(spec) => Box::new(Baseline::from(spec)),
        OptimizerSpec::Adam(spec) => Box::new(Baseline::from(spec)),
        other => Box::new(KoalaOptimizer::new(other.koala().unwrap(), model).unwrap()),
    }
}

fn check<M: Classifier + Module + 'static>(
    split: &Split,
    name: &str,
    make: impl Fn(&mut Draws) -> M,
) {
    let device = Device::flex();
    let order = BatchOrder {
        seed: 5,
        samples: 200,
        batch_size: 32,
        drop_last: false,
    };
    let task = ImageTask::new(split, order, Augmentation::CropFlip, 0, &device);
    let plan = Plan {
        seed: 5,
        epochs: 2,
        steps: 12,
        piece: 0,
        patience: 0,
        evaluate_every: 0,
        schedule: ScheduleSpec::named("constant").unwrap().over(12, 7),
        test: true,
        missing_limit: 25,
        knob: "gain",
    };
    let spec = OptimizerSpec::named(name).unwrap();
    let fresh = |seed: u64| {
        let model = make(&mut Draws::new(seed, &device.clone().autodiff()));
        let optimizer = optimizer(&spec, &model);
        Learner::new(model, optimizer, None)
    };
    let run = |learner: Learner<M>, keeper: &mut Catch| {
        let company = Company {
            observer: &mut Silent,
            keeper,
            interrupt: &Interrupt::default(),
        };
        let trained = train(learner, &task, &plan, company).unwrap();
        assert_eq!(trained.progress.step, 12);
        weights_to_bytes(&trained.model).unwrap()
    };
    // In the middle of the first epoch, and of the second.
    for at in [4, 9] {
        let mut keeper = Catch(at, None);
        let expected = run(fresh(1), &mut keeper);
        let checkpoint = keeper.1.unwrap();
        // Another seed: all that agrees afterwards was restored.
        let warm = || {
            let mut learner = fresh(2);
            learner.restore(&checkpoint).unwrap();
            learner
        };
        let found = run(warm(), &mut Catch(0, None));
        assert!(found == expected, "{name}, step {at}: other bits");

        let Learner {
            player, progress, ..
        } = warm();
        let forgetful = optimizer(&spec, &player.model);
        let mut cold = Learner::new(player.model, forgetful, None);
        cold.progress = progress;
        let found = run(cold, &mut Catch(0, None));
        assert!(found != expected, "{name}, step {at}: nothing to remember");
    }
}

#[test]
fn with_its_memory_a_run_goes_on_to_the_same_bits_and_without_to_others() {
    let split = digits().unwrap();
    let shape = shape_of(&split.train);
    for name in ["koala-m", "koala-v", "koala-pp", "sgd", "adam"] {
        let mlp = MlpSpec { hidden: vec![10] };
        check(&split, name, |draws| Mlp::new(&mlp, shape, draws));
        let cnn = CnnSpec {
            channels: vec![3, 4],
            hidden: 6,
            ..CnnSpec::default()
        };
        check(&split, name, |draws| Cnn::new(&cnn, shape, draws));
    }
}
