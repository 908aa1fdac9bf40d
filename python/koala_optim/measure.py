"""The sums of an update over all parameters: by both engines, in one reading or, with a metric, in two."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import native
from ._native import Filter
from .distributed import Number, ProcessGroups, largest_over
from .rows import Row

LARGEST = 3
"""Where the largest second moment stands among the sums of a method with a metric, followed by the sums in it."""


@dataclass(slots=True)
class Measured:
    """The sums, still where they were taken."""

    sums: dict[int, list[Number]]
    """By position; of parameters that are spread over processes, those of the parts here."""
    over: dict[int, ProcessGroups]
    """The processes over which the sums are to be added up."""
    largest: Number | None
    """The largest second moment of all parameters, on all processes; ``None`` if the method has no use for it."""


def measure(filter: Filter, lent: Sequence[tuple[Any, Sequence[Row], Any]]) -> Measured:
    """The sums of all parameters: ``lent`` has engines, rows, and the rows as they are lent to the engine.

    Reads nothing back, unless some parameters are on the CPU and some on a device: then one number, which both engines
    must know.
    """
    sums: dict[int, list[Number]] = {}
    over: dict[int, ProcessGroups] = {}
    readings = [(engine, part, memory, engine.reduce(filter, memory)) for engine, part, memory in lent]
    for _, part, _, first in readings:
        for row, found in zip(part, first):
            if found is not None:
                sums[row.position], over[row.position] = found, row.over
    factors = filter.floor()
    if factors is None:
        return Measured(sums, over, None)
    epsilon, least = factors
    largest = _largest(sums, over)
    if any(engine is native for engine, _, _ in lent):
        largest = float(largest)
    if isinstance(largest, Tensor):
        floor: Number = largest.sqrt() * epsilon + least
    else:
        floor = epsilon * math.sqrt(largest) + least
    # A floor that is not finite is of no use, and the measurement missing.
    if isinstance(floor, Tensor) or math.isfinite(floor):
        for engine, part, memory, first in readings:
            for row, found in zip(part, engine.weigh(filter, memory, floor, first)):
                if found is not None:
                    # Among these the largest is 0: it is one for all parameters, and no sum over processes.
                    sums[row.position][LARGEST:] = found
    return Measured(sums, over, largest)


def _largest(sums: dict[int, list[Number]], over: dict[int, ProcessGroups]) -> Number:
    if not any(over.values()):
        # In every step: by loops that are not Python's.
        alone = [sums[position][LARGEST] for position in sorted(sums)]
        if set(map(type, alone)) == {float}:
            return max(alone)
    # By position: the same order of exchanges on all processes.
    shared: dict[ProcessGroups, list[Number]] = defaultdict(list)
    for position in sorted(sums):
        shared[over[position]].append(sums[position][LARGEST])
    candidates = shared.pop((), [])
    candidates += [largest_over(groups, values) for groups, values in shared.items()]
    found = max((number for number in candidates if not isinstance(number, Tensor)), default=0.0)
    tensors = [number for number in candidates if isinstance(number, Tensor)]
    if not tensors:
        return found
    device = next((number.device for number in tensors if number.device.type != "cpu"), tensors[0].device)
    return torch.stack([number.to(device) for number in tensors]).max().clamp_min(found)
