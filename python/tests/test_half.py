"""bfloat16 and float16 parameters: they track float32 within their rounding, and sums do not overflow."""

import copy
import math

import pytest
import torch
from support import Maker, Variant, batch, difference, losses_of, network, run_step, train, values
from torch import nn

HALF = (torch.bfloat16, torch.float16)


@pytest.fixture(params=HALF, ids=str)
def half(request: pytest.FixtureRequest) -> torch.dtype:
    return request.param


def test_training_tracks_float32(variant: Variant, half: torch.dtype) -> None:
    model, twin = network(half), network(half).float()
    narrow, wide = variant(model.parameters()), variant(twin.parameters())
    train(narrow, model, range(4))
    train(wide, twin, range(4))
    assert difference(values(twin), values(model)) < (0.1 if half is torch.bfloat16 else 0.015)
    for vectors in narrow.state.values():
        for name, vector in vectors.items():
            assert vector.dtype is (torch.float32 if name in ("second_moment", "mean") else half)


def test_training_lowers_the_loss(variant: Variant, half: torch.dtype) -> None:
    model = network(half)
    optimizer = variant(model.parameters())
    first = run_step(optimizer, model, 0)
    train(optimizer, model, range(1, 30))
    assert losses_of(model, batch(0, half)).mean() < 0.7 * first


def test_sums_beyond_the_range_of_float16(variant: Variant) -> None:
    """|g| = 30000 sqrt(1000) = 9e5 and |x|^2 = 1000 * 100^2 = 1e7: beyond 65504, and so is |g|^2 by far."""
    parameter = nn.Parameter(torch.full((1000,), 100.0, dtype=torch.float16))
    twin = nn.Parameter(parameter.detach().float())
    reports = []
    for x in (parameter, twin):
        optimizer = variant([x], weight_decay=0.5)
        for _ in range(3):
            optimizer.predict()
            x.grad = torch.full_like(x, 30_000.0)
            optimizer.update(torch.tensor([4.0, 6.0]))
        reports.append(optimizer.report())
    assert reports[0]["outcome"] == "measured"
    assert reports[0]["gradient_norm"] == pytest.approx(30_050 * math.sqrt(1000), rel=1e-2)
    assert reports[0]["gradient_norm"] == pytest.approx(reports[1]["gradient_norm"], rel=1e-3)
    assert difference(values([twin]), values([parameter])) < 1e-3


def test_losses_of_half_precision_are_summed_wide(variant: Variant, half: torch.dtype) -> None:
    """40000 losses of 100: their squares and their sum are beyond float16."""
    parameter = nn.Parameter(torch.ones(3, dtype=half))
    optimizer = variant([parameter])
    optimizer.predict()
    parameter.grad = torch.ones_like(parameter)
    optimizer.update(torch.full((40_000,), 100.0, dtype=half))
    report = optimizer.report()
    assert report["loss"] == 100.0
    assert report["second_moment"] == 10_000.0


def test_a_mean_of_half_precision_is_squared_wide(variant: Variant, half: torch.dtype) -> None:
    parameter = nn.Parameter(torch.ones(3, dtype=half))
    optimizer = variant([parameter])
    optimizer.predict()
    parameter.grad = torch.ones_like(parameter)
    optimizer.update(torch.tensor(300.0, dtype=half))
    assert optimizer.report()["second_moment"] == 90_000.0


def test_a_model_that_changes_its_type_takes_its_vectors_along(make: Maker) -> None:
    """As ``model.double()`` between steps; afterwards it goes as one that was so from there."""
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    state = copy.deepcopy(optimizer.state_dict())
    twin = copy.deepcopy(model).double()
    model.double()
    other = make(twin.parameters())
    other.load_state_dict(state)
    for one, net in ((optimizer, model), (other, twin)):
        train(one, net, range(3, 6))
        assert all(p.dtype is torch.float64 for p in net.parameters())
        assert all(vector.dtype is torch.float64 for vectors in one.state.values() for vector in vectors.values())
    assert difference(values(model), values(twin)) == 0.0


def test_to_half_and_back(variant: Variant, half: torch.dtype) -> None:
    model = network()
    optimizer = variant(model.parameters())
    train(optimizer, model, range(2))
    model.to(half)
    train(optimizer, model, range(2, 4))
    model.float()
    train(optimizer, model, range(4, 6))
    assert optimizer.report()["outcome"] == "measured"
    assert all(torch.isfinite(value).all() for value in values(model))
    assert all(vector.dtype is torch.float32 for vectors in optimizer.state.values() for vector in vectors.values())


def test_a_model_made_on_meta_and_materialised_later(variant: Variant) -> None:
    """An optimizer can be made before its model has memory."""
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    optimizer = variant(model.parameters())
    optimizer.state_dict()
    twin = network()
    other = variant(twin.parameters())
    parameters = list(model.parameters())
    for parameter, value in zip(parameters, values(twin)):
        torch.utils.swap_tensors(parameter, nn.Parameter(value))
    train(optimizer, model, range(3))
    train(other, twin, range(3))
    assert difference(values(model), values(twin)) == 0.0


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator")
def test_a_model_that_moves_to_an_accelerator_and_back(variant: Variant) -> None:
    device = torch.accelerator.current_accelerator()
    model, twin = network(), network()
    optimizer, other = variant(model.parameters()), variant(twin.parameters())
    for steps, place in ((range(2), "cpu"), (range(2, 4), device), (range(4, 6), "cpu")):
        model.to(place)
        for step in steps:
            optimizer.zero_grad()
            optimizer.predict()
            inputs, labels = batch(step)
            losses = losses_of(model, (inputs.to(place), labels.to(place)))
            losses.mean().backward()
            optimizer.update(losses)
            run_step(other, twin, step)
    assert difference(values(twin), values(model)) < 1e-4
