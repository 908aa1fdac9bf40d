"""How far the device path reaches: what it leaves to the filter on the host, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from torch import Tensor

from ..distributed import is_spread


def beyond(config: str, parameters: Sequence[Tensor], several_processes: bool) -> str | None:
    """Why the filter of an optimizer stays on the host; ``None`` if it can go to the device of its parameters."""
    ((_, given),) = json.loads(config).items()
    if given["options"]["negative-residual"] == "error":
        return "negative_residual='error' is an error in the step that has such a loss, and only who reads it knows"
    if several_processes:
        return "processes exchange their sums through the host"
    if any(is_spread(parameter) for parameter in parameters):
        return "parameters are spread over processes"
    if len({parameter.device for parameter in parameters}) > 1:
        return "parameters are on several devices"
    if not parameters or not any(parameter.numel() for parameter in parameters):
        return "there is no number to move"
    return None


def wide(device: torch.device) -> torch.dtype:
    """The type of the filter's numbers: ``float64`` where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64
