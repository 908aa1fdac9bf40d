"""``config.toml``: everything that decides a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from . import described, toml
from .errors import Misuse

PROGRAM = "koala-optim"
"""What configurations, logs and results name as the program that wrote them."""


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with its names, checked."""
    table = toml.table(config)
    if "program" in table:
        raise Misuse("config: program is told by the run itself; leave it out")
    seed = table.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise Misuse("config: seed must be a whole number, at least 0; it decides first weights and order of samples")
    if "dataset" not in table:
        raise Misuse('config: dataset is missing; give its name, "dataset": "moons"')
    for part in ("dataset", "model", "optimizer"):
        if isinstance(table.get(part), str):
            table[part] = {"name": table[part]}
        if part in table and not (isinstance(table[part], dict) and isinstance(table[part].get("name"), str)):
            raise Misuse(f'config: {part} must be a name, or a mapping with one: {{"name": ..., ...}}')
    size = table.get("batch-size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise Misuse(f"config: batch-size = {size!r}: must be a whole number, at least 1")
    return table


def difference(held: str, wished: str) -> str:
    """The first line in which two configurations differ."""
    one, other = held.splitlines(), wished.splitlines()
    for left, right in zip(one, other):
        if left != right:
            return f"there {left or 'nothing'}, here {right or 'nothing'}"
    longer = one if len(one) > len(other) else other
    return f"{longer[min(len(one), len(other))]} is in one of both only"


def completed(config: toml.Table, optimizer: Optimizer, model: nn.Module | None) -> toml.Table:
    """A configuration with the names of optimizer and model, and the optimizer's options, if nobody gave them."""
    config = dict(config)
    if "optimizer" not in config:
        config["optimizer"] = {"name": described.name_of(optimizer), **described.options_of(optimizer)}
    if "model" not in config:
        config["model"] = {"name": "unknown" if model is None else described.name_of(model)}
    return toml.table(config)


def text(config: toml.Table) -> str:
    """A configuration as its file has it; the program stands first."""
    return f'program = "{PROGRAM}"\n{toml.text(config)}'


def names(config: toml.Table) -> dict[str, str]:
    """Names of optimizer, data set and network."""
    return {part: str(config[part]["name"]) for part in ("optimizer", "dataset", "model")}
