"""The engine for what Rust does not reach while the filter is on the host: PyTorch's foreach operations, driven by the same
filter. Where the filter can go to the device, :mod:`.device` is the engine.

Nothing here reads a number back: sums stay on their device as tensors of no dimension, for :mod:`.readback` to fetch
together. Sums of ``bfloat16`` and ``float16`` are taken in ``float32``, and so is all of KOALA-A's metric.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ._native import Filter
from .distributed import Number
from .rows import Row, pieces

_HALF = (torch.bfloat16, torch.float16)
# Sums in the metric are taken with its floor itself here: nothing is to be said of another.
_NO_SLOPES = [0.0] * 4


@dataclass(slots=True)
class Lent:
    """Rows with what a pass finds and a later one of the same step needs, by position."""

    rows: list[Row]
    moments: dict[int, Tensor] = field(default_factory=dict)
    """KOALA-A's second moments of this step, corrected: from the first reading to the second."""
    denominators: dict[int, Tensor] = field(default_factory=dict)
    """D of KOALA-A's metric: from the second reading to the step."""


def lend(rows: list[Row], gradients: bool = False) -> Lent:
    """The rows for the passes below: as they are."""
    return Lent(rows)


def advance(filter: Filter, lent: Lent) -> list[Tensor | float]:
    """Predict: moves parameters and velocities; returns the squared deviation of each row."""
    motion = filter.motion()
    if motion is None:
        return []
    velocity_decay, deviates, averaging = motion
    deviations: dict[int, Tensor] = {}
    for group in _alike(lent.rows):
        parameters = [row.parameter for row in group]
        if deviates:
            averages = [row.memory[1] for row in group]
            if averaging is not None:
                _average(averages, parameters, averaging)
            differences = torch._foreach_sub(averages, parameters)
            deviations.update(zip((row.position for row in group), _squared_norms(differences)))
        moving = [row for row in group if not row.frozen and filter.moves(row.position)]
        if moving:
            _predict(moving, velocity_decay)
    return [deviations.get(row.position, 0.0) for row in lent.rows]


def reduce(filter: Filter, lent: Lent) -> list[list[Tensor | float] | None]:
    """The sums of each row in the first reading; all rows have a gradient."""
    sums: dict[int, list[Tensor | float]] = {}
    reductions = {row.position: filter.reduction(row.position) for row in lent.rows}
    for group in _alike(row for row in lent.rows if reductions[row.position] is not None):
        gradients = [row.gradient for row in group]
        squares = _squared_norms(gradients)
        for row, squared in zip(group, squares):
            sums[row.position] = [squared, squared, 0.0]
        decays = [reductions[row.position][0] for row in group]
        decayed = _decayed(group, decays)
        with_decay = [at for at, decay in enumerate(decays) if decay != 0.0]
        if with_decay:
            h2 = _squared_norms([decayed[at] for at in with_decay])
            x2 = _squared_norms([group[at].parameter for at in with_decay])
            for at, of_h, of_x in zip(with_decay, h2, x2):
                sums[group[at].position][1:3] = [of_h, of_x]
        kind = reductions[group[0].position][1]
        if kind == "gradient":
            for row in group:
                sums[row.position] += [0.0] * 5
        elif kind == "products":
            for row, h in zip(group, decayed):
                v, p, _ = row.memory
                sums[row.position] += [_dot(h, p), _dot(p, p), _dot(h, v), _dot(p, v), _dot(v, v)]
        elif kind == "unit-metric":
            velocities = [row.memory[0] for row in group]
            lengths = _squared_norms(velocities)
            for row, of_vh, of_v in zip(group, _dots(velocities, decayed), lengths):
                of_h = sums[row.position][1]
                sums[row.position] += [0.0, 0.0, 0.0, of_h, of_h, of_vh, of_v, *_NO_SLOPES]
        else:
            smoothing = reductions[group[0].position][2]
            moments = torch._foreach_mul([row.memory[1] for row in group], smoothing)
            decayed = _widened(decayed)
            torch._foreach_addcmul_(moments, decayed, decayed, value=1.0 - smoothing)
            torch._foreach_mul_(moments, [reductions[row.position][3] for row in group])
            lent.moments.update(zip((row.position for row in group), moments))
            for row, of_s in zip(group, _largest(moments)):
                sums[row.position] += [of_s] + [0.0] * 6 + _NO_SLOPES
    return [sums.get(row.position) for row in lent.rows]


