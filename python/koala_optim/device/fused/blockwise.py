"""The kernels of KOALA-V and KOALA-M."""

from __future__ import annotations

import torch
from torch import Tensor

from ..blockwise import Blockwise, Momentum
from ..losses import Losses
from ..plan import Part, Plan, Present
from ..record import Record
from .kernels.blockwise import blockwise
from .kernels.gradient import displace, reduce
from .kernels.motion import advance
from .passes import UNFUSED, Launch, Passes, launch_over
from .tables import Addresses, Chunks


class BlockwisePasses(Passes):
    """KOALA-V in three launches, KOALA-M in four; in three where it stays at its prediction."""

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
        self._bare: Tensor | None = None

    def advance(self, plan: Plan) -> None:
        if self._momentum:
            self._make_room(plan)
            self._advance(plan, *self._planned(self.predicted(plan)))

    def predicted(self, plan: Plan) -> list[Part]:
        if not self._momentum:
            return []
        return plan.parts if self._average else plan.moving

    def _make_room(self, plan: Plan) -> None:
        """For what a prediction measures."""
        chunks, _ = self._planned(self.predicted(plan))
        bare = plan.bare if self._average else []
        if self._deviations.numel() <= chunks.count:
            self._deviations = torch.zeros(chunks.count + 1, dtype=torch.float64, device=self.method.device)
            self._bare = None
        self._deviating = chunks.count + bool(bare)
        if bare and plan.bare_norms(torch.float64) is not self._bare:
            # Their a is 0, and nothing is stored of them.
            self._bare = plan.bare_norms(torch.float64)
            self._deviations[chunks.count].copy_(self._bare.square().sum())

    def _moving(self, plan: Plan) -> Tensor:
        """Which tensors the last step left moving; frozen ones may be among them."""
        return plan.moves if self.method.moving is None else self.method.moving

    def _advance(self, plan: Plan, chunks: Chunks, addresses: Addresses) -> None:
        launch_over(
            advance,
            chunks,
            addresses,
            self._moving(plan),
            plan.moves,
            chunks.places,
            self._constants,
            self._deviations,
            self.method.numbers.state,
            self._seed,
            AVERAGE=self._average,
            SCATTERS=self._scatters,
            **UNFUSED,
        )

    def settle(self) -> None:
        if self._average:
            assert isinstance(self.method, Momentum)
            squared = self._deviations[: self._deviating].sum()
            self.method.set_deviation(squared if self._average == 2 else squared.sqrt())

    def step(
        self,
        plan: Plan,
        present: Present,
        launch: Launch,
        losses: Losses,
        found: Tensor | None,
        record: Record,
        stays: bool,
    ) -> None:
        of, numbers = launch.of, self.method.numbers
        launch(reduce, of.traits, of.partials, DECAY=of.decay)
        stands, sums = self.method.moving, (3 if of.decay else 1) * present.count
        extras = [] if stands is None else [len(stands)]
        vector = record.room([len(numbers.names), *extras, len(self._gains), 1, 1, 1, sums, 1])
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
            self._moving(plan),
            present.count,
            of.partials.shape[1],
            len(plan.rows),
            self._deviating,
            losses.count,
            int(self._pending),
            MOMENTUM=self._momentum,
            AVERAGE=self._average,
            DECAY=of.decay,
            SPLIT=of.apart,
            SHRINKS=of.shrinks,
            WHOLE=self.method.whole,
            COASTS=stands is None,
            FOUND=found is not None,
            **self._common,
        )
        stays = stays and self._momentum
        if stays:
            # Not before: the kernel above has read what the last prediction measured.
            self._make_room(plan)
        launch(
            displace,
            of.traits,
            of.table,
            self._moving(plan),
            plan.moves,
            of.chunks.places,
            self._constants,
            self._deviations,
            numbers.state,
            self._seed,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            MOMENTUM=self._momentum,
            AVERAGE=self._average,
            STAYS=stays,
            SCATTERS=self._scatters,
            **UNFUSED,
        )
        if stays:
            self._advance(plan, *self._left(plan, present, "predicted"))
