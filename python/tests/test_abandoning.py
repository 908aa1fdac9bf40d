"""Steps that were begun and are not finished: given up, skipped, resumed."""

import copy

import pytest
import torch
from support import Maker, Variant, assert_twins, batch, losses_of, network, run_step, same, train, values
from torch.amp import GradScaler

import koala_optim


class OutOfMemory(Exception):
    """The batch did not fit."""


def begun(optimizer, model, step, outlier=0.0, until="backward"):
    """A step up to a point where something goes wrong."""
    optimizer.zero_grad()
    optimizer.predict()
    if until == "predict":
        raise OutOfMemory
    losses = losses_of(model, batch(step)) + outlier
    optimizer.observe(losses)
    if until == "observe":
        raise OutOfMemory
    losses.mean().backward()
    raise OutOfMemory


@pytest.mark.parametrize("until", ["predict", "observe", "backward"])
def test_a_batch_that_is_skipped_leaves_nothing_but_the_prediction(make: Maker, until: str) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    known = optimizer.filter_state()
    try:
        begun(optimizer, model, 3, outlier=100.0, until=until)
    except OutOfMemory:
        at_prediction = values(model)
        optimizer.abandon()
    assert same(values(model), at_prediction)
    left = optimizer.filter_state()
    assert not optimizer.predicted and not left["predicted"]
    assert (left["step"], left["measurement_noise"]) == (3, known["measurement_noise"])
    run_step(optimizer, model, 4)
    after = optimizer.filter_state()
    assert after["step"] == 4 and after["measurement_noise"] < 3.0
    assert optimizer.report()["missing_in_a_row"] == 0


def test_it_is_a_missing_measurement_that_is_not_counted(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters(), missing_limit=2)
    train(optimizer, model, range(3))
    train(other, twin, range(3))
    for _ in range(3):
        optimizer.predict()
        optimizer.abandon()
        other.predict()
        other.observe(float("nan"))
        try:
            other.step()
        except koala_optim.TooManyMissing:
            assert _ > 0
        assert same(values(model), values(twin))
        state, missing = optimizer.filter_state(), other.filter_state()
        assert {**state, "step": 0} == {**missing, "step": 0}


def test_without_a_step_begun_nothing_happens(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    optimizer.abandon()
    train(optimizer, model, range(3))
    train(other, twin, range(3))
    optimizer.abandon()
    optimizer.abandon()
    assert_twins((optimizer, model), (other, twin))


def test_a_step_after_it_does_nothing(make: Maker) -> None:
    """Loops and scalers call step whatever became of the batch."""
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    optimizer.predict()
    losses = losses_of(model, batch(2))
    losses.mean().backward()
    optimizer.abandon()
    before = values(model)
    optimizer.step()
    scaler = GradScaler("cpu", init_scale=4.0)
    scaler.scale(torch.ones(()))
    scaler.step(optimizer)
    assert same(values(model), before) and optimizer.filter_state()["step"] == 2
    optimizer.predict()
    with pytest.raises(RuntimeError, match="no losses were observed"):
        optimizer.step()


def test_a_group_may_be_added_and_the_mean_seen_after_it(variant: Variant) -> None:
    model = network()
    optimizer = variant(model[0].parameters())
    train(optimizer, model, range(2))
    optimizer.predict()
    optimizer.abandon()
    if optimizer.keeps_mean:
        with optimizer.averaged():
            pass
    optimizer.add_param_group({"params": model[2].parameters()})
    run_step(optimizer, model, 2)


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])
@pytest.mark.parametrize("until", ["predict", "observe", "backward"])
def test_a_loop_that_only_clears_gradients_goes_on_with_a_warning(make: Maker, until: str, guarded: bool) -> None:
    """As loops of other optimizers do: except, zero_grad, continue."""
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for one, net in ((optimizer, model), (other, twin)):
        train(one, net, range(3))
        try:
            begun(one, net, 3, outlier=100.0, until=until)
        except OutOfMemory:
            one.zero_grad()
            if one is other and not guarded:
                one.abandon()
    optimizer.zero_grad()

    def goes_on():
        if not guarded:
            optimizer.predict()
        losses = losses_of(model, batch(4))
        optimizer.observe(losses)
        return losses

    if guarded and until == "predict":
        losses = goes_on()
    else:
        with pytest.warns(UserWarning, match="not finished by step.*call optimizer.abandon"):
            losses = goes_on()
    losses.mean().backward()
    optimizer.step()
    if guarded:
        other._observation = koala_optim.observation.Observation()
        other.zero_grad()
    else:
        other.predict()
    losses = losses_of(twin, batch(4))
    losses.mean().backward()
    other.update(losses)
    assert optimizer.filter_state()["measurement_noise"] < 3.0
    assert_twins((optimizer, model), (other, twin))


