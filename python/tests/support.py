"""What the tests share: every variant of the optimizers, a small network with batches, and comparisons to the bit."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import koala_optim
from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@dataclass(frozen=True)
class Variant:
    """A method with the settings that make it go another way through the code."""

    name: str
    method: type[Koala]
    settings: dict[str, Any]
    memory: tuple[str, ...]
    whole_model: bool = False
    """Whether there is one innovation of the whole model, whatever its blocks."""

    def __call__(self, params: Any, **settings: Any) -> Koala:
        return self.method(params, **{**self.settings, **settings})


VARIANTS = (
    Variant("v", KoalaV, {}, ()),
    Variant("m", KoalaM, {}, ("velocity", "average")),
    Variant("m-paper", KoalaM, {"position_noise": "paper"}, ("velocity", "average")),
    Variant("m-fixed", KoalaM, {"position_noise": 1e-3}, ("velocity",)),
    Variant("pp", KoalaPP, {}, ("covariance", "gradient")),
    Variant("pp-minimum-norm", KoalaPP, {"variant": "minimum-norm"}, ("covariance", "gradient")),
    Variant("a", KoalaA, {}, ("velocity", "second_moment", "mean"), True),
    Variant("a-no-metric", KoalaA, {"metric": "none"}, ("velocity", "mean"), True),
    Variant("a-no-mean", KoalaA, {"mean": None}, ("velocity", "second_moment"), True),
)

Maker = Callable[..., Koala]


def network(dtype: torch.dtype = torch.float32, seed: int = 0) -> nn.Sequential:
    """A small classifier of three classes."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return model.to(dtype)


def batch(step: int, dtype: torch.dtype = torch.float32, size: int = 8) -> tuple[Tensor, Tensor]:
    """Inputs and labels of a step: a function of its number."""
    generator = torch.Generator().manual_seed(1000 + step)
    inputs = torch.randn(size, 4, generator=generator)
    return inputs.to(dtype), inputs[:, :3].argmax(dim=1)


def losses_of(model: nn.Module, data: tuple[Tensor, Tensor]) -> Tensor:
    """One loss a sample."""
    inputs, labels = data
    return nn.functional.cross_entropy(model(inputs), labels, reduction="none")


def run_step(optimizer: Koala, model: nn.Module, step: int) -> Tensor:
    """One step of the loop that the documentation shows; returns the mean loss."""
    dtype = next(model.parameters()).dtype
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, batch(step, dtype))
    optimizer.observe(losses)
    losses.mean().backward()
    optimizer.step()
    return losses.detach().mean()


def train(optimizer: Koala, model: nn.Module, steps: Iterable[int]) -> None:
    """Steps of the loop, by their numbers."""
    for step in steps:
        run_step(optimizer, model, step)


def nearing(optimizer: Koala, model: nn.Module, steps: Iterable[int]) -> None:
    """Steps whose losses fall while their gradients stay: the target comes nearer."""
    like = next(model.parameters())
    for step in steps:
        optimizer.zero_grad()
        optimizer.predict()
        inputs, labels = batch(step, like.dtype)
        losses = losses_of(model, (inputs.to(like.device), labels.to(like.device)))
        losses.mean().backward()
        optimizer.update(losses.detach() * 0.6**step)


def values(model: nn.Module | Sequence[Tensor]) -> list[Tensor]:
    """The parameters as they are now."""
    parameters = model.parameters() if isinstance(model, nn.Module) else model
    return [parameter.detach().clone() for parameter in parameters]


def memory(optimizer: Koala) -> list[Tensor]:
    """The method's vectors as they are now, parameter by parameter."""
    vectors = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            vectors += [vector.clone() for _, vector in sorted(optimizer.state[parameter].items())]
    return vectors


def same(left: Sequence[Tensor], right: Sequence[Tensor]) -> bool:
    """Whether all are equal to the bit."""
    return len(left) == len(right) and all(torch.equal(x, y) for x, y in zip(left, right))


def difference(left: Sequence[Tensor], right: Sequence[Tensor]) -> float:
    """The largest difference, relative to the largest element of its tensor."""
    assert len(left) == len(right)
    worst = 0.0
    for x, y in zip(left, right):
        assert x.shape == y.shape
        if x.numel():
            scale = max(float(x.double().abs().max()), 1e-30)
            far = float((x.double() - y.double()).abs().max()) / scale
            assert far == far, "not a number"
            worst = max(worst, far)
    return worst


def assert_twins(
    left: tuple[Koala, nn.Module], right: tuple[Koala, nn.Module], steps: Iterable[int] = range(50, 53)
) -> None:
    """Both are equal now, and stay so to the bit in their next steps; parameters, vectors and filter."""
    for step in [None, *steps]:
        if step is not None:
            for optimizer, model in (left, right):
                run_step(optimizer, model, step)
        (one, model), (other, twin) = left, right
        assert same(values(model), values(twin)), f"parameters, step {step}"
        assert same(memory(one), memory(other)), f"vectors, step {step}"
        assert one.filter_state() == other.filter_state(), f"filter, step {step}"


def python(
    program: str, *arguments: str, folder: Path, timeout: float = 120.0, environment: dict[str, str] | None = None
) -> str:
    """Runs a program in a new interpreter, in a folder without the source tree; returns its output."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={
            **(os.environ if environment is None else environment),
            "PYTHONPATH": str(Path(koala_optim.__file__).parents[1]),
        },
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_near(found: Any, expected: Any) -> None:
    """States and reports, whose numbers are the same up to rounding."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_near(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for x, y in zip(found, expected):
            assert_near(x, y)
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-15), (found, expected)
    else:
        assert found == expected
