"""One row a parameter: what an engine works on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from .distributed import ProcessGroups, gradient_part, is_spread, local_part, part_groups

# Kept in float32 for parameters of half precision: what rarely changes by more than such a number's rounding.
MEAN = "mean"
_WIDE = ("second_moment", MEAN)
_HALF = (torch.bfloat16, torch.float16)
# Asked for every parameter of every step.
_NATIVE = (torch.float32, torch.float64)
_STRIDED = torch.strided
_LAYOUT = attrgetter("layout")

PIECE = 1 << 18
"""Numbers in the tensors of a piece on the CPU, if it is not one tensor alone. Memory for larger results comes fresh from the
system there, page by page, which costs several times the operation. Other devices keep theirs, and each launch counts."""


@dataclass(slots=True)
class Row:
    """A parameter of the optimizer with what belongs to it, all of the same shape and on the same device.

    Of a parameter that is spread over processes (a ``DTensor``) these are the parts that this process holds.
    """

    position: int
    """Position among all parameters of the optimizer."""
    parameter: Tensor
    gradient: Tensor | None
    memory: list[Tensor | None]
    """The method's vectors by their slots: velocity and running mean for KOALA-M, v' and H' for KOALA++, velocity, second
    moment and mean for KOALA-A; ``None`` where nothing is stored. Empty where nothing is stored of this parameter at all."""
    frozen: bool = False
    """Whether the parameter does not require a gradient at the moment."""
    over: ProcessGroups = ()
    """The processes that hold its other parts."""


class Part(list[Row]):
    """Rows of one engine, with what the engine keeps of them from pass to pass."""

    kept: Any = None


def pieces(rows: list[Row]) -> list[list[int]]:
    """Which of the rows foreach operations take together: those alike in device and type, on the CPU as many as :data:`PIECE`
    has room for."""
    found: dict[tuple[torch.device, torch.dtype], list[list[int]]] = defaultdict(list)
    filled: dict[tuple[torch.device, torch.dtype], int] = defaultdict(int)
    for at, row in enumerate(rows):
        key, elements = (row.parameter.device, row.parameter.dtype), row.parameter.numel()
        if found[key] and not (row.parameter.is_cpu and filled[key] + elements > PIECE):
            found[key][-1].append(at)
            filled[key] += elements
        else:
            found[key].append([at])
            filled[key] = elements
    return [piece for alike in found.values() for piece in alike]


def rows_of(
    parameters: list[Tensor],
    state: MutableMapping[Tensor, dict[str, Any]],
    names: tuple[str | None, ...],
    *,
    frozen: list[bool],
    of_all: bool,
    averaged: Callable[[int], bool],
) -> list[Row]:
    """The rows of all parameters, without gradients.

    Args:
        frozen: whose groups are frozen.
        of_all: whether vectors are made of every parameter, not of those alone that are trained.
        averaged: whether the mean of the parameter at a position has taken something up.
    """
    rows = []
    for position, parameter in enumerate(parameters):
        wanted = parameter.requires_grad
        make = of_all or (wanted and not frozen[position])
        vectors = vectors_of(parameter, state, names, make=make, averaged=averaged, position=position)
        if is_spread(parameter):
            vectors = [None if vector is None else local_part(vector) for vector in vectors]
            rows.append(Row(position, local_part(parameter), None, vectors, not wanted, part_groups(parameter)))
        else:
            rows.append(Row(position, parameter, None, vectors, not wanted))
    return rows


def hand_out(rows: list[Row], parameters: list[Tensor], gradients: list[Tensor | None]) -> None:
    """Gives the rows of all parameters their gradients; those that do not require one get none.

    Raises:
        TypeError: for sparse gradients.
    """
    for row, parameter, gradient in zip(rows, parameters, dense(parameters, gradients)):
        if gradient is not None and row.parameter is not parameter:
            gradient = gradient_part(parameter, gradient)
        row.gradient = None if row.frozen else gradient


def dense(parameters: list[Tensor], gradients: list[Tensor | None]) -> list[Tensor | None]:
    """The gradients in memory that holds their values.

    Raises:
        TypeError: for sparse gradients.
    """
    given = [gradient for gradient in gradients if gradient is not None]
    # In every step: by loops that are not Python's.
    if not (
        set(map(_LAYOUT, given)) - {_STRIDED}
        or any(map(Tensor.is_neg, given))
        or any(map(Tensor._is_zerotensor, given))
    ):
        return gradients
    found: list[Tensor | None] = []
    for position, (parameter, gradient) in enumerate(zip(parameters, gradients)):
        if gradient is None or not parameter.requires_grad:
            found.append(None)
        elif gradient.layout is not _STRIDED:
            raise TypeError(
                f"the gradient of parameter {position} has layout {gradient.layout}; KOALA needs dense gradients "
                "(sparse=False for embeddings)"
            )
        else:
            found.append(as_stored(gradient))
    return found


def is_as_stored(tensor: Tensor) -> bool:
    """Whether its memory holds the tensor's values: autograd hands on gradients whose sign is a bit beside their memory, or
    which are zeros without any."""
    return not (tensor.is_neg() or tensor._is_zerotensor())


def as_stored(tensor: Tensor) -> Tensor:
    """The same values, in memory that holds them."""
    return tensor if is_as_stored(tensor) else torch.zeros_like(tensor).copy_(tensor)


def vectors_of(
    parameter: Tensor,
    state: MutableMapping[Tensor, dict[str, Any]],
    names: tuple[str | None, ...],
    *,
    make: bool = True,
    averaged: Callable[[int], bool] | None = None,
    position: int = 0,
) -> list[Tensor | None]:
    """The method's vectors of a parameter: where it is, in the order of its elements; zeros at first.

    Args:
        make: whether they are made where there are none. Of a parameter that was never trained there are none: its vectors
            would be zeros, and its mean the parameter itself.
        averaged: whether the mean of the parameter at a position has taken something up: then one that is made now has stood
            at the parameter all the time.
        position: the parameter's.
    """
    if not any(names) or not (make or is_stored(parameter, state, names)):
        return []
    kept = state[parameter]
    device, stride = parameter.device, parameter.stride()
    vectors: list[Tensor | None] = []
    for name in names:
        if name is None:
            vectors.append(None)
            continue
        vector = kept.get(name)
        dtype = stored_type(parameter, name)
        if vector is not None and vector.device == device and vector.dtype is dtype and vector.stride() == stride:
            # As nearly always.
            vectors.append(vector)
            continue
        if vector is None or (vector.is_meta and not parameter.is_meta):
            vector = torch.zeros_like(parameter, dtype=dtype, memory_format=torch.preserve_format, requires_grad=False)
            if name == MEAN and averaged is not None and averaged(position):
                vector.copy_(parameter.detach())
        elif vector.device != parameter.device or vector.dtype != dtype:
            vector = vector.to(device=parameter.device, dtype=dtype)
        if vector.stride() != parameter.stride() and not is_spread(parameter):
            vector = _in_order_of(parameter, vector)
        kept[name] = vector
        vectors.append(vector)
    return vectors


def is_stored(parameter: Tensor, state: MutableMapping[Tensor, dict[str, Any]], names: tuple[str | None, ...]) -> bool:
    """Whether any of the method's vectors of a parameter is there."""
    kept = state.get(parameter) or {}
    return any(name in kept for name in names)


