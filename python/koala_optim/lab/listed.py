"""A comparison as ``suite.json`` lists it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..version import __version__
from . import suite
from .configuration import PROGRAM
from .figures import Measure
from .planned import Choice, Plan, Planned, floats


def workload_of(plan: Plan, measure: Measure, target: float | None, test_samples: int | None) -> dict[str, Any]:
    dataset, model = (str(plan.config[part]["name"]) for part in ("dataset", "model"))
    workload = {
        "name": f"{dataset}-{model}",
        "dataset": dataset,
        "model": model,
        # Texts are judged by their loss.
        "measure": "loss" if measure == "perplexity" else measure,
        "target": target,
        "examples_per_step": plan.config.get("batch-size", 1),
    }
    return workload if test_samples is None else {**workload, "test_samples": test_samples}


def listing_of(
    workload: dict[str, Any],
    runs: Iterable[Planned],
    choices: Iterable[Choice],
    plan: Plan,
    reference: str | None,
    source: str,
    jobs: int,
) -> suite.Listing:
    name = workload["name"]
    tuning = None
    if plan.tuning is not None:
        tuning = {
            "trials": max(len(arm.trials) for arm in plan.arms),
            "sampler": "grid",
            "seeds": list(plan.tuning.seeds),
            "untuned": [arm.name for arm in plan.arms if not arm.trials],
        }
    listing: suite.Listing = {
        "format": suite.FORMAT,
        "program": PROGRAM,
        "version": __version__,
        "name": name,
        "source": source,
        "seeds": list(plan.seeds),
        "tuning": tuning,
        "workloads": [workload],
        "runs": [
            {
                "folder": run.folder,
                "workload": name,
                "optimizer": run.arm.name,
                "seed": run.seed,
                "role": run.role,
            }
            for run in runs
        ],
        "choices": [
            {
                "workload": name,
                "optimizer": choice.optimizer,
                "trial": choice.trial,
                "values": floats(choice.values),
                "validation": choice.validation,
            }
            for choice in choices
        ],
        "jobs": jobs,
        "threads": torch.get_num_threads(),
    }
    return listing if reference is None else {**listing, "reference": reference}
