"""The same numbers for TensorBoard, where it is installed, in the file and under the names of the program ``koala``."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from . import figures, hyperparameters, toml

BOARD = "events.out.tfevents.koala"

# Of a record: eight bytes of length, four of its checksum; four of the content's.
_HEAD, _TAIL = 12, 4
_LONGEST = 1 << 28


class Board:
    """An event file that grows. Each event is written at once."""

    def __init__(self, path: Path, config: toml.Table, done: int | None = None) -> None:
        """Opens a file: a new one, or with ``done`` the one that is there, cut behind so many steps. A new one begins with the
        configuration.

        Raises:
            ImportError: if TensorBoard is not installed.
        """
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter, masked_crc32c

        self._checksum = masked_crc32c
        self._event = event_pb2.Event
        mode = "r+b" if done is not None and path.exists() else "w+b"
        self._file: IO[bytes] = open(path, mode, buffering=0)  # noqa: SIM115
        end = 0 if done is None else max(self._ends(self._file, done), default=0)
        self._file.truncate(end)
        self._file.seek(end)
        self._writer = RecordWriter(self._file)
        if end == 0:
            self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))
            event = self._event(wall_time=time.time(), step=0)
            tag, metadata = hyperparameters.start(config)
            event.summary.value.add(tag=tag, metadata=metadata)
            self._write(event)

    def write(self, step: int, points: Mapping[str, float | None]) -> None:
        """Numbers at a step, by their names; those that are not there or not finite are left out."""
        event = self._of(step, points)
        if event.summary.value:
            self._write(event)

    def end(self, step: int, completed: bool, points: Mapping[str, float | None]) -> None:
        """That the run is at its end, or has failed, and what was found there."""
        event = self._of(step, points)
        tag, metadata = hyperparameters.end(completed)
        event.summary.value.add(tag=tag, metadata=metadata)
        self._write(event)

    def _of(self, step: int, points: Mapping[str, float | None]) -> Any:
        event = self._event(wall_time=time.time(), step=step)
        for name, value in points.items():
            if value is not None and math.isfinite(value):
                event.summary.value.add(tag=name, simple_value=value)
        return event

    def close(self) -> None:
        self._file.close()

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())

    def _ends(self, file: IO[bytes], done: int) -> Iterator[int]:
        """Where records end, up to the first that is damaged, tells of more than ``done`` steps or of the run's end."""
        at = 0
        while len(head := file.read(_HEAD)) == _HEAD:
            length, checksum = struct.unpack("<QI", head)
            if length > _LONGEST or checksum != self._checksum(head[:8]):
                return
            content = file.read(length)
            if len(content) < length or file.read(_TAIL) != struct.pack("<I", self._checksum(content)):
                return
            try:
                event = self._event.FromString(content)
            except Exception:  # the decoder's own error, whose home moves with the version of protobuf
                return
            # Points of a step stand at the number of steps done before, those of evaluations at the number done.
            of_step = any(value.tag == "train/loss" for value in event.summary.value)
            if event.step > done or (of_step and event.step >= done):
                return
            # A run that goes on ends later.
            if any(hyperparameters.is_end(value.tag) for value in event.summary.value):
                return
            at += _HEAD + length + _TAIL
            yield at


def check_installed() -> None:
    """Raises :class:`ImportError` if TensorBoard is not installed."""
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise ImportError("tensorboard=True needs TensorBoard: pip install tensorboard, or leave it out") from error


def open_board(path: Path, config: toml.Table, wanted: bool | None, done: int | None) -> Board | None:
    """The file for TensorBoard: if it is ``wanted``, or, with ``None``, if TensorBoard is installed."""
    if wanted is False:
        return None
    try:
        return Board(path, config, done)
    except ImportError:
        if wanted:
            raise
        return None


def of_step(event: Mapping[str, Any]) -> dict[str, float | None]:
    """The points of a step."""
    points: dict[str, float | None] = {
        "train/loss": event["loss"],
        "train/error": event.get("error"),
        "train/top5_error": event.get("top5_error"),
        "gain": event.get("gain"),
        "effective_learning_rate": event.get("effective_learning_rate"),
        "seconds": event["seconds"],
    }
    return points


def of_figures(found: Mapping[str, float]) -> dict[str, float | None]:
    """The points of an evaluation. Those of training batches have another name than those of single batches."""
    named: dict[str, float | None] = {}
    for samples in figures.SAMPLES:
        of_epoch = "epoch_" if samples == "train" else ""
        for kind, value in figures.of(found, samples).items():
            named[f"{samples}/{of_epoch}{kind}"] = value
    return named
