"""What a step has left on the device, to be read when somebody looks: the filter itself repeats the step for its report."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .._native import Filter
from .method import Method
from .plan import Present


@dataclass
class Record:
    """The last step over one set of tensors, in memory that every such step, also of a captured graph, writes anew."""

    present: Present
    device: torch.device
    vector: Tensor | None = None
    sizes: list[int] = field(default_factory=list)
    counts: dict[int, Tensor] = field(default_factory=dict)

    def write(self, pieces: list[Tensor], count: int) -> None:
        """Keeps the numbers of a step: one launch."""
        if count not in self.counts:
            self.counts[count] = torch.full((1,), float(count), dtype=pieces[0].dtype, device=pieces[0].device)
        flat = [piece.reshape(-1) for piece in (*pieces, self.counts[count])]
        if self.vector is None:
            self.sizes = [len(piece) for piece in flat]
            self.vector = torch.cat(flat)
        else:
            torch.cat(flat, out=self.vector)

    def room(self, sizes: list[int]) -> Tensor:
        """Where a kernel writes the numbers of a step: pieces of these sizes."""
        if self.vector is None:
            self.sizes = sizes
            self.vector = torch.zeros(sum(sizes), dtype=torch.float64, device=self.device)
        return self.vector

    def read(self) -> list[list[float]]:
        """The pieces: waits for the device."""
        assert self.vector is not None
        return [piece.tolist() for piece in self.vector.cpu().split(self.sizes)]


def settled(method: Method, filter: Filter, gains: Tensor, *, predicted: bool) -> Filter:
    """The filter as it is on the device: waits for it."""
    numbers = method.numbers.futures[0] if predicted else method.numbers.state
    pieces = [numbers, *method.extras(), gains]
    flat = torch.cat([piece.reshape(-1) for piece in pieces]).cpu()
    found, *extras, of_groups = (piece.tolist() for piece in flat.split([piece.numel() for piece in pieces]))
    return _filter(method, filter, found, extras, of_groups, predicted=predicted)


def repeated(method: Method, filter: Filter, record: Record, elements: int) -> Filter:
    """The filter after it has done the recorded step again, from the same numbers: with its report."""
    before, *extras, of_groups, (loss,), (norm,), (overflow,), matrix, (count,) = record.read()
    found = _filter(method, filter, before, extras, of_groups, predicted=True)
    columns = max(record.present.count, 1)
    rows = [matrix[at : at + columns] for at in range(0, len(matrix), columns)]
    statistics: list[list[float] | None] = [None] * elements
    for position, sums in zip(record.present.positions, method.statistics(rows)):
        statistics[position] = sums
    total = float("nan") if overflow else loss * count
    found.update(statistics, total, norm * norm, round(count))
    return found


def _filter(
    method: Method,
    filter: Filter,
    numbers: list[float],
    extras: list[list[float]],
    gains: list[float],
    *,
    predicted: bool,
) -> Filter:
    stored: dict[str, Any] = json.loads(filter.state())
    method.put_back(stored, dict(zip(method.numbers.names, numbers)))
    method.put_back_extras(stored, extras)
    stored["phase"] = "predicted" if predicted else "updated"
    for group, gain in zip(stored["layout"]["groups"], gains):
        group["gain"] = -gain
    return Filter.from_state(json.dumps(stored))
