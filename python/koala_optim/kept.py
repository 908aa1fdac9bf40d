"""Rows from one step to the next: made once, for as long as parameters and vectors are where they were."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from itertools import chain
from operator import attrgetter
from typing import Any

from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from .rows import Part, Row

_REQUIRES = attrgetter("requires_grad")


class Kept:
    """The rows of the last step, and how they came apart by engine."""

    def __init__(self) -> None:
        self._seen: list[Any] | None = None
        self._rows: list[Row] = []
        self.parts: list[tuple[Any, Part]] | None = None
        """Of all rows."""

    def rows(
        self,
        parameters: list[Tensor],
        state: MutableMapping[Tensor, dict[str, Any]],
        told: tuple[object, ...],
        make: Callable[[], list[Row]],
    ) -> list[Row]:
        """The rows, made anew if they cannot be those of the last step. ``told``: what they depend on beside."""
        seen = _see(parameters, state, told)
        if seen is None or seen != self._seen:
            self.forget()
            self._rows = make()
            # Vectors may have been made; parts on other processes are looked at anew in every step.
            spread = any(row.over or row.parameter is not given for row, given in zip(self._rows, parameters))
            self._seen = None if spread else _see(parameters, state, told)
        return self._rows

    def is_of(self, rows: list[Row]) -> bool:
        """Whether these are the rows that are kept, all of them."""
        return rows is self._rows and self._seen is not None

    def let_go(self) -> None:
        """Lets go of gradients: whoever clears them wants their memory back."""
        for row in self._rows:
            row.gradient = None

    def forget(self) -> None:
        """Lets go of tensors and their memory."""
        self._seen, self._rows, self.parts = None, [], None


def _see(
    parameters: list[Tensor], state: MutableMapping[Tensor, dict[str, Any]], told: tuple[object, ...]
) -> list[Any] | None:
    """What changes if rows do; ``None`` if that cannot be told. In every step: by loops that are not Python's."""
    if isinstance(parameters[0], FakeTensor):
        # What PyTorch only pretends to have in memory is nowhere.
        return None
    vectors = list(chain.from_iterable(map(dict.values, state.values())))
    if not set(map(type, vectors)) <= {Tensor}:
        vectors = [value for value in vectors if isinstance(value, Tensor)]
    tensors = [*parameters, *vectors]
    try:
        where = list(map(Tensor.data_ptr, tensors))
    except RuntimeError:
        # Of tensors that wrap others.
        return None
    return [
        told,
        where,
        list(map(id, tensors)),
        list(map(Tensor.stride, tensors)),
        list(map(_REQUIRES, parameters)),
    ]
