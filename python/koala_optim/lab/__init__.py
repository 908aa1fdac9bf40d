"""Runs of your own data, network and loop, with any optimizer of PyTorch, kept and judged like those of ``koala``.

:class:`Run` keeps a run in a folder that ``koala watch`` and ``koala report`` read. :func:`compare` gives several optimizers
the same seeds and the same effort of tuning, by the protocol of ``koala compare``.
"""

from .arms import Factory
from .comparison import Compared, compare
from .errors import Busy, Diverged, FolderError, LabError, Misuse, OtherComparison
from .figures import Measure
from .planned import Choice
from .run import Run
from .tuning import Tuning
from .work import Failed, Make, Train

__all__ = [
    "Busy",
    "Choice",
    "Compared",
    "Diverged",
    "Factory",
    "Failed",
    "FolderError",
    "LabError",
    "Make",
    "Measure",
    "Misuse",
    "OtherComparison",
    "Run",
    "Train",
    "Tuning",
    "compare",
]
