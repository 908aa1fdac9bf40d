"""The engine for CPU tensors: Rust, in place, through DLPack, without the interpreter's lock."""

from __future__ import annotations

import torch
from torch.autograd.graph import increment_version
from torch.utils.dlpack import to_dlpack

from ._native import Filter
from .rows import Row, as_dense_as


def advance(filter: Filter, rows: list[Row]) -> list[float]:
    """Predict: moves parameters and velocities; returns the squared deviation of each row."""
    frozen = [row.position for row in rows if row.frozen]
    deviations = filter.advance(_lent(rows), frozen, torch.get_num_threads())
    # Autograd does not see what Rust writes: told, it refuses a backward through values that are no longer there.
    increment_version([row.parameter for row in rows if not row.frozen])
    return deviations


def reduce(filter: Filter, rows: list[Row]) -> list[list[float] | None]:
    """The sums of each row; all rows have a gradient."""
    return filter.reduce(_lent(rows, gradients=True), torch.get_num_threads())


def displace(filter: Filter, rows: list[Row]) -> None:
    """Update: does the filter's steps."""
    filter.displace(_lent(rows, gradients=True), torch.get_num_threads())
    increment_version([row.parameter for row in rows])


def _lent(rows: list[Row], gradients: bool = False) -> dict[str, list]:
    vectors = len(rows[0].memory) if rows else 0

    def memory(index: int) -> list:
        return [to_dlpack(row.memory[index]) for row in rows] if index < vectors else []

    return {
        "positions": [row.position for row in rows],
        "parameters": [to_dlpack(row.parameter) for row in rows],
        "gradients": [to_dlpack(as_dense_as(row.parameter, row.gradient)) for row in rows] if gradients else [],
        "first": memory(0),
        "second": memory(1),
    }
