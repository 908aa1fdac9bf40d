"""Sums of tensors that processes hold parts of: between two kernels, by one all-reduce of one vector."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from ...rows import Row
from ..exchange import Shares
from .kernels.filter import fold


@dataclass(frozen=True)
class Partials:
    """Where kernels leave sums of some tensors: a row for each sum, a column for each chunk."""

    tensors: list[Row]
    spans: Tensor
    """Which chunks each tensor has."""
    rows: int = 1
    """How many of the sums are asked for."""


class Together:
    """The sums of the whole tensors, one of each, row by row. Behind the last is room for a number that all processes know."""

    def __init__(self, device: torch.device, *pieces: Partials) -> None:
        self._pieces = pieces
        *self._starts, size = accumulate((piece.rows * len(piece.tensors) for piece in pieces), initial=0)
        self._vector = torch.zeros(size + 1, dtype=torch.float64, device=device)
        self._sums, self._room = self._vector[:-1], self._vector[-1:]
        self._shares = Shares([row for piece in pieces for _ in range(piece.rows) for row in piece.tensors])

    def add_up(self, *partials: Tensor, known: Tensor | None = None) -> list[Tensor]:
        """The sums of each piece, with whatever follows; ``partials``: what the kernels have left of it."""
        for piece, start, found in zip(self._pieces, self._starts, partials):
            fold[(piece.rows,)](found, piece.spans, self._vector[start:], len(piece.tensors), found.shape[-1])
        everyone = self._shares.add_up(self._sums)
        if everyone is not self._sums:
            self._sums.copy_(everyone)
        if known is not None:
            self._room.copy_(known)
        return [self._vector[start:] for start in self._starts]
