//! What the learner does with KOALA is what a loop of one's own does.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsAccumulator, GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, Interrupter, TrainStep};
use koala_burn::learner::{Filtered, Measured};
use koala_burn::{Config, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig};

use crate::data::{Batch, Batches, pictures};
use crate::model::Network;

fn methods() -> [Config; 4] {
    [
        KoalaAConfig::new().into(),
        KoalaMConfig::new().into(),
        KoalaVConfig::new().into(),
        KoalaPpConfig::new().into(),
    ]
}

/// Batches of these numbers of pictures, one after the other.
fn batches(counts: &[usize], device: &Device) -> Vec<Batch> {
    let all = pictures(counts.iter().sum(), 5);
    let mut items = all.iter();
    counts
        .iter()
        .map(|&count| {
            Batches.batch(
                items.by_ref().take(count).map(Result::unwrap).collect(),
                device,
            )
        })
        .collect()
}

fn values(network: &Network) -> Vec<f32> {
    struct Reader(Vec<f32>);
    impl burn::module::ModuleVisitor for Reader {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            let data = param.val().inner().into_data();
            self.0.extend(data.try_into_vec::<f32>().unwrap());
        }
    }
    let mut reader = Reader(Vec::new());
    network.visit(&mut reader);
    reader.0
}

/// What the learner does in a step, with so many micro-batches.
fn learn(mut model: Filtered<Network>, batches: &[Batch], together: usize) -> Filtered<Network> {
    let mut unused = SgdConfig::new().init();
    for group in batches.chunks(together) {
        let mut accumulator = GradientsAccumulator::new();
        for batch in group {
            accumulator.accumulate(&model, TrainStep::step(&model, batch.clone()).grads);
        }
        let rate = ModuleLearningRate::from(1.0);
        model = model.optimize(&mut unused, rate, accumulator.grads());
    }
    model
}

fn filtered(config: Config, network: &Network) -> (Filtered<Network>, Interrupter) {
    let interrupter = Interrupter::new();
    let optimizer = Koala::new(config, network).unwrap();
    let model = Filtered::new(network.clone(), optimizer, interrupter.clone());
    (model, interrupter)
}

#[test]
fn steps_are_those_of_a_loop_of_ones_own_to_the_bit() {
    let device = Device::flex().autodiff();
    let network = Network::new(&device);
    let batches = batches(&[8; 5], &device);
    for config in methods() {
        let (model, interrupter) = filtered(config.clone(), &network);
        let learned = learn(model, &batches, 1);
        let mut optimizer = Koala::new(config, &network).unwrap();
        let mut own = network.clone();
        for batch in &batches {
            optimizer.predict(&mut own).unwrap();
            let (losses, _) = own.measure(batch.clone());
            let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), &own);
            optimizer.update(&mut own, gradients, losses).unwrap();
        }
        assert!(!interrupter.should_stop());
        assert_eq!(values(learned.network()), values(&own));
        assert_ne!(values(&own), values(&network));
        // It is validated, and to be used, where the method says.
        let evaluation = optimizer.evaluation(&own).unwrap();
        assert_eq!(values(&learned.evaluation().unwrap()), values(&evaluation));
        let batch = self::batches(&[6], &Device::flex()).remove(0);
        let (found, expected) = (
            InferenceStep::step(&learned.valid(), batch.clone()),
            InferenceStep::step(&evaluation, batch),
        );
        assert_eq!(found.output.into_data(), expected.output.into_data());
    }
}

#[test]
fn micro_batches_are_one_measurement_whatever_their_sizes() {
    let device = Device::flex().autodiff();
    let network = Network::new(&device);
    let parts = batches(&[8, 3, 5, 8, 8, 1], &device);
    let whole: Vec<Batch> = parts
        .chunks(3)
        .map(|parts| Batch {
            pictures: Tensor::cat(parts.iter().map(|part| part.pictures.clone()).collect(), 0),
            kinds: Tensor::cat(parts.iter().map(|part| part.kinds.clone()).collect(), 0),
        })
        .collect();
    for config in methods() {
        let accumulated = learn(filtered(config.clone(), &network).0, &parts, 3);
        let at_once = learn(filtered(config, &network).0, &whole, 1);
        let noise = |model: &Filtered<Network>| {
            model.with_optimizer(|optimizer| optimizer.filter().state().measurement_noise)
        };
        assert!((noise(&accumulated) / noise(&at_once) - 1.0).abs() < 1e-6);
        let pairs = values(accumulated.network())
            .into_iter()
            .zip(values(at_once.network()));
        let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 1e-6, "{largest}");
    }
}

#[test]
fn states_stand_beside_the_checkpoints_and_training_goes_on_from_them() {
    let folder = std::env::temp_dir().join(format!("burn-learner-{}", std::process::id()));
    let updates = |model: &Filtered<Network>| {
        model.with_optimizer(|optimizer| optimizer.filter().state().step)
    };
    let states = || {
        let kept = |epoch| {
            let name = format!("checkpoint/koala-{epoch}.safetensors");
            folder.join(name).exists()
        };
        (1..5).filter(|&epoch| kept(epoch)).collect::<Vec<_>>()
    };
    let steps = (crate::TRAINING / crate::BATCH) as u64;
    let model = crate::train(&folder, 2, None).unwrap();
    assert_eq!((updates(&model), states()), (2 * steps, vec![1, 2]));
    let model = crate::train(&folder, 3, Some(2)).unwrap();
    assert_eq!((updates(&model), states()), (3 * steps, vec![2, 3]));
    let missing = crate::train(&folder, 5, Some(4)).unwrap_err();
    assert!(missing.to_string().contains("koala-4"), "{missing}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_error_of_the_optimizer_stops_the_training_and_says_why() {
    let device = Device::flex().autodiff();
    let network = Network::new(&device);
    let (model, interrupter) = filtered(KoalaAConfig::new().into(), &network);
    let mut poisoned = batches(&[4; 60], &device);
    for batch in &mut poisoned {
        batch.pictures = batch.pictures.clone() * f32::NAN;
    }
    let before = values(model.network());
    let model = learn(model, &poisoned, 1);
    let reason = interrupter.get_message().unwrap_or_default();
    assert!(
        reason.contains("measurements in a row were missing"),
        "{reason}"
    );
    assert_eq!(values(model.network()), before);
}
