"""What is observed of a minibatch: the sums of its losses and of their squares, and their number."""

from __future__ import annotations

import numbers

import torch
from torch import Tensor


class Observation:
    """The losses observed since the last step. Sums stay on the losses' device until they are read back."""

    def __init__(self) -> None:
        self.lean: torch.dtype | None = None
        """While the filter is on a device: the type of its numbers. Losses are then summed in the fewest launches."""
        self._parts: list[tuple[Tensor, Tensor, int]] = []
        self._sums: list[Tensor] = []
        self._sum = 0.0
        self._sum_of_squares = 0.0
        self.count = 0

    def clear(self) -> None:
        """Forgets all of it, in place: see :class:`koala_optim.progress.Progress`."""
        self.go_back(Observation())

    def copy(self) -> Observation:
        """What was observed so far, unchanged by what is added later."""
        same = Observation()
        same.go_back(self)
        return same

    def go_back(self, before: Observation) -> None:
        """Becomes what it was before."""
        self._sums, self._sum, self._sum_of_squares = list(before._sums), before._sum, before._sum_of_squares
        self._parts, self.count = list(before._parts), before.count

    def add(self, losses: Tensor | float, mean_square: Tensor | float | None, count: int | None) -> None:
        """Adds a micro-batch: per-sample losses, or their mean (with mean square and count, where known).

        Raises:
            TypeError: if the losses are not real floating-point numbers.
            ValueError: if there is none, or mean square or count cannot be.
        """
        losses = _real("losses", losses)
        if mean_square is None and count is None and isinstance(losses, Tensor) and losses.numel() != 1:
            if losses.numel() == 0:
                raise ValueError("observe: no loss among the losses; pass one loss for each sample of the minibatch")
            self._add_each(losses)
            self.count += losses.numel()
            return
        if isinstance(losses, Tensor) and losses.numel() != 1:
            raise ValueError(
                f"observe: mean_square and count describe one mean, but {losses.numel()} losses were given; "
                "leave them out with per-sample losses"
            )
        samples = 1 if count is None else count
        if not isinstance(samples, numbers.Integral) or isinstance(samples, bool) or samples < 1:
            raise ValueError(f"observe: count is {count!r}: must be a whole number, at least 1")
        mean = _scalar(losses)
        square = mean * mean if mean_square is None else _scalar(_real("mean_square", mean_square))
        if isinstance(mean, Tensor) or isinstance(square, Tensor):
            like = mean if isinstance(mean, Tensor) else square
            both = [torch.as_tensor(value, dtype=like.dtype, device=like.device) for value in (mean, square)]
            self._sums.append(torch.stack(both) * int(samples))
        else:
            if square < 0.0:
                raise ValueError(f"observe: mean_square is {square}: must not be negative")
            self._sum += mean * samples
            self._sum_of_squares += square * samples
        self.count += int(samples)

    def _add_each(self, losses: Tensor) -> None:
        if self.lean is not None:
            mean, norm = losses.mean(dtype=self.lean), torch.linalg.vector_norm(losses, dtype=self.lean)
            self._parts.append((mean, norm, losses.numel()))
            return
        wide = _wide(losses)
        self._sums.append(torch.stack([wide.sum(), wide.square().sum()]))

    def whole(self) -> tuple[Tensor, Tensor, int] | None:
        """Mean, norm and number of the losses, if they were observed in one piece, summed leanly."""
        if len(self._parts) != 1 or self._parts[0][2] != self.count:
            return None
        return self._parts[0]

    def sums(self) -> list[Tensor | float]:
        """Of all that was observed: the sum of the losses, of their squares, and their number."""
        of_parts = [torch.stack([mean * samples, norm.square()]) for mean, norm, samples in self._parts]
        found = [*self._sums, *of_parts]
        if not found:
            return [self._sum, self._sum_of_squares, float(self.count)]
        device = found[0].device
        total, squares = torch.stack([sums.to(device) for sums in found]).sum(0).unbind()
        return [total + self._sum, squares + self._sum_of_squares, float(self.count)]


def _real(what: str, value: Tensor | float) -> Tensor | float:
    if isinstance(value, Tensor):
        if not value.is_floating_point():
            raise TypeError(f"observe: {what} of type {value.dtype}; expected floating-point numbers")
        value = value.detach()
        return value.full_tensor() if hasattr(value, "full_tensor") else value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    raise TypeError(
        f"observe: {what} is a {type(value).__name__}; expected a tensor of per-sample losses, or their mean"
    )


def _scalar(value: Tensor | float) -> Tensor | float:
    # Wide before anything is squared: the square of a float16 does not fit one.
    return _wide(value.reshape(())) if isinstance(value, Tensor) else value


def _wide(value: Tensor) -> Tensor:
    return value.float() if value.device.type == "mps" else value.double()
