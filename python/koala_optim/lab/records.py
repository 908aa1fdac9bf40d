"""What a run writes: the events of its log, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..optimizer import Koala
from ..version import __version__
from . import configuration, described, toml
from .configuration import PROGRAM

Event = dict[str, Any]


def start(
    config: toml.Table, measure: str, optimizer: Optimizer, model: nn.Module | None, counts: Mapping[str, int | None]
) -> Event:
    """The beginning; ``counts`` of samples, epochs and steps as far as they are known."""
    return {
        "event": "start",
        "program": PROGRAM,
        "version": __version__,
        **configuration.names(config),
        "measure": measure,
        **_of_network(optimizer, model),
        "seed": config["seed"],
        **{name: value for name, value in counts.items() if value is not None},
    }


def step(
    number: int, epoch: int, loss: Tensor | float, misread: Mapping[str, float], optimizer: Optimizer, seconds: float
) -> Event:
    """A step. Reads from the device, and the report of a filter."""
    event: Event = {"event": "step", "step": number, "epoch": epoch, "loss": float(loss), **misread}
    event["gain"] = described.gain_of(optimizer)
    report = optimizer.report() if isinstance(optimizer, Koala) else None
    if report is not None:
        update, gradient = report["update_norm"], report["gradient_norm"]
        event["effective_learning_rate"] = update / gradient if update is not None and gradient else 0.0
    event["seconds"] = seconds
    if report is not None:
        event["filter"] = report
    return event


def end(status: str, steps: int, found: Mapping[str, float], seconds: float) -> Event:
    """The end, with what the test samples say."""
    tested = {name: value for name, value in found.items() if name.startswith("test_")}
    return {"event": "end", "status": status, "steps": steps, **tested, "seconds": seconds}


def failure(message: str) -> Event:
    """Why a run broke off."""
    return {"event": "failure", "message": message}


def failure_file(message: str) -> Event:
    """The same as ``failure.json`` has it."""
    return {"message": message, "program": PROGRAM, "version": __version__}


def result(
    config: toml.Table, optimizer: Optimizer, model: nn.Module | None, status: str, found: Mapping[str, Any]
) -> Event:
    """What came of a run; ``found`` is what was counted and measured."""
    return {
        "status": status,
        **configuration.names(config),
        **_of_network(optimizer, model),
        "seed": config["seed"],
        "batch_size": config.get("batch-size"),
        **found,
        # Nobody has asked when the device is done with a step's parts.
        "optimizer_seconds": None,
        "optimizer_state_bytes": described.state_bytes(optimizer),
        "program": PROGRAM,
        "version": __version__,
        "torch": str(torch.__version__),
    }


def _of_network(optimizer: Optimizer, model: nn.Module | None) -> Event:
    parameters = described.parameters_of(optimizer, model)
    return {
        "device": described.device_of(parameters),
        "parameters": sum(parameter.numel() for parameter in parameters),
    }
