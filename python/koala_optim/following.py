"""Parameter groups that were edited: parameters pruned, grown, replaced, added to a group or taken out of it."""

from __future__ import annotations

import itertools
from collections.abc import MutableMapping
from operator import attrgetter, is_
from typing import Any

import torch
from torch import Tensor

from ._native import Filter
from .rows import check_trainable, is_stored
from .settings import group_options

_SHAPE = attrgetter("shape")


class Known:
    """The parameters that the filter has a layout of."""

    def __init__(self) -> None:
        self.groups: list[list[Tensor]] = []
        self._shapes: list[torch.Size] = []

    def note(self, groups: list[dict[str, Any]]) -> None:
        """Takes what is in the groups now, in place: see :class:`koala_optim.progress.Progress`."""
        self.groups = [list(group["params"]) for group in groups]
        self._shapes = [parameter.shape for group in self.groups for parameter in group]

    def is_of(self, groups: list[dict[str, Any]], shapes: bool = True) -> bool:
        """Whether the groups hold these parameters, in this order and, if they are to be looked at, of these ``shapes``."""
        if len(groups) != len(self.groups):
            return False
        # In every step: by loops that are not Python's.
        for group, known in zip(groups, self.groups):
            if len(group["params"]) != len(known) or not all(map(is_, group["params"], known)):
                return False
        return not shapes or [shape for group in groups for shape in map(_SHAPE, group["params"])] == self._shapes


def followed(
    filter: Filter,
    known: Known,
    groups: list[dict[str, Any]],
    state: MutableMapping[Tensor, dict[str, Any]],
    names: tuple[str | None, ...],
) -> list[str]:
    """Gives the filter the layout of the groups as they are now, and returns their options.

    A parameter that was there before goes on. So does one that stands where another one stood, if it got the state of that
    one: ``optimizer.state[new] = state``, each vector of the new shape. All others are new. What is stored of parameters
    that are gone is dropped.

    Raises:
        TypeError, ValueError: if these cannot be parameters, or have vectors of another shape. Nothing has changed then.
    """
    options = [group_options(group) for group in groups]
    parameters = [parameter for group in groups for parameter in group["params"]]
    if not parameters:
        raise ValueError("no parameter is left in the optimizer's groups; leave at least one")
    check_trainable(parameters)
    for at, parameter in enumerate(parameters):
        _check_vectors(at, parameter, state, names)
    before = [parameter for group in known.groups for parameter in group]
    positions: dict[int, int] = {id(parameter): position for position, parameter in enumerate(before)}
    places = {
        (index, place): positions[id(parameter)]
        for index, group in enumerate(known.groups)
        for place, parameter in enumerate(group)
    }
    present = {id(parameter) for parameter in parameters}
    gone = {position for position, parameter in enumerate(before) if id(parameter) not in present}
    layout: list[tuple[str, list[int], int, int | None]] = []
    old_names = [name for name, _ in filter.parameters()]
    names_of = _Names(old_names)
    for index, group in enumerate(groups):
        given = group.get("param_names") or []
        given = given if len(given) == len(group["params"]) else []
        for place, parameter in enumerate(group["params"]):
            position: int | None = positions.get(id(parameter))
            replaced = places.get((index, place)) if position is None else None
            if replaced not in gone:
                replaced = None
            if replaced is not None and is_stored(parameter, state, names):
                position = replaced
            name = given[place] if given else names_of.of(position if replaced is None else replaced)
            layout.append((name, list(parameter.shape), index, position))
    filter.rearrange(options, layout)
    for parameter in [key for key in state if isinstance(key, Tensor) and id(key) not in present]:
        del state[parameter]
    return options


class _Names:
    """Names of parameters that go on, or stand where others stood; numbers for the others."""

    def __init__(self, old: list[str]) -> None:
        self._old = old
        self._left = set(range(len(old)))
        self._numbers = (str(number) for number in itertools.count(len(old)) if str(number) not in old)

    def of(self, position: int | None) -> str:
        if position is not None and position in self._left:
            self._left.discard(position)
            return self._old[position]
        return next(self._numbers)


def _check_vectors(
    position: int, parameter: Tensor, state: MutableMapping[Tensor, dict[str, Any]], names: tuple[str | None, ...]
) -> None:
    kept = state.get(parameter, {})
    for name in names:
        vector = kept.get(name) if name is not None else None
        if vector is not None and vector.shape != parameter.shape:
            raise ValueError(
                f"parameter {position} was changed to the shape {list(parameter.shape)}, but its '{name}' has "
                f"{list(vector.shape)}; change optimizer.state[parameter] alike, or delete it to start anew"
            )
