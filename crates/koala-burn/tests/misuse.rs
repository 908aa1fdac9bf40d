//! Wrong use is an error that says what to do, and changes nothing.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

mod common;

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use common::values;
use koala_burn::{
    Error, Group, Koala, KoalaMConfig, KoalaVConfig, NegativeResidual, Observation, Outcome,
    ParameterGroup, Target, WeightDecay,
};

fn device() -> Device {
    Device::flex().autodiff()
}

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
}

fn network(inputs: usize) -> Network {
    Network {
        first: LinearConfig::new(inputs, 5).init(&device()),
        second: LinearConfig::new(5, 2).init(&device()),
    }
}

fn losses(model: &Network) -> Tensor<1> {
    let [inputs, _] = model.first.weight.dims();
    let input = Tensor::<2>::ones([4, inputs], &device());
    let output = model.second.forward(model.first.forward(input));
    output.square().mean_dim(1).reshape([4])
}

fn gradients(model: &Network) -> GradientsParams {
    GradientsParams::from_grads(losses(model).mean().backward(), model)
}

/// An optimizer and a model in the middle of a step.
fn predicted() -> (Koala, Network) {
    let mut model = network(3);
    let mut optimizer = Koala::new(KoalaMConfig::new(), &model).unwrap();
    optimizer.predict(&mut model).unwrap();
    let (gradients, losses) = (gradients(&model), losses(&model));
    optimizer.update(&mut model, gradients, losses).unwrap();
    optimizer.predict(&mut model).unwrap();
    (optimizer, model)
}

/// The text of the error, after a look that neither model nor optimizer has changed, and that the step can go on.
fn refused<T: std::fmt::Debug>(
    (mut optimizer, mut model): (Koala, Network),
    misuse: impl FnOnce(&mut Koala, &mut Network) -> Result<T, Error>,
) -> String {
    let (filter, before) = (optimizer.filter().clone(), values(&model));
    let message = misuse(&mut optimizer, &mut model).unwrap_err().to_string();
    assert_eq!(optimizer.filter(), &filter);
    assert_eq!(values(&model), before);
    let (gradients, losses) = (gradients(&model), losses(&model));
    let report = optimizer.update(&mut model, gradients, losses).unwrap();
    assert_eq!(report.outcome, Outcome::Measured);
    message
}

#[test]
fn update_needs_a_predict_before() {
    let mut model = network(3);
    let mut optimizer = Koala::new(KoalaVConfig::new(), &model).unwrap();
    let (gradients, losses) = (gradients(&model), losses(&model));
    let error = optimizer.update(&mut model, gradients, losses).unwrap_err();
    assert!(error.to_string().contains("call predict"), "{error}");
}

#[test]
fn predict_twice() {
    let message = refused(predicted(), |optimizer, model| optimizer.predict(model));
    assert!(message.contains("call update first"), "{message}");
}

#[test]
fn a_step_that_was_given_up_lets_the_next_begin() {
    let (mut optimizer, mut model) = predicted();
    let before = optimizer.filter().clone();
    optimizer.abandon();
    optimizer.evaluation(&model).map(|_| ()).unwrap();
    optimizer.predict(&mut model).unwrap();
    let (gradients, losses) = (gradients(&model), losses(&model));
    let report = optimizer.update(&mut model, gradients, losses).unwrap();
    assert_eq!(report.outcome, Outcome::Measured);
    assert_eq!(optimizer.filter().step(), before.step() + 1);
}

