"""The losses of steps, added up where they are: no step waits for a device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .errors import Diverged, Misuse


class Losses:
    """Sums the losses of an epoch and counts those in a row that are not finite."""

    def __init__(self, missing_limit: int, whole: bool = True) -> None:
        """``whole`` unless steps of the epoch were done that nobody saw here."""
        self._limit = missing_limit
        self._whole = whole
        self._sum: Tensor | float = 0.0
        self._steps = 0
        self._missing: Tensor | float = 0.0

    def add(self, loss: Tensor | float) -> Tensor | float:
        """Takes the loss of a step, or those of its samples, and returns their mean."""
        if not isinstance(loss, Tensor):
            return self._add_number(loss)
        if loss.numel() == 0:
            raise Misuse("the loss of a step has no elements; give a number, or the losses of the samples")
        mean = loss.detach().float().mean()
        finite = torch.isfinite(mean)
        self._missing = torch.where(finite, 0.0, self._missing + 1.0)
        self._sum = self._sum + mean
        self._steps += 1
        return mean

    def _add_number(self, loss: float) -> float:
        try:
            loss = float(loss)
        except (TypeError, ValueError):
            raise Misuse(f"the loss of a step is {loss!r}; give a number, or the losses of the samples") from None
        finite = math.isfinite(loss)
        self._missing = 0.0 if finite else self._missing + 1.0
        self._sum = self._sum + loss
        self._steps += 1
        return loss

    def check(self, step: int) -> None:
        """Asks how many losses in a row were not finite. Reads back from a device.

        Raises:
            Diverged: if they have come to the limit.
        """
        missing = int(self._missing)
        if missing >= self._limit:
            raise Diverged(
                f"the loss has not been a finite number for {missing} steps, up to step {step}: training has diverged. Try "
                "a lower learning rate, a warm-up, or another seed"
            )

    @property
    def is_missing(self) -> bool:
        """Whether the last loss was not finite."""
        return float(self._missing) > 0.0

    def mean(self) -> float | None:
        """Mean of the losses since the epoch's beginning; ``None`` if not all were seen, or there was no step."""
        return float(self._sum) / self._steps if self._steps and self._whole else None

    def clear(self) -> None:
        """Another epoch begins."""
        self._sum, self._steps, self._whole = 0.0, 0, True
