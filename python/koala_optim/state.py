"""The state: taken, loaded, pickled and copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import stored
from ._native import Filter
from .distributed import is_spread, local_part
from .early import Early
from .following import Known
from .groups import Filtered
from .kept import Kept
from .observation import Observation
from .parts import PART
from .place import Place
from .progress import Progress
from .rows import as_stored, is_as_stored, is_idle, is_stored, stored_type
from .standing import Standing


class Restorable(Filtered):
    """An optimizer whose state has the filter in it, so that loaded or copied it goes on to the bit."""

    def state_dict(self) -> dict[str, Any]:
        """The whole state: the method's vectors, the groups, and the filter (JSON) as the first group's ``filter``.

        Plain tensors, numbers and strings, which ``torch.load(weights_only=True)`` reads. Loaded into an optimizer over
        parameters of the same values, the next step is the same to the bit. Losses observed and not used yet are not
        part of it. Of parameters that were never trained nothing is stored but that it is so.
        """
        if not self._progress.saving:
            self._progress.refuse_at_mean("state_dict")
        self._follow()
        self._make_vectors()
        parts = self._publish()
        state = super().state_dict()
        outside = {id(parameter): value for parameter, value in self._progress.outside or []}
        for position, (parameter, key) in enumerate(zip(self._parameters(), stored.keys_of(state))):
            beside: dict[str, Any] = {}
            if parts:
                beside[PART] = parts[position]
            if any(self._memory) and not is_stored(parameter, self.state, self._memory):
                beside[stored.UNTRAINED] = True
            if id(parameter) in outside:
                beside[stored.PARAMETER] = outside[id(parameter)]
            if beside:
                state["state"][key] = {**state["state"].get(key, {}), **beside}
        return state

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where :meth:`state_dict` was called, with the options of then.

        In the middle of a step, if it was called there: :meth:`predict` may then be called again and changes nothing, or the
        step given up with :meth:`abandon`.

        Raises:
            ValueError: if it is not the state of this method over parameters of these shapes and this partition.
        """
        self._progress.refuse_at_mean("load_state_dict")
        filter = stored.filter_of(state_dict, self._config, self.param_groups, type(self).__name__)
        state_dict, parameters = stored.apart(state_dict, self._parameters())
        self._loaded = filter
        try:
            super().load_state_dict(state_dict)
        finally:
            self._loaded = None
        for parameter, vectors in zip(self._parameters(), stored.vectors_of(state_dict)):
            for name, vector in vectors.items():
                # PyTorch gives them the parameter's type.
                if isinstance(vector, Tensor) and (
                    stored_type(parameter, name) is not parameter.dtype or not is_as_stored(vector)
                ):
                    held = as_stored(vector.to(parameter.device, stored_type(parameter, name)))
                    self.state[parameter][name] = held
        for parameter, value in parameters:
            local_part(parameter).copy_(local_part(value))
        self._drop_idle()
        self._config = filter.config()
        self._publish()

    def _drop_idle(self) -> None:
        """Drops vectors of parameters that are not trained and never were, which states of before have too."""
        for parameter, frozen in zip(self._parameters(), self._frozen()):
            trained = self._of_all or (parameter.requires_grad and not frozen)
            if not trained and not is_spread(parameter) and is_idle(parameter, self.state, self._memory):
                for name in filter(None, self._memory):
                    del self.state[parameter][name]

    def __getstate__(self) -> dict[str, Any]:
        self._progress.refuse_at_mean("a copy")
        self._follow()
        self._publish()
        own = ("_config", "_foreach", "_fused", "_process_group", "_check_every", "_stay_predicted", "_rounding")
        kept = {name: self.__dict__[name] for name in own}
        return {**super().__getstate__(), **kept, "_filter": self._filter_now().state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Of copies of before, it stood in the first group alone.
        text = state.get("_filter") or state["param_groups"][0]["filter"]
        state = {"_fused": self.__dict__.get("_fused"), "_rounding": self.__dict__.get("_rounding"), **state}
        state.pop("_filter", None)
        # PyTorch calls this within load_state_dict too.
        filter = self.__dict__.get("_loaded") or Filter.from_state(text)
        super().__setstate__(state)
        self._place = Place(filter)
        self._loaded = None
        self._progress = Progress(predicted=filter.predicted, resumed=filter.predicted)
        self._synced = [""] * len(self.param_groups)
        self._observation = Observation()
        self._standing, self._known = Standing(), Known()
        self._early, self._kept = Early(), Kept()
        self._learn()
