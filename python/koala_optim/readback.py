"""The numbers of a step: summed over the processes that share them, and fetched from their devices together."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeAlias

import torch
from torch import Tensor

from .distributed import ProcessGroups, sum_over

Number: TypeAlias = "Tensor | float"


class Readback:
    """Collects numbers, and reads them all with one transfer for each device that holds some of them."""

    def __init__(self) -> None:
        self._sections: list[tuple[list[Number], ProcessGroups]] = []

    def add(self, values: list[Number], over: ProcessGroups = ()) -> int:
        """Adds numbers that are to be summed ``over`` process groups; returns where :meth:`read` gives them."""
        self._sections.append((values, over))
        return len(self._sections) - 1

    def read(self) -> list[list[float]]:
        """The numbers of every :meth:`add`, in order."""
        shared: dict[ProcessGroups, list[int]] = defaultdict(list)
        for at, (values, over) in enumerate(self._sections):
            if over and values:
                shared[over].append(at)
        sections = [values for values, _ in self._sections]
        # Sorted, so that all processes sum in the same order.
        for over, places in sorted(shared.items(), key=lambda item: item[1]):
            summed = sum_over(over, [value for at in places for value in sections[at]])
            start = 0
            for at in places:
                sections[at] = list(summed[start : start + len(sections[at])].unbind())
                start += len(sections[at])
        flat = _fetched([value for values in sections for value in values])
        numbers = iter(flat)
        return [[next(numbers) for _ in values] for values in sections]


def _fetched(values: list[Number]) -> list[float]:
    numbers = [0.0 if isinstance(value, Tensor) else value for value in values]
    devices: dict[torch.device, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        if isinstance(value, Tensor):
            devices[value.device].append(at)
    for device, places in devices.items():
        wide = torch.float32 if device.type == "mps" else torch.float64
        fetched = torch.stack([torch.as_tensor(values[at]).to(wide) for at in places]).tolist()
        for at, number in zip(places, fetched):
            numbers[at] = number
    return numbers
