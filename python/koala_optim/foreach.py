"""The engine for every other device and type: PyTorch's foreach operations, driven by the same filter.

Nothing here reads a number back: sums stay on their device as tensors of no dimension, for :mod:`.readback` to fetch
together. Sums of ``bfloat16`` and ``float16`` are taken in ``float32``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

from ._native import Filter
from .rows import Row

_HALF = (torch.bfloat16, torch.float16)


def lend(rows: list[Row], gradients: bool = False) -> list[Row]:
    """The rows for the passes below: as they are."""
    return rows


def advance(filter: Filter, rows: list[Row]) -> list[Tensor | float]:
    """Predict: moves parameters and velocities; returns the squared deviation of each row."""
    motion = filter.motion()
    if motion is None:
        return []
    velocity_decay, deviates, averaging = motion
    deviations: dict[int, Tensor] = {}
    for group in _alike(rows):
        parameters = [row.parameter for row in group]
        if deviates:
            averages = [row.memory[1] for row in group]
            if averaging is not None:
                _average(averages, parameters, averaging)
            differences = torch._foreach_sub(averages, parameters)
            deviations.update(zip((row.position for row in group), _squared_norms(differences)))
        moving = [row for row in group if not row.frozen and filter.reduction(row.position) is not None]
        if moving:
            velocities = [row.memory[0] for row in moving]
            torch._foreach_add_([row.parameter for row in moving], velocities)
            torch._foreach_mul_(velocities, velocity_decay)
    return [deviations.get(row.position, 0.0) for row in rows]


def reduce(filter: Filter, rows: list[Row]) -> list[list[Tensor | float] | None]:
    """The sums of each row; all rows have a gradient."""
    sums: dict[int, list[Tensor | float]] = {}
    reductions = {row.position: filter.reduction(row.position) for row in rows}
    for group in _alike(row for row in rows if reductions[row.position] is not None):
        gradients = [row.gradient for row in group]
        squares = _squared_norms(gradients)
        for row, squared in zip(group, squares):
            sums[row.position] = [squared, squared, 0.0] + [0.0] * 5
        decays = [reductions[row.position][0] for row in group]
        decayed = _decayed(group, decays)
        with_decay = [at for at, decay in enumerate(decays) if decay != 0.0]
        if with_decay:
            h2 = _squared_norms([decayed[at] for at in with_decay])
            x2 = _squared_norms([group[at].parameter for at in with_decay])
            for at, of_h, of_x in zip(with_decay, h2, x2):
                sums[group[at].position][1:3] = [of_h, of_x]
        for row, h in zip(group, decayed):
            if reductions[row.position][1]:
                v, p = row.memory
                sums[row.position][3:] = [_dot(h, p), _dot(p, p), _dot(h, v), _dot(p, v), _dot(v, v)]
    return [sums.get(row.position) for row in rows]


def displace(filter: Filter, rows: list[Row]) -> None:
    """Update: does the filter's steps."""
    steps = {row.position: filter.tensor_step(row.position) for row in rows}
    for group in _alike(row for row in rows if steps[row.position] is not None):
        todo = [steps[row.position] for row in group]
        parameters = [row.parameter for row in group]
        decayed = _decayed(group, [step["decay"] for step in todo])
        direction = decayed
        if todo[0]["velocity"] is not None:
            _add_scaled([row.memory[0] for row in group], decayed, [-step["velocity"] for step in todo])
        elif todo[0]["gradient"] is not None:
            direction = _covariance(group, todo, decayed)
        _add_scaled(parameters, direction, [-step["position"] for step in todo])
        if any(step["shrinkage"] != 1.0 for step in todo):
            torch._foreach_mul_(parameters, [step["shrinkage"] for step in todo])
        if todo[0]["averaging"] is not None:
            _average([row.memory[1] for row in group], parameters, todo[0]["averaging"])


def _covariance(group: list[Row], todo: list[dict], decayed: list[Tensor]) -> list[Tensor]:
    """KOALA++: v <- covariance v' + gradient h + previous H', H' <- h; returns v + direction h."""
    covariances = [row.memory[0] for row in group]
    previous = [row.memory[1] for row in group]
    starting = [at for at, step in enumerate(todo) if step["covariance"] is None]
    if starting:
        # What stands in v' and H' of a block that starts is not to be read.
        torch._foreach_zero_([covariances[at] for at in starting] + [previous[at] for at in starting])
    torch._foreach_mul_(covariances, [step["covariance"] or 0.0 for step in todo])
    _add_scaled(covariances, decayed, [step["gradient"] for step in todo])
    _add_scaled(covariances, previous, [step["previous"] or 0.0 for step in todo])
    direction = torch._foreach_mul(decayed, [step["direction"] for step in todo])
    torch._foreach_add_(direction, covariances)
    torch._foreach_copy_(previous, decayed)
    return direction


def _alike(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows apart by device and type, as foreach operations want them."""
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.parameter.device, row.parameter.dtype].append(row)
    return list(groups.values())


def _decayed(group: list[Row], decays: list[float]) -> list[Tensor]:
    """h = g + w x."""
    gradients = [row.gradient for row in group]
    if not any(decays):
        return gradients
    penalties = torch._foreach_mul([row.parameter for row in group], decays)
    torch._foreach_add_(penalties, gradients)
    return [h if decay != 0.0 else g for h, g, decay in zip(penalties, gradients, decays)]


def _add_scaled(tensors: list[Tensor], others: list[Tensor], scales: list[float]) -> None:
    torch._foreach_add_(tensors, torch._foreach_mul(others, scales))


def _average(averages: list[Tensor], parameters: list[Tensor], weight: float) -> None:
    """a <- weight a + (1 - weight) x."""
    torch._foreach_mul_(averages, weight)
    torch._foreach_add_(averages, parameters, alpha=1.0 - weight)


def _squared_norms(tensors: list[Tensor]) -> list[Tensor]:
    wide = torch.float32 if tensors[0].dtype in _HALF else None
    return [_wide(norm).square() for norm in torch._foreach_norm(tensors, 2, dtype=wide)]


def _dot(left: Tensor, right: Tensor) -> Tensor:
    if left.dtype in _HALF:
        left, right = left.float(), right.float()
    return _wide((left * right).sum())


def _wide(number: Tensor) -> Tensor:
    """As ``float64`` where the device has it: squares of large norms do not fit ``float32``."""
    return number if number.device.type == "mps" else number.double()
