"""States that are loaded: everything is checked before anything changes."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor

from ._native import Filter
from .distributed import spread_alike


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


def _check_vectors(state_dict: dict[str, Any], parameters: list[Tensor], names: list[str]) -> None:
    keys = [key for group in state_dict["param_groups"] for key in group["params"]]
    for position, (parameter, key) in enumerate(zip(parameters, keys)):
        vectors = state_dict["state"].get(key, {})
        for name in names:
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
