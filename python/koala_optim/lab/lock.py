"""The lock of a folder, which keeps two programs from being at one run; the same that the program ``koala`` takes."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

from .errors import Busy

LOCK = ".lock"
# What systems say of a lock that another program has; all else (no locks there, no right to them) is another matter.
_TAKEN = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK)


def take(folder: Path) -> int:
    """Keeps other programs away from ``folder`` as long as the file that is returned is open.

    The operating system lets go of it also if this program is killed. The file stays: were it removed, a program that had
    opened it before could lock what another no longer sees.

    Raises:
        Busy: if another program is at it.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    for last in (False, False, False, False, True):
        try:
            _try(file)
            return file
        except OSError as error:
            if error.errno not in _TAKEN:
                os.close(file)
                raise
            # Someone who only asks whether the run is busy lets go at once.
            if last:
                os.close(file)
                raise Busy(f"{folder}: another program is at this run; wait for it or stop it") from None
            time.sleep(0.005)
    raise AssertionError("the last try returns or raises")


def hold(folder: Path) -> int:
    """As :func:`take`, but waits for whoever has it."""
    while True:
        try:
            return take(folder)
        except Busy:
            time.sleep(0.02)


if sys.platform == "win32":
    import msvcrt

    def _try(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
