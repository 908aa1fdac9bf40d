//! KOALA's relatives do what their authors' programs did. `fixtures/relatives/README.md` says how that was recorded.

#![allow(clippy::unwrap_used, clippy::panic)]

mod ngn;
mod recording;

use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use koala_data::digits;
use koala_models::{Classifier, Draws, Mlp, MlpSpec};
use koala_train::optimizers::{Optimizer, OptimizerSpec};
use koala_train::training::{Batch, cross_entropy, shape_of};

use recording::{Matrices, Parameters, Recorded, Recording};

fn holds(names: &[&str]) {
    hold::<Parameters>(names);
}

fn hold<M: Recorded>(names: &[&str]) {
    for name in names {
        let recording = Recording::open(name);
        let (_, dtype, _) = recording.read("losses");
        let bound = match dtype {
            // Eight bits of a number are all that the iteration has there; and it makes roundings larger, as all that is small.
            _ if name.ends_with("-bf16") => 3e-2,
            DType::F32 if name.starts_with("muon") => 2e-5,
            DType::F64 => 1e-12,
            _ => 3e-6,
        };
        let worst = recording.replay::<M>();
        assert!(worst <= bound, "{name}: {worst:e}");
    }
}

#[test]
fn sps_max_holds() {
    holds(&[
        "sps-max-f32",
        "sps-max-f64",
        "sps-max-scaled",
        "sps-max-bound-decay",
    ]);
}

#[test]
fn momo_holds() {
    holds(&[
        "momo-f32",
        "momo-f64",
        "momo-decay",
        "momo-corrected",
        "momo-estimated",
        "momo-estimated-above",
    ]);
}

#[test]
fn momo_adam_holds() {
    holds(&[
        "momo-adam-f32",
        "momo-adam-f64",
        "momo-adam-decay",
        "momo-adam-estimated",
    ]);
}

#[test]
fn prodigy_holds() {
    holds(&[
        "prodigy-f32",
        "prodigy-f64",
        "prodigy-decoupled",
        "prodigy-coupled",
        "prodigy-warm-up",
    ]);
}

#[test]
fn schedule_free_sgd_holds() {
    holds(&[
        "schedule-free-sgd-f32",
        "schedule-free-sgd-f64",
        "schedule-free-sgd-warm-up",
    ]);
}

#[test]
fn schedule_free_adamw_holds() {
    holds(&[
        "schedule-free-adamw-f32",
        "schedule-free-adamw-f64",
        "schedule-free-adamw-warm-up",
        "schedule-free-adamw-falling",
    ]);
}

#[test]
fn schedule_free_plus_holds() {
    holds(&[
        "schedule-free-plus-f32",
        "schedule-free-plus-f64",
        "schedule-free-plus-annealed",
    ]);
}

#[test]
fn lion_holds() {
    holds(&["lion-f32", "lion-f64"]);
}

#[test]
fn muon_holds() {
    hold::<Matrices>(&["muon-bf16", "muon-f32", "muon-f64", "muon-decay"]);
}

/// The methods of this file that leave out what is not finite, by name.
const NAMES: [&str; 11] = [
    "sps-max",
    "momo",
    "momo-adam",
    "prodigy",
    "schedule-free-sgd",
    "schedule-free-adamw",
    "schedule-free-plus",
    "ngn-m",
    "ngn-mdv1",
    "lion",
    "muon",
];

/// Gradients of some network, and the optimizer to take them: that of a recording, or, where there is none of the other
/// networks, with its defaults.
fn recorded(name: &str) -> (Recording, OptimizerSpec) {
    match name {
        "ngn-m" | "ngn-mdv1" | "muon" => {
            let spec = OptimizerSpec::named(name).unwrap();
            (Recording::open("momo-f32"), spec)
        }
        _ => {
            let recording = Recording::open(&format!("{name}-f32"));
            let spec = recording.spec();
            (recording, spec)
        }
    }
}

/// All that decides how training goes on.
fn bits(model: &Parameters, optimizer: &dyn Optimizer<Parameters>) -> (Vec<u8>, Vec<u8>) {
    let weights = koala_train::run::weights_to_bytes(model).unwrap();
    (weights, optimizer.state(model).unwrap())
}

