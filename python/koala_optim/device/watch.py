"""Errors that a device finds: seen without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Watch:
    """Notices that too many measurements were missing: at once on the CPU, elsewhere some steps later.

    Every ``limit`` steps the device is asked how many are missing in a row, and a later step looks whether the answer has
    come. Within a captured graph nobody asks; :meth:`Engine.report` tells then.
    """

    def __init__(self, device: torch.device, limit: int) -> None:
        self._device, self._limit = device, limit
        self._steps = 0
        self._asked: tuple[Tensor, Any] | None = None

    def look(self, missing: Tensor, report: Callable[[], object]) -> None:
        """After a step. ``report`` raises the error."""
        if self._device.type == "cpu":
            if float(missing) >= self._limit:
                report()
            return
        if self._device.type != "cuda" or not torch.cuda.is_initialized() or torch.cuda.is_current_stream_capturing():
            return
        if self._asked is not None:
            answer, come = self._asked
            if come.query():
                self._asked = None
                if float(answer) >= self._limit:
                    report()
        self._steps += 1
        if self._asked is None and self._steps % self._limit == 0:
            answer = torch.empty((), dtype=missing.dtype, pin_memory=True)
            answer.copy_(missing, non_blocking=True)
            come = torch.cuda.Event()
            come.record()
            self._asked = answer, come
