"""The parameters of an optimizer as rows, and the engines that work on them while the filter is on the host."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from . import foreach, native
from ._native import Filter, Measured
from .distributed import Number, local_part
from .placement import Placed
from .rows import Part, Row, fits_native, hand_out, rows_of


class WithEngines(Placed):
    """An optimizer that hands its parameters to engines."""

    def _overflow(self) -> Number:
        """More than 0 if GradScaler found gradients that are not finite."""
        found = getattr(self, "found_inf", 0.0)
        return local_part(found).reshape(()) if isinstance(found, Tensor) else float(found)

    def _conclude(
        self, filter: Filter, statistics: Measured | list[list[float] | None], total: float, squares: float, count: int
    ) -> None:
        """The filter's update, and with it the end of the step."""
        step = filter.step
        try:
            filter.update(statistics, total, squares, count, self._stay_predicted)
        finally:
            self._progress.predicted = filter.predicted
            if filter.step > step or not filter.predicted:
                self._forget_step()

    def _rows(self, parameters: list[Tensor], gradients: list[Tensor | None] | None = None) -> list[Row]:
        frozen = self._frozen()

        def made() -> list[Row]:
            return rows_of(
                parameters,
                self.state,
                self._memory,
                frozen=frozen,
                of_all=self._of_all,
                averaged=self._filter_now().averaged,
            )

        told = self._memory, self._foreach, frozen, self._of_all
        rows = self._kept.rows(parameters, self.state, told, made)
        if gradients is not None:
            hand_out(rows, parameters, gradients)
        return rows

    def _held(self, rows: list[Row]) -> list[Row]:
        """Those of which there is what the method stores: all but parameters that were never trained."""
        if not any(self._memory):
            return rows
        held = [row for row in rows if row.memory]
        return rows if len(held) == len(rows) else held

    def _engines(self, rows: list[Row], everywhere: bool = False) -> list[tuple[Any, Part]]:
        """The rows apart by engine; ``everywhere``: whatever engine was asked for, one that can."""
        if not self._kept.is_of(rows):
            return self._apart(rows, everywhere)
        if self._kept.parts is None:
            self._kept.parts = self._apart(rows, everywhere)
        return self._kept.parts

    def _apart(self, rows: list[Row], everywhere: bool) -> list[tuple[Any, Part]]:
        direct = [row for row in rows if not self._foreach and fits_native(row.parameter)]
        chosen = {row.position for row in direct}
        other = [row for row in rows if row.position not in chosen]
        if other and self._foreach is False and not everywhere:
            raise ValueError(
                f"foreach=False, but parameter {other[0].position} is no dense float32 or float64 tensor on the CPU"
            )
        return [(engine, Part(part)) for engine, part in ((native, direct), (foreach, other)) if part]
