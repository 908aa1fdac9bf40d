"""The filter's state as it is stored: one text, or of many parameters a short text and the rest with each parameter.

Flattened states (``torch.distributed.checkpoint``) repeat what a parameter group has for each of its parameters. A text
that grows with their number would make them grow as its square.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch
from torch import Tensor

PART = "filter"
"""What is stored with a parameter: the filter's numbers of it."""

_WHOLE = 64
"""Up to so many parameters, a text that tells of each is short enough."""


def is_apart(parameters: int) -> bool:
    """Whether the state of so many parameters is stored in parts."""
    return parameters > _WHOLE


def apart(filter_state: str) -> tuple[str, list[Tensor]]:
    """A state of the filter as a text without its parameters, and the numbers of each (none if it has none)."""
    state = json.loads(filter_state)
    rows = _rows(state)
    parameters = state["layout"].pop("parameters")
    shapes = [parameter["shape"] for parameter in parameters]
    state["parameters"] = {"count": len(shapes), "shapes": _digest(shapes)}
    name, inner = _method(state)
    for field in ("tensors", "moving"):
        inner.pop(field, None)
    if name == "koala-pp" and rows:
        del inner["innovation_variances"]
    return json.dumps(state), [_tensor_of(row) for row in rows]


def whole(text: str, parts: list[Any], described: list[tuple[str, list[int], int]]) -> str:
    """The filter's state, of a stored text.

    Args:
        text: the text; one that has the parameters in it is the state.
        parts: the numbers of each parameter; ``None`` where they are not stored, as of parameters that are not trained.
        described: names, shapes and groups of the parameters that it is loaded for.

    Raises:
        ValueError: if it is of other parameters.
    """
    state = json.loads(text)
    if "parameters" not in state:
        return text
    stored = state.pop("parameters")
    shapes = [shape for _, shape, _ in described]
    if stored["count"] != len(shapes):
        raise ValueError(f"the state has {stored['count']} parameters, this optimizer {len(shapes)}")
    if stored["shapes"] != _digest(shapes):
        raise ValueError(
            "the parameters have other shapes than those of the state; load the state with the model that it was saved with"
        )
    state["layout"]["parameters"] = [{"name": name, "shape": shape, "group": group} for name, shape, group in described]
    numbers = [_numbers_of(part) if isinstance(part, Tensor) else None for part in parts]
    name, inner = _method(state)
    if name == "koala-a":
        inner["tensors"] = [_tensor(row or [0.0, 0.0, 0.0]) for row in numbers]
    elif name == "koala-pp" and "innovation_variances" not in inner:
        inner["innovation_variances"] = [row[0] if row and row[1] else None for row in numbers]
    elif name == "koala-m" and not inner["config"].get("coast", True):
        inner["moving"] = [bool(row and row[0]) for row in numbers]
    return json.dumps(state)


def _tensor_of(row: list[float]) -> Tensor:
    """Numbers as the integers that have their bits: not every device to which a state may be loaded has ``float64``."""
    return torch.tensor(row, dtype=torch.float64, device="cpu").view(torch.int64)


def _numbers_of(part: Tensor) -> list[float]:
    numbers: list[float] = part.cpu().to(torch.int64).view(torch.float64).tolist()
    return numbers


def _method(state: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((name, inner),) = state["method"].items()
    return name, inner


def _rows(state: dict[str, Any]) -> list[list[float]]:
    name, inner = _method(state)
    if name == "koala-a":
        return [[float(tensor[field]) for field in ("updates", "moving", "averaged")] for tensor in inner["tensors"]]
    if name == "koala-pp" and inner["config"]["options"]["partition"] == "per-tensor":
        return [[variance or 0.0, float(variance is not None)] for variance in inner["innovation_variances"]]
    return [[float(moving)] for moving in inner.get("moving", [])]


def _tensor(row: list[float]) -> dict[str, Any]:
    return {"updates": int(row[0]), "moving": bool(row[1]), "averaged": bool(row[2])}


def _digest(shapes: list[list[int]]) -> str:
    return hashlib.blake2b(json.dumps(shapes).encode(), digest_size=16).hexdigest()
