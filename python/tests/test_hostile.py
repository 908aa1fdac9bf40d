"""Whatever numbers come, every engine stays finite, can be stored and goes on."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import pytest
import torch
from support import Variant, memory, values
from torch import Tensor, nn

from koala_optim import Koala, KoalaA, KoalaM, KoalaPP
from koala_optim.device.reach import no_kernels

ENGINES: dict[str, dict[str, Any]] = {
    "host": {"foreach": False},
    "foreach": {"foreach": True},
    "kernels": {"fused": True},
}
SHAPES = [(2, 3), (3,)]
ODD = [0.0, -0.0, 1e-45, -1e-40, 1e-20, 1e10, -1e15, 1e19, 1e25, -1e30, 3.4e38, -3.4e38, math.nan, math.inf, -math.inf]
KINDS = ("usual", "usual", "usual", "odd", "odd", "zero", "tiny", "huge", "largest", "nan")
SEEDS = range(4)


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "kernels" and (torch.cuda.is_available() or no_kernels([torch.zeros(1)]) is not None):
        pytest.skip("no kernels for CPU tensors")
    return request.param


def made(variant: Variant, engine: str) -> tuple[nn.ParameterList, Koala]:
    model = nn.ParameterList([nn.Parameter(torch.full(shape, 0.5)) for shape in SHAPES])
    return model, variant(model.parameters(), missing_limit=10**6, **ENGINES[engine])


def numbers(draws: random.Random, kind: str, count: int) -> Tensor:
    usual = [draws.uniform(-2.0, 2.0) for _ in range(count)]
    odd = [draws.choice(ODD) if draws.random() < 0.3 else number for number in usual]
    steady = {"zero": 0.0, "tiny": 1e-12, "huge": 1e30, "largest": 3.4e38, "nan": math.nan}
    found = {"usual": usual, "odd": odd}.get(kind) or [steady[kind]] * count
    return torch.tensor(found, dtype=torch.float64).float()


def told(model: nn.ParameterList, optimizer: Koala, gradients: list[Tensor], losses: Tensor) -> None:
    optimizer.predict()
    for parameter, gradient in zip(model, gradients):
        parameter.grad = gradient.clone()
    optimizer.update(losses)


def assert_finite(model: nn.ParameterList, optimizer: Koala, what: str) -> None:
    for tensor in [*values(model), *memory(optimizer)]:
        assert torch.isfinite(tensor).all(), f"{what}: {tensor}"


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_stays_finite_is_stored_and_goes_on(variant: Variant, engine: str, seed: int) -> None:
    draws = random.Random(seed)
    model, optimizer = made(variant, engine)
    for step in range(16):
        of_gradient, of_losses = draws.choice(KINDS), draws.choice(KINDS)
        gradients = [numbers(draws, of_gradient, math.prod(shape)).reshape(shape) for shape in SHAPES]
        losses = numbers(draws, of_losses, 3)
        told(model, optimizer, gradients, losses.abs() if draws.random() < 0.5 else losses)
        assert_finite(model, optimizer, f"step {step}, a gradient that is {of_gradient}, losses that are {of_losses}")
    other, restored = made(variant, engine)
    other.load_state_dict(model.state_dict())
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for net, one in ((model, optimizer), (other, restored)):
        for _ in range(3):
            told(net, one, [torch.full(shape, 0.1) for shape in SHAPES], torch.tensor([1.0, 1.5]))
        assert_finite(net, one, "after it")
    assert all(torch.equal(left, right) for left, right in zip(values(model), values(other)))


@pytest.mark.parametrize("gradient", [0.0, 1e-44])
def test_a_gradient_of_nothing_under_a_loss_of_nothing(variant: Variant, engine: str, gradient: float) -> None:
    """L P / S of a loss that is all but 0 is no number in ``float32``."""
    model, optimizer = made(variant, engine)
    for _ in range(3):
        told(model, optimizer, [torch.full(shape, gradient) for shape in SHAPES], torch.tensor([1e-45, 1e-45]))
        assert_finite(model, optimizer, "a step")


def test_a_gradient_that_grows_beyond_all_bounds(variant: Variant, engine: str) -> None:
    """KOALA++'s products with the one before would leave the numbers of ``float32``."""
    model, optimizer = made(variant, engine)
    for size in (1e-7, 1e18, 1e-6, 1e18, 1e-8, 1e8, 1e18):
        told(model, optimizer, [torch.full(shape, size) for shape in SHAPES], torch.tensor([1.0, 2.0]))
        assert_finite(model, optimizer, f"a gradient of {size}")


@pytest.mark.parametrize("velocity_decay", [0.9, 0.7, 0.51])
def test_a_covariance_of_which_nothing_is_left_can_be_stored(engine: str, velocity_decay: float) -> None:
    """Without noise p22 - p12^2 G / S is 0, and rounding may make it less, which no state may have."""
    model = nn.ParameterList([nn.Parameter(torch.full(shape, 0.5)) for shape in SHAPES])
    settings: dict[str, Any] = {"measurement_noise": 1e-30, "velocity_noise": 0.0, "position_noise": 0.0}
    optimizer = KoalaM(model.parameters(), velocity_decay=velocity_decay, **settings, **ENGINES[engine])
    for step in range(6):
        told(model, optimizer, [torch.full(shape, 0.3 + 0.1 * step) for shape in SHAPES], torch.tensor([1.0, 1.5]))
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def test_a_process_noise_beyond_float32_moves_nothing(engine: str) -> None:
    model = nn.ParameterList([nn.Parameter(torch.full(shape, 0.5)) for shape in SHAPES])
    optimizer = KoalaPP(model.parameters(), process_noise=1e300, **ENGINES[engine])
    for _ in range(3):
        told(model, optimizer, [torch.full(shape, 0.3) for shape in SHAPES], torch.tensor([1.0, 1.5]))
        assert_finite(model, optimizer, "a step")


def test_a_gradient_floor_whose_square_is_infinite_is_no_error(engine: str) -> None:
    model = nn.ParameterList([nn.Parameter(torch.full(shape, 0.5)) for shape in SHAPES])
    optimizer = KoalaA(model.parameters(), gradient_floor=1e200, **ENGINES[engine])
    for _ in range(3):
        told(model, optimizer, [torch.full(shape, 0.3) for shape in SHAPES], torch.tensor([1.0, 1.5]))
        assert_finite(model, optimizer, "a step")
