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
from .passes import UNFUSED, Launch, Passes, Tensors, launch_over
from .shares import Partials, Together
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
            plan.reshard()
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

    def foresee(self) -> None:
        if not self._momentum:
            return super().foresee()
        found, count = self._deviations, self._deviating
        if (chunks := self._spread()) is not None:
            together = Together(self.method.device, Partials(chunks.rows, chunks.spans))
            (found,), count = together.add_up(found, known=self._of_bare(chunks)), chunks.tensors + 1
        place = self.method.numbers.names.index("deviation")
        return self.launch_foresee(found, count, place, self._average)

    def _of_bare(self, chunks: Chunks) -> Tensor | None:
        """The squared deviation of tensors of which nothing is stored: that of whole ones."""
        return self._deviations[chunks.count : self._deviating] if self._deviating > chunks.count else None

    def _spread(self) -> Chunks | None:
        """How what a prediction measured lies in its sums, if they are those of parts."""
        if not self._average or self._plan is None or not self._plan.shares:
            return None
        return self._planned(self.predicted(self._plan))[0]

    @property
    def apart(self) -> bool:
        return self._pending and self._spread() is not None

    def _sums(self, present: Present, of: Tensors, rows: int) -> tuple[Tensor, Tensor, int, Tensor, int]:
        """The sums for the filter's kernel, and what a prediction measured: of all processes in one vector."""
        chunks = self._spread() if self.apart else None
        if chunks is None:
            return *self.whole(present, of, rows), self._deviations, self._deviating
        if of.deviating is None or of.deviating[0] is not chunks:
            sums, deviations = Partials(present.rows, of.chunks.spans, rows), Partials(chunks.rows, chunks.spans)
            of.deviating = chunks, Together(self.method.device, sums, deviations)
        added = of.deviating[1].add_up(of.partials, self._deviations, known=self._of_bare(chunks))
        return added[0], of.spans_of_wholes, present.count, added[1], chunks.tensors + 1

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
        stands, rows = self.method.moving, 3 if of.decay else 1
        extras = [] if stands is None else [len(stands)]
        vector = record.room([len(numbers.names), *extras, len(self._gains), 1, 1, 1, rows * present.count, 1])
        sums, spans, columns, deviations, deviating = self._sums(present, of, rows)
        blockwise[(1,)](
            sums,
            deviations,
            spans,
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
            columns,
            len(plan.rows),
            deviating,
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
