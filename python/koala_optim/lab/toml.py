"""TOML, as far as a configuration needs it: writing alone, always the same text for the same values."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

from .errors import Misuse

Table = dict[str, Any]
"""Names and values: numbers, texts, booleans, lists of them, or tables."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def table(values: Mapping[str, Any], path: str = "") -> Table:
    """Values as a configuration holds them: names with hyphens, in one order; what is ``None`` is left out.

    Raises:
        Misuse: naming the value that is of no type that a configuration has.
    """
    kept: Table = {}
    for name, value in values.items():
        if not isinstance(name, str):
            raise Misuse(f"config: {path}{name!r} is no name; give a text")
        name = name.replace("_", "-")
        if name in kept:
            raise Misuse(f"config: {path}{name} is there twice, with a hyphen and with an underscore; give it once")
        if value is not None:
            kept[name] = _plain(value, path + name)
    # A part is called by its name first.
    return dict(sorted(kept.items(), key=lambda item: (item[0] != "name", item[0])))


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, (bool, str, float)):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise Misuse(f"config: {path} = {value} does not fit into 64 bits; give it as a text")
        return value
    if isinstance(value, Mapping):
        return table(value, path + ".")
    if isinstance(value, (list, tuple)):
        return [_plain(inner, f"{path}[{at}]") for at, inner in enumerate(value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    # A number of NumPy's, or a tensor of one.
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return _plain(value.item(), path)
    raise Misuse(
        f"config: {path} is a {type(value).__name__}, which a configuration cannot hold; give a number, a text, True or "
        "False, a list or a mapping of these"
    )


def text(values: Table) -> str:
    """A table as a file: numbers, texts and lists first, then each table under its heading."""
    return "\n".join(_sections(values, "")).lstrip("\n") + "\n"


def _sections(values: Table, path: str) -> list[str]:
    lines = [f"{_key(name)} = {literal(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, value in values.items():
        if isinstance(value, dict):
            inner = path + _key(name)
            # A heading above others alone says nothing.
            heading = [] if value and all(isinstance(part, dict) for part in value.values()) else ["", f"[{inner}]"]
            lines += [*heading, *_sections(value, inner + ".")]
    return lines


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Misuse(f"config: {value!r} is no text of Unicode ({error.reason})") from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def literal(value: Any) -> str:
    """A value as a file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(name)} = {literal(inner)}' for name, inner in value.items())} }}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return repr(value)
