"""How a run is kept in its folder: how it begins, goes on and ends."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import nn
from torch.optim import Optimizer
from typing_extensions import Self

from . import board, configuration, figures, folder, lock, log, records
from .clocks import Clocks
from .durable import json_page, write_whole
from .errors import Diverged, FolderError, Misuse, Settled, in_words, is_of_the_run
from .figures import Measure
from .judged import Judged
from .losses import Losses


class Kept:
    """A run and its folder; what it tells is in :class:`Run`."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        config: Mapping[str, Any],
        *,
        optimizer: Optimizer | None = None,
        model: nn.Module | None = None,
        measure: Measure = "error",
        steps: int | None = None,
        epochs: int | None = None,
        train_samples: int | None = None,
        test_samples: int | None = None,
        log_every: int = 10,
        missing_limit: int = 25,
        tensorboard: bool | None = None,
        resume: bool | int = False,
        overwrite: bool = False,
    ) -> None:
        figures.check_measure(measure)
        if tensorboard:
            board.check_installed()
        if log_every < 1 or missing_limit < 1:
            raise Misuse("log_every and missing_limit must be at least 1")
        if resume is not False and overwrite:
            raise Misuse("resume and overwrite say the opposite: give one of both")
        if resume is not False and resume < 0:
            raise Misuse(f"resume = {resume}: must be the number of steps that are done")
        self.path = Path(path)
        """Its folder."""
        self.test = bool(config.get("test", True))
        """Whether the test samples may be met. Runs that something is chosen by leave them alone (``test`` is ``False`` in
        their configuration, as in trials of :func:`compare`)."""
        self.refuses: Callable[[], bool] | None = None
        """Asked once the folder is locked: whether the run is not to be done."""
        self._config = configuration.checked(config)
        self._measure: Measure = measure
        self._counts = {"train_samples": train_samples, "test_samples": test_samples, "epochs": epochs, "steps": steps}
        self._every = log_every
        self._missing_limit = missing_limit
        self._tensorboard = tensorboard
        self._resume, self._overwrite = resume, overwrite
        self._optimizer, self._model = optimizer, model
        self._lock: int | None = None
        self._log: log.EventLog | None = None
        self._board: board.Board | None = None
        self._told = log.Told()
        self._completed: bool = False
        self._finished: dict[str, float] | None = None
        self._judged = Judged(measure)

    # How it stands.

    @property
    def steps(self) -> int:
        """Steps that are done. Of a run that goes on, where to go on."""
        return self._told.steps

    @property
    def epochs(self) -> int:
        """Epochs that are over."""
        return self._told.epochs

    @property
    def completed(self) -> bool:
        """Whether it was complete when it was resumed; then there is nothing to do, and nothing is written."""
        return self._completed

    # How it begins and ends.

    def __enter__(self) -> Self:
        """Takes the folder.

        Raises:
            FolderError: if it holds something else than this run.
            Busy: if another program is at it.
        """
        if self._lock is not None:
            raise Misuse(f"{self.path}: the run has begun already")
        folder.make(self.path)
        self._check_folder()
        self._lock = lock.take(self.path)
        try:
            # Asked once more now that it is locked: another program may have done it a moment ago.
            begun = self._check_folder()
            if self.refuses is not None and self.refuses():
                raise Settled(f"{self.path}: another program has brought this run to its end")
            if begun and self._overwrite:
                folder.clear(self.path)
            if self._optimizer is not None:
                self.begin(self._optimizer, self._model)
        except BaseException:
            self._close()
            raise
        return self

    def _check_folder(self) -> bool:
        begun = folder.check(self.path, goes_on=self._resume is not False, overwrite=self._overwrite)
        if not begun and self._resume is not True and self._resume:
            raise FolderError(f"{self.path} holds no run to go on with; leave resume out, or give its folder")
        return begun

    def begin(self, optimizer: Optimizer, model: nn.Module | None = None) -> None:
        """Tells what makes the steps, of a run that was made before it.

        Raises:
            FolderError: if the run in the folder has another configuration.
        """
        if self._lock is None:
            raise Misuse("a run begins with its block: with lab.Run(...) as run")
        if self._log is not None or self._completed:
            raise Misuse(f"{self.path}: a run has one optimizer, and was given a second")
        self._optimizer = optimizer
        self._model = model if model is not None else self._model
        self._config = configuration.completed(self._config, optimizer, self._model)
        text = configuration.text(self._config)
        resumed = folder.is_begun(self.path)
        if resumed:
            self._continue(text)
        else:
            write_whole(self.path, folder.CONFIG, text)
        if self._completed:
            return
        self._losses = Losses(self._missing_limit, whole=self._told.steps == self._told.epoch_end)
        self._clocks = Clocks(self._told.seconds, self._told.training_seconds)
        self._log = log.EventLog(self.path / log.EVENTS, self._told.end)
        written = {"program": configuration.PROGRAM, **self._config}
        done = self._told.steps if resumed else None
        self._board = board.open_board(self.path / board.BOARD, written, self._tensorboard, done)
        if not self._told.begun:
            start = records.start(self._config, self._measure, optimizer, self._model, self._counts)
            self._log.write(start, durable=True)

    def complete(self) -> None:
        """Says that the run is at its end, however many steps were promised."""
        self._finished = self._finished or {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._completed or self._lock is None:
                return
            if self._log is None:
                with suppress(OSError):
                    self._refused(error)
            elif error is None:
                self._end()
            elif isinstance(error, Exception):
                # Why it broke off matters more than that it cannot be written.
                with suppress(OSError):
                    self._fail(error)
            else:
                with suppress(OSError):
                    self._write_end("interrupted", {})
        finally:
            self._close()

    def _end(self) -> None:
        promised = self._counts["steps"]
        if self._finished is None and promised is not None and self.steps < promised:
            self._write_end("interrupted", {})
            return
        try:
            self._check_end()
        except Diverged as error:
            self._fail(error)
            raise
        self._write_end("completed", self._finished or {})

    def _check_end(self) -> None:
        """A run whose last numbers are not finite has come to no end.

        Raises:
            Diverged: if it has not.
        """
        # Steps since the last one that was logged were not asked yet.
        self._losses.check(self.steps - 1)
        last = {**(self._judged.last if self._judged.at == self.steps else {}), **(self._finished or {})}
        for name, value in last.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is {value} at the end, after {self.steps} steps: training has diverged")
        if not last and self._losses.is_missing:
            raise Diverged(f"the loss of the last of {self.steps} steps is not finite: training has diverged")

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()
        if self._board is not None:
            self._board.close()
        if self._lock is not None:
            os.close(self._lock)
        self._log = self._board = self._lock = None

    # What is written.

    def _continue(self, config: str) -> None:
        """Reads how far the run in the folder has come."""
        folder.check_config(self.path, config)
        path = self.path / log.EVENTS
        self._completed = folder.result(self.path) is not None
        done = None if self._resume is True or self._completed else int(self._resume)
        self._told = log.read(path, done)
        if self._completed:
            return
        if self._told.damaged:
            warnings.warn(f"{path}: {self._told.damaged} lines cannot be read; they stay there", stacklevel=4)
        if done is not None:
            if self._told.steps + self._every < done:
                told = f"{path} tells of {self._told.steps} steps, and {done} are done"
                warnings.warn(f"{told}: what is missing is lost, the run goes on", stacklevel=4)
            self._told.steps = done
        for event in self._told.evaluations:
            self._judged.take(event)
        folder.forget_failure(self.path)

    def _fail(self, error: Exception) -> None:
        assert self._log is not None
        message = in_words(error)
        self._log.write(records.failure(message), durable=True)
        if is_of_the_run(error):
            write_whole(self.path, folder.FAILURE, json_page(records.failure_file(message)))
        if self._board is not None:
            self._board.end(self.steps, False, {})

    def _refused(self, error: BaseException | None) -> None:
        """What kept an optimizer from being made is a failure of a run whose configuration is known."""
        known = "optimizer" in self._config and "model" in self._config
        if known and error is not None and is_of_the_run(error):
            write_whole(self.path, folder.CONFIG, configuration.text(self._config))
            write_whole(self.path, folder.FAILURE, json_page(records.failure_file(in_words(error))))

    def _write_end(self, status: str, found: dict[str, float]) -> None:
        assert self._log is not None and self._optimizer is not None
        seconds, mean = self._clocks.seconds, self._losses.mean()
        self._log.write(records.end(status, self.steps, found, seconds), durable=True)
        if self._board is not None and status == "completed":
            self._board.end(self.steps, True, board.of_figures(found))
        told = {
            "epochs": self.epochs,
            "steps": self.steps,
            **(self._judged.train or ({} if mean is None else {"train_loss": mean})),
            **figures.all_of(self._judged.last, "validation"),
            **found,
            "best": self._judged.best,
            "seconds": seconds,
            "training_seconds": self._clocks.training,
        }
        result = records.result(self._config, self._optimizer, self._model, status, told)
        write_whole(self.path, folder.RESULT, json_page(result))

    def _open(self) -> log.EventLog:
        if self._log is None:
            raise Misuse(
                "nothing can be told of a run outside its block, or before it has an optimizer: "
                "with lab.Run(..., optimizer=...) as run"
            )
        if self._finished is not None:
            raise Misuse(f"{self.path}: the run was told to be at its end; call run.finish() last")
        return self._log
