"""The runs of a comparison, in the order in which they are wished: seed by seed across optimizers, so that whoever stops it
has all optimizers for the seeds that were done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..version import __version__
from . import configuration, figures, folder, toml
from .arms import Arm
from .configuration import PROGRAM
from .tuning import Tuning, Values

# Hexadecimal digits of a folder's name: 64 bits, so that among a million runs two share a name with a chance of 3 in 10^8.
_DIGITS = 16


@dataclass(frozen=True)
class Planned:
    """A run that is wished."""

    arm: Arm
    seed: int
    values: Values
    """Hyperparameters that are not as its factory has them."""
    role: dict[str, Any]
    config: toml.Table
    folder: str
    """Relative to the comparison's."""


@dataclass(frozen=True)
class Choice:
    """What tuning chose for an optimizer."""

    optimizer: str
    trial: int | None
    """Number of the trial; ``None`` if all failed, and there is nothing to report."""
    values: Values
    validation: float | None
    """Its measure on held-out samples, last evaluation, mean over the tuning seeds."""


@dataclass(frozen=True)
class Plan:
    """What is compared."""

    config: toml.Table
    """What all runs have in common."""
    arms: list[Arm]
    seeds: Sequence[int]
    tuning: Tuning | None

    def trials(self) -> list[Planned]:
        """The trials of tuning. They never meet the test samples."""
        if self.tuning is None:
            return []
        most = max(len(arm.trials) for arm in self.arms)
        return [
            self._run(
                arm, seed, arm.trials[trial], {"role": "trial", "trial": trial, "values": floats(arm.trials[trial])}
            )
            for seed in self.tuning.seeds
            for trial in range(most)
            for arm in self.arms
            if arm.trials
        ]

    def reported(self, choices: Iterable[Choice]) -> list[Planned]:
        """The runs that are reported: as they are, where wished also of optimizers that are tuned, and what tuning chose."""
        chosen = {choice.optimizer: choice for choice in choices if choice.trial is not None}
        defaults = self.tuning is None or self.tuning.defaults
        runs = []
        for seed in self.seeds:
            for arm in self.arms:
                if defaults or not arm.trials:
                    runs.append(self._run(arm, seed, {}, {"role": "defaults"}))
                if arm.name in chosen:
                    runs.append(self._run(arm, seed, chosen[arm.name].values, {"role": "tuned"}))
        return runs

    def choose(self, root: Path, measure: str) -> list[Choice]:
        """The trial with the lowest mean, over the tuning seeds, of each run's last evaluation, since last weights are what is
        reported; the first among equals. A run that failed counts as infinite.
        """
        runs = self.trials()
        choices = []
        for arm in self.arms:
            best: Choice | None = None
            for trial, values in enumerate(arm.trials):
                own = [run for run in runs if run.arm is arm and run.role["trial"] == trial]
                mean = sum(last_validation(root / run.folder, measure) for run in own) / len(own)
                if mean < (float("inf") if best is None or best.validation is None else best.validation):
                    best = Choice(arm.name, trial, values, mean)
            if arm.trials:
                choices.append(best or Choice(arm.name, None, {}, None))
        return choices

    def _run(self, arm: Arm, seed: int, values: Values, role: dict[str, Any]) -> Planned:
        test = role["role"] != "trial"
        config = toml.table({**self.config, "seed": seed, "test": test, "optimizer": arm.options(values)})
        return Planned(arm, seed, values, role, config, run_folder(config))


def run_folder(config: toml.Table) -> str:
    """``runs/`` and a hash of a configuration and of the programs that do the run: others may compute something else, and a
    comparison of runs of two programs is none.
    """
    programs = f"{PROGRAM} {__version__}\ntorch {torch.__version__}\n"
    digest = hashlib.sha256((programs + configuration.text(config)).encode()).hexdigest()
    return f"runs/{digest[:_DIGITS]}"


def floats(values: Values) -> dict[str, float]:
    """Hyperparameters as listings have them."""
    return {name: float(value) for name, value in values.items()}


def last_validation(path: Path, measure: str) -> float:
    """The held-out samples with a run's last weights; infinite if it failed."""
    value = (folder.result(path) or {}).get(f"validation_{figures.judge(measure)}")
    return float(value) if isinstance(value, (int, float)) else float("inf")
