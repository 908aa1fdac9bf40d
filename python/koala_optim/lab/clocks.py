"""The clocks of a run."""

from __future__ import annotations

import time


class Clocks:
    """Seconds since the start, and those of training alone.

    Training is what passes from one thing told to the next step that is told. What passes from a step to an evaluation is the
    evaluation's.
    """

    def __init__(self, seconds: float = 0.0, training: float = 0.0) -> None:
        self._begun = time.perf_counter() - seconds
        self._training = training
        self._mark = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the start, without the time in which the run was stopped."""
        return time.perf_counter() - self._begun

    @property
    def training(self) -> float:
        """Of training alone."""
        return self._training

    def stepped(self) -> None:
        """What has passed since the last mark was training."""
        self._training += time.perf_counter() - self._mark

    def mark(self) -> None:
        """What has passed since the last mark was something else."""
        self._mark = time.perf_counter()
