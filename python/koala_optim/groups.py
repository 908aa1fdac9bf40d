"""Parameter groups with a filter over them: what the step, the mean and the state stand on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from ._native import Filter
from .device.engine import Engine
from .distributed import LossProcesses
from .observation import Observation
from .progress import Progress
from .rows import check_trainable, vectors_of
from .settings import DecayRule, group_options, renamed

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class Filtered(Optimizer):
    """PyTorch's optimizer, whose filter knows its parameter groups and is told what changes in them."""

    def __init__(
        self,
        params: ParamsT,
        config: dict[str, Any],
        *,
        lr: float | Tensor,
        weight_decay: float,
        decay_rule: DecayRule,
        foreach: bool | None,
        fused: bool | None,
        process_group: ProcessGroup | bool | None,
        check_every: int,
    ) -> None:
        if isinstance(check_every, bool) or not isinstance(check_every, int) or check_every < 0:
            raise ValueError(f"check_every = {check_every!r}: must be a number of steps, or 0 for never")
        self._config = json.dumps(config)
        if fused and foreach is not None:
            raise ValueError(f"fused=True and foreach={foreach} were given; leave one of them out")
        self._foreach, self._fused = foreach, fused
        self._process_group = LossProcesses(process_group)
        self._check_every = check_every
        self._filter: Filter | None = None
        self._device: Engine | None = None
        self._synced: list[str] = []
        self._observation = Observation()
        self._memory: tuple[str | None, ...] = ()
        self._progress = Progress()
        defaults = {"lr": lr, "weight_decay": weight_decay, "decay_rule": decay_rule, "frozen": False}
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, such as layers that are trained from now on. What the filter has learnt stays.

        Raises:
            RuntimeError: between :meth:`predict` and :meth:`step`.
            TypeError: for complex, sparse or integer parameters.
            ValueError: naming the option of the group that is wrong.
        """
        self._progress.refuse_at_mean("add_param_group")
        if self._progress.predicted:
            raise RuntimeError("add_param_group was called between predict and step; call it after step")
        super().add_param_group(param_group)
        try:
            self._extend(self.param_groups[-1])
        except Exception:
            self.param_groups.pop()
            raise

    def _extend(self, group: dict[str, Any]) -> None:
        self._back_to_host()
        check_trainable(group["params"])
        options = group_options(group)
        start = sum(len(other["params"]) for other in self.param_groups[:-1])
        names = group.get("param_names") or [str(start + at) for at in range(len(group["params"]))]
        parameters = [(name, list(parameter.shape)) for name, parameter in zip(names, group["params"])]
        try:
            if self._filter is None:
                self._filter = Filter(self._config, options, parameters)
            else:
                self._filter.add_group(options, parameters)
        except ValueError as error:
            raise ValueError(renamed(str(error))) from None
        self._memory = tuple(self._filter_now().memory())
        self._synced.append(options)
        self._make_vectors(group["params"])
        self._publish()

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _filter_now(self) -> Filter:
        """The filter; if it is on a device, this waits for it."""
        if self._filter is None:
            raise RuntimeError("this optimizer was not initialised")
        if self._device is not None:
            self._filter = self._device.filter()
        return self._filter

    def _back_to_host(self) -> None:
        """Ends the stay of the filter on a device, if it is on one."""
        if self._device is not None:
            self._filter, self._device = self._filter_now(), None
            # Its gains are what a scheduler may have had on the device.
            self._synced = [""] * len(self._synced)

    def _synchronised(self) -> Filter:
        """The filter, told of what schedulers or people changed in the parameter groups."""
        filter = self._filter_now()
        for index, group in enumerate(self.param_groups):
            options = group_options(group)
            if options != self._synced[index]:
                filter.set_group(index, options)
                self._synced[index] = options
        return filter

    def _make_vectors(self, parameters: list[Tensor]) -> None:
        """Also before they are needed: tools that load states look for them."""
        for parameter in parameters:
            vectors_of(parameter, self.state, self._memory)

    def _publish(self) -> None:
        """Puts the filter's state where PyTorch's tools look for it: into the first parameter group, as JSON.

        As one value: tools that take states apart make an entry of every number in a dictionary, and flattened states
        repeat a group's values for each of its parameters.
        """
        filter = self._filter_now()
        self._progress.settle(filter)
        self.param_groups[0]["filter"] = filter.state()

    def __repr__(self) -> str:
        hidden = self.param_groups[0].pop("filter", None) if self.param_groups else None
        try:
            return super().__repr__()
        finally:
            if hidden is not None:
                self.param_groups[0]["filter"] = hidden
