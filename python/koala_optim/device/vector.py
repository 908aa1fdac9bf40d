"""The filter's numbers as one vector on the device, and the time update of it as one matrix.

Both ends of a step are linear in them: the prediction is a matrix, and so is what is known of the step's outcome before
it is measured. Of the two outcomes, measured and missing, one is chosen at the end by a condition that nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

COMMON = (
    *("one", "step", "missing_in_a_row", "missing_in_all", "clamped_in_all", "clamped_now", "measurements"),
    *("measurement_noise", "noise_again", "gradient"),
)
"""Of every method. ``clamped_now`` is counted by the next prediction; ``measurements`` is k of a bias-corrected R. R
stands there twice and beside G, so that one quotient by S makes what a 2x2 covariance is multiplied by."""

FIRST = ("first_loss", "first_found")
"""Behind a method's own, if the target is a share of it: the first loss that was measured, and 1 if there is one."""

# A combination of numbers: a row of a matrix, by names.
Row = Mapping[str, float]


class Numbers:
    """The numbers between two steps (``state``), and within one as they are ``before`` it and in both outcomes."""

    def __init__(
        self,
        values: Mapping[str, float],
        prediction: Mapping[str, Row],
        measured: Mapping[str, Row],
        predicted: bool,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.names = tuple(values)
        size = len(self.names)
        given = torch.tensor(list(values.values()), dtype=torch.float64, device="cpu")
        settled: dict[str, Row] = {
            "clamped_in_all": {"clamped_in_all": 1.0, "clamped_now": 1.0},
            "clamped_now": {},
            "noise_again": {"measurement_noise": 1.0},
        }
        forward = self._matrix(settled | dict(prediction))
        counted: dict[str, Row] = {"step": {"step": 1.0, "one": 1.0}, "missing_in_a_row": {}}
        lost = {name: {name: 1.0, "one": 1.0} for name in ("step", "missing_in_a_row", "missing_in_all")}
        outcomes = torch.cat([self._matrix({}), self._matrix(counted | dict(measured)), self._matrix(lost)])
        self.transition = (outcomes @ forward).to(device, dtype)
        self.state = given.to(device, dtype)
        # Of a state in the middle of a step the prediction is done.
        self.futures = (outcomes @ (given if predicted else forward @ given)).to(device, dtype).view(3, size)
        self._flat = self.futures.view(-1)
        self.now = self._named(self.state)
        self.before, self.after, self.missing = (self._named(row) for row in self.futures)

    def predict(self) -> None:
        """The time update, and both outcomes as far as they are known."""
        torch.mv(self.transition, self.state, out=self._flat)

    def abandon(self) -> None:
        """Takes the prediction for what the numbers are now."""
        self.state.copy_(self.futures[0])

    def conclude(self, ok: Tensor) -> None:
        """Takes the outcome: measured if ``ok``, else missing."""
        torch.where(ok, self.futures[1], self.futures[2], out=self.state)

    def slice(self, first: str, last: str, *, after: bool = False) -> Tensor:
        """Numbers that stand side by side, before the step or ``after`` a measurement."""
        start, end = self.names.index(first), self.names.index(last) + 1
        return self.futures[1 if after else 0, start:end]

    def _named(self, vector: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.names, vector.unbind()))

    def _matrix(self, rows: Mapping[str, Row]) -> Tensor:
        """The rows given, and of every other number itself."""
        matrix = torch.eye(len(self.names), dtype=torch.float64, device="cpu")
        for name, row in rows.items():
            at = self.names.index(name)
            matrix[at] = 0.0
            for other, factor in row.items():
                matrix[at, self.names.index(other)] = factor
        return matrix
