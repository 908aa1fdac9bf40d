"""States that are loaded: everything is checked before anything changes."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor

from ._native import Filter
from .parts import PART, whole
from .sound import check_form, check_there, check_vector

PARAMETER = "parameter"
"""Of a state that was taken while the parameters stood at the mean: what they were."""

UNTRAINED = "untrained"
"""Of a parameter that was never trained: that nothing else is stored of it."""


def filter_of(state_dict: dict[str, Any], config: str, groups: list[dict[str, Any]], optimizer: str) -> Filter:
    """The filter in a state, if the state is one of an optimizer of this configuration over the parameters of these groups.
    ``optimizer`` is the name of its class.

    Raises:
        ValueError: saying what differs.
    """
    check_form(state_dict, optimizer)
    stored = state_dict["param_groups"]
    text = stored[0]["filter"]
    parameters = [parameter for group in groups for parameter in group["params"]]
    parts = [vectors.get(PART) for vectors in vectors_of(state_dict)]
    filter = Filter.from_state(whole(text, parts, _described(groups)))
    _check_settings(filter, config)
    _check_shapes(filter, parameters)
    _check_groups(filter, groups)
    frozen = [bool(group.get("frozen")) for group in stored for _ in group["params"]]
    _check_vectors(state_dict, parameters, filter.memory(), frozen)
    return filter


def _described(groups: list[dict[str, Any]]) -> list[tuple[str, list[int], int]]:
    described: list[tuple[str, list[int], int]] = []
    for index, group in enumerate(groups):
        names = group.get("param_names") or []
        for place, parameter in enumerate(group["params"]):
            named = len(names) == len(group["params"])
            name = names[place] if named else str(len(described))
            described.append((name, list(parameter.shape), index))
    return described


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


def _check_groups(filter: Filter, groups: list[dict[str, Any]]) -> None:
    layout = json.loads(filter.state())["layout"]
    stored = [parameter["group"] for parameter in layout["parameters"]]
    here = [index for index, group in enumerate(groups) for _ in group["params"]]
    if len(layout["groups"]) != len(groups) or stored != here:
        raise ValueError(
            f"the filter in the state has {len(layout['groups'])} parameter groups, this optimizer {len(groups)}, or others "
            "of the parameters in each; make it with the groups that the state was saved with"
        )


def _check_vectors(
    state_dict: dict[str, Any], parameters: list[Tensor], names: list[str | None], frozen: list[bool]
) -> None:
    for position, (parameter, vectors) in enumerate(zip(parameters, vectors_of(state_dict))):
        untrained = UNTRAINED in vectors or frozen[position] or not parameter.requires_grad
        # PyTorch takes up all that are there.
        for name, value in vectors.items():
            if isinstance(value, Tensor):
                check_there(value, parameter, position, name)
        for name in filter(None, names):
            vector = vectors.get(name)
            if vector is None and untrained:
                # Nothing is stored of it, or torch.distributed.checkpoint dropped it: it starts anew when it is trained.
                continue
            check_vector(vector, parameter, position, name)
        if PARAMETER in vectors:
            check_vector(vectors[PARAMETER], parameter, position, PARAMETER)


def keys_of(state_dict: dict[str, Any]) -> list[Any]:
    """Under which keys a state has what belongs to the parameters, in order."""
    return [key for group in state_dict["param_groups"] for key in group["params"]]


def vectors_of(state_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """What a state has of each parameter, in order."""
    return [state_dict["state"].get(key, {}) for key in keys_of(state_dict)]


def apart(state_dict: dict[str, Any], parameters: list[Tensor]) -> tuple[dict[str, Any], list[tuple[Tensor, Tensor]]]:
    """A state without what it has beside the vectors, and the parameters that it may bring along."""
    found = [
        (parameter, vectors[PARAMETER])
        for parameter, vectors in zip(parameters, vectors_of(state_dict))
        if PARAMETER in vectors
    ]
    beside = (PARAMETER, UNTRAINED, PART)
    if not any(name in vectors for vectors in state_dict["state"].values() for name in beside):
        return state_dict, []
    without = {
        key: {name: value for name, value in vectors.items() if name not in beside}
        for key, vectors in state_dict["state"].items()
    }
    without = {key: vectors for key, vectors in without.items() if vectors}
    return {**state_dict, "state": without}, found
