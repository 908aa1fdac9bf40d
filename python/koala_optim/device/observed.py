"""What is observed for a filter on a device: checked as elsewhere, and summed in the fewest launches."""

from __future__ import annotations

import torch
from torch import Tensor

from ..observation import Observation
from .losses import Losses


class Observed(Observation):
    """The losses observed since the last step; of one minibatch in one piece, their mean and their norm."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype
        self._parts: list[tuple[Tensor, Tensor, int]] = []

    def _add_each(self, losses: Tensor) -> None:
        mean = losses.mean(dtype=self._dtype)
        self._parts.append((mean, torch.linalg.vector_norm(losses, dtype=self._dtype), losses.numel()))

    def sums(self) -> list[Tensor | float]:
        """As those of any observation."""
        total, squares, count = super().sums()
        for mean, norm, samples in self._parts:
            total, squares = total + mean * samples, squares + norm.square()
        return [total, squares, count]

    def whole(self) -> Losses | None:
        """The minibatch, if it was observed in one piece of single losses."""
        if len(self._parts) != 1 or self._parts[0][2] != self.count:
            return None
        return Losses(*self._parts[0], implied=True)


def losses_of(observation: Observation, device: torch.device, dtype: torch.dtype) -> Losses:
    """The minibatch that was observed."""
    whole = observation.whole() if isinstance(observation, Observed) else None
    if whole is not None and whole.loss.device == device:
        return whole
    total, squares, _ = (
        number.to(device, dtype) if isinstance(number, Tensor) else torch.full((), number, dtype=dtype, device=device)
        for number in observation.sums()
    )
    count = observation.count
    return Losses(total / count, squares.sqrt(), count, implied=False)