#[test]
fn no_evaluation_and_no_saving_between_predict_and_update() {
    let message = refused(predicted(), |optimizer, model| {
        optimizer.evaluation(model).map(|_| ())
    });
    assert!(
        message.contains("evaluation") && message.contains("call update first"),
        "{message}"
    );
    let message = refused(predicted(), |optimizer, model| optimizer.to_bytes(model));
    assert!(
        message.contains("saving") && message.contains("call update first"),
        "{message}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    refused(predicted(), |optimizer, model| optimizer.save(&path, model));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn evaluation_is_the_model_without_autodiff() {
    let (mut optimizer, mut model) = predicted();
    let (gradients, losses) = (gradients(&model), losses(&model));
    optimizer.update(&mut model, gradients, losses).unwrap();
    let inference = optimizer.evaluation(&model).unwrap();
    assert!(!inference.first.weight.is_autodiff());
    assert_eq!(values(&inference), values(&model));
}

#[test]
fn update_with_another_model() {
    let mut other = network(3);
    let before = values(&other);
    let message = refused(predicted(), |optimizer, _model| {
        let (gradients, losses) = (gradients(&other), losses(&other));
        optimizer.update(&mut other, gradients, losses)
    });
    assert!(
        message.contains("another model than predict: 'first.weight'"),
        "{message}"
    );
    assert_eq!(values(&other), before);
}

#[test]
fn a_model_of_another_shape() {
    let mut model = network(3);
    let mut optimizer = Koala::new(KoalaVConfig::new(), &model).unwrap();
    let error = optimizer.predict(&mut network(4)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("'first.weight' has shape [4, 5], but had [3, 5]"),
        "{error}"
    );
    optimizer.predict(&mut model).unwrap();
}

#[test]
fn gradients_of_another_model() {
    let other = network(3);
    let message = refused(predicted(), |optimizer, model| {
        let losses = losses(model);
        optimizer.update(model, gradients(&other), losses)
    });
    assert!(
        message.contains("none of the 4 gradients belongs"),
        "{message}"
    );
}

#[test]
fn no_gradient_at_all_is_no_error() {
    let (mut optimizer, mut model) = predicted();
    let losses = losses(&model);
    let report = optimizer
        .update(&mut model, GradientsParams::new(), losses)
        .unwrap();
    assert_eq!(report.outcome, Outcome::NoGradient);
}

#[test]
fn a_gradient_of_another_shape() {
    let message = refused(predicted(), |optimizer, model| {
        let mut gradients = gradients(model);
        gradients.register(
            model.first.weight.id,
            Tensor::<2>::ones([5, 3], &device().inner()),
        );
        let losses = losses(model);
        optimizer.update(model, gradients, losses)
    });
    assert!(
        message.contains("'first.weight' has shape [5, 3], the parameter [3, 5]"),
        "{message}"
    );
}

#[test]
fn no_losses() {
    let message = refused(predicted(), |optimizer, model| {
        let gradients = gradients(model);
        optimizer.update(model, gradients, Tensor::<1>::empty([0], &device()))
    });
    assert!(message.contains("per-sample losses"), "{message}");
    let message = refused(predicted(), |optimizer, model| {
        let gradients = gradients(model);
        optimizer.update(model, gradients, Observation::default())
    });
    assert!(message.contains("per-sample losses"), "{message}");
}

/// Turns gradients off for one parameter.
struct Freeze<'a>(&'a Param<Tensor<2>>);

impl ModuleMapper for Freeze<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id == self.0.id {
            param.set_require_grad(false)
        } else {
            param
        }
    }
}

#[test]
fn a_parameter_that_no_longer_requires_a_gradient() {
    let model = network(3);
    // Clones share what is not yet initialised, the flag included.
    values(&model);
    let frozen = model.clone().map(&mut Freeze(&model.second.weight));
    let mut optimizer = Koala::new(KoalaMConfig::new(), &model).unwrap();
    let error = optimizer
        .predict(&mut frozen.clone())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("'second.weight' no longer requires a gradient"),
        "{error}"
    );
    assert!(error.contains("Group::frozen"), "{error}");

    let mut optimizer = Koala::new(KoalaMConfig::new(), &frozen).unwrap();
    assert_eq!(optimizer.filter().layout().parameters().len(), 3);
    let error = optimizer
        .predict(&mut model.clone())
        .unwrap_err()
        .to_string();
    assert!(error.contains("'second.weight' is new"), "{error}");
}

