"""What was observed, for a filter on a device."""

from __future__ import annotations

import torch
from torch import Tensor

from ..observation import Observation
from .losses import Losses


def losses_of(observation: Observation, device: torch.device, dtype: torch.dtype) -> Losses:
    """The minibatch that was observed."""
    whole = observation.whole()
    if whole is not None and whole[0].device == device:
        return Losses(*whole, implied=True)
    total, squares, _ = (
        number.to(device, dtype) if isinstance(number, Tensor) else torch.full((), number, dtype=dtype, device=device)
        for number in observation.sums()
    )
    count = observation.count
    return Losses(total / count, squares.sqrt(), count, implied=False)