def weigh(filter: Filter, lent: Lent, floor: Number, first: object) -> list[list[Tensor | float] | None]:
    """The sums of each row in the metric with this floor, the second reading, whatever the first found."""
    sums: dict[int, list[Tensor | float]] = {}
    for group in _alike(row for row in lent.rows if row.position in lent.moments):
        moments = [lent.moments.pop(row.position) for row in group]
        decayed = _widened(_decayed(group, [filter.reduction(row.position)[0] for row in group]))
        velocities = _widened([row.memory[0] for row in group])
        denominators = torch._foreach_sqrt(moments)
        if isinstance(floor, Tensor):
            # Without alpha, it would be read back and added as a number.
            torch._foreach_add_(denominators, floor.to(moments[0].device, moments[0].dtype), alpha=1)
        else:
            torch._foreach_add_(denominators, floor)
        lent.denominators.update(zip((row.position for row in group), denominators))
        columns = [_totals(moments)]
        torch._foreach_div_(moments, denominators)
        columns.append(_totals(moments))
        del moments
        directions = torch._foreach_div(decayed, denominators)
        squares = _squared_norms(directions)
        torch._foreach_mul_(directions, decayed)
        columns += [_totals(directions), squares]
        del directions
        columns.append(_dots(velocities, decayed))
        weighted = torch._foreach_mul(velocities, velocities)
        torch._foreach_mul_(weighted, denominators)
        columns.append(_totals(weighted))
        for row, of_row in zip(group, zip(*columns)):
            sums[row.position] = [0.0, *of_row, *_NO_SLOPES]
    return [sums.get(row.position) for row in lent.rows]


def displace(filter: Filter, lent: Lent) -> None:
    """Update: does the filter's steps."""
    steps = {row.position: filter.tensor_step(row.position) for row in lent.rows}
    for group in _alike(row for row in lent.rows if steps[row.position] is not None):
        moving = [row for row in group if steps[row.position]["moves"]]
        if moving:
            _displace(lent, moving, [steps[row.position] for row in moving])
        averaged = [row for row in group if steps[row.position]["mean"] is not None]
        if averaged:
            means = [row.memory[2] for row in averaged]
            differences = torch._foreach_sub(_widened([row.parameter for row in averaged]), means)
            _add_scaled(means, differences, [steps[row.position]["mean"] for row in averaged])
        predicted = [row for row in group if steps[row.position]["prediction"] is not None]
        if predicted:
            _predict(predicted, steps[predicted[0].position]["prediction"])


def _predict(group: list[Row], velocity_decay: float) -> None:
    """x <- x + v, v <- kappa v."""
    velocities = [row.memory[0] for row in group]
    torch._foreach_add_([row.parameter for row in group], velocities)
    torch._foreach_mul_(velocities, velocity_decay)


def _displace(lent: Lent, group: list[Row], todo: list[dict]) -> None:
    parameters = [row.parameter for row in group]
    decayed = _decayed(group, [step["decay"] for step in todo])
    direction = decayed
    if todo[0]["smoothing"] is not None:
        direction = _metric(lent, group, todo[0]["smoothing"], decayed)
    if todo[0]["velocity"] is not None:
        _add_scaled([row.memory[0] for row in group], direction, [-step["velocity"] for step in todo])
    elif todo[0]["gradient"] is not None:
        direction = _covariance(group, todo, decayed)
    _add_scaled(parameters, direction, [-step["position"] for step in todo])
    if any(step["shrinkage"] != 1.0 for step in todo):
        torch._foreach_mul_(parameters, [step["shrinkage"] for step in todo])
    if todo[0]["averaging"] is not None:
        _average([row.memory[1] for row in group], parameters, todo[0]["averaging"])


