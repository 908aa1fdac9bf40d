"""How far a step is, and what a step is."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ._native import Filter
from .distributed import Number, ProcessGroups
from .readback import Readback

LOOP = """
    optimizer.zero_grad()
    optimizer.predict()                # parameters move to the filter's prediction
    losses = loss_of(model(inputs))    # one loss for each sample: reduction="none"
    optimizer.observe(losses)          # the filter needs their values, not only gradients
    losses.mean().backward()
    optimizer.step()"""


@dataclass
class Progress:
    """How far the step is.

    An object beside the optimizer: Lightning's wrapper has the methods of the optimizer's class and hands on the attributes
    that it lacks, but not assignments to them. What ``predict`` assigns lies here, where the wrapper finds it.
    """

    predicted: bool = False
    """Whether predict was called, and step not since."""
    resumed: bool = False
    """Whether that was before a state was loaded or copied: whoever goes on with it may call predict again."""
    abandoned: bool = False
    """Whether the last step was given up, and none was begun since."""
    cleared: bool = False
    """Whether gradients were cleared since predict."""
    stood: frozenset[int] | None = None
    """Positions of parameters that the last prediction left where they were, since they did not require a gradient; ``None``
    if it was before a state was loaded or copied."""
    deviations: list[tuple[list[Number], ProcessGroups]] | None = None
    """Numbers of predict that are still to be fetched."""
    outside: list[tuple[Tensor, Tensor]] | None = None
    """While parameters stand where they are evaluated: those that were moved there, with their values before."""
    saving: bool = False
    """Whether a state may be taken while they do."""
    place: str = ""
    """Within what they stand there, and where that is."""

    def collect(self, readback: Readback) -> list[int] | None:
        """Adds the numbers of predict that are still to be fetched; returns where they will stand, if there are any."""
        if self.deviations is None:
            return None
        return [readback.add(values, over) for values, over in self.deviations]

    def complete(self, filter: Filter, deviations: list[float]) -> None:
        """Ends predict, with its numbers."""
        self.deviations = None
        filter.complete_predict(deviations)

    def settle(self, filter: Filter) -> None:
        """Ends predict now, if its numbers are still to be fetched."""
        readback = Readback()
        places = self.collect(readback)
        if places is not None:
            numbers = readback.read()
            self.complete(filter, [numbers[at][0] for at in places])

    def begun(self) -> None:
        """Notes that the parameters stand at their prediction."""
        self.predicted, self.resumed, self.abandoned, self.cleared = True, False, False, False

    def note_stood(self, parameters: list[Tensor]) -> None:
        """Notes which parameters a prediction has not moved."""
        self.stood = frozenset(at for at, parameter in enumerate(parameters) if not parameter.requires_grad)

    def refuse_at_mean(self, called: str) -> None:
        """For what is not to be done while the parameters stand where they are evaluated.

        Raises:
            RuntimeError: if they do.
        """
        if self.outside is not None:
            raise RuntimeError(f"{called} was called within {self.place}; leave it before")
