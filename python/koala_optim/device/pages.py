"""Tensors of any shapes in the rows of one matrix, so that a number that each of them has for itself is a column.

Foreach operations multiply each tensor by a number of its own in one launch only if the numbers are on the host. Numbers
that stay on the device reach the rows of a matrix by one index and one product, however many tensors there are.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from ..rows import is_dense

WIDTH = 512
"""Elements in a row: few enough that small tensors waste little, many enough that a row's number costs nothing."""


class Pages:
    """Where tensors of one device lie in such a matrix."""

    def __init__(self, tensors: list[Tensor], dtype: torch.dtype) -> None:
        rows = [-(-tensor.numel() // WIDTH) for tensor in tensors]
        starts = [0, *accumulate(rows)]
        device = tensors[0].device
        self.dtype = dtype
        self.rows = starts[-1]
        self.lengths = torch.tensor(rows, dtype=torch.int64, device=device)
        owners = [at for at, count in enumerate(rows) for _ in range(count)]
        self.owners = torch.tensor(owners, dtype=torch.int64, device=device)
        # An empty tensor has no row to begin at.
        places = [start * WIDTH if count else 0 for start, count in zip(starts, rows)]
        self._places = [(tensor.shape, _strides(tensor), place) for tensor, place in zip(tensors, places)]
        ends = [start - 1 for start, tensor in zip(starts[1:], tensors) if tensor.numel() % WIDTH]
        self._ends = torch.tensor(ends, dtype=torch.int64, device=device) if ends else None
        self._device = device

    @cached_property
    def none(self) -> Tensor:
        """Sums over rows that are all zero."""
        return torch.zeros(self.rows, dtype=self.dtype, device=self._device)

    def views(self, matrix: Tensor) -> list[Tensor]:
        """The parts of a matrix that are the tensors, in their shapes and the order of their elements."""
        start = matrix.storage_offset()
        return [matrix.as_strided(shape, strides, start + place) for shape, strides, place in self._places]

    def gather(self, tensors: list[Tensor], *, padded: bool = True) -> Tensor:
        """The tensors as a matrix. ``padded``: with zeros behind each tensor's end, for sums over rows."""
        matrix = torch.empty(self.rows, WIDTH, dtype=self.dtype, device=self._device)
        if padded and self._ends is not None:
            # The other rows are written to their ends.
            matrix.index_fill_(0, self._ends, 0.0)
        torch._foreach_copy_(self.views(matrix), tensors)
        return matrix

    def column(self, numbers: Tensor) -> Tensor:
        """Numbers, one a tensor in the last dimension, as one a row; in the type of the matrix."""
        return numbers.to(self.dtype).index_select(-1, self.owners).unsqueeze(-1)

    def sums(self, rows: list[Tensor], dtype: torch.dtype) -> Tensor:
        """From sums over rows those over the tensors, in a wider type. The order of adding up is always the same."""
        of_rows = torch.stack(rows).T.to(dtype, memory_format=torch.contiguous_format).contiguous()
        return torch.segment_reduce(of_rows, "sum", lengths=self.lengths, unsafe=True, initial=0.0).T


# Sums over a row stay in the type of the matrix: of so few numbers they lose less than their products have lost.


def squares(matrix: Tensor) -> Tensor:
    """The sums over the rows of the squares, read in one pass."""
    norms: Tensor = torch.linalg.vector_norm(matrix, dim=1)
    return norms.square_()


def dots(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """The sums over the rows of the products, which are left in ``out``."""
    return torch.mul(left, right, out=out).sum(1)


def _strides(tensor: Tensor) -> tuple[int, ...]:
    """Those of the tensor if there are no gaps in it, so that copies run straight through memory."""
    if is_dense(tensor):
        return tuple(tensor.stride())
    strides = [1]
    for extent in reversed(tensor.shape[1:]):
        strides.append(strides[-1] * max(extent, 1))
    return tuple(reversed(strides))[: tensor.dim()]
