"""Checks the package on any device: ``python -m koala_optim.conformance --device cuda``.

Steps the runs that ``koala-filter`` makes up (gradients and losses of a small convolutional network, the same for every
adapter of the filter) through the public optimizers, and compares every parameter after every ``predict`` and every
``step``, and every report, with what the optimizers over plain slices make of them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._native import conformance_case, conformance_cases
from .adaptive import KoalaA
from .momentum import KoalaM
from .optimizer import Koala
from .plusplus import KoalaPP
from .vanilla import KoalaV

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Types of parameters that can be checked, by name."""


@dataclass(frozen=True)
class Step:
    """One step of a run: what the model says, and what must become of the parameters."""

    gain: float
    gradients: list[Tensor | None]
    losses: Tensor
    predicted: list[Tensor]
    updated: list[Tensor]
    evaluated: list[Tensor]
    report: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A run. Parameters and what belongs to them stand in the order of ``layout["parameters"]``."""

    name: str
    method: str
    settings: dict[str, Any]
    layout: dict[str, Any]
    initial: list[Tensor]
    steps: list[Step]


class Disagreement(AssertionError):
    """A run went another way than its reference: the message says where, and how far."""


def cases() -> Iterator[Case]:
    """All runs, one after the other: each takes some megabytes."""
    return (case(index) for index in range(conformance_cases()))


def case(index: int) -> Case:
    """The run of an index."""
    made = conformance_case(index)
    described = json.loads(made["description"])
    ((method, settings),) = described["config"].items()
    shapes = [parameter["shape"] for parameter in described["layout"]["parameters"]]

    def tensors(vectors: Sequence[bytes | None]) -> list[Any]:
        return [None if vector is None else _tensor(vector, shape) for vector, shape in zip(vectors, shapes)]

    steps = [
        Step(
            gain=step["gain"],
            gradients=tensors(step["gradients"]),
            losses=_tensor(step["losses"], [-1]),
            predicted=tensors(step["predicted"]),
            updated=tensors(step["updated"]),
            evaluated=tensors(step["evaluated"]),
            report=json.loads(step["report"]),
        )
        for step in made["steps"]
    ]
    return Case(described["name"], method, settings, described["layout"], tensors(made["initial"]), steps)


def tolerance(dtype: torch.dtype) -> float:
    """By how much, relative to the largest element of its parameter, an element may differ from the reference."""
    # In bfloat16 a gradient that almost cancels its decay may have either sign, and KOALA-A's first step is of one size.
    return {torch.bfloat16: 1e-1, torch.float16: 5e-2}.get(dtype, 1e-5)


def check(
    case: Case,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    foreach: bool | None = None,
    fused: bool | None = None,
    within: float | None = None,
) -> float:
    """Steps a run through the package; returns the largest relative difference.

    Raises:
        Disagreement: if a parameter, R, the loss or the step's norm differs by more than ``within``, or a block was
            treated otherwise.
    """
    within = tolerance(dtype) if within is None else within
    parameters = [torch.nn.Parameter(tensor.to(device=device, dtype=dtype, copy=True)) for tensor in case.initial]
    optimizer = build(case, parameters, foreach=foreach, fused=fused)
    gains = [case.layout["groups"][group["index"]]["gain"] for group in optimizer.param_groups]
    worst = 0.0
    for at, step in enumerate(case.steps):
        for group, gain in zip(optimizer.param_groups, gains):
            group["lr"] = step.gain * gain
        optimizer.predict()
        worst = max(worst, _compare(case, f"step {at}, after predict", step.predicted, parameters, within))
        for parameter, gradient in zip(parameters, step.gradients):
            parameter.grad = None if gradient is None else gradient.to(device=device, dtype=dtype)
        optimizer.observe(step.losses.to(device))
        optimizer.step()
        worst = max(worst, _compare(case, f"step {at}, after step", step.updated, parameters, within))
        with optimizer.averaged() if optimizer.keeps_mean else nullcontext():
            worst = max(worst, _compare(case, f"step {at}, evaluation", step.evaluated, parameters, within))
        report: Any = optimizer.report() or {}
        worst = max(worst, _compare_reports(case, f"step {at}, report", step.report, report, within))
    return worst


def build(
    case: Case, parameters: list[torch.nn.Parameter], foreach: bool | None = None, fused: bool | None = None
) -> Koala:
    """The optimizer of a run, over ``parameters`` in the run's order; its groups know their ``index`` in the layout."""
    settings = dict(case.settings)
    options = settings.pop("options")
    described = case.layout["parameters"]
    groups = []
    for index, group in enumerate(case.layout["groups"]):
        named = [(d["name"], p) for d, p in zip(described, parameters) if d["group"] == index]
        if named:
            decay = group["weight-decay"] or options["weight-decay"]
            own = {"lr": group["gain"], "weight_decay": decay["rate"], "decay_rule": decay["rule"]}
            groups.append({"params": named, **own, "frozen": group["frozen"], "index": index})
    methods: dict[str, type[KoalaV | KoalaM | KoalaPP | KoalaA]] = {
        "koala-v": KoalaV,
        "koala-m": KoalaM,
        "koala-pp": KoalaPP,
        "koala-a": KoalaA,
    }
    given = {**_own_settings(settings), **_common_settings(options)}
    return methods[case.method](groups, **given, foreach=foreach, fused=fused)