def test_warnings_name_the_line_of_the_loop(variant: Variant) -> None:
    optimizer = variant(network().parameters())
    optimizer.predict()
    optimizer.zero_grad()
    with pytest.warns(UserWarning, match="not finished by step") as caught:
        optimizer.predict()
    assert caught[0].filename == __file__


def test_gradients_may_be_cleared_just_before_backward(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for step in range(3):
        optimizer.predict()
        losses = losses_of(model, batch(step))
        optimizer.observe(losses)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        run_step(other, twin, step)
    assert_twins((optimizer, model), (other, twin))


def test_micro_batches_after_clearing_gradients_add_up(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for one, net, late in ((optimizer, model, True), (other, twin, False)):
        if not late:
            one.zero_grad()
        one.predict()
        for number in range(2):
            losses = losses_of(net, batch(number))
            one.observe(losses)
            if late and number == 0:
                one.zero_grad()
            losses.mean().div(2).backward()
        one.step()
    assert_twins((optimizer, model), (other, twin))


def test_a_forgotten_step_is_still_an_error(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.zero_grad()
    optimizer.predict()
    with pytest.raises(RuntimeError, match=r"predict was called twice.*optimizer\.abandon\(\)"):
        optimizer.predict()


def test_a_closure_that_returns_none_skips_the_step(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    train(optimizer, model, range(2))
    train(other, twin, range(2))

    def none():
        optimizer.zero_grad()

    assert optimizer.step(none) is None
    assert optimizer.step(lambda: None) is None
    for _ in range(2):
        other.predict()
        other.abandon()
    assert optimizer.filter_state()["step"] == 2
    assert_twins((optimizer, model), (other, twin))


def test_a_closure_that_forgets_its_losses_is_told(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())

    def closure():
        optimizer.zero_grad()
        losses_of(model, batch(0)).mean().backward()

    with pytest.warns(
        UserWarning, match="computed gradients but returned None.*return the per-sample losses"
    ) as caught:
        optimizer.step(closure)
    assert caught[0].filename == __file__


def test_what_a_closure_observed_before_it_failed_is_forgotten(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())

    def closure(one, net, fails=False):
        net.zero_grad()
        losses = losses_of(net, batch(0))
        one.observe(losses + (100.0 if fails else 0.0))
        losses.mean().backward()
        if fails:
            raise OutOfMemory

    with pytest.raises(OutOfMemory):
        optimizer.step(lambda: closure(optimizer, model, fails=True))
    optimizer.step(lambda: closure(optimizer, model))
    other.step(lambda: closure(other, twin))
    assert_twins((optimizer, model), (other, twin))


@pytest.mark.parametrize("way", ["loaded", "copied"])
def test_a_state_from_the_middle_of_a_step_can_be_given_up_or_gone_on_with(make: Maker, way: str) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    optimizer.predict()
    optimizer.observe(torch.full((4,), 100.0))
    state, parameters = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(model.state_dict())

    def resumed():
        if way == "copied":
            return copy.deepcopy((optimizer, model))
        twin = network(seed=5)
        twin.load_state_dict(parameters)
        other = make(twin.parameters())
        other.load_state_dict(copy.deepcopy(state))
        return other, twin

    # The loop begins again, with predict: to the bit as if the step had not been interrupted.
    other, twin = resumed()
    if way == "loaded":
        optimizer.load_state_dict(copy.deepcopy(state))
    run_step(other, twin, 3)
    assert other.filter_state()["step"] == 4 and other.report()["loss"] < 10.0
    # Or the step is given up.
    third, net = resumed()
    third.abandon()
    run_step(third, net, 3)
    if "velocity" in next(iter(third.state.values()), {}):
        assert not same(values(net), values(twin))
    assert third.filter_state()["step"] == 4
