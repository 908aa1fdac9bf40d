"""The state: taken, loaded, pickled and copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import stored
from ._native import Filter
from .distributed import local_part
from .groups import Filtered
from .observation import Observation
from .progress import Progress
from .rows import stored_type


class Restorable(Filtered):
    """An optimizer whose state has the filter in it, so that loaded or copied it goes on to the bit."""

    def state_dict(self) -> dict[str, Any]:
        """The whole state: the method's vectors, the groups, and the filter (JSON) as the first group's ``filter``.

        Plain tensors, numbers and strings, which ``torch.load(weights_only=True)`` reads. Loaded into an optimizer over
        parameters of the same values, the next step is the same to the bit. Losses observed and not used yet are not
        part of it.
        """
        if not self._progress.saving:
            self._progress.refuse_at_mean("state_dict")
        self._publish()
        state = super().state_dict()
        if self._progress.outside is not None:
            keys = {id(p): key for p, key in zip(self._parameters(), stored.keys_of(state))}
            for parameter, value in self._progress.outside:
                state["state"][keys[id(parameter)]] = {
                    **state["state"][keys[id(parameter)]],
                    stored.PARAMETER: value,
                }
        return state

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where :meth:`state_dict` was called, with the options of then.

        Raises:
            ValueError: if it is not the state of this method over parameters of these shapes and this partition.
        """
        self._progress.refuse_at_mean("load_state_dict")
        filter = stored.filter_of(state_dict, self._config, self._parameters(), type(self).__name__)
        state_dict, parameters = stored.apart(state_dict, self._parameters())
        super().load_state_dict(state_dict)
        for parameter, vectors in zip(self._parameters(), stored.vectors_of(state_dict)):
            for name, vector in vectors.items():
                # PyTorch gives them the parameter's type.
                if isinstance(vector, Tensor) and stored_type(parameter, name) is not parameter.dtype:
                    self.state[parameter][name] = vector.to(parameter.device, stored_type(parameter, name))
        for parameter, value in parameters:
            local_part(parameter).copy_(local_part(value))
        self._filter, self._device = filter, None
        self._config = filter.config()
        self._memory = tuple(filter.memory())
        self._progress.predicted = filter.predicted
        self._progress.deviations = None
        self._observation = Observation()
        self._synced = [""] * len(self.param_groups)
        self._make_vectors(self._parameters())

    def __getstate__(self) -> dict[str, Any]:
        self._progress.refuse_at_mean("a copy")
        self._publish()
        own = ("_config", "_foreach", "_fused", "_process_group", "_check_every")
        return {**super().__getstate__(), **{name: self.__dict__[name] for name in own}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._filter, self._device = Filter.from_state(self.param_groups[0]["filter"]), None
        self._memory = tuple(self._filter.memory())
        self._progress = Progress(predicted=self._filter.predicted)
        self._synced = [""] * len(self.param_groups)
        self._observation = Observation()
