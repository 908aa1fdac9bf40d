"""Trainers that clip gradients, as most do unless they are told not to."""

from __future__ import annotations

from .warned import warn


def warn_of_clipping(what: str, remedy: str) -> None:
    """Warns that ``what`` clips gradients; ``remedy`` is the trainer's own."""
    warn(
        f"{what}; clipped gradients are no longer those of the loss, and KOALA's steps get longer by clipping where the "
        f"gradient dominates. Set {remedy}, and bound the step itself, if need be, with max_update_norm= of the optimizer"
    )
