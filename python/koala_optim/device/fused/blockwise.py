"""The kernels of KOALA-V and KOALA-M."""

from __future__ import annotations

import torch
from torch import Tensor

from ..blockwise import Blockwise, Momentum
from ..losses import Losses
from ..plan import Plan, Present
from ..record import Record
from .kernels.blockwise import blockwise
from .kernels.gradient import displace, reduce
from .kernels.motion import advance
from .passes import Launch, Passes, launch_over


class BlockwisePasses(Passes):
    """KOALA-V in three launches, KOALA-M in four."""

    method: Blockwise

    def __init__(self, method: Blockwise, gains: Tensor) -> None:
        super().__init__(method, gains)
        self._momentum = isinstance(method, Momentum)
        self._average = 0
        if isinstance(method, Momentum):
            self._average = 2 if method.is_paper else int(method.follows)
            self.slots = (0, 1) if self._average else (0,)
        self._deviations = torch.zeros(1, dtype=torch.float64, device=method.device)
        self._deviating = 0

    def advance(self, plan: Plan) -> None:
        if not self._momentum:
            return
        parts = plan.parts if self._average else plan.moving
        chunks, addresses = self._planned(parts)
        if self._deviations.numel() <= chunks.count:
            self._deviations = torch.zeros(chunks.count + 1, dtype=torch.float64, device=self.method.device)
        self._deviating = chunks.count
        if self._average and plan.standing:
            # Behind those of the chunks.
            self._deviations[chunks.count].copy_(plan.standing_deviation(torch.float64)[0].square())
            self._deviating += 1
        launch_over(
            advance,
            chunks,
            addresses,
            plan.moves,
            chunks.places,
            self._constants,
            self._deviations,
            AVERAGE=self._average,
        )

    def settle(self) -> None:
        if self._average:
            assert isinstance(self.method, Momentum)
            squared = self._deviations[: self._deviating].sum()
            self.method.set_deviation(squared if self._average == 2 else squared.sqrt())

    def step(
        self, plan: Plan, present: Present, launch: Launch, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        of, numbers = launch.of, self.method.numbers
        launch(reduce, of.traits, of.partials, DECAY=of.decay)
        vector = record.room([len(numbers.names), len(self._gains), 1, 1, 1, (3 if of.decay else 1) * present.count, 1])
        blockwise[(1,)](
            of.partials,
            self._deviations,
            of.spans,
            of.traits,
            numbers.state,
            numbers.transition,
            numbers.futures,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            vector,
            of.table,
            present.count,
            of.partials.shape[1],
            self._deviating,
            losses.count,
            int(self._pending),
            MOMENTUM=self._momentum,
            AVERAGE=self._average,
            DECAY=of.decay,
            SPLIT=of.apart,
            SHRINKS=of.shrinks,
            WHOLE=self.method.whole,
            FOUND=found is not None,
            **self._common,
        )
        launch(
            displace,
            of.traits,
            of.table,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            MOMENTUM=self._momentum,
            AVERAGE=self._average == 1,
        )
