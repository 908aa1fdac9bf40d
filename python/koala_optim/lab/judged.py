"""What the evaluations of a run have found so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from . import figures


class Judged:
    """The last evaluation, the best one, and the last epoch's batches."""

    def __init__(self, measure: str) -> None:
        self._measure = measure
        self.train: dict[str, Any] = {}
        """The last epoch's batches."""
        self.last: dict[str, float] = {}
        """Figures of the last evaluation."""
        self.at = -1
        """Steps that were done by then."""
        self.best: dict[str, Any] | None = None
        """The best evaluation, as results tell it."""
        self._key = (math.inf, math.inf)

    def take(self, event: Mapping[str, Any]) -> None:
        """An evaluation, or the end of an epoch, as the log has it."""
        if event["event"] == "epoch":
            self.train = {name: value for name, value in event.items() if name.startswith("train_")}
        found = {name: _number(value) for name, value in event.items() if name.startswith(("validation_", "test_"))}
        if found:
            self.last, self.at = found, int(event["step"])
            # Test samples judge where none are held out.
            self._compare(figures.of(found, "validation") or figures.of(found, "test"))

    def _compare(self, found: dict[str, float]) -> None:
        """The first of the best ones stays."""
        key = (found.get(figures.judge(self._measure), math.nan), found.get("loss", 0.0))
        if all(map(math.isfinite, key)) and key < self._key:
            self._key, self.best = key, {"step": self.at, "evaluation": found}


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
