"""The kernels of KOALA++."""

from __future__ import annotations

from torch import Tensor

from ..losses import Losses
from ..plan import Plan, Present
from ..products import PlusPlus
from ..record import Record
from .kernels.plus_plus import plus_plus
from .kernels.products import products, turn
from .passes import OF_METHOD, UNFUSED, Launch, Passes


class PlusPlusPasses(Passes):
    """KOALA++ in three launches."""

    method: PlusPlus
    slots = (0, 1)

    def constants(self) -> list[float]:
        return [self.method.config["process-noise"], self.method.config["initial-covariance"]]

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
        of, numbers, variances = launch.of, self.method.numbers, self.method.variances
        launch(products, of.traits, of.partials, DECAY=of.decay)
        sums, spans, columns = self.whole(present, of, 8)
        sizes = [len(numbers.names), len(variances), len(self._gains), 1, 1, 1, 8 * present.count, 1]
        plus_plus[(1,)](
            sums,
            spans,
            of.traits,
            numbers.state,
            numbers.transition,
            numbers.futures,
            variances,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            record.room(sizes),
            of.table,
            present.count,
            columns,
            len(variances),
            losses.count,
            int(self._pending),
            SYMMETRIC=self.method.config["variant"] == "symmetric",
            DECAY=of.decay,
            WHOLE=self.method.whole,
            FOUND=found is not None,
            **self._common,
        )
        launch(
            turn,
            of.traits,
            of.table,
            self._constants,
            of.chunks.places,
            numbers.state,
            self._seed,
            OTHER=OF_METHOD,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            SCATTERS=self._scatters,
            **UNFUSED,
        )
