#!/usr/bin/env python3
"""The version: it stands in the workspace's Cargo.toml, and everything else that must repeat it is held to it.

    python3 scripts/version.py                 # print it
    python3 scripts/version.py --check         # exit 1 and say where another one stands
    python3 scripts/version.py --set 0.2.0     # write it everywhere; then `cargo check` writes the lock files
    python3 scripts/version.py --released v0.1.0
        # exit 1 unless that tag names it, and CHANGELOG.md has its notes with a date; prints the notes

Python 3.11 or newer, nothing else.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Files that repeat it, each with what stands before it. The crates inherit it, and a package for pip takes its crate's.
REPEATED = [
    ("Cargo.toml", r'^version = "'),
    ("Cargo.toml", r'^koala-[a-z]+ = \{ path = "[^"]+", version = "'),
    ("python/Cargo.toml", r'^version = "'),
    ("python/koala_optim/version.py", r'^__version__ = "'),
    ("examples/burn-learner/Cargo.toml", r'^version = "'),
    ("examples/your-own/Cargo.toml", r'^version = "'),
    ("CITATION.cff", r"^version: "),
]
NUMBER = r"[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?"


def version() -> str:
    return str(tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"])


def others(expected: str) -> Iterator[str]:
    """Where another version stands, or none, a line each."""
    for file, before in REPEATED:
        stands = re.findall(f"({before})({NUMBER})", (ROOT / file).read_text(), re.MULTILINE)
        if not stands:
            yield f"{file}: nothing there is like {before}"
        for line, number in stands:
            if number != expected:
                yield f"{file}: {line}{number}, but the workspace's version is {expected}"


def write(new: str) -> None:
    for file, before in REPEATED:
        path = ROOT / file
        path.write_text(re.sub(f"({before}){NUMBER}", rf"\g<1>{new}", path.read_text(), flags=re.MULTILINE))


def notes(wanted: str) -> str:
    """What CHANGELOG.md says of a version, whose heading has a date."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    found = re.search(
        rf"^## \[{re.escape(wanted)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## \[|\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        sys.exit(f"CHANGELOG.md has no heading `## [{wanted}] - YYYY-MM-DD`")
    if not found[1].strip():
        sys.exit(f"CHANGELOG.md says nothing about {wanted}")
    return found[1].strip()


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            print(version())
        case ["--check"]:
            if stands := list(others(version())):
                sys.exit("\n".join(stands) + "\nmend it with: python3 scripts/version.py --set " + version())
        case ["--set", new] if re.fullmatch(NUMBER, new):
            write(new)
        case ["--released", tag]:
            if stands := list(others(version())):
                sys.exit("\n".join(stands))
            if tag != f"v{version()}":
                sys.exit(f"the tag is {tag}, but the version {version()}")
            print(notes(version()))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