def is_idle(parameter: Tensor, state: MutableMapping[Tensor, dict[str, Any]], names: tuple[str | None, ...]) -> bool:
    """Whether all of the method's vectors of a parameter are there, and say no more than if they were not: zeros, and a mean
    that is the parameter."""
    kept = state.get(parameter) or {}
    vectors = [(name, kept.get(name)) for name in names if name is not None]
    return bool(vectors) and all(
        vector is not None and (not vector.any() or (name == MEAN and torch.equal(vector, parameter.to(vector.dtype))))
        for name, vector in vectors
    )


def stored_type(parameter: Tensor, name: str) -> torch.dtype:
    """The type of a vector of the method: the parameter's, or ``float32`` where half precision would not do."""
    return torch.float32 if name in _WIDE and parameter.dtype in _HALF else parameter.dtype


def check_trainable(parameters: list[Tensor]) -> None:
    """Checks what a group may hold.

    Raises:
        TypeError: for complex, sparse or integer parameters, and for those whose memory does not hold their values.
        ValueError: for a parameter that is there twice.
    """
    for parameter in parameters:
        if parameter.is_complex():
            raise TypeError("complex parameters are not supported: a loss has no complex gradient noise model")
        if parameter.layout is not torch.strided:
            raise TypeError(f"parameters of layout {parameter.layout} are not supported; use dense ones")
        if not parameter.is_floating_point():
            raise TypeError(f"parameters of type {parameter.dtype} are not supported; use floating-point ones")
        if is_traceable_wrapper_subclass(parameter) and not is_spread(parameter):
            raise TypeError(
                f"parameters of type {type(parameter).__name__}, which wrap other tensors, are not supported; train the "
                "tensors in them, or plain ones"
            )
        if not is_as_stored(parameter):
            raise TypeError(
                "parameters with PyTorch's negative bit, or that are zeros without memory, are not supported; make them of "
                "tensor.resolve_neg().clone()"
            )
    if len({id(parameter) for parameter in parameters}) < len(parameters):
        raise ValueError("a parameter is in the group more than once; it would be moved more than once a step")


def fits_native(parameter: Tensor) -> bool:
    """Whether the Rust engine can work on the parameter's memory: ``float32`` or ``float64``, on the CPU, dense, as it is."""
    return (
        parameter.is_cpu
        and parameter.dtype in _NATIVE
        and parameter.layout is _STRIDED
        and not parameter.is_neg()
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
    if tensor.dtype is parameter.dtype and (
        (tensor.is_contiguous() and parameter.is_contiguous()) or tensor.stride() == parameter.stride()
    ):
        return tensor
    return _in_order_of(parameter, tensor, parameter.dtype)


def _in_order_of(parameter: Tensor, tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    like = torch.empty_like(parameter, dtype=dtype or tensor.dtype, memory_format=torch.preserve_format)
    return like.copy_(tensor)
