"""Whether what is to be loaded is a state: of the right form, with options that may be, and vectors of numbers."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from .distributed import local_part, spread_alike
from .settings import group_options

EARLIER = "restore it from an earlier checkpoint"


def check_form(state_dict: Any, optimizer: str) -> None:
    """Refuses what no ``optimizer``, the name of a class, stored: of another form than its states, or with options of a
    parameter group that it does not take.

    Raises:
        ValueError: saying what is wrong, and what to load instead.
    """

    def refuse(what: str) -> NoReturn:
        raise ValueError(
            f"this is not a state of a KOALA optimizer: {what}; load a state that {optimizer}.state_dict() made"
        )

    if not isinstance(state_dict, dict):
        refuse(f"it is of type {type(state_dict).__name__}")
    groups, state = state_dict.get("param_groups"), state_dict.get("state")
    if not isinstance(groups, (list, tuple)) or not groups or not all(isinstance(group, dict) for group in groups):
        refuse("its 'param_groups' is no list of parameter groups")
    keys: set[int | str] = set()
    for index, group in enumerate(groups):
        here = group.get("params")
        if not isinstance(here, (list, tuple)) or not all(isinstance(key, (int, str)) for key in here):
            refuse(f"'params' of its parameter group {index} is no list of numbers or names")
        if len(keys | {*here}) != len(keys) + len(here):
            refuse(f"'params' of its parameter group {index} has one a second time")
        keys |= {*here}
    if not isinstance(groups[0].get("filter"), str):
        refuse("its first parameter group has no 'filter'")
    if not isinstance(state, dict) or not all(isinstance(vectors, dict) for vectors in state.values()):
        refuse("its 'state' is no dictionary of one for each parameter")
    for index, group in enumerate(groups):
        try:
            group_options(group)
        except ValueError as error:
            raise ValueError(f"parameter group {index} of the state is damaged: {error}; {EARLIER}") from None


def check_vector(vector: Any, parameter: Tensor, position: int, name: str) -> None:
    """Refuses what is no vector of numbers of the parameter's shape, spread as the parameter is. A state never has numbers
    that are not finite: a step that would make one is a missing measurement.

    Raises:
        ValueError: naming the parameter, by its position, and the vector.
    """
    of = f"the state of parameter {position}"
    if not isinstance(vector, Tensor) or vector.shape != parameter.shape:
        raise ValueError(f"{of} has no '{name}' of shape {list(parameter.shape)}; {EARLIER}")
    if not vector.is_floating_point() or vector.layout is not torch.strided:
        raise ValueError(f"{of} has a '{name}' of {vector.dtype} and {vector.layout}, not of strided floats; {EARLIER}")
    if not spread_alike(vector, parameter):
        raise ValueError(
            f"{of} is not spread over processes as the parameter is; load it with "
            "torch.distributed.checkpoint.state_dict.set_optimizer_state_dict"
        )
    if not vector.is_meta and not bool(local_part(vector).isfinite().all()):
        raise ValueError(f"{of} has a '{name}' with numbers that are not finite; {EARLIER}")


def check_there(tensor: Tensor, parameter: Tensor, position: int, name: str) -> None:
    """Refuses a tensor that has no numbers to be copied, unless the parameter has none either.

    Raises:
        ValueError: naming the parameter, by its position, and the tensor.
    """
    if tensor.is_meta and not parameter.is_meta:
        raise ValueError(
            f"the state of parameter {position} has a '{name}' without numbers, on the device meta; {EARLIER}"
        )
