"""The sums of an update over all parameters: by both engines, in one reading or, with a metric, in two; until they go to the
filter."""

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
from ._native import Measured as Sums
from .distributed import Number, ProcessGroups, largest_over
from .readback import Readback
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


class Taken:
    """Sums that were taken in Rust, and stay there."""

    def __init__(self, sums: Sums) -> None:
        self.statistics = sums
        """For the filter's update."""

    def complete(self, numbers: list[list[float]]) -> None:
        """Nothing is still to come."""

    def finite(self) -> bool:
        """Whether all of them are."""
        return self.statistics.finite()


class Shared:
    """Sums of which some are on devices or in other processes still, until the step's numbers have been read."""

    def __init__(self, measured: Measured, parameters: int, readback: Readback) -> None:
        self.statistics: list[list[float] | None] = [None] * parameters
        """One a parameter, ``None`` without a gradient: for the filter's update."""
        shared: dict[int, tuple[list[Number], ProcessGroups]] = {}
        for position, found in measured.sums.items():
            over = measured.over[position]
            # An engine that leaves some on a device leaves |g|^2 there.
            if over or type(found[0]) is not float:
                shared[position] = found, over
            else:
                self.statistics[position] = found  # type: ignore[assignment]
        # By position: which engine a part goes to need not be the same in all processes.
        self._places = {position: readback.add(*shared[position]) for position in sorted(shared)}
        self._largest = readback.add([] if measured.largest is None else [measured.largest])

    def complete(self, numbers: list[list[float]]) -> None:
        """Takes what was read."""
        for position, place in self._places.items():
            self.statistics[position] = numbers[place]
        for number in numbers[self._largest]:
            for sums in self.statistics:
                if sums is not None:
                    sums[LARGEST] = number

    def finite(self) -> bool:
        """Whether all of them are, once they are complete."""
        return all(math.isfinite(number) for sums in self.statistics if sums for number in sums)


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
