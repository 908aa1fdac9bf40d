"""What is observed of a minibatch: the sums of its losses and of their squares, and their number."""

from __future__ import annotations

import numbers

import torch
from torch import Tensor


class Observation:
    """The losses observed since the last step. Sums stay on the losses' device until they are read back."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []
        self._sum = 0.0
        self._sum_of_squares = 0.0
        self.count = 0
        self._norms: list[tuple[Tensor, Tensor, int]] = []
        self._dtype: torch.dtype | None = None

    def sum_as(self, dtype: torch.dtype | None) -> None:
        """The type of the numbers of a filter that is on a device: single losses are then kept as their mean and their norm,
        which it takes in the fewest launches. ``None``: it is on the host. In place: see
        :class:`koala_optim.progress.Progress`."""
        self._dtype = dtype

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
        self.count, self._norms = before.count, list(before._norms)

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
        if self._dtype is not None:
            norm = torch.linalg.vector_norm(losses, dtype=self._dtype)
            self._norms.append((losses.mean(dtype=self._dtype), norm, losses.numel()))
            return
        wide = _wide(losses)
        total, squares = wide.sum(), wide.square().sum()
        if losses.is_cpu:
            # Nobody waits for these: fetched with other numbers they would cost more.
            self._sum += total.item()
            self._sum_of_squares += squares.item()
        else:
            self._sums.append(torch.stack([total, squares]))

    def sums(self) -> list[Tensor | float]:
        """Of all that was observed: the sum of the losses, of their squares, and their number."""
        total: Tensor | float = self._sum
        squares: Tensor | float = self._sum_of_squares
        if len(self._sums) == 1 and total == squares == 0.0:
            total, squares = self._sums[0].unbind()
        elif self._sums:
            device = self._sums[0].device
            of_losses, of_squares = torch.stack([sums.to(device) for sums in self._sums]).sum(0).unbind()
            total, squares = of_losses + total, of_squares + squares
        for mean, norm, samples in self._norms:
            if isinstance(total, Tensor):
                mean, norm = mean.to(total.device), norm.to(total.device)
            total, squares = mean * samples + total, norm.square() + squares
        return [total, squares, float(self.count)]

    def in_one_piece(self) -> tuple[Tensor, Tensor] | None:
        """Mean and norm of single losses that were observed in one piece for a filter on a device."""
        if len(self._norms) != 1 or self._norms[0][2] != self.count:
            return None
        return self._norms[0][:2]


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
