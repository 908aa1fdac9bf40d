"""``suite.json``: which runs a comparison has, and in which role; written anew whenever more is known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from . import folder, lock
from .configuration import PROGRAM
from .durable import json_page, write_whole
from .errors import FolderError, OtherComparison
from .lock import LOCK

FILE = "suite.json"
FORMAT = 1
Listing = dict[str, Any]


def take(root: Path) -> None:
    """Takes a folder for a comparison, making it if it is not there. What was done in it before is found again.

    Raises:
        FolderError: if it holds files that are no comparison's.
    """
    folder.make(root)
    held = {entry.name for entry in root.iterdir()}
    if held and held.isdisjoint({FILE, LOCK, "runs"}):
        raise FolderError(f"{root} holds files that are no comparison's; choose another folder")
    folder.make(root / "runs")


def read(root: Path) -> Listing | None:
    """The listing that is there; ``None`` if there is none. One that is damaged is written anew.

    Raises:
        FolderError: if it is of a newer format, which this version does not understand.
    """
    try:
        listing = json.loads((root / FILE).read_bytes())
        if isinstance(listing, dict) and isinstance(found := listing.get("format"), int) and found > FORMAT:
            raise FolderError(
                f"{root / FILE} has format {found}, and this version of koala_optim reads format {FORMAT}: go on with "
                f"{listing.get('program', 'koala')} {listing.get('version', 'of a newer version')}, which wrote it"
            )
        for run in listing["runs"]:
            _ = (run["folder"], run["optimizer"], run["workload"], run["seed"], run["role"]["role"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return listing if isinstance(listing, dict) and listing.get("format") == FORMAT else None


def write(root: Path, listing: Listing) -> None:
    """Writes a listing, with how many runs were ever at work at once."""
    # Programs that share the folder may write at the same time.
    held = lock.hold(root)
    try:
        before = read(root)
        jobs = max(listing["jobs"], before.get("jobs", 1) if before else 1)
        write_whole(root, FILE, json_page({**listing, "jobs": jobs}))
    finally:
        os.close(held)


def keep_others(root: Path, listing: Listing) -> None:
    """Checks that no run of the listing that is there goes out of it.

    Raises:
        OtherComparison: if some would.
    """
    before = read(root)
    if before is None:
        return
    if before.get("program") != PROGRAM:
        raise OtherComparison(f"{root} holds a comparison that another program made; choose another folder")
    stays = {run["folder"] for run in listing["runs"]}
    tuned = {_of(run) for run in listing["runs"] if run["role"]["role"] == "trial"}
    lost = []
    for run in before["runs"]:
        # What tuning will choose is not known yet.
        if run["folder"] in stays or (run["role"]["role"] == "tuned" and _of(run) in tuned):
            continue
        stays.add(run["folder"])
        path = root / run["folder"]
        if folder.is_begun(path):
            lost.append(run)
    if lost:
        example = f"{lost[0]['optimizer']} on {lost[0]['workload']}, seed {lost[0]['seed']}"
        raise OtherComparison(
            f"{root} holds another comparison, and {len(lost)} of its runs are not part of this one ({example}): they would "
            "be in no report any more. Choose another folder, or ask for them too"
        )


def _of(run: dict[str, Any]) -> tuple[str, str]:
    return run["workload"], run["optimizer"]
