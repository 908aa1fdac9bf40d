"""States that are loaded: everything is checked before anything changes."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor

from ._native import Filter
from .distributed import spread_alike

PARAMETER = "parameter"
"""Of a state that was taken while the parameters stood at the mean: what they were."""


def filter_of(state_dict: dict[str, Any], config: str, parameters: list[Tensor], optimizer: str) -> Filter:
    """The filter in a state, if the state is one of an optimizer of this configuration over these parameters.
    ``optimizer`` is the name of its class.

    Raises:
        ValueError: saying what differs.
    """
    groups = state_dict.get("param_groups") or [{}]
    text = groups[0].get("filter")
    if not isinstance(text, str):
        raise ValueError(
            "this is not a state of a KOALA optimizer: its first parameter group has no 'filter'; load a state that "
            f"{optimizer}.state_dict() made"
        )
    filter = Filter.from_state(text)
    _check_settings(filter, config)
    _check_shapes(filter, parameters)
    _check_vectors(state_dict, parameters, filter.memory())
    return filter


def _check_settings(filter: Filter, config: str) -> None:
    ((method, own),) = json.loads(config).items()
    ((other, stored),) = json.loads(filter.config()).items()
    if method != other:
        raise ValueError(f"the state is of {other}, this optimizer is {method}")
    here, there = own["options"]["partition"], stored["options"]["partition"]
    if here != there:
        raise ValueError(
            f"the state has the partition {there!r}, this optimizer {here!r}; make it with partition={there!r}"
        )


def _check_shapes(filter: Filter, parameters: list[Tensor]) -> None:
    stored = [shape for _, shape in filter.parameters()]
    if len(parameters) != len(stored):
        raise ValueError(f"the state has {len(stored)} parameters, this optimizer {len(parameters)}")
    for position, (parameter, shape) in enumerate(zip(parameters, stored)):
        if list(parameter.shape) != shape:
            raise ValueError(
                f"parameter {position} has the shape {list(parameter.shape)}, but {shape} in the state; load the state "
                "with the model that it was saved with"
            )


def _check_vectors(state_dict: dict[str, Any], parameters: list[Tensor], names: list[str | None]) -> None:
    for position, (parameter, vectors) in enumerate(zip(parameters, vectors_of(state_dict))):
        for name in filter(None, names):
            vector = vectors.get(name)
            if vector is None and not parameter.requires_grad:
                # torch.distributed.checkpoint drops the state of what is not trained: it starts anew, with zeros.
                continue
            if not isinstance(vector, Tensor) or vector.shape != parameter.shape:
                raise ValueError(
                    f"the state of parameter {position} has no '{name}' of shape {list(parameter.shape)}; restore it "
                    "from an earlier checkpoint"
                )
            if not spread_alike(vector, parameter):
                raise ValueError(
                    f"the state of parameter {position} is not spread over processes as the parameter is; load it with "
                    "torch.distributed.checkpoint.state_dict.set_optimizer_state_dict"
                )


def keys_of(state_dict: dict[str, Any]) -> list[Any]:
    """Under which keys a state has what belongs to the parameters, in order."""
    return [key for group in state_dict["param_groups"] for key in group["params"]]


def vectors_of(state_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """What a state has of each parameter, in order."""
    return [state_dict["state"].get(key, {}) for key in keys_of(state_dict)]


def apart(state_dict: dict[str, Any], parameters: list[Tensor]) -> tuple[dict[str, Any], list[tuple[Tensor, Tensor]]]:
    """A state without the parameters that it may bring along, and these."""
    found = [
        (parameter, vectors[PARAMETER])
        for parameter, vectors in zip(parameters, vectors_of(state_dict))
        if PARAMETER in vectors
    ]
    if not found:
        return state_dict, []
    without = {
        key: {name: value for name, value in vectors.items() if name != PARAMETER}
        for key, vectors in state_dict["state"].items()
    }
    return {**state_dict, "state": without}, found
