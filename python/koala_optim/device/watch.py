"""Errors that a device finds: seen without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Watch:
    """Looks at some numbers of a step: at once on the CPU, elsewhere some steps later.

    Every so many steps the device is asked for them, and a later step sees whether the answer has come. Within a captured
    graph nobody asks.
    """

    def __init__(self, device: torch.device, every: int) -> None:
        self._device, self._every = device, every
        self._steps = 0
        self._asked: tuple[Tensor, Any] | None = None

    def look(self, numbers: Callable[[], Tensor], found: Callable[[list[float]], None]) -> None:
        """After a step: hands numbers that have come to ``found``, which may raise."""
        if self._device.type == "cpu":
            found(numbers().tolist())
            return
        if self._device.type != "cuda" or not torch.cuda.is_initialized() or torch.cuda.is_current_stream_capturing():
            return
        answer = None
        if self._asked is not None:
            asked, come = self._asked
            if come.query():
                answer, self._asked = asked.tolist(), None
        self._steps += 1
        if self._asked is None and self._steps % self._every == 0:
            given = numbers()
            asked = torch.empty(given.shape, dtype=given.dtype, device="cpu", pin_memory=True)
            asked.copy_(given, non_blocking=True)
            come = torch.cuda.Event()
            come.record()
            self._asked = asked, come
        if answer is not None:
            found(answer)
