"""One row a parameter: what an engine works on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .distributed import ProcessGroups


@dataclass(slots=True)
class Row:
    """A parameter of the optimizer with what belongs to it, all of the same shape and on the same device.

    Of a parameter that is spread over processes (a ``DTensor``) these are the parts that this process holds.
    """

    position: int
    """Position among all parameters of the optimizer."""
    parameter: Tensor
    gradient: Tensor | None
    memory: list[Tensor]
    """The method's vectors: velocity and running mean for KOALA-M, v' and H' for KOALA++."""
    frozen: bool = False
    """Whether the parameter does not require a gradient at the moment."""
    over: ProcessGroups = ()
    """The processes that hold its other parts."""


def fits_native(parameter: Tensor) -> bool:
    """Whether the Rust engine can work on the parameter's memory: ``float32`` or ``float64``, on the CPU, dense."""
    return (
        parameter.device.type == "cpu"
        and parameter.dtype in (torch.float32, torch.float64)
        and parameter.layout is torch.strided
        and is_dense(parameter)
    )


def is_dense(tensor: Tensor) -> bool:
    """Whether every element stands once in memory, without gaps, in whatever order."""
    if tensor.is_contiguous():
        return True
    expected = 1
    for stride, extent in sorted(
        (stride, extent) for stride, extent in zip(tensor.stride(), tensor.shape) if extent != 1
    ):
        if stride != expected:
            return False
        expected *= extent
    return True


def as_dense_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """``tensor`` itself if its elements stand in the same order as the parameter's, else a copy in that order."""
    if tensor.stride() == parameter.stride() and tensor.dtype == parameter.dtype:
        return tensor
    return torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(tensor)
