"""What processes tell each other in a step, where the numbers are: by collectives that the device waits for, not the host."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from ..collectives import all_gather, all_reduce
from ..distributed import ProcessGroups, check_same
from ..observation import Observation
from ..rows import Row
from .losses import Losses

# 48 bits, which a float64 holds exactly.
_DIGEST = 2**48 - 1


class Exchange:
    """The losses of all processes, and marks by which they see that their filters are the same."""

    def __init__(self, check_every: int, device: torch.device, dtype: torch.dtype) -> None:
        self._check_every = torch.full((), float(check_every), dtype=dtype, device=device)
        self._device, self._dtype = device, dtype
        self._counts: dict[int, Tensor] = {}
        self._weights = torch.zeros(0, dtype=torch.int64, device=device)
        self._marks: tuple[ProcessGroups, Tensor] | None = None
        self.drift = torch.zeros((), dtype=dtype, device=device)
        """Not 0 if the marks of the last step differ."""

    def __call__(
        self, over: ProcessGroups, observation: Observation, overflow: Tensor, step: Tensor, state: list[Tensor]
    ) -> tuple[Losses, Tensor]:
        """The whole minibatch, and how many processes found an overflow. ``state`` is what is to be the same on all."""
        (group,) = over
        total, squares, _ = (
            number if isinstance(number, Tensor) else torch.full((), number, dtype=self._dtype, device=self._device)
            for number in observation.sums()
        )
        count = self._count(observation.count)
        told = [total, squares, count, overflow, step, self._check_every, self._digest(state)]
        mine = torch.stack([number.to(self._device, self._dtype) for number in told])
        everyone = mine.new_empty(dist.get_world_size(group), len(told))
        all_gather(list(everyone.unbind()), mine, group)
        total, squares, count, overflow = everyone[:, :4].sum(0).unbind()
        marks = everyone[:, 4:]
        self.drift.copy_((marks != marks[0]).any())
        self._marks = over, marks
        # As one loss of this mean and this norm.
        return Losses(total / count, (squares / count).sqrt(), 1, implied=False), overflow

    def check(self) -> None:
        """Compares the marks of the last step: waits for the device.

        Raises:
            ReplicaDrift: on every process, naming those that differ from most.
        """
        if self._marks is not None:
            over, marks = self._marks
            check_same(over, [tuple(row) for row in marks.tolist()])

    def _count(self, count: int) -> Tensor:
        if count not in self._counts:
            self._counts[count] = torch.full((), float(count), dtype=self._dtype, device=self._device)
        return self._counts[count]

    def _digest(self, state: list[Tensor]) -> Tensor:
        bits = torch.cat([piece.reshape(-1) for piece in state]).view(torch.int64)
        if len(self._weights) != len(bits):
            # Large and odd, so that a difference of any bit reaches the upper ones; overflow is part of it.
            odd = [2 * ((0x9E3779B97F4A7C15 * (at + 1)) % 2**62) + 1 for at in range(len(bits))]
            self._weights = torch.tensor([x - 2**63 for x in odd], dtype=torch.int64, device=self._device)
        return (bits * self._weights).sum().bitwise_right_shift(16).bitwise_and(_DIGEST)


class Shares:
    """Sums of tensors that are spread over processes, one a column: added up over the processes that hold their parts."""

    def __init__(self, rows: list[Row]) -> None:
        columns: dict[ProcessGroups, list[int]] = {}
        for at, row in enumerate(rows):
            if row.over:
                columns.setdefault(row.over, []).append(at)
        device = rows[0].parameter.device if rows else None
        self._columns = [
            (over, None if len(chosen) == len(rows) else torch.tensor(chosen, device=device))
            for over, chosen in columns.items()
        ]

    def __bool__(self) -> bool:
        return bool(self._columns)

    def add_up(self, sums: Tensor) -> Tensor:
        """The sums of the whole tensors."""
        for over, chosen in self._columns:
            part = sums.contiguous() if chosen is None else sums.index_select(-1, chosen)
            for group in over:
                all_reduce(part, group)
            sums = part if chosen is None else sums.index_copy(-1, chosen, part)
        return sums

    def largest(self, number: Tensor) -> Tensor:
        """The largest of all processes."""
        for over, _ in self._columns:
            for group in over:
                number = number.clone()
                all_reduce(number, group, dist.ReduceOp.MAX)
        return number
