"""Bringing the runs of a comparison to their end, each once."""

from __future__ import annotations

import logging
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from . import folder as folders
from .errors import Busy, LabError, Misuse, Settled, in_words, is_of_the_program, is_of_the_run
from .planned import Planned
from .run import Run

_LOG = logging.getLogger("koala_optim.lab")


class Make(Protocol):
    """Makes the optimizer of a run, whichever it is, with the hyperparameters that are its turn."""

    def __call__(self, params: Any, model: nn.Module | None = None) -> Optimizer: ...


Train = Callable[[Make, int, Run], object]
"""Trains a network once: ``train(make, seed, run)``."""


@dataclass(frozen=True)
class Failed:
    """A run that failed by itself, and would again."""

    optimizer: str
    seed: int
    folder: Path
    message: str


class Work:
    """Brings runs to their end, each once."""

    def __init__(self, train: Train, root: Path, options: dict[str, Any], retry_failed: bool) -> None:
        self._train, self._root, self._options = train, root, options
        self._retry = retry_failed
        self.ended: set[str] = set()
        self.ours = 0
        self.failed: list[Failed] = []
        self.company = False
        """Whether other programs are at the comparison."""

    def is_settled(self, run: Planned) -> bool:
        """Whether a run has come to its end, or has failed and would again."""
        path = self._root / run.folder
        return folders.result(path) is not None or (folders.failure(path) is not None and not self._again(run))

    def _again(self, run: Planned) -> bool:
        return self._retry and run.folder not in self.ended

    def do(self, runs: list[Planned]) -> None:
        """Does all that are not done yet."""
        left = runs
        while left:
            busy = [run for run in left if not self._settle(run)]
            if len(busy) == len(left):
                # Others are at all that is left.
                time.sleep(0.2)
            left = busy

    def _settle(self, run: Planned) -> bool:
        """Brings a run to its end; returns whether it is there, not at work elsewhere."""
        if run.folder in self.ended:
            return True
        try:
            if not self.is_settled(run):
                self._run(run)
        except Settled:
            self.company = True
        except Busy:
            self.company = True
            return False
        self.ended.add(run.folder)
        message = folders.failure(self._root / run.folder)
        if message is not None and folders.result(self._root / run.folder) is None:
            self.failed.append(Failed(run.arm.name, run.seed, self._root / run.folder, message))
        return True

    def _run(self, planned: Planned) -> None:
        path = self._root / planned.folder
        what = f"{planned.arm.name}, seed {planned.seed}, {_words(planned)}"
        _LOG.info("%s begins in %s", what, path)
        run = Run(path, planned.config, overwrite=True, **self._options)
        # Asked once it is locked: another program may have done it a moment ago.
        run.refuses = lambda: self.is_settled(planned)
        made: list[Optimizer] = []

        def make(params: Any, model: nn.Module | None = None) -> Optimizer:
            optimizer = planned.arm.factory(params, **planned.values)
            made.append(optimizer)
            run.begin(optimizer, model)
            return optimizer

        _seed(planned.seed)
        try:
            with run:
                self.ours += 1
                self._train(make, planned.seed, run)
                if not made:
                    raise Misuse("train made no optimizer: call make(model.parameters()) in it")
                if (lacks := run.lacks()) is not None:
                    raise Misuse(f"train has not told all that a comparison needs: call {lacks} in it")
                run.complete()
        except Exception as error:
            if is_of_the_program(error):
                # Said of no optimizer: it is tried once more when the program was mended.
                if not isinstance(error, LabError):
                    folders.forget_failure(path)
                raise
            if not is_of_the_run(error):
                raise
            _LOG.warning("%s failed: %s", what, in_words(error))
        else:
            _LOG.info("%s is done", what)


def _words(planned: Planned) -> str:
    values = ", ".join(f"{name} {value}" for name, value in planned.values.items())
    return f"{planned.role['role']} ({values})" if values else str(planned.role["role"])


def _seed(seed: int) -> None:
    """All runs with a seed begin at the same random numbers."""
    random.seed(seed)
    torch.manual_seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
