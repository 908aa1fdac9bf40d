"""The engine for CPU tensors: Rust, in place, through DLPack, without the interpreter's lock."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch.autograd.graph import increment_version
from torch.utils.dlpack import to_dlpack

from ._native import SLOTS, Filter, Measured
from ._native import Lent as Tensors
from .rows import Part, Row, as_dense_as

_PARAMETER, _GRADIENT = attrgetter("parameter"), attrgetter("gradient")


@dataclass(slots=True)
class Lent:
    """Rows whose memory Rust sees; it stays where it is for as long as this is kept."""

    rows: list[Row]
    tensors: Tensors
    gradients: bool
    """Whether all rows have one."""


def lend(rows: list[Row], gradients: bool = False) -> Lent:
    """The rows for the passes below, with their gradients if they are wanted: all rows have one then.

    Once for all passes of a step, and but for the gradients for as many steps as the rows are the same, since making the
    capsules is what costs a small network most.
    """

    tensors = rows.kept if isinstance(rows, Part) else None
    if tensors is None:
        tensors = _standing(rows)
        if isinstance(rows, Part):
            rows.kept = tensors
    if gradients:
        given = list(map(_GRADIENT, rows))
        try:
            tensors = tensors.with_gradients(list(map(to_dlpack, given)))
        except (TypeError, ValueError):
            # Most lie as their parameters do; others are copied, and what is wrong with them then is an error.
            given = [as_dense_as(row.parameter, gradient) for row, gradient in zip(rows, given)]
            tensors = tensors.with_gradients(list(map(to_dlpack, given)))
    return Lent(rows, tensors, gradients)


def _standing(rows: list[Row]) -> Tensors:
    def memory(slot: int) -> list[Any]:
        stored = rows and rows[0].memory and rows[0].memory[slot] is not None
        return [to_dlpack(row.memory[slot]) for row in rows] if stored else []

    return Tensors(
        [row.position for row in rows],
        [to_dlpack(row.parameter) for row in rows],
        [memory(slot) for slot in range(SLOTS)],
    )


def advance(filter: Filter, lent: Lent) -> list[float]:
    """Predict: moves parameters and velocities; returns the squared deviation of each row."""
    frozen = [row.position for row in lent.rows if row.frozen]
    deviations = filter.advance(lent.tensors, frozen, torch.get_num_threads())
    # Autograd does not see what Rust writes: told, it refuses a backward through values that are no longer there.
    moved = [row.parameter for row in lent.rows if not row.frozen and filter.moves(row.position)]
    increment_version(moved)
    return deviations


def reduce(filter: Filter, lent: Lent) -> list[list[float] | None]:
    """The sums of each row, lent with its gradient, in the first reading."""
    return filter.reduce(lent.tensors, torch.get_num_threads())


def weigh(filter: Filter, lent: Lent, floor: float, first: list[list[float] | None]) -> list[list[float] | None]:
    """The sums of each row in the metric with this floor, of rows for which the first reading does not settle them."""
    return filter.weigh(lent.tensors, floor, first, torch.get_num_threads())


def measure(filter: Filter, lent: Lent) -> Measured:
    """All sums of an update, of rows that are all that has a gradient."""
    return filter.measure(lent.tensors, torch.get_num_threads())


def displace(filter: Filter, lent: Lent) -> None:
    """Update: does the filter's steps."""
    filter.displace(lent.tensors, torch.get_num_threads())
    # A row without a gradient was moved if a prediction was joined with a missing measurement.
    moved = lent.rows if lent.gradients else [row for row in lent.rows if _predicted(filter, row)]
    increment_version(list(map(_PARAMETER, moved)))


def _predicted(filter: Filter, row: Row) -> bool:
    """Whether a prediction is part of the row's step."""
    step = filter.tensor_step(row.position)
    return step is not None and step["prediction"] is not None
