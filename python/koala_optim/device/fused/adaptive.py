"""The kernels of KOALA-A."""

from __future__ import annotations

import torch
from torch import Tensor

from ..adaptive import SMALLEST, Adaptive
from ..losses import Losses
from ..plan import Part, Plan, Present
from ..record import Record
from .kernels.adaptive import adaptive, find_floor
from .kernels.metric import descend, follow, moments, weigh
from .kernels.motion import advance
from .passes import FILTER_WARPS, OF_METHOD, UNFUSED, Launch, Passes, launch_over, logarithm
from .tables import Addresses, Chunks


class AdaptivePasses(Passes):
    """KOALA-A in six launches, four without its metric; one fewer where it stays at its prediction."""

    method: Adaptive

    def __init__(self, method: Adaptive, gains: Tensor) -> None:
        self.diagonal, self._mean = method.config["metric"] == "diagonal", method.config["mean"] is not None
        self.slots = (0, *((1,) if self.diagonal else ()), *((2,) if self._mean else ()))
        super().__init__(method, gains)
        self._weights = torch.zeros(method.tensors.shape[1], dtype=torch.float64, device=method.device)

    def constants(self) -> list[float]:
        given = self.method.config
        beta, smoothing = given["second-moment-smoothing"], given["whiteness-smoothing"]
        return [
            beta,
            logarithm(beta),
            given["epsilon"],
            SMALLEST,
            given["growth-rate"],
            given["decline-rate"],
            given["rate-horizon"],
            smoothing,
            logarithm(smoothing),
            given["mean"] or 0.0,
            *self.method.range,
            self.method.share,
        ]

    def advance(self, plan: Plan) -> None:
        plan.reshard()
        self._advance(*self._planned(plan.moving))

    def predicted(self, plan: Plan) -> list[Part]:
        return plan.moving

    def _advance(self, chunks: Chunks, addresses: Addresses) -> None:
        launch_over(
            advance,
            chunks,
            addresses,
            self.method.moving,
            self.method.moving,
            chunks.places,
            self._constants,
            self._constants,
            self.method.numbers.state,
            self._seed,
            AVERAGE=0,
            SCATTERS=self._scatters,
            **UNFUSED,
        )

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
        of, numbers, of_tensors = launch.of, self.method.numbers, self.method.tensors
        everything = of_tensors.shape[1]
        metric = of.metric
        launch(
            moments,
            of.traits,
            of.partials,
            self._constants,
            OTHER=OF_METHOD,
            DECAY=of.decay,
            DIAGONAL=self.diagonal,
        )
        if self.diagonal:
            find_floor[(1,)](
                of.partials,
                of.spans,
                of_tensors,
                self._constants,
                metric,
                present.count,
                of.partials.shape[1],
                num_warps=FILTER_WARPS,
            )
            if present.shares:
                largest = present.shares.largest(metric[-1])
                metric[-1].copy_(largest)
                torch.add(largest.sqrt() * self.method.config["epsilon"], SMALLEST, out=metric[0])
            launch(weigh, of.traits, of.partials, self._constants, metric, OTHER=OF_METHOD, DECAY=of.decay)
        sums, spans, columns = self.whole(present, of, 10)
        sizes = [len(numbers.names), *[everything] * 3, len(self._gains), 1, 1, 1, 10 * present.count, 1]
        adaptive[(1,)](
            sums,
            spans,
            of.traits,
            plan.masks(present.positions),
            numbers.state,
            numbers.transition,
            numbers.futures,
            of_tensors,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            record.room(sizes),
            of.table,
            metric,
            self._weights,
            present.count,
            columns,
            everything,
            losses.count,
            int(self._pending),
            DIAGONAL=self.diagonal,
            MEAN=self._mean,
            DECAY=of.decay,
            FOUND=found is not None,
            **self._common,
        )
        launch(
            descend,
            of.traits,
            of.table,
            self._constants,
            metric,
            self._weights,
            self.method.moving,
            of.chunks.places,
            numbers.state,
            self._seed,
            OTHER=OF_METHOD,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            DIAGONAL=self.diagonal,
            MEAN=self._mean,
            STAYS=stays,
            SCATTERS=self._scatters,
            **UNFUSED,
        )
        if present.count == everything:
            return
        # What has no gradient stands still, but its mean follows; and if this measurement is missing, the next prediction is
        # that of the last one.
        if self._mean:
            chunks, addresses = self._left(plan, present, "all")
            launch_over(follow, chunks, addresses, self._weights, chunks.places, **UNFUSED)
        if stays:
            self._advance(*self._left(plan, present, "predicted"))