def _metric(lent: Lent, group: list[Row], smoothing: float, decayed: list[Tensor]) -> list[Tensor]:
    """KOALA-A: s <- smoothing s + (1 - smoothing) h^2; returns h / D."""
    moments = [row.memory[1] for row in group]
    decayed = _widened(decayed)
    torch._foreach_mul_(moments, smoothing)
    torch._foreach_addcmul_(moments, decayed, decayed, value=1.0 - smoothing)
    return torch._foreach_div(decayed, [lent.denominators.pop(row.position) for row in group])


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
    rows = list(rows)
    return [[rows[at] for at in piece] for piece in pieces(rows)]


def _decayed(group: list[Row], decays: list[float]) -> list[Tensor]:
    """h = g + w x."""
    gradients = [row.gradient for row in group]
    if not any(decays):
        return gradients
    penalties = torch._foreach_mul([row.parameter for row in group], decays)
    torch._foreach_add_(penalties, gradients)
    return [h if decay != 0.0 else g for h, g, decay in zip(penalties, gradients, decays)]


def _widened(tensors: list[Tensor]) -> list[Tensor]:
    """Those of half precision as ``float32``."""
    return [tensor.float() if tensor.dtype in _HALF else tensor for tensor in tensors]


def _add_scaled(tensors: list[Tensor], others: list[Tensor], scales: list[float]) -> None:
    scaled = torch._foreach_mul(others, scales)
    if tensors[0].dtype in _HALF and scaled[0].dtype is torch.float32:
        scaled = [tensor.to(like.dtype) for tensor, like in zip(scaled, tensors)]
    torch._foreach_add_(tensors, scaled)


def _average(averages: list[Tensor], parameters: list[Tensor], weight: float) -> None:
    """a <- weight a + (1 - weight) x."""
    torch._foreach_mul_(averages, weight)
    torch._foreach_add_(averages, parameters, alpha=1.0 - weight)


def _squared_norms(tensors: list[Tensor]) -> list[Tensor]:
    if _one_by_one(tensors[0]):
        # Norms of large tensors lose digits there.
        return [_wide(tensor.square().sum()) for tensor in _widened(tensors)]
    wide = torch.float32 if tensors[0].dtype in _HALF else None
    return [_wide(norm).square() for norm in torch._foreach_norm(tensors, 2, dtype=wide)]


def _totals(tensors: list[Tensor]) -> list[Tensor]:
    """Sums of numbers that are not negative."""
    if _one_by_one(tensors[0]):
        return [_wide(tensor.sum()) for tensor in tensors]
    return [_wide(norm) for norm in torch._foreach_norm(tensors, 1)]


def _largest(tensors: list[Tensor]) -> list[Tensor | float]:
    """The largest of numbers that are not negative, 0 where there is none."""
    filled = [at for at, tensor in enumerate(tensors) if tensor.numel() > 0]
    found: list[Tensor | float] = [0.0] * len(tensors)
    if filled:
        for at, largest in zip(filled, torch._foreach_max([tensors[at] for at in filled])):
            found[at] = _wide(largest)
    return found


def _dots(lefts: list[Tensor], rights: list[Tensor]) -> list[Tensor]:
    if _one_by_one(lefts[0]):
        return [_dot(left, right) for left, right in zip(lefts, rights)]
    products = torch._foreach_mul(_widened(lefts), _widened(rights))
    positive = _totals(torch._foreach_clamp_min(products, 0.0))
    torch._foreach_clamp_max_(products, 0.0)
    return [above - below for above, below in zip(positive, _totals(products))]


def _dot(left: Tensor, right: Tensor) -> Tensor:
    if left.dtype in _HALF or right.dtype in _HALF:
        left, right = left.float(), right.float()
    return _wide((left * right).sum())


def _one_by_one(tensor: Tensor) -> bool:
    """Whether each tensor is summed by itself: on the CPU, where nothing is gained by fewer kernels, and sums are pairwise."""
    return tensor.is_cpu


def _wide(number: Tensor) -> Tensor:
    """As ``float64`` where the device has it: squares of large norms do not fit ``float32``."""
    return number if number.device.type == "mps" else number.double()
