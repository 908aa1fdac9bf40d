"""Steps that are skipped without a word: a mistake, or meant so."""

from __future__ import annotations

from torch import Tensor

from .warned import warn


def gradient_marks(parameters: list[Tensor]) -> list[tuple[int, int] | None]:
    """Changes whenever gradients do."""
    gradients = [parameter.grad for parameter in parameters]
    return [None if gradient is None else (id(gradient), gradient._version) for gradient in gradients]


def warn_of_no_losses(parameters: list[Tensor]) -> None:
    """Warns if there are gradients, which a closure has left that returned no losses."""
    if any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in parameters):
        warn(
            "the closure computed gradients but returned None, so that the step was skipped; to train, return the per-sample "
            "losses (or their mean)"
        )


def warn_of_unfinished(then: str) -> None:
    """Warns of a step that was begun, whose gradients were cleared, and after which the loop did something else."""
    warn(
        f"a step was begun by predict and not finished by step: gradients were cleared, and the loop {then}; the losses of "
        "the step before are forgotten. If a batch is to be skipped, call optimizer.abandon(); else call step()"
    )
