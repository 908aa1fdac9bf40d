"""A target that is a share of the first loss: kept where the filter is, by every engine."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
import torch
from support import Variant, assert_near, batch, difference, losses_of, memory, network, run_step, same, train, values
from test_device import SHAPES, Launches, in_one_piece
from torch import Tensor, nn

from koala_optim import Koala, TooManyMissing
from koala_optim.device.reach import no_kernels

RELATIVE: dict[str, Any] = {"target": 0.5, "target_rule": "relative"}
ENGINES: dict[str, dict[str, Any]] = {
    "host": {"foreach": False},
    "device": {"foreach": True},
    "kernels": {"fused": True},
}
LOSSES = [math.nan, math.inf, 3.0, 2.0, math.nan, 1.0, 0.5, 4.0]
"""Before the first that is finite nothing is known; 0.5 is below the target, 1.5."""


@pytest.fixture(params=list(ENGINES)[1:])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "kernels" and (torch.cuda.is_available() or no_kernels([torch.zeros(1)]) is not None):
        pytest.skip("no kernels for CPU tensors")
    return request.param


def made(variant: Variant, engine: str, model: nn.Module, **settings: Any) -> Koala:
    return variant(model.parameters(), **{**RELATIVE, **settings}, **ENGINES[engine])


def told(optimizer: Koala, model: nn.Module, loss: float, step: int = 0) -> None:
    """A step with gradients that are finite, and a loss that may not be."""
    if not optimizer.predicted:
        optimizer.predict()
    for at, parameter in enumerate(model.parameters()):
        parameter.grad = 0.2 * parameter.detach() + 0.1 * torch.cos(parameter.detach() * (3 + step + at))
    optimizer.update(torch.tensor([loss, loss], dtype=torch.float64))


def first_loss(optimizer: Koala) -> float | None:
    return json.loads(optimizer.state_dict()["param_groups"][0]["filter"]).get("first_loss")


def is_on_device(optimizer: Koala) -> bool:
    return optimizer._place.device is not None


def test_the_first_loss_is_the_first_that_is_measured(variant: Variant, engine: str) -> None:
    pairs = []
    for name in ("host", engine):
        model = network(torch.float64)
        optimizer = made(variant, name, model)
        for step, loss in enumerate(LOSSES):
            told(optimizer, model, loss, step)
            assert first_loss(optimizer) == (None if step < 2 else 3.0)
            if math.isfinite(loss):
                assert optimizer.report()["target"] == 1.5
        pairs.append((optimizer, model))
    (host, model), (found, twin) = pairs
    assert is_on_device(found) and not is_on_device(host)
    assert difference(values(model), values(twin)) < 1e-11
    assert difference(memory(host), memory(found)) < 1e-11
    assert_near(found.report(), host.report())
    assert_near(found.filter_state(), host.filter_state())


def test_a_gradient_that_is_no_number_makes_its_loss_not_the_first(variant: Variant, engine: str) -> None:
    model = network(torch.float64)
    optimizer = made(variant, engine, model)
    optimizer.predict()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, math.nan)
    optimizer.update(torch.tensor([7.0, 7.0], dtype=torch.float64))
    assert first_loss(optimizer) is None
    told(optimizer, model, 3.0)
    assert first_loss(optimizer) == 3.0


@pytest.mark.parametrize("first", [-2.0, 0.0])
def test_of_a_first_loss_that_is_not_positive_the_target_is_zero(variant: Variant, engine: str, first: float) -> None:
    results = []
    for name in ("host", engine):
        model = network(torch.float64)
        optimizer = made(variant, name, model, initial_measurement_noise=None)
        for step, loss in enumerate((first, 1.0, 2.0)):
            told(optimizer, model, loss, step)
            assert optimizer.report()["target"] == 0.0
        results.append([*values(model), *memory(optimizer)])
    assert difference(*results) < 1e-11


@pytest.mark.parametrize("until", [0, 2, 3], ids=lambda steps: f"after-{steps}")
@pytest.mark.parametrize("predicted", [False, True], ids=["updated", "predicted"])
@pytest.mark.parametrize("ways", ["away", "back"])
def test_a_state_goes_on_elsewhere(variant: Variant, engine: str, ways: str, predicted: bool, until: int) -> None:
    """From the host to the device and the other way round, before there is a first loss and after, in either phase."""
    before, after = ("host", engine) if ways == "away" else (engine, "host")
    model, steady = network(torch.float64), network(torch.float64)
    optimizer, reference = made(variant, before, model), made(variant, "host", steady)
    for one, net in ((optimizer, model), (reference, steady)):
        for step, loss in enumerate(LOSSES[:until]):
            told(one, net, loss, step)
        if predicted:
            one.predict()
    twin = copy.deepcopy(model)
    other = made(variant, after, twin, target=0.1)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert other.predicted == predicted
    for step, loss in enumerate(LOSSES[until:], until):
        told(other, twin, loss, step)
        told(reference, steady, loss, step)
    assert difference(values(twin), values(steady)) < 1e-11
    assert first_loss(other) == first_loss(reference) == 3.0
    assert is_on_device(other) == (after != "host")
    assert_near(other.filter_state(), reference.filter_state())


def test_a_resumed_step_is_the_same_to_the_bit(variant: Variant, engine: str) -> None:
    model, twin = network(), network(seed=9)
    optimizer, other = made(variant, engine, model), made(variant, engine, twin)
    train(optimizer, model, range(3))
    twin.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, net in ((optimizer, model), (other, twin)):
        train(one, net, range(3, 5))
    assert same([*values(model), *memory(optimizer)], [*values(twin), *memory(other)])
    assert optimizer.filter_state() == other.filter_state()


def test_an_overflow_of_the_first_step_leaves_it_to_the_second(variant: Variant, engine: str) -> None:
    results = []
    for name in ("host", engine):
        model = network(torch.float64)
        optimizer = made(variant, name, model)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
        for step in range(5):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, batch(step, torch.float64))
            optimizer.observe(losses)
            scaler.scale(losses.mean()).backward()
            if step in (0, 3):
                model[0].weight.grad[0, 0] = math.inf
            scaler.step(optimizer)
            scaler.update()
            if step == 0:
                assert first_loss(optimizer) is None
            if step == 1:
                assert first_loss(optimizer) == pytest.approx(float(losses.mean().detach()), rel=1e-12)
        results.append([*values(model), *memory(optimizer)])
    assert difference(*results) < 1e-11


def test_steps_in_backward_have_the_same_target(variant: Variant, engine: str) -> None:
    if variant.whole_model:
        pytest.skip("one innovation of the whole model")
    results = []
    for early in (False, True):
        model = network(torch.float64)
        optimizer = made(variant, engine, model)
        if early:
            optimizer.step_in_backward()
        for step in range(4):
            run_step(optimizer, model, step)
        results.append([*values(model), *memory(optimizer)])
        assert optimizer.report()["target"] == pytest.approx(0.5 * first_loss(optimizer), rel=1e-12)
    assert difference(*results) < 1e-11


def test_a_compiled_model_sees_the_same_steps(variant: Variant, engine: str) -> None:
    torch.compiler.reset()
    results: list[list[Tensor]] = []
    for compiled in (False, True):
        model = network()
        optimizer = made(variant, engine, model)
        forward = torch.compile(model, backend="eager", fullgraph=True) if compiled else model
        for step in range(3):
            run_step(optimizer, forward, step)
        assert is_on_device(optimizer)
        results.append([*values(model), *memory(optimizer)])
    assert same(*results)


def test_too_many_missing_before_there_is_a_first_loss(variant: Variant, engine: str) -> None:
    model = network()
    optimizer = made(variant, engine, model, missing_limit=2)
    told(optimizer, model, math.nan)
    with pytest.raises(TooManyMissing, match="2 measurements in a row were missing"):
        told(optimizer, model, math.nan)
    assert first_loss(optimizer) is None


def test_nothing_is_read_and_few_launches_more(variant: Variant) -> None:
    """Meta tensors have no numbers."""
    counts = []
    for settings in ({"target": 0.5}, RELATIVE):
        parameters = [nn.Parameter(torch.empty(shape, device="meta")) for shape in SHAPES]
        optimizer = variant(parameters, **settings)
        for _ in range(3):
            optimizer.predict()
            in_one_piece(optimizer)
            for parameter in parameters:
                parameter.grad = torch.empty_like(parameter)
            with Launches() as counted:
                optimizer.step()
        assert is_on_device(optimizer)
        counts.append(len(counted.names))
    assert counts[1] - counts[0] <= 4
