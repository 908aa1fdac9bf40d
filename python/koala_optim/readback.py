"""The numbers of a step: exchanged with the processes that share them, and fetched from their devices together."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from .distributed import Number, ProcessGroups, gathered, sum_over

# Where a number belongs: the section, and the place in it.
_Slot = tuple[int, int]


class Readback:
    """Collects numbers, and reads them all with one transfer for each device that holds some of them.

    Processes must add the same sections in the same order: :meth:`read` communicates.
    """

    def __init__(self) -> None:
        self._sections: list[list[Number]] = []
        self._summed: dict[ProcessGroups, list[int]] = defaultdict(list)
        self._gathered: list[tuple[ProcessGroups, int]] = []

    def add(self, values: list[Number], over: ProcessGroups = ()) -> int:
        """Adds numbers that are to be summed ``over`` process groups; returns where :meth:`read` gives them."""
        self._sections.append(values)
        at = len(self._sections) - 1
        if over and values:
            self._summed[over].append(at)
        return at

    def gather(self, values: list[Number], over: ProcessGroups = ()) -> int:
        """Adds numbers that are wanted of all processes: :meth:`read` gives one process's after the other."""
        self._sections.append(values)
        at = len(self._sections) - 1
        if over:
            self._gathered.append((over, at))
        return at

    def read(self) -> list[list[float]]:
        """The numbers of every section, in order."""
        found: dict[torch.device, list[tuple[Tensor, list[_Slot]]]] = defaultdict(list)
        results: list[list[float]] = [[0.0] * len(values) for values in self._sections]
        exchanged: set[int] = set()
        # Dictionaries keep the order in which sections were added: all processes sum in the same order.
        for over, places in self._summed.items():
            vector = sum_over(over, [value for at in places for value in self._sections[at]])
            slots = [(at, place) for at in places for place in range(len(self._sections[at]))]
            found[vector.device].append((vector, slots))
            exchanged.update(places)
        for over, at in self._gathered:
            vector = gathered(over, self._sections[at])
            results[at] = [0.0] * len(vector)
            found[vector.device].append((vector, [(at, place) for place in range(len(vector))]))
            exchanged.add(at)
        local: dict[torch.device, list[tuple[Tensor, _Slot]]] = defaultdict(list)
        for at, values in enumerate(self._sections):
            if at in exchanged:
                continue
            for place, value in enumerate(values):
                if isinstance(value, Tensor):
                    local[value.device].append((value, (at, place)))
                else:
                    results[at][place] = value
        for device, held in local.items():
            found[device].append((torch.stack([_wide(value) for value, _ in held]), [slot for _, slot in held]))
        for vectors in found.values():
            numbers = torch.cat([vector for vector, _ in vectors]).tolist()
            for (at, place), number in zip((slot for _, slots in vectors for slot in slots), numbers):
                results[at][place] = number
        return results


def _wide(number: Tensor) -> Tensor:
    return number.float() if number.device.type == "mps" else number.double()
