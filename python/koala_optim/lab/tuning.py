"""How a comparison tunes hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from .errors import Misuse

Values = dict[str, float]
"""Hyperparameters by name."""

_LARGEST_GRID = 10_000


@dataclass(frozen=True)
class Tuning:
    """The same effort for every optimizer that is tuned: as many trials of the same length, with the same seeds.

    The trial with the lowest mean, over the tuning seeds, of each run's last evaluation is chosen, the first among equals. A
    trial of which a run failed is never chosen.

    Args:
        space: for each optimizer that is tuned, values for each hyperparameter; every combination of them is a trial. Each
            optimizer must have as many. Those that are not here run as they are.
        seeds: seeds of the trials; none of them may be reported.
        defaults: whether optimizers that are tuned are reported as they are too.
    """

    space: Mapping[str, Mapping[str, Sequence[float]]]
    seeds: Sequence[int] = (1000,)
    defaults: bool = True


Number = TypeVar("Number", int, float)


def repeated(values: Sequence[Number]) -> Number | None:
    """The first value that was there before: it would be counted as another trial, or run."""
    return next((value for at, value in enumerate(values) if value in values[:at]), None)


def grid(optimizer: str, space: Mapping[str, Sequence[float]]) -> list[Values]:
    """Every combination of values, in an order that does not depend on that in which they were given.

    Raises:
        Misuse: if a value is no finite number, there are none, or too many.
    """
    for name, values in space.items():
        if isinstance(values, (str, bytes)) or not isinstance(values, Sequence) or not values:
            raise Misuse(f"tuning of {optimizer}: {name} = {values!r} must be a list of numbers to try")
        for value in values:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise Misuse(f"tuning of {optimizer}: {name} has {value!r}, which is no finite number")
        again = repeated(values)
        if again is not None:
            raise Misuse(f"tuning of {optimizer}: {name} has {again!r} twice: leave one out")
    if not space:
        raise Misuse(f"tuning of {optimizer} holds no hyperparameter: leave it out, or name values to try")
    if math.prod(map(len, space.values())) > _LARGEST_GRID:
        raise Misuse(f"tuning of {optimizer} has more than {_LARGEST_GRID} combinations")
    names = sorted(space)
    return [dict(zip(names, values)) for values in product(*(space[name] for name in names))]
