"""The optimizers of a comparison, each with the options that decide what it does."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim import Optimizer

from . import described, toml
from .errors import Misuse
from .tuning import Values

Factory = Callable[..., Optimizer]
"""Makes an optimizer of parameters and, by name, of hyperparameters."""


@dataclass(frozen=True)
class Arm:
    """An optimizer."""

    name: str
    factory: Factory
    trials: list[Values]
    """What tuning tries of it; empty if it is not tuned."""
    _known: dict[tuple[tuple[str, float], ...], toml.Table] = field(default_factory=dict, compare=False, repr=False)

    def check(self) -> None:
        """Checks that it has the hyperparameters that are tried.

        Raises:
            Misuse: naming one that it has not.
        """
        known = _known(self.factory)
        for name in self.trials[0] if self.trials else ():
            if known is not None and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f", did you mean {near[0]}?" if near else f"; it has {', '.join(known) or 'none'}"
                raise Misuse(f"tuning of {self.name}: optimizers[{self.name!r}] takes no {name}{hint}")

    def options(self, values: Values) -> toml.Table:
        """All that decides what it does, defaults included, as far as a configuration can hold them.

        It is made once for a parameter that stands for others, and asked. What cannot be made so (it looks at its parameters,
        say) has the options that its factory names.
        """
        key = tuple(sorted(values.items()))
        if key not in self._known:
            self._known[key] = {"name": self.name, **toml.table({**self._made(values), **values})}
        return self._known[key]

    def _made(self, values: Values) -> dict[str, Any]:
        try:
            made = self.factory([torch.nn.Parameter(torch.zeros(1, 1))], **values)
            return {"class": described.name_of(made), **described.options_of(made)}
        except Exception:
            return _defaults(self.factory)


def check_names(optimizers: Mapping[str, Factory]) -> None:
    """Raises :class:`Misuse` if the optimizers are none, or cannot be called so."""
    if not optimizers:
        raise Misuse("there is nothing to compare: give at least one optimizer")
    for name, factory in optimizers.items():
        if not isinstance(name, str) or not name or not name.isprintable() or name == "best":
            raise Misuse(f"an optimizer cannot be called {name!r}; give it a name of letters")
        if not callable(factory):
            raise Misuse(f"optimizers[{name!r}] is {factory!r}; give a function of parameters that makes an optimizer")


def _known(factory: Factory) -> list[str] | None:
    """Hyperparameters that a factory takes by name; ``None`` if it takes any."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter.name for parameter in parameters[1:] if parameter.kind in named]


def _defaults(factory: Factory) -> dict[str, Any]:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty and described.is_plain(parameter.default)
    }