#[test]
fn steps_that_are_not_finite_are_left_out() {
    for name in NAMES {
        let (recording, spec) = recorded(name);
        let mut model = Parameters::first(&recording);
        let mut optimizer = spec.start(&model, 10).unwrap();
        for step in 0..10 {
            let gradients = model.gradients(&recording, step);
            model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        }
        let before = bits(&model, &*optimizer);
        for (loss, odd) in [
            (f32::NAN, 1.0),
            (f32::INFINITY, 1.0),
            (0.5, f32::NAN),
            (0.5, f32::INFINITY),
        ] {
            let mut gradients = model.gradients(&recording, 10);
            if odd != 1.0 {
                let spoilt = Tensor::<1>::from_floats([0.1, odd, 0.2], &Device::flex());
                gradients.register(model.offset.id, spoilt);
            }
            let (left, summary) = optimizer.step(model, gradients, &[loss], 1.0).unwrap();
            model = left;
            assert_eq!(summary.effective_learning_rate, 0.0, "{name}");
            assert!(bits(&model, &*optimizer) == before, "{name}: {loss} {odd}");
        }
        let gradients = model.gradients(&recording, 10);
        model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        assert!(bits(&model, &*optimizer) != before, "{name}");
    }
}

#[test]
fn parameters_without_gradients_are_left_alone() {
    for name in NAMES {
        let (recording, spec) = recorded(name);
        let mut model = Parameters::first(&recording);
        let mut optimizer = spec.start(&model, 10).unwrap();
        let weight = |model: &Parameters| model.weight.val().into_data();
        let before = weight(&model);
        for step in 0..3 {
            let mut gradients = model.gradients(&recording, step);
            gradients.remove::<2>(model.weight.id);
            model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        }
        assert_eq!(weight(&model), before, "{name}");
        let gradients = model.gradients(&recording, 3);
        model = optimizer.step(model, gradients, &[0.5], 1.0).unwrap().0;
        assert_ne!(weight(&model), before, "{name}");
        bits(&model, &*optimizer);
    }
}

#[test]
fn each_learns_digits() {
    let split = digits().unwrap();
    let device = Device::flex().autodiff();
    let shape = shape_of(&split.train);
    for name in NAMES {
        let mut draws = Draws::new(1, &device);
        let mut model = Mlp::new(
            &MlpSpec {
                hidden: vec![32, 32],
            },
            shape,
            &mut draws,
        );
        let mut spec = OptimizerSpec::named(name).unwrap();
        if let OptimizerSpec::Lion(spec) = &mut spec {
            // Its default is for long runs.
            spec.learning_rate = 1e-3;
        }
        let mut optimizer = spec.start(&model, 10).unwrap();
        for step in 0..150 {
            let samples: Vec<usize> = (0..64)
                .map(|i| (i + 64 * step) % split.train.len())
                .collect();
            let batch = Batch::new(split.train.host_batch(&samples, None), &device);
            optimizer.prepare(&mut model).unwrap();
            let losses = cross_entropy(model.forward(batch.images), batch.targets);
            let host: Vec<f32> = losses.clone().inner().into_data().try_into_vec().unwrap();
            let gradients = GradientsParams::from_grads(losses.mean().backward(), &model);
            model = optimizer.step(model, gradients, &host, 1.0).unwrap().0;
        }
        let model = optimizer.evaluation(&model).unwrap();
        let all: Vec<usize> = (0..split.test.len()).collect();
        let batch = Batch::new(split.test.host_batch(&all, None), &Device::flex());
        let guesses = model.forward(batch.images).argmax(1).into_data();
        let wrong = guesses
            .iter::<i64>()
            .zip(&batch.labels)
            .filter(|(a, b)| *a != i64::from(**b));
        let error = 100.0 * wrong.count() as f64 / all.len() as f64;
        println!("{name}: {error:.1} %");
        // Chance is 90 %.
        assert!(error < 25.0, "{name}: {error}");
    }
}
