"""What a network was found to do, under the names that logs and results use: ``validation_error``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from .errors import Misuse

Measure = Literal["error", "perplexity", "loss", "squared-error"]
"""By what evaluations are compared: the share of misread samples in percent, the loss of texts, another loss, or the mean
squared error. Less is better."""

_KINDS: dict[str, tuple[str, ...]] = {
    "error": ("loss", "error", "top5_error"),
    "perplexity": ("loss", "error", "top5_error", "perplexity"),
    "loss": ("loss",),
    "squared-error": ("loss", "root"),
}
MEASURES = tuple(_KINDS)
SAMPLES = ("train", "validation", "test", "best_test")
JUDGED = ("validation", "test")
"""What evaluations are of: held-out samples, or those to test on where none are held out."""


def check_measure(measure: str) -> None:
    """Raises :class:`Misuse` if there is no such measure."""
    if measure not in _KINDS:
        raise Misuse(f"measure = {measure!r}: must be one of {', '.join(map(repr, MEASURES))}")


def judge(measure: str) -> str:
    """The number that decides: ``error`` of what has classes, else ``loss``."""
    return "error" if measure == "error" else "loss"


def read(measure: str, given: Mapping[str, Any], samples: tuple[str, ...] = SAMPLES) -> dict[str, float]:
    """Figures as they are written: those of each samples together, with what follows from them.

    Raises:
        Misuse: for a name that no figure has, a value that is no number, and samples of which the number that decides is
            missing.
    """
    known = [f"{of}_{kind}" for of in samples for kind in _KINDS[measure]]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f", did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise Misuse(f"there is no figure {name} with measure {measure!r} here{hint}")
    found: dict[str, float] = {}
    for of in samples:
        own = {kind: given[f"{of}_{kind}"] for kind in _KINDS[measure] if given.get(f"{of}_{kind}") is not None}
        if not own:
            continue
        if judge(measure) not in own and of in (*JUDGED, "best_test"):
            raise Misuse(f"{of}_{judge(measure)} is missing, by which measure {measure!r} judges; give it too")
        numbers = {kind: number(f"{of}_{kind}", value) for kind, value in own.items()}
        if measure == "perplexity" and "loss" in numbers:
            numbers.setdefault("perplexity", math.exp(min(numbers["loss"], 700.0)))
        if measure == "squared-error" and "loss" in numbers:
            numbers.setdefault("root", math.sqrt(max(numbers["loss"], 0.0)))
        found.update((f"{of}_{kind}", value) for kind, value in numbers.items())
    return found


def number(name: str, value: Any) -> float:
    """One number, also of a tensor.

    Raises:
        Misuse: if it is none.
    """
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise Misuse(f"{name} = {value!r} is no number; give one, or a tensor with one element") from None


def all_of(figures: Mapping[str, float], samples: str) -> dict[str, float]:
    """Those of some samples."""
    return {name: value for name, value in figures.items() if name.startswith(samples + "_")}


def of(figures: Mapping[str, float], samples: str) -> dict[str, float]:
    """Those of some samples, by the names without them."""
    begin = samples + "_"
    return {name.removeprefix(begin): value for name, value in figures.items() if name.startswith(begin)}
