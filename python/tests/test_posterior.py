"""Parameters that stay at their prediction: step with the next predict in it, and back to where the step left them."""

import copy
import pickle
from functools import partial

import pytest
import torch
from support import (
    VARIANTS,
    Maker,
    Variant,
    assert_twins,
    batch,
    difference,
    losses_of,
    memory,
    network,
    run_step,
    same,
    train,
    values,
)
from torch import nn

from koala_optim import Koala, KoalaA, KoalaM

MOVING = [variant for variant in VARIANTS if variant.method in (KoalaA, KoalaM)]


@pytest.fixture(params=MOVING, ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


@pytest.fixture
def make(variant: Variant, foreach: bool) -> Maker:
    return partial(variant, foreach=foreach)


def trained(make: Maker, steps: int = 6, dtype: torch.dtype = torch.float32, **settings):
    model = network(dtype)
    optimizer = make(model.parameters(), **settings)
    train(optimizer, model, range(steps))
    return optimizer, model


def with_faults(optimizer: Koala, model: nn.Module) -> None:
    """Steps of which one is without a measurement, one with gradients of zeros, and one without some of them."""
    for step in range(9):
        optimizer.zero_grad()
        optimizer.predict()
        losses = losses_of(model, batch(step, next(model.parameters()).dtype))
        losses.mean().backward()
        first, *others = model.parameters()
        if step in (2, 4):
            first.grad = None
        if step == 5:
            for parameter in others:
                parameter.grad.zero_()
        optimizer.observe(losses * float("nan") if step in (3, 4) else losses)
        optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_step_with_predict_in_it_is_the_two_to_the_bit(make: Maker, foreach: bool, dtype: torch.dtype) -> None:
    make = make if dtype is not torch.bfloat16 or foreach else partial(make, foreach=None)
    model, twin = network(dtype), network(dtype)
    staying, apart = make(model.parameters(), stay_predicted=True), make(twin.parameters())
    with_faults(staying, model)
    with_faults(apart, twin)
    assert staying.predicted and not apart.predicted
    apart.predict()
    assert same(values(model), values(twin))
    assert same(memory(staying), memory(apart))
    assert staying.filter_state() == apart.filter_state()


def test_the_posterior_is_where_the_step_left_them(make: Maker) -> None:
    staying, model = trained(make, stay_predicted=True)
    _, twin = trained(make)
    before, vectors = values(model), memory(staying)
    with staying.posterior():
        assert not same(values(model), before)
        assert difference(values(model), values(twin)) < 1e-6
    assert same(values(model), before) and same(memory(staying), vectors)
    with pytest.raises(ZeroDivisionError), staying.posterior():
        raise ZeroDivisionError
    assert same(values(model), before)


def test_what_is_no_longer_trained_stands_at_the_posterior_too(make: Maker) -> None:
    staying, model = trained(make, stay_predicted=True)
    weight = model[0].weight
    # Moved by the last prediction, and taken out of training afterwards.
    weight.requires_grad_(False)
    _, twin = trained(make)
    with staying.posterior():
        assert difference(values(model), values(twin)) < 1e-6
    # No prediction moves it from here on.
    before = weight.clone()
    train(staying, model, range(6, 9))
    assert torch.equal(weight, before)
    with staying.posterior():
        assert torch.equal(weight, before)
    # And again, from its next step on.
    weight.requires_grad_(True)
    with staying.posterior():
        assert torch.equal(weight, before)
    train(staying, model, range(9, 10))
    before = values(model)
    with staying.posterior():
        assert not torch.equal(weight, before[0])
    assert same(values(model), before)


def test_the_posterior_of_an_optimizer_that_does_not_stay_is_where_they_are(make: Maker) -> None:
    optimizer, model = trained(make)
    before = values(model)
    with optimizer.posterior():
        assert same(values(model), before)


def test_the_mean_is_at_hand_all_the_time(foreach: bool) -> None:
    make = partial(KoalaA, foreach=foreach)
    staying, model = trained(make, stay_predicted=True)
    apart, twin = trained(make)
    before = values(model)
    with staying.averaged(), apart.averaged():
        assert same(values(model), values(twin))
    assert same(values(model), before)
    left, right = staying.averaged_state_dict(model), apart.averaged_state_dict(twin)
    assert same(list(left.values()), list(right.values()))


@pytest.mark.parametrize(
    "call",
    [
        lambda optimizer: optimizer.predict(),
        lambda optimizer: optimizer.step(),
        lambda optimizer: optimizer.state_dict(),
        lambda optimizer: optimizer._to_posterior(),
        copy.deepcopy,
        pickle.dumps,
    ],
    ids=["predict", "step", "state_dict", "posterior", "copy", "pickle"],
)
def test_what_is_refused_at_the_posterior(make: Maker, call) -> None:
    optimizer, model = trained(make, stay_predicted=True)
    untouched, twin = trained(make, stay_predicted=True)
    with optimizer.posterior(), pytest.raises(RuntimeError, match="within posterior, where .*; leave it before"):
        call(optimizer)
    assert_twins((optimizer, model), (untouched, twin))


def test_stored_and_copied_it_goes_on_to_the_bit(make: Maker) -> None:
    optimizer, model = trained(make, stay_predicted=True)
    twin = copy.deepcopy(model)
    other = make(twin.parameters(), stay_predicted=True)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert other.predicted
    both = pickle.loads(pickle.dumps((optimizer, model)))
    assert_twins((optimizer, model), (other, twin), range(50, 53))
    train(*both, range(50, 53))
    assert same(values(model), values(both[1]))


def test_the_first_predict_is_to_be_called(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters(), stay_predicted=True)
    with pytest.raises(RuntimeError, match="observe was called before predict"):
        optimizer.observe(torch.ones(3))
    run_step(optimizer, model, 0)
    with pytest.raises(RuntimeError, match="call it before the first predict"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})


def test_backward_through_values_that_are_gone_is_refused(make: Maker) -> None:
    """Autograd sees that a prediction joined with a missing measurement has moved the parameters."""
    optimizer, model = trained(make, stay_predicted=True)
    losses = losses_of(model, batch(7))
    optimizer.zero_grad()
    optimizer.observe(float("nan"))
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        losses.mean().backward()


def test_a_skipped_batch_leaves_no_losses_behind(make: Maker) -> None:
    """A loop that observes and then goes on with the next batch."""
    optimizer, model = trained(make, stay_predicted=True)
    other, its = trained(make, stay_predicted=True)
    optimizer.predict()
    optimizer.observe(losses_of(model, batch(77, torch.float32)).detach())
    optimizer.zero_grad()
    with pytest.warns(UserWarning, match="a step was begun by predict and not finished"):
        run_step(optimizer, model, 7)
    run_step(other, its, 7)
    assert_twins((optimizer, model), (other, its))


def test_a_step_that_is_given_up_is_one_of_an_optimizer_that_does_not_stay(make: Maker) -> None:
    optimizer, model = trained(make, stay_predicted=True)
    other, its = trained(make)
    other.predict()
    for one, of in ((optimizer, model), (other, its)):
        one.observe(losses_of(of, batch(77, torch.float32)).detach())
        one.abandon()
        one.step()
        for step in (7, 8):
            run_step(one, of, step)
    other.predict()
    assert same(values(model), values(its))
