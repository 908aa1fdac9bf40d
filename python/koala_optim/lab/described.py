"""What can be told of a model and an optimizer without asking for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..adaptive import KoalaA
from ..momentum import KoalaM
from ..optimizer import Koala
from ..plusplus import KoalaPP
from ..vanilla import KoalaV

# As the program koala calls them.
_OURS: dict[type[Koala], str] = {KoalaV: "koala-v", KoalaM: "koala-m", KoalaPP: "koala-pp", KoalaA: "koala-a"}

# How a step is computed, not which; PyTorch adds some of them when a state is loaded.
_HOW = ("foreach", "fused", "capturable", "differentiable")
_OF_GROUPS = ("gain", "schedule", "weight-decay")


def name_of(thing: object) -> str:
    """The class of an optimizer or a model as a name: ``adamw``, ``koala-a``, ``my-network``."""
    for ours, name in _OURS.items():
        if isinstance(thing, ours):
            return name
    name = type(thing).__name__
    if isinstance(thing, Optimizer):
        return name.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def options_of(optimizer: Optimizer) -> dict[str, Any]:
    """The options that an optimizer was made with, as far as a configuration can hold them; of ours, the filter's too."""
    options = {name: value for name, value in optimizer.defaults.items() if name not in _HOW and is_plain(value)}
    if isinstance(optimizer, Koala):
        (of_method,) = json.loads(optimizer._config).values()
        of_all = of_method.pop("options")
        # Groups have these; a filter that was loaded has them too.
        options.update((name, value) for name, value in of_all.items() if name not in _OF_GROUPS)
        options.update(of_method)
    return options


def is_plain(value: Any) -> bool:
    """Whether a configuration can hold it."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(inner) for inner in value)
    one = isinstance(value, Tensor) and value.ndim == 0
    return one or isinstance(value, (bool, int, float, str))


def parameters_of(optimizer: Optimizer | None, model: nn.Module | None) -> list[Tensor]:
    """Parameters, each once: the model's, or those that the optimizer has."""
    found: Iterable[Tensor] = ()
    if model is not None:
        found = model.parameters()
    elif optimizer is not None:
        found = (parameter for group in optimizer.param_groups for parameter in group["params"])
    return list({id(parameter): parameter for parameter in found}.values())


def state_bytes(optimizer: Optimizer) -> int:
    """Bytes of the tensors that an optimizer remembers between steps."""
    tensors = {id(tensor): tensor for tensor in _tensors(list(optimizer.state.values()))}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _tensors(inner)


def gain_of(optimizer: Optimizer) -> float | None:
    """Gain of KOALA or learning rate of the others, the schedule's factor in it; ``None`` if there is none."""
    group: dict[str, Any] = optimizer.param_groups[0] if optimizer.param_groups else {}
    rate = group.get("lr")
    return None if rate is None else float(rate)


def device_of(parameters: list[Tensor]) -> str:
    """Where a network is: ``cpu``, ``cuda:0``."""
    return str(parameters[0].device) if parameters else str(torch.device("cpu"))
