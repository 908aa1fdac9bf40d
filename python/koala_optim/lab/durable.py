"""Files that outlast a crash, and JSON as all files of a run have it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any


def write_whole(folder: Path, name: str, content: str) -> None:
    """Writes a file under another name, syncs and renames it, so that it is there as a whole or not at all."""
    draft = folder / f".{name}.part"
    try:
        with open(draft, "wb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, folder / name)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlast a crash of the system."""
    # Other systems cannot open a folder, and need not.
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def json_line(value: Any) -> str:
    """A value on one line. Numbers that are not finite are ``null``."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_page(value: Any) -> str:
    """The same on many lines, with the line end that files have."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value
