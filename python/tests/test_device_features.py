"""What an optimizer does beside steps, on the device as on the host: to rounding, by every engine."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from support import (
    VARIANTS,
    Variant,
    assert_near,
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
from test_device import SHAPES, in_one_piece
from torch import nn

from koala_optim import Koala, KoalaA, KoalaM, TooManyMissing
from koala_optim.device.reach import no_kernels

ENGINES: dict[str, dict[str, Any]] = {
    "device": {"foreach": True},
    "kernels": {"fused": True},
    # What is beyond the device path.
    "host": {"foreach": True, "negative_residual": "error"},
}
MOVING = [variant for variant in VARIANTS if variant.method in (KoalaA, KoalaM)]
Scenario = Callable[[Koala, nn.Sequential], None]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "kernels" and (torch.cuda.is_available() or no_kernels([torch.zeros(1)]) is not None):
        pytest.skip("no kernels for CPU tensors")
    return ENGINES[request.param]


def is_on_device(optimizer: Koala) -> bool:
    return optimizer._place.device is not None


def compared(
    variant: Variant,
    engine: dict[str, Any],
    scenario: Scenario,
    model: Callable[[], nn.Sequential] = lambda: network(torch.float64),
    **settings: Any,
) -> tuple[Koala, Koala]:
    """The scenario by the Rust engine and by another one: parameters, vectors, state and report are the same."""
    pairs = []
    for given in ({"foreach": False}, engine):
        net = model()
        optimizer = variant(net.parameters(), **settings, **given)
        scenario(optimizer, net)
        pairs.append((optimizer, net))
    (expected, net), (found, twin) = pairs
    assert difference(values(net), values(twin)) < 1e-11
    assert difference(memory(expected), memory(found)) < 1e-11
    assert_near(found.report(), expected.report())
    states = [json.loads(optimizer.state_dict()["param_groups"][0]["filter"]) for optimizer in (found, expected)]
    for state in states:
        # Told to the optimizer beside the engine.
        ((_, inner),) = state["method"].items()
        del inner["config"]
    assert_near(*states)
    assert not is_on_device(expected) and is_on_device(found) == ("negative_residual" not in engine)
    return expected, found


def begin(optimizer: Koala, model: nn.Module, step: int, outlier: float = 0.0) -> None:
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, batch(step, torch.float64)) + outlier
    optimizer.observe(losses)
    losses.mean().backward()


def test_a_step_is_given_up(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        optimizer.abandon()
        train(optimizer, model, range(2))
        begin(optimizer, model, 2, outlier=100.0)
        report = optimizer.report()
        optimizer.abandon()
        optimizer.step()
        assert optimizer.report() == report and not optimizer.filter_state()["predicted"]
        optimizer.predict()
        optimizer.abandon()
        train(optimizer, model, range(3, 5))

    compared(variant, engine, scenario)


def test_observations_of_a_step_that_was_cleared_are_forgotten(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        train(optimizer, model, range(2))
        begin(optimizer, model, 2, outlier=100.0)
        optimizer.zero_grad()
        losses = losses_of(model, batch(3, torch.float64))
        with pytest.warns(UserWarning, match="not finished by step"):
            optimizer.observe(losses)
        losses.mean().backward()
        optimizer.step()
        begin(optimizer, model, 4, outlier=100.0)
        optimizer.zero_grad()
        with pytest.warns(UserWarning, match="not finished by step"):
            run_step(optimizer, model, 5)

    compared(variant, engine, scenario)


@pytest.mark.parametrize("half", [0, 2])
def test_a_layer_is_unfrozen_and_frozen_again(variant: Variant, engine: dict[str, Any], half: int) -> None:
    def model() -> nn.Sequential:
        net = network(torch.float64)
        net[half].requires_grad_(False)
        return net

    def scenario(optimizer: Koala, net: nn.Sequential) -> None:
        train(optimizer, net, range(3))
        assert len(optimizer.state) == (4 if variant.settings.get("position_noise") == "paper" else 2) or not any(
            optimizer._memory
        )
        net[half].requires_grad_(True)
        train(optimizer, net, range(3, 5))
        net[2 - half].requires_grad_(False)
        train(optimizer, net, range(5, 7))

    compared(variant, engine, scenario, model)


def test_values_of_what_stands_still_are_changed(engine: dict[str, Any]) -> None:
    """KOALA-M's q_x is of all parameters, and of what stands still found once."""

    def model() -> nn.Sequential:
        net = network(torch.float64)
        net[0].requires_grad_(False)
        return net

    def scenario(optimizer: Koala, net: nn.Sequential) -> None:
        train(optimizer, net, range(2))
        with torch.no_grad():
            net[0].weight.mul_(30.0)
        train(optimizer, net, range(2, 4))

    compared(VARIANTS[1], engine, scenario, model)


def test_a_group_is_unfrozen(variant: Variant, engine: dict[str, Any]) -> None:
    results = []
    for given in ({"foreach": False}, engine):
        model = network(torch.float64)
        groups = [{"params": model[0].parameters(), "frozen": True}, {"params": model[2].parameters(), "lr": 0.5}]
        optimizer = variant(groups, **given)
        train(optimizer, model, range(3))
        optimizer.param_groups[0]["frozen"] = False
        report = optimizer.report()
        optimizer.predict()
        assert optimizer.report() == report
        optimizer.abandon()
        train(optimizer, model, range(3, 6))
        results.append([*values(model), *memory(optimizer)])
    assert difference(*results) < 1e-11


