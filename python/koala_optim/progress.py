"""How far a step is, and what a step is."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .distributed import Number, ProcessGroups

LOOP = """
    optimizer.zero_grad()
    optimizer.predict()                # parameters move to the filter's prediction
    losses = loss_of(model(inputs))    # one loss for each sample: reduction="none"
    optimizer.observe(losses)          # the filter needs their values, not only gradients
    losses.mean().backward()
    optimizer.step()"""


@dataclass
class Progress:
    """How far the step is."""

    predicted: bool = False
    """Whether predict was called, and step not since."""
    deviations: list[tuple[list[Number], ProcessGroups]] | None = None
    """Numbers of predict that are still to be fetched."""
    outside: list[tuple[Tensor, Tensor]] | None = None
    """While the parameters stand at the mean: those that it replaced, with their values before."""
    saving: bool = False
    """Whether a state may be taken while they do."""