#[test]
fn a_model_without_gradients() {
    let model = network(3).valid();
    let error = Koala::new(KoalaVConfig::new(), &model).unwrap_err();
    assert!(matches!(error, Error::NothingToTrain), "{error}");
    assert!(error.to_string().contains("autodiff"));
}

#[test]
fn groups_that_match_nothing_or_are_no_pattern() {
    let model = network(3);
    let make = |group| Koala::with_groups(KoalaVConfig::new(), &model, [group]);
    let group = ParameterGroup::matching("encoder.**", Group::frozen()).unwrap();
    let error = make(group).unwrap_err().to_string();
    assert!(
        error.contains("'encoder.**' matches no parameter"),
        "{error}"
    );
    assert!(
        error.contains("'first.weight', 'first.bias', 'second.weight'"),
        "{error}"
    );
    let group = ParameterGroup::when(|_, shape| shape.len() == 7, Group::frozen());
    assert!(
        make(group)
            .unwrap_err()
            .to_string()
            .contains("the predicate of group 1")
    );
    let error = ParameterGroup::matching("[a", Group::frozen()).unwrap_err();
    assert!(error.to_string().contains("'[a'"), "{error}");
    let wrong = Group::default().with_gain(f64::NAN);
    let group = ParameterGroup::matching("**", wrong).unwrap();
    assert!(
        make(group)
            .unwrap_err()
            .to_string()
            .contains("groups[1].gain")
    );
}

#[test]
fn values_that_are_not_valid() {
    let mut model = network(3);
    let config = KoalaMConfig::new().with_velocity_decay(2.0);
    let error = Koala::new(config, &model).unwrap_err().to_string();
    assert!(error.contains("velocity-decay = 2.0"), "{error}");
    let mut optimizer = Koala::new(KoalaMConfig::new(), &model).unwrap();
    assert!(optimizer.set_gain(-1.0).is_err());
    assert!(optimizer.set_group(1, Group::default()).is_err());
    optimizer.set_gain(0.5).unwrap();
    optimizer
        .set_group(
            0,
            Group::default().with_weight_decay(WeightDecay::coupled(0.1)),
        )
        .unwrap();
    optimizer.predict(&mut model).unwrap();
    assert_eq!(optimizer.filter().gain(), 0.5);
}

#[test]
fn a_loss_below_its_target_under_that_policy() {
    let mut model = network(3);
    let config = KoalaVConfig::new()
        .with_target(Target::Constant(1e9))
        .with_negative_residual(NegativeResidual::Error);
    let mut optimizer = Koala::new(config, &model).unwrap();
    optimizer.predict(&mut model).unwrap();
    let before = values(&model);
    let (first, losses) = (gradients(&model), losses(&model));
    let error = optimizer.update(&mut model, first, losses).unwrap_err();
    assert!(error.to_string().contains("lower the target"), "{error}");
    assert_eq!(values(&model), before);
    // Still in the middle of the step.
    assert!(optimizer.predict(&mut model).is_err());
}

#[test]
fn too_many_missing_measurements_end_their_step() {
    let mut model = network(3);
    let mut optimizer = Koala::new(KoalaVConfig::new().with_missing_limit(2), &model).unwrap();
    let broken = Observation::from_mean(f64::NAN);
    optimizer.predict(&mut model).unwrap();
    let given = gradients(&model);
    let report = optimizer.update(&mut model, given, broken).unwrap();
    assert!(matches!(report.outcome, Outcome::Missing { .. }));
    optimizer.predict(&mut model).unwrap();
    let given = gradients(&model);
    let error = optimizer.update(&mut model, given, broken).unwrap_err();
    assert!(
        error.to_string().contains("2 measurements in a row"),
        "{error}"
    );
    optimizer.predict(&mut model).unwrap();
    let (given, losses) = (gradients(&model), losses(&model));
    optimizer.update(&mut model, given, losses).unwrap();
}

#[test]
fn an_optimizer_can_go_to_another_thread() {
    fn sent<T: Send + Sync + 'static>(_: &T) {}
    let (optimizer, _) = predicted();
    sent(&optimizer);
    sent(&Error::NothingToTrain);
}
