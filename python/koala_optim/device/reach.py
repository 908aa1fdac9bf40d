"""How far the device path reaches: what it leaves to the filter on the host, and why."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from ..distributed import ProcessGroups, device_of, local_part, part_groups
from ..rows import is_dense


def beyond(config: str, parameters: Sequence[Tensor], over: ProcessGroups) -> str | None:
    """Why the filter of an optimizer stays on the host; ``None`` if it can go to the device of its parameters."""
    ((_, given),) = json.loads(config).items()
    if given["options"]["negative-residual"] == "error":
        return "negative_residual='error' is an error in the step that has such a loss, and only who reads it knows"
    if not parameters or not any(parameter.numel() for parameter in parameters):
        return "there is no number to move"
    if len({parameter.device for parameter in parameters}) > 1:
        return "parameters are on several devices"
    groups = {*over, *(group for parameter in parameters for group in part_groups(parameter))}
    if any(device_of(group) != parameters[0].device for group in groups):
        return "processes exchange their sums through the host"
    return None


def fuses(parameters: Sequence[Tensor], foreach: bool | None, fused: bool | None) -> bool:
    """Whether kernels of Triton go over the parameters; the last two are what the optimizer was told.

    Raises:
        ValueError: if they are to, and cannot.
    """
    if fused is False or (fused is None and (foreach or parameters[0].device.type != "cuda")):
        return False
    reason = no_kernels(parameters)
    if fused and reason is not None:
        raise ValueError(f"fused=True, but {reason}; leave fused out")
    return reason is None


def no_kernels(parameters: Sequence[Tensor]) -> str | None:
    """Why there are no kernels for some parameters; ``None`` if there are."""
    device = parameters[0].device.type
    if not _has_triton():
        return "Triton is not installed"
    if device != "cuda" and not (device == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"):
        return f"parameters are on '{device}', for which there are no kernels"
    for position, parameter in enumerate(map(local_part, parameters)):
        if parameter.dtype not in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
            return f"parameter {position} is of type {parameter.dtype}, for which there are no kernels"
        if isinstance(parameter, FakeTensor) or not is_dense(parameter):
            return f"parameter {position} is not dense in memory"
    return None


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def wide(device: torch.device) -> torch.dtype:
    """The type of the filter's numbers: ``float64`` where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64
