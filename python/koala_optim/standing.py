"""Parameters for which nothing is stored, since they were never trained: what the filter has to know of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._native import Filter
from .distributed import Number
from .rows import Row


class Standing:
    """The deviations of parameters that stand still. Found once, they cost a step nothing."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, Number]] = {}

    def deviation(self, filter: Filter, engine: Any, row: Row) -> Number:
        """|a - x|^2 of the row, whose running mean a has taken nothing up and is 0: to the bit what the engine makes of it."""
        mark = _mark(row.parameter)
        found = self._found.get(row.position)
        if found is None or found[0] != mark:
            zeros = [torch.zeros_like(row.parameter), torch.zeros_like(row.parameter), None]
            lent = engine.lend([Row(row.position, row.parameter, None, zeros, frozen=True)])
            found = self._found[row.position] = mark, engine.advance(filter, lent)[0]
        return found[1]


def _mark(tensor: Tensor) -> Any:
    """Changes whenever the values do, as far as PyTorch knows."""
    version = 0 if tensor.is_inference() else tensor._version
    return tensor.device, 0 if tensor.is_meta else tensor.data_ptr(), tensor.shape, version
