"""The folder that keeps a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .board import BOARD
from .configuration import PROGRAM, difference
from .errors import FolderError
from .lock import LOCK
from .log import EVENTS

CONFIG = "config.toml"
RESULT = "result.json"
FAILURE = "failure.json"

# What makes a folder a run's. CONFIG goes last: as long as it is there, the folder is known for what it is.
_OWN = (RESULT, FAILURE, EVENTS, BOARD, CONFIG)


def make(folder: Path) -> None:
    """Makes a folder if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise FolderError(f"{folder} is a file, or in one; choose another folder") from None


def is_begun(folder: Path) -> bool:
    """Whether a run was begun in it."""
    return (folder / CONFIG).is_file()


def result(folder: Path) -> dict[str, Any] | None:
    """What came of a run that is complete; ``None`` if it is not. A damaged result is written anew."""
    found = _read(folder / RESULT)
    return found if found is not None and found.get("status") == "completed" else None


def failure(folder: Path) -> str | None:
    """Why a run failed, if it did by itself and would again. A damaged one is found out anew."""
    message = (_read(folder / FAILURE) or {}).get("message")
    return message if isinstance(message, str) else None


def forget_failure(folder: Path) -> None:
    """An earlier failure: the run is tried once more."""
    (folder / FAILURE).unlink(missing_ok=True)


def check(folder: Path, *, goes_on: bool, overwrite: bool) -> bool:
    """Checks that a run can be in a folder, and returns whether one was begun there.

    Raises:
        FolderError: if it holds anything that is not of this run.
    """
    begun = is_begun(folder)
    if begun and not (goes_on or overwrite):
        raise FolderError(
            f"{folder} already holds a run; go on with it by resume=True, begin it anew by overwrite=True, or choose another "
            "folder"
        )
    if begun:
        _check_own(folder)
    else:
        held = sorted(entry.name for entry in folder.iterdir() if not _is_left_behind(entry.name))
        if held:
            raise FolderError(f"{folder} holds {_some(held)}, which this run did not write; choose another folder")
    return begun


def check_config(folder: Path, config: str) -> None:
    """Checks that the run in a folder has this configuration.

    Raises:
        FolderError: if it has another one.
    """
    held = (folder / CONFIG).read_text(encoding="utf-8", errors="replace")
    if held != config:
        differs = difference(held, config)
        raise FolderError(f"{folder} holds a run with another configuration ({differs}); choose another folder")


def clear(folder: Path) -> None:
    """Removes the files of a run; everything else is left alone."""
    for name in _OWN:
        (folder / name).unlink(missing_ok=True)


def _check_own(folder: Path) -> None:
    with open(folder / CONFIG, "rb") as file:
        first = file.readline(200).decode(errors="replace")
    if not re.match(rf'program = "{PROGRAM}"\s*$', first):
        raise FolderError(f"{folder} holds a run that another program wrote; choose another folder")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_left_behind(name: str) -> bool:
    """What a program leaves that was killed before it had begun."""
    return name == LOCK or (name.startswith(".") and name.endswith(".part"))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
