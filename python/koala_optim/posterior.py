"""The parameters standing where the last step left them, while they are kept at the prediction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .distributed import is_spread, local_part
from .mean import AtMean
from .resharding import reshard_modules
from .rows import vectors_of


class AtPosterior(AtMean):
    """An optimizer whose parameters may stand at their prediction from one step to the next."""

    @contextmanager
    def posterior(self) -> Iterator[None]:
        """Within it, the parameters stand where the last step left them, but for rounding.

        With ``stay_predicted`` they stand at their prediction at all other times, since :meth:`step` ends with the next
        :meth:`predict`: call :meth:`predict` before the first step alone. Evaluate, and save what is to be used, here or,
        if the optimizer :attr:`keeps_mean`, within :meth:`averaged`. To resume from, save outside of both: there the state
        and the parameters are what they are, to the bit.

        >>> optimizer = KoalaM(model.parameters(), position_noise=1e-3, stay_predicted=True)
        >>> with optimizer.posterior():
        ...     evaluate(model)

        Afterwards, also after an exception, they are what they were, to the bit. Takes memory for a copy of them.

        Raises:
            RuntimeError: within another ``posterior`` or :meth:`averaged`. Within it, those that raise one within
                :meth:`averaged` do so.
        """
        self._to_posterior()
        try:
            yield
        finally:
            self._from_mean()

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def _to_posterior(self) -> None:
        self._progress.refuse_at_mean("posterior")
        filter = self._filter_now()
        self._progress.settle(filter)
        self._progress.outside, self._progress.saving = [], False
        self._progress.place = "posterior, where the parameters stand where the last step left them"
        parameters = self._parameters()
        if self._progress.stood is None:
            self._progress.note_stood(parameters)
        stood = self._progress.stood or frozenset()
        try:
            if any(is_spread(parameter) for parameter in parameters):
                reshard_modules()
            for position, parameter in enumerate(parameters):
                velocity_decay = filter.velocity_taken(position)
                if velocity_decay is None or position in stood:
                    continue
                velocity = vectors_of(parameter, self.state, self._memory)[0]
                if velocity is None:
                    continue
                self._progress.outside.append((parameter, parameter.detach().clone()))
                # x was moved by v, and v slowed down.
                local_part(parameter).sub_(local_part(velocity), alpha=1.0 / velocity_decay)
        except BaseException:
            self._from_mean()
            raise
