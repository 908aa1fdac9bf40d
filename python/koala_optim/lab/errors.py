"""What can go wrong with runs and comparisons, each with its cause and its remedy."""

from __future__ import annotations

import torch


class LabError(Exception):
    """Base of all errors here: nothing that an optimizer did, but how a run or a comparison was asked for."""


class FolderError(LabError):
    """A folder holds something else than what it should."""


class Busy(LabError):
    """Another program is at this run."""


class Settled(LabError):
    """Another program has brought this run to its end."""


class OtherComparison(FolderError):
    """The folder holds another comparison, whose runs would be in no report any more."""


class Misuse(LabError, ValueError):
    """A call that makes no sense, as a figure that has no such name."""


class Diverged(ArithmeticError):
    """What a run computes is not finite any more: it failed by itself, and would again."""


# Of the machine, not of the run: the same run may come to its end at another time.
_OF_THE_MACHINE = (OSError, MemoryError, torch.OutOfMemoryError)
# Of the program that was written: said of no optimizer.
_OF_THE_PROGRAM = (NameError, AttributeError, TypeError, ImportError, SyntaxError, NotImplementedError)


def is_of_the_run(error: BaseException) -> bool:
    """Whether a run that was ended by this would fail again: what :file:`failure.json` remembers."""
    return isinstance(error, Exception) and not isinstance(error, (LabError, *_OF_THE_MACHINE))


def is_of_the_program(error: BaseException) -> bool:
    """Whether this is a mistake in the code that trains, of which no comparison should make a result."""
    return isinstance(error, (LabError, *_OF_THE_PROGRAM))


def in_words(error: BaseException) -> str:
    """What is remembered of an error: its type and its text, cut if that is a page."""
    text = str(error).strip()
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return said if len(said) <= 2000 else said[:2000] + " …"