def test_groups_are_edited(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        train(optimizer, model, range(3))
        layer = model[2]
        bias = nn.Parameter(layer.bias.detach().clone())
        group = optimizer.param_groups[0]["params"]
        if (kept := optimizer.state.pop(layer.bias, None)) is not None:
            optimizer.state[bias] = {name: vector.clone() for name, vector in kept.items()}
        group[3] = layer.bias = bias
        report = optimizer.report()
        train(optimizer, model, range(3, 5))
        assert optimizer.report() != report
        del group[0]
        train(optimizer, model, range(5, 7))
        optimizer.add_param_group({"params": [model[0].weight], "lr": 0.5})
        report = optimizer.report()
        assert report["step"] == 6
        train(optimizer, model, range(7, 9))

    compared(variant, engine, scenario)


def test_vectors_that_are_replaced_are_taken(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        train(optimizer, model, range(3))
        if kept := optimizer.state.get(model[0].weight):
            optimizer.state[model[0].weight] = {name: torch.zeros_like(vector) for name, vector in kept.items()}
        train(optimizer, model, range(3, 5))

    compared(variant, engine, scenario)


@pytest.mark.parametrize("noise", ["authors", "paper", 1e-3])
@pytest.mark.parametrize("partition", ["per-tensor", "global"])
def test_what_has_no_gradient_stands_without_coast(engine: dict[str, Any], noise: Any, partition: str) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        for step in range(8):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, batch(step, torch.float64))
            losses.mean().backward()
            if step in (2, 3):
                model[0].weight.grad = model[2].bias.grad = None
            if step == 5:
                for parameter in model.parameters():
                    parameter.grad = None
            optimizer.update(losses.detach() * (float("nan") if step == 4 else 1.0))

    found, _ = compared(
        Variant("", KoalaM, {"coast": False, "position_noise": noise}, ()), engine, scenario, partition=partition
    )
    assert found.state_dict()["param_groups"][0]["filter"].count("true") >= 1


@pytest.mark.parametrize("variant", MOVING, ids=lambda variant: variant.name)
def test_a_step_ends_with_the_next_predict(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        optimizer.predict()
        for step in range(6):
            optimizer.zero_grad()
            losses = losses_of(model, batch(step, torch.float64))
            losses.mean().backward()
            if step == 2:
                model[0].weight.grad = None
            optimizer.update(losses.detach() * (float("nan") if step == 3 else 1.0))
            assert optimizer.predicted
        at_prediction = values(model)
        with optimizer.posterior():
            at_posterior = values(model)
        assert same(values(model), at_prediction)
        assert not same(at_posterior, at_prediction)
        posteriors.append(at_posterior)
        run_step(optimizer, model, 6)

    posteriors: list[list[torch.Tensor]] = []
    compared(variant, engine, scenario, stay_predicted=True)
    assert difference(*posteriors) < 1e-11


def test_copies_and_states_from_the_middle_of_a_step_go_on(variant: Variant, engine: dict[str, Any]) -> None:
    model = network(torch.float64)
    optimizer = variant(model.parameters(), **engine)
    train(optimizer, model, range(3))
    begin(optimizer, model, 3, outlier=100.0)
    copies = [copy.deepcopy((optimizer, model)), pickle.loads(pickle.dumps((optimizer, model)))]
    twin = copy.deepcopy(model)
    loaded = variant(twin.parameters(), **engine)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    results = []
    for one, net in ((optimizer, model), *copies, (loaded, twin)):
        train(one, net, range(3, 6))
        assert is_on_device(one) == ("negative_residual" not in engine) and one._fused == optimizer._fused
        results.append([*values(net), *memory(one)])
    assert all(same(results[0], other) for other in results)


@pytest.mark.parametrize("stay_predicted", [False, True])
def test_nothing_is_read_for_any_of_it(variant: Variant, stay_predicted: bool) -> None:
    """Meta tensors have no numbers."""
    moving = {"stay_predicted": stay_predicted} if variant in MOVING else {}
    for settings in (moving, {"coast": False, **moving}) if variant.method is KoalaM else (moving,):
        parameters = [nn.Parameter(torch.empty(shape, device="meta")) for shape in SHAPES]
        parameters[0].requires_grad_(False)
        optimizer = variant(parameters, **settings)
        for step in range(4):
            optimizer.predict()
            in_one_piece(optimizer)
            if step == 1:
                optimizer.abandon()
                optimizer.zero_grad()
                continue
            for parameter in parameters[1:]:
                parameter.grad = torch.empty_like(parameter)
            if step == 2:
                parameters[1].grad = None
            optimizer.step()
        assert is_on_device(optimizer)


def test_gradients_with_the_negative_bit_are_taken_for_what_they_are(variant: Variant, engine: dict[str, Any]) -> None:
    def scenario(optimizer: Koala, model: nn.Sequential) -> None:
        for step in range(3):
            begin(optimizer, model, step)
            for parameter in model.parameters():
                parameter.grad = torch._neg_view(-parameter.grad)
                assert parameter.grad.is_neg()
            optimizer.step()

    compared(variant, engine, scenario)


def test_too_many_missing_after_steps_that_were_given_up(variant: Variant, engine: dict[str, Any]) -> None:
    model = network()
    optimizer = variant(model.parameters(), missing_limit=2, **engine)
    for _ in range(3):
        optimizer.predict()
        optimizer.abandon()
    optimizer.predict()
    optimizer.update(float("nan"))
    optimizer.predict()
    optimizer.abandon()
    optimizer.predict()
    with pytest.raises(TooManyMissing, match="2 measurements in a row were missing"):
        optimizer.update(float("nan"))
    assert not optimizer.predicted
