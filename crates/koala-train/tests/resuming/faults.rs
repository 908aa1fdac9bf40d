//! States and weights that do not fit.

use burn::module::{Module, ModuleMapper, Param};
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Tensor;
use koala_train::optimizers::OptimizerSpec;
use koala_train::run::{weights_from_bytes, weights_to_bytes};
use proptest::prelude::*;

use crate::support::{bits, cnn, mlp, optimizer, remembers, specs, steps};

/// State and weights of a network after two steps.
fn stored(spec: &OptimizerSpec) -> (Vec<u8>, Vec<u8>) {
    let model = mlp(1);
    let mut optimizer = optimizer(spec, &model);
    let model = steps(model, &mut *optimizer, 0..2);
    bits(&model, &*optimizer)
}

#[test]
fn the_state_of_another_optimizer_is_refused() {
    let named: Vec<_> = OptimizerSpec::NAMES
        .iter()
        .map(|name| OptimizerSpec::named(name).unwrap())
        .collect();
    for from in &named {
        let state = stored(from).1;
        for to in &named {
            let model = mlp(2);
            let mut other = optimizer(to, &model);
            let before = other.state(&model).unwrap();
            let restored = other.restore(&state, &model);
            assert_eq!(restored.is_ok(), from == to, "{from:?} to {to:?}");
            if let Err(error) = restored {
                assert_eq!(other.state(&model).unwrap(), before, "{error}");
                assert!(error.to_string().len() > 40, "{error}");
            }
        }
    }
    let text = |from: &OptimizerSpec, to: &OptimizerSpec| {
        let model = mlp(2);
        let restored = optimizer(to, &model).restore(&stored(from).1, &model);
        restored.unwrap_err().to_string()
    };
    assert_eq!(
        text(
            &OptimizerSpec::named("adam").unwrap(),
            &OptimizerSpec::named("adamw").unwrap()
        ),
        "the stored optimizer state is of adam, not of adamw; choose what it was stored with, or start anew"
    );
    // specs() lists SGD without momentum right after the named ones.
    let plain = &specs()[named.len()];
    let sgd = OptimizerSpec::named("sgd").unwrap();
    assert!(text(&sgd, plain).contains("is nothing that sgd remembers"));
}

#[test]
fn the_state_of_another_network_is_refused() {
    for spec in specs() {
        let state = stored(&spec).1;
        let model = cnn(1);
        let restored = optimizer(&spec, &model).restore(&state, &model);
        assert_eq!(restored.is_err(), remembers(&spec), "{spec:?}");

        let trained = mlp(1);
        let mut optimizer = optimizer(&spec, &trained);
        let trained = steps(trained, &mut *optimizer, 0..1);
        let error = optimizer.state(&mlp(1));
        // Burn's own know parameters by their identities until they are stored.
        let by_path = !matches!(
            &spec,
            OptimizerSpec::Sgd(_) | OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_)
        );
        assert_eq!(error.is_err(), !by_path, "{spec:?}");
        optimizer.state(&trained).unwrap();
    }
}

#[test]
fn between_preparation_and_step_there_is_no_state_of_koala() {
    for name in ["koala-m", "koala-v", "koala-pp"] {
        let spec = OptimizerSpec::named(name).unwrap();
        let mut model = mlp(1);
        let mut optimizer = optimizer(&spec, &model);
        optimizer.prepare(&mut model).unwrap();
        assert!(optimizer.state(&model).is_err());
    }
}

#[test]
fn weights_of_another_network_are_refused() {
    let weights = weights_to_bytes(&cnn(1)).unwrap();
    let text = weights_from_bytes(mlp(1), &weights)
        .unwrap_err()
        .to_string();
    assert!(text.starts_with("the stored weights: tensor '"), "{text}");
    assert!(text.contains("is missing"), "{text}");
}

#[test]
fn weights_are_what_burns_own_store_reads() {
    let model = cnn(1);
    let mut store = SafetensorsStore::from_bytes(Some(weights_to_bytes(&model).unwrap()));
    let mut other = cnn(2);
    assert_ne!(
        weights_to_bytes(&other).unwrap(),
        weights_to_bytes(&model).unwrap()
    );
    other.load_from(&mut store).unwrap();
    assert_eq!(
        weights_to_bytes(&other).unwrap(),
        weights_to_bytes(&model).unwrap()
    );
}

/// Sets every value, running statistics among them.
struct Fill(f32);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let grad = tensor.is_require_grad();
            let filled = tensor.full_like(self.0);
            filled.detach().set_require_grad(grad)
        })
    }
}

#[test]
fn values_of_every_kind_come_back_and_the_rest_of_the_network_stays() {
    for value in [0.0, -0.0, 1e-42, f32::INFINITY, f32::NAN, f32::MIN_POSITIVE] {
        let weights = weights_to_bytes(&cnn(1).map(&mut Fill(value))).unwrap();
        let model = cnn(2);
        let trainable = koala_models::trainable_parameters(&model);
        let clone = model.clone();
        let before = weights_to_bytes(&clone).unwrap();
        let read = weights_from_bytes(model, &weights).unwrap();
        assert_eq!(weights_to_bytes(&read).unwrap(), weights);
        assert_eq!(koala_models::trainable_parameters(&read), trainable);
        // Running statistics are shared between clones; reading into one leaves the other alone.
        assert_eq!(weights_to_bytes(&clone).unwrap(), before);
        let inference = weights_from_bytes(cnn(2).valid(), &weights).unwrap();
        assert_eq!(koala_models::trainable_parameters(&inference), 0);
        assert_eq!(weights_to_bytes(&inference).unwrap(), weights);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_cut_off_is_refused(which in 0..OptimizerSpec::NAMES.len(), share in 0.0..1.0f64) {
        let spec = OptimizerSpec::named(OptimizerSpec::NAMES[which]).unwrap();
        let (weights, state) = stored(&spec);
        let cut = |bytes: &[u8]| bytes[..(bytes.len() as f64 * share) as usize].to_vec();
        let model = mlp(2);
        prop_assert!(optimizer(&spec, &model).restore(&cut(&state), &model).is_err());
        prop_assert!(weights_from_bytes(model, &cut(&weights)).is_err());
    }

    #[test]
    fn what_was_changed_is_refused_or_read(which in 0..OptimizerSpec::NAMES.len(), share in 0.0..0.4f64, byte: u8) {
        let spec = OptimizerSpec::named(OptimizerSpec::NAMES[which]).unwrap();
        let (mut weights, mut state) = stored(&spec);
        for bytes in [&mut weights, &mut state] {
            let at = (bytes.len() as f64 * share) as usize;
            bytes[at] = byte;
        }
        let model = mlp(2);
        let mut other = optimizer(&spec, &model);
        if other.restore(&state, &model).is_ok() {
            prop_assert!(other.state(&model).is_ok());
        }
        let _ = weights_from_bytes(model, &weights);
    }
}
