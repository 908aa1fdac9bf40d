"""Tables for the kernels: chunks of tensors, and where tensors lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from ..plan import Part
from ..rounding import place_of

BLOCK = 1024
"""Elements at a time."""
CHUNKS = 128
"""Chunks of a tensor at most: so few that one program adds up the sums of all of them."""


CAPTURES = 8
"""Graphs that can be captured of one optimizer's step."""


class Chunks:
    """The tensors of some parts, one column each, cut into chunks; ``among``: those of which they are a selection."""

    def __init__(self, parts: list[Part], device: torch.device, among: Chunks | None = None) -> None:
        columns: list[tuple[int, int, int, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self.parts: list[tuple[Part, int, int]] = []
        """Parts with their first chunk and the number of their chunks."""
        first, count = [], []
        tensor = 0
        for part in parts:
            begun = len(columns)
            for row in part.rows:
                parameter = row.parameter
                size = _chunk(parameter.numel())
                starts = range(0, parameter.numel(), size)
                first.append(len(columns))
                count.append(len(starts))
                for start in starts:
                    key = row.position, start
                    self._numbers[key] = len(columns)
                    number = (among or self)._numbers[key]
                    columns.append((tensor, start, min(start + size, parameter.numel()), number))
                tensor += 1
            self.parts.append((part, begun, len(columns) - begun))
        self.tensors, self.count = tensor, len(columns)
        self.table = torch.tensor(columns, dtype=torch.int64, device="cpu").reshape(-1, 4).T.contiguous().to(device)
        self.spans = torch.tensor([first, count], dtype=torch.int64, device=device)
        self.rows = [row for part in parts for row in part.rows]
        places = [[row.position for row in self.rows], [place_of(row) for row in self.rows]]
        self.places = torch.tensor(places, dtype=torch.int64, device=device)
        """Positions of the tensors among all, and by which places they draw."""


def _chunk(elements: int) -> int:
    """Elements in a chunk of a tensor."""
    return max(BLOCK, -(-elements // (CHUNKS * BLOCK)) * BLOCK)


class Addresses:
    """Where parameters, gradients and the method's vectors are: a row for each, a column for each tensor."""

    def __init__(
        self, parts: list[Part], slots: list[int], device: torch.device, *, with_gradients: bool = False
    ) -> None:
        rows = [[parameter.data_ptr() for part in parts for parameter in part.parameters]]
        rows.append([0] * len(rows[0]))
        for slot in range(3):
            stored = [vector for part in parts for vector in part.memory(slot)] if slot in slots else []
            rows.append([vector.data_ptr() for vector in stored] or [0] * len(rows[0]))
        self.aligned = all(address % 16 == 0 for row in rows for address in row)
        self.table = torch.tensor(rows, dtype=torch.int64, device=device)
        self._given: list[int] = []
        self._device = device
        self._rows = rows
        # Not to be made within a capture: a graph's memory is also that of what it computed before, in each replay.
        captures = CAPTURES if with_gradients and device.type == "cuda" else 0
        self._spare = [(self.table.cpu().pin_memory(), torch.empty_like(self.table)) for _ in range(captures)]
        self._aside = torch.cuda.Stream(device) if captures else None
        self._captured: list[tuple[Tensor, Tensor]] = []

    def of(self, gradients: list[Tensor]) -> tuple[Tensor, bool]:
        """The table with these gradients in it, and whether they begin where 16 bytes do."""
        given = list(map(Tensor.data_ptr, gradients))
        aligned = all(address % 16 == 0 for address in given)
        if self._device.type == "cuda" and torch.cuda.is_current_stream_capturing():
            return self._of_a_graph(given), aligned
        if given != self._given:
            # The host goes on: what is not pinned is copied before this returns.
            self.table[1].copy_(torch.tensor(given, dtype=torch.int64, device="cpu"), non_blocking=True)
            self._given = given
        return self.table, aligned

    def _of_a_graph(self, given: list[int]) -> Tensor:
        """A table of the graph's own, filled now and not by its replays: its gradients stay where they are."""
        if not self._spare:
            raise RuntimeError(
                f"a step was captured more than {CAPTURES} times with the same optimizer; make a new one, and load the "
                "state_dict() of this one into it"
            )
        host, table = self._spare.pop()
        self._captured.append((host, table))
        host.copy_(torch.tensor([self._rows[0], given, *self._rows[2:]], dtype=torch.int64, device="cpu"))
        with torch.cuda.stream(self._aside):
            table.copy_(host, non_blocking=True)
        return table
