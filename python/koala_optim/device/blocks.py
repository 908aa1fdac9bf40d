"""An update in pieces, on the device: each tensor as soon as its gradient is there, the covariance when all have been."""

from __future__ import annotations

import torch
from torch import Tensor

from .losses import Losses
from .method import Given, Method, Sums
from .plan import Plan, Present


class Blocks:
    """The tensors that have moved so far in a step."""

    def __init__(self) -> None:
        self._losses: Losses | None = None
        self._sums: dict[int, Tensor] = {}

    def __bool__(self) -> bool:
        return self._losses is not None

    def begin(self, losses: Losses) -> None:
        """The first tensor is about to move."""
        self._losses = losses

    @property
    def losses(self) -> Losses:
        """Of the minibatch."""
        assert self._losses is not None
        return self._losses

    @property
    def positions(self) -> tuple[int, ...]:
        """The tensors that have moved."""
        return tuple(sorted(self._sums))

    def step(self, method: Method, plan: Plan, present: Present, gradient: Tensor, gains: Tensor) -> None:
        """Moves the one tensor that is present: by an update of it alone, after which the method's numbers are put back."""
        sums = method.reduce(present, [[gradient]])
        numbers = [method.numbers.state, method.numbers.futures, *method.extras()]
        before = [number.clone() for number in numbers]
        method.update(plan, present, sums, Given(self.losses, gains, []))
        for number, kept in zip(numbers, before):
            number.copy_(kept)
        self._sums[present.positions[0]] = sums.matrix

    def together(self, present: Present) -> Sums:
        """The sums of all of them, of which there is nothing left to move."""
        rows = max(len(matrix) for matrix in self._sums.values())
        matrix = torch.cat([_widened(self._sums[position], rows) for position in present.positions], 1)
        # What is not finite was left alone by itself; where nothing is, the measurement is missing.
        finite = matrix.isfinite().all(0)
        return Sums(torch.where(finite | ~finite.any(), matrix, 0.0), [])


def _widened(matrix: Tensor, rows: int) -> Tensor:
    """Of a tensor without decay there is |g|^2 alone: |h|^2 is the same, and |x|^2 is not measured."""
    if len(matrix) == rows:
        return matrix
    return torch.cat([matrix, matrix, torch.zeros_like(matrix)])
