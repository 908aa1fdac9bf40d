"""What the methods have in common on the device: their numbers, made of a filter's state and put back into it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .losses import Losses, Noise, Target
from .plan import HALF, Part, Plan, Present
from .rounding import UPDATE, Rounding
from .vector import COMMON, FIRST, Numbers, Row

VANISHING = 1e-18
"""|g_b|^2 below which a block is skipped."""

LARGEST = torch.finfo(torch.float32).max
"""What a coefficient of a step may be: a larger one is of a vector of zeros, which must not become NaN."""


@dataclass
class Given:
    """What an update is given beside the sums."""

    losses: Losses
    gains: Tensor
    """-e of each group."""
    poison: list[Tensor]
    """If something of it is not finite, the measurement is missing."""


@dataclass
class Sums:
    """What was summed over the tensors of an update, one a column."""

    matrix: Tensor
    held: list[Any]
    """What the method needs again to move the tensors, apart by type."""


class Method(ABC):
    """The state of a method on a device. ``stored`` is a filter's state as it is written."""

    slots: tuple[str, ...]
    """Numbers of the method, beside the common ones."""

    def __init__(self, stored: dict[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        ((self.name, state),) = stored["method"].items()
        self.config: dict[str, Any] = state["config"]
        self.options: dict[str, Any] = self.config["options"]
        self.device, self.dtype = device, dtype
        self.elements = sum(_elements(parameter["shape"]) for parameter in stored["layout"]["parameters"])
        self.target = Target(self.options["target"], device, dtype)
        self.noise = Noise(self.options["measurement-noise"], self.target, dtype)
        self.whole = self.options["partition"] == "global"
        self.rounding: Rounding | None = None
        """How parameters in ``bfloat16`` are rounded, if not to the nearest."""
        own = self.values(state)
        values = {
            **dict.fromkeys(COMMON, 0.0),
            "one": 1.0,
            **{name: float(stored[name]) for name in COMMON if name in stored},
            "noise_again": float(stored["measurement_noise"]),
            **{name: own[name] for name in self.slots},
            **self.target.values(stored.get("first_loss")),
        }
        self.numbers = Numbers(
            values,
            self.prediction(),
            self.noise.measured() | self.target.measured() | self.measured(),
            stored["phase"] == "predicted",
            device,
            dtype,
        )

    def put_back(self, stored: dict[str, Any], numbers: Mapping[str, float]) -> None:
        """Writes what was read of the numbers into a filter's state."""
        for name in ("step", "missing_in_a_row", "missing_in_all"):
            stored[name] = round(numbers[name])
        stored["clamped_in_all"] = round(numbers["clamped_in_all"] + numbers["clamped_now"])
        stored["measurement_noise"] = numbers["measurement_noise"]
        if self.target.is_relative:
            first, found = (numbers[name] for name in FIRST)
            stored["first_loss"] = first if found > 0.0 else None
        stored["method"][self.name].update(self.written(numbers))

    @abstractmethod
    def values(self, state: dict[str, Any]) -> dict[str, float]:
        """The method's numbers, by slots."""

    @abstractmethod
    def written(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        """The same the other way round."""

    @abstractmethod
    def prediction(self) -> dict[str, Row]:
        """The time update of the numbers: linear."""

    def extras(self) -> list[Tensor]:
        """What there is beside the numbers: vectors with a number for each block, or for each tensor."""
        return []

    def put_back_extras(self, stored: dict[str, Any], extras: list[list[float]]) -> None:
        """Writes them, read, into a filter's state."""
        assert not extras

    def measured(self) -> dict[str, Row]:
        """What a measurement makes of the method's own numbers, as far as it is linear in them."""
        return {}

    @abstractmethod
    def predict(self, plan: Plan) -> None:
        """The time update of numbers and tensors."""

    @property
    def apart(self) -> bool:
        """Whether a prediction has left numbers that other processes have parts of."""
        return False

    def complete(self) -> None:
        """What a prediction has left to the update, to be added up over processes together with its sums: done by itself."""
        return

    @abstractmethod
    def reduce(self, present: Present, gradients: list[list[Tensor]]) -> Sums:
        """The sums over the tensors."""

    @abstractmethod
    def update(self, plan: Plan, present: Present, sums: Sums, given: Given) -> None:
        """The measurement update of numbers and tensors."""

    @abstractmethod
    def nothing(self) -> Sums:
        """The sums where no tensor has a gradient: of one tensor that is zero."""

    @abstractmethod
    def statistics(self, matrix: list[list[float]]) -> list[list[float]]:
        """The sums as the filter takes them, one list a tensor."""

    def of_blocks(self, sums: Tensor) -> Tensor:
        """Sums of tensors as those of blocks: the tensors', or one for all."""
        return sums.sum(-1, keepdim=True) if self.whole else sums

    def residual(self, losses: Losses, penalty: Tensor | None, use: Tensor) -> Tensor:
        """The residual under the policy. ``use``: which blocks have one of their own."""
        residual = self.target.residual(losses, penalty)
        if self.options["negative-residual"] != "clamp" or self.target.is_offset:
            return residual
        if residual.dim() == 0:
            # Counted even if no block has a gradient to use.
            torch.lt(residual, 0.0, out=self.numbers.after["clamped_now"])
        else:
            self.numbers.after["clamped_now"].copy_(((residual < 0.0) & use).any())
        return residual.clamp_min(0.0)

    def displace(self, part: Part, moves: Tensor, *vectors: list[Tensor], write: int = UPDATE) -> None:
        """Adds a matrix of ``moves`` each to the parameters of a part and to ``vectors`` of it, the sums rounded once."""
        targets, pages = [part.parameters, *vectors], part.pages
        if part.dtype not in HALF:
            views = [view for matrix in moves.unbind() for view in pages.views(matrix)]
            torch._foreach_add_([tensor for target in targets for tensor in target], views)
            return
        for target, matrix in zip(targets, moves.unbind()):
            moved = matrix + pages.gather(target)
            if target is part.parameters and self.rounding is not None and part.dtype is torch.bfloat16:
                moved = self.rounding(part, moved, self.numbers.now["step"], write)
            torch._foreach_copy_(target, pages.views(moved))

    def bound(self, step: Tensor, along: Tensor, use: Tensor) -> Tensor:
        """What shortens the step of x to the bound on its norm. ``along``: the squared length of each tensor's direction."""
        squares = torch.where(use, step.square() * along, 0.0)
        bound: float = self.options["max-update-norm"]
        return (bound / squares.sum().sqrt()).clamp_max(1.0)


def _elements(shape: list[int]) -> int:
    count = 1
    for extent in shape:
        count *= extent
    return count


def finite(check: Tensor, poison: list[Tensor]) -> Tensor:
    """Whether a number that is not negative is finite, and everything of ``poison``."""
    for number in poison:
        # 0 times what is not finite is not a number.
        check = torch.add(check, number, alpha=0)
    return check < torch.inf
