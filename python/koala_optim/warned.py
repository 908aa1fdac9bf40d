"""Warnings that name the line of the user's program."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch

# PyTorch wraps the methods of optimizers in functions of its own.
_OWN = (str(Path(__file__).parent), str(Path(torch.__file__).parent))


def warn(text: str) -> None:
    """Warns at the innermost line that is neither this package's nor PyTorch's: there once, as Python does it."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
