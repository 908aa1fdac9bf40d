"""``events.jsonl``: what a run tells while it goes, one event a line."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .durable import json_line

EVENTS = "events.jsonl"


@dataclass
class Told:
    """What a log has told, up to where a run goes on with it."""

    begun: bool = False
    """Whether its beginning is there."""
    end: int = 0
    """Where its last event ends, in bytes."""
    steps: int = 0
    """Steps that it knows to be done."""
    epochs: int = 0
    epoch_end: int = 0
    """Steps that were done when the last epoch was over."""
    seconds: float = 0.0
    training_seconds: float = 0.0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    """Evaluations, those at the end of epochs among them."""
    _evaluated: tuple[float, float] = (0.0, 0.0)
    damaged: int = 0
    """Lines that cannot be read and stand between others that can."""

    def take(self, event: dict[str, Any]) -> None:
        """One event more."""
        kind = event["event"]
        if kind == "start":
            self.begun = True
        elif kind == "step":
            self.steps = max(self.steps, int(event["step"]) + 1)
            # Of steps since the last evaluation nothing but the time is told.
            seconds, training = self._evaluated
            self.training_seconds = training + max(float(event.get("seconds") or 0.0) - seconds, 0.0)
        elif kind in ("evaluation", "epoch"):
            self.steps = max(self.steps, int(event["step"]))
            self.evaluations.append(event)
            self.training_seconds = float(event.get("training_seconds") or 0.0)
            self._evaluated = float(event.get("seconds") or 0.0), self.training_seconds
        if kind == "epoch":
            self.epochs, self.epoch_end = int(event["epoch"]), int(event["step"])
        self.seconds = max(self.seconds, float(event.get("seconds") or 0.0))


def read(path: Path, done: int | None = None) -> Told:
    """What a log has told; with ``done``, what it has told of so many steps.

    What comes behind that is left out, as are the end of a run that was stopped, why one broke off, a last line without an end
    and damaged lines at the end: a log that is cut at :attr:`Told.end` is as if the run had never stopped.
    """
    told = Told()
    try:
        file = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        return told
    with file:
        at = damaged = 0
        for line in file:
            at += len(line)
            event = _event(line)
            if event is None:
                damaged += 1
                continue
            if event["event"] in ("end", "failure"):
                continue
            if done is not None and _is_behind(event, done):
                break
            told.take(event)
            told.end, told.damaged = at, damaged
    return told


def _event(line: bytes) -> dict[str, Any] | None:
    """A whole line as an event; ``None`` if it is none."""
    if not line.endswith(b"\n"):
        return None
    try:
        event = json.loads(line)
        # Whether the numbers that are needed are there.
        Told().take(event)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _is_behind(event: dict[str, Any], done: int) -> bool:
    kind = event["event"]
    if kind == "step":
        return int(event["step"]) >= done
    return kind in ("evaluation", "epoch") and int(event["step"]) > done


class EventLog:
    """Writes events, each as a whole line at once, so that a crash loses nothing that was told."""

    def __init__(self, path: Path, end: int = 0) -> None:
        """Opens a log, cut at byte ``end``, to go on there."""
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.ftruncate(self._file, end)

    def write(self, event: dict[str, Any], durable: bool = False) -> None:
        """Appends an event; ``durable`` if it is to outlast a crash of the system from now on."""
        line = (json_line(event) + "\n").encode(errors="replace")
        # One call a line: a file has no buffer of its own to flush.
        written = os.write(self._file, line)
        if written < len(line):
            # A full disk: half a line is left to nobody, and the error is told by the rest.
            try:
                os.write(self._file, line[written:])
            except OSError:
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise
        if durable:
            self.sync()

    def sync(self) -> None:
        """What was written outlasts a crash of the system."""
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)
