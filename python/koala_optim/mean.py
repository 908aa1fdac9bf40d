"""The mean of the parameters, and the parameters standing at it: where the model is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from .distributed import is_spread, local_part
from .groups import Filtered
from .resharding import reshard_modules
from .rows import vectors_of


class AtMean(Filtered):
    """An optimizer that may keep a mean of its parameters, and puts them there and back."""

    _can_keep_mean = False

    @property
    def keeps_mean(self) -> bool:
        """Whether there is a mean of the parameters, at which the model is to be evaluated: KOALA-A, unless ``mean=None``."""
        # A setting: not to be waited for.
        return self._filter is not None and self._filter.mean_slot() is not None

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it, the parameters stand at their mean: where the model is to be evaluated.

        >>> with optimizer.averaged():
        ...     koala_optim.recompute_batch_norm(model, batches)  # if it has batch normalisation
        ...     evaluate(model)

        Afterwards, also after an exception, they are what they were, to the bit. Parameters whose mean has taken nothing
        up, since no step was done with them, stay as they are. Takes memory for a copy of the parameters.

        Raises:
            RuntimeError: if the optimizer keeps no mean; between :meth:`predict` and :meth:`step`, unless with
                ``stay_predicted``; within another ``averaged``. Within it, :meth:`predict`, :meth:`step`, :meth:`update`,
                :meth:`state_dict`, :meth:`load_state_dict`, :meth:`add_param_group` and copies of the optimizer raise one
                too.
        """
        self._to_mean()
        try:
            yield
        finally:
            self._from_mean()

    @torch.no_grad()
    def averaged_state_dict(self, model: torch.nn.Module) -> dict[str, Any]:
        """``model.state_dict()`` with the mean in place of the parameters that this optimizer has, as copies.

        Buffers are what they are: of a model with batch normalisation, take it within :meth:`averaged`, after
        :func:`koala_optim.recompute_batch_norm`.

        Raises:
            RuntimeError: if the optimizer keeps no mean; between :meth:`predict` and :meth:`step`, unless with
                ``stay_predicted``.
        """
        self._refuse_without_mean("averaged_state_dict")
        means = {id(parameter): mean for parameter, mean in self._means()}
        state: dict[str, Any] = model.state_dict(keep_vars=True)
        for name, value in state.items():
            if isinstance(value, Tensor):
                mean = means.get(id(value), value)
                state[name] = mean.detach().to(value.dtype, copy=True)
        return state

    def stands_beside_mean(self) -> bool:
        """Whether there is a mean that has taken something up, and the parameters do not stand at it."""
        return self._progress.outside is None and bool(self._means())

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def _to_mean(self, *, saving: bool = False) -> None:
        """Puts the parameters at the mean. ``saving``: a state may be taken there, which then has the parameters too."""
        self._refuse_without_mean("averaged")
        if self._progress.outside is not None:
            raise RuntimeError(f"averaged was called within {self._progress.place} already")
        self._progress.outside, self._progress.saving = [], saving
        self._progress.place = "averaged, where the parameters stand at the mean"
        try:
            means = self._means()
            if any(is_spread(parameter) for parameter, _ in means):
                reshard_modules()
            for parameter, mean in means:
                self._progress.outside.append((parameter, parameter.detach().clone()))
                local_part(parameter).copy_(local_part(mean))
        except BaseException:
            self._from_mean()
            raise

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def _from_mean(self) -> None:
        outside, self._progress.outside = self._progress.outside or [], None
        if any(is_spread(parameter) for parameter, _ in outside):
            reshard_modules()
        for parameter, value in outside:
            local_part(parameter).copy_(local_part(value))

    def _means(self) -> list[tuple[Tensor, Tensor]]:
        """The parameters that have a mean, with it."""
        self._follow()
        filter = self._filter_now()
        parameters = self._parameters()
        slot = filter.mean_slot()
        if slot is None:
            return []
        found = [
            (parameter, vectors_of(parameter, self.state, self._memory, make=False))
            for position, parameter in enumerate(parameters)
            if filter.averaged(position)
        ]
        # Of a parameter that was never trained nothing is stored: it is its own mean.
        means = [(parameter, vectors[slot]) for parameter, vectors in found if vectors]
        return [(parameter, mean) for parameter, mean in means if mean is not None]

    def _refuse_without_mean(self, called: str) -> None:
        if not self.keeps_mean:
            remedy = (
                "give it one with mean=8.0" if type(self)._can_keep_mean else "evaluate at the parameters as they are"
            )
            raise RuntimeError(f"{called} was called, but this {type(self).__name__} keeps no mean; {remedy}")
        if self._progress.predicted and not self._stay_predicted:
            raise RuntimeError(
                f"{called} was called between predict and step, when the parameters stand at their prediction; call it "
                "after step"
            )