def _own_settings(settings: dict[str, Any]) -> dict[str, Any]:
    own = {name.replace("-", "_"): value for name, value in settings.items()}
    match own.get("position_noise"):
        case {"authors": {"initial": initial}}:
            own.update(position_noise="authors", initial_position_noise=initial)
        case {"fixed": fixed}:
            own.update(position_noise=fixed)
    return own


def _common_settings(options: dict[str, Any]) -> dict[str, Any]:
    # Gain, schedule and decay are the groups'.
    common = {
        name.replace("-", "_"): options[name]
        for name in ("negative-residual", "partition", "missing-limit", "max-update-norm")
    }
    match options["measurement-noise"]:
        case {"adaptive": {"smoothing": smoothing, "initial": initial}}:
            common.update(measurement_noise_smoothing=smoothing, initial_measurement_noise=initial)
        case {"bias-corrected": {"smoothing": smoothing}}:
            common.update(measurement_noise_smoothing=smoothing, initial_measurement_noise=None)
        case {"fixed": fixed}:
            common.update(measurement_noise=fixed)
    ((common["target_rule"], common["target"]),) = options["target"].items()
    return common


def _tensor(vector: bytes, shape: list[int]) -> Tensor:
    return torch.frombuffer(bytearray(vector), dtype=torch.float32).reshape(shape)


def _compare(case: Case, where: str, expected: list[Tensor], found: Sequence[Tensor], within: float) -> float:
    worst = 0.0
    for described, x, y in zip(case.layout["parameters"], expected, found):
        reference = x.double()
        far = (y.detach().cpu().double() - reference).abs().max() / reference.abs().max()
        difference = float(far)
        if not difference <= within:
            raise Disagreement(f"{case.name}, {where}: '{described['name']}' differs by {difference:.1e}")
        worst = max(worst, difference)
    return worst


def _compare_reports(case: Case, where: str, expected: dict[str, Any], found: dict[str, Any], within: float) -> float:
    for report in (expected, found):
        # The cause of a missing measurement is told in words.
        if isinstance(report["outcome"], dict):
            report["outcome"] = "missing"
    outcomes = {block["name"]: block["outcome"] for block in expected["blocks"]}
    there = {block["name"]: block["outcome"] for block in found["blocks"]}
    if (expected["outcome"], outcomes) != (found["outcome"], there):
        raise Disagreement(f"{case.name}, {where}: {found['outcome']}, {there}; not {expected['outcome']}, {outcomes}")
    worst = 0.0
    for name in ("measurement_noise", "loss", "update_norm", "process_noise"):
        x, y = _number(expected[name]), _number(found[name])
        if math.isnan(x) and math.isnan(y):
            continue
        difference = abs(x - y) / max(abs(x), sys.float_info.min)
        if not difference <= within:
            raise Disagreement(f"{case.name}, {where}: {name} is {y}, not {x}")
        worst = max(worst, difference)
    rho, other = (report.get("whiteness", {}).get("smoothed_correlation", 0.0) for report in (expected, found))
    if not abs(rho - other) <= within:
        raise Disagreement(f"{case.name}, {where}: rho is {other}, not {rho}")
    return worst


def _number(value: Any) -> float:
    """A number of a report; of KOALA-M's process noise that of the position. JSON has null for one that is not finite."""
    match value:
        case {"scalar": number} | {"position-velocity": {"position": number}}:
            return _number(number)
    return math.nan if value is None else float(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks all runs and prints which agree; returns the number that do not."""
    parser = argparse.ArgumentParser(prog="python -m koala_optim.conformance", description="Check this device.")
    parser.add_argument("--device", default="cpu", help="where the parameters are (default: cpu)")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="their type (default: float32)")
    parser.add_argument("--foreach", action="store_true", help="use PyTorch's foreach operations on the CPU too")
    given = parser.parse_args(arguments)
    failed = 0
    for case in cases():
        try:
            worst = check(case, device=given.device, dtype=DTYPES[given.dtype], foreach=given.foreach or None)
            print(f"agrees to {worst:.1e}   {case.name}")
        except Disagreement as disagreement:
            failed += 1
            print(f"DIFFERS             {disagreement}")
    print(f"{conformance_cases() - failed} of {conformance_cases()} runs agree on {given.device} in {given.dtype}")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 100))
