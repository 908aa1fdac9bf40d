"""What sections of ``gpu.py`` step through: methods, settings and tensors, and how what fails is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from gpu_speed import Setup
from torch import Tensor, nn

from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

METHODS = (KoalaV, KoalaM, KoalaPP, KoalaA)
SHAPES = ((64, 3, 3, 3), (64,), (300, 70), (1000,), (), (1,), (5, 7, 3))
SETTINGS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.01, "decay_rule": "coupled"},
    {"weight_decay": 0.01, "decay_rule": "decoupled"},
    {"weight_decay": 0.01, "decay_rule": "coupled", "partition": "global", "max_update_norm": 0.05},
    {"target": 0.2, "measurement_noise": 0.5},
    {"target": 0.5, "target_rule": "offset"},
    {"target": 0.4, "target_rule": "relative"},
]


class Failures:
    """Collects what went wrong in a section, so that one failure hides no other."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.done = 0

    def run(self, name: str, check: Callable[[], Any]) -> Any:
        self.done += 1
        try:
            return check()
        except Exception as error:
            self.texts.append(f"{name}: {type(error).__name__}: {error}"[:600])
            print(f"  FAILED {self.texts[-1]}", flush=True)
            return None

    def end(self, **found: Any) -> dict[str, Any]:
        if self.texts:
            raise AssertionError(f"{len(self.texts)} of {self.done} failed: " + " | ".join(self.texts)[:3000])
        return {"checks": self.done, **found}


def engines(setup: Setup) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ways over the device: kernels, and foreach operations."""
    if setup.fuses:
        yield "fused", {"fused": True}
    yield "foreach", {"foreach": True}


def made(setup: Setup, dtype: torch.dtype = torch.float32) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    given = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]
    return [nn.Parameter(x.to(setup.device, dtype)) for x in given]


def gradients_of(parameters: list[nn.Parameter], step: int) -> list[Tensor]:
    """Gradients that hang together with the parameters, and differ from step to step."""
    return [0.3 * x.detach() + 0.1 * torch.sin(x.detach() * (7 + step)) for x in parameters]


def one_step(optimizer: Koala, parameters: list[nn.Parameter], losses: Tensor, step: int) -> None:
    optimizer.predict()
    for parameter, gradient in zip(parameters, gradients_of(parameters, step)):
        parameter.grad = gradient
    optimizer.observe(losses)
    optimizer.step()
