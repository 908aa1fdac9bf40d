"""Parameter groups with a filter over them: what the step, the mean and the state stand on."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from ._native import Filter
from .device.rounding import Rounding
from .distributed import LossProcesses
from .early import Early
from .following import Known, followed
from .kept import Kept
from .observation import Observation
from .parts import PART, apart, is_apart
from .place import Place
from .progress import Progress
from .rows import check_trainable, vectors_of
from .settings import DecayRule, group_options, renamed
from .standing import Standing

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
        stay_predicted: bool = False,
        stochastic_rounding: bool = False,
        rounding_seed: int = 0,
    ) -> None:
        if isinstance(check_every, bool) or not isinstance(check_every, int) or check_every < 0:
            raise ValueError(f"check_every = {check_every!r}: must be a number of steps, or 0 for never")
        if not isinstance(stochastic_rounding, bool):
            raise ValueError(f"stochastic_rounding = {stochastic_rounding!r}: must be True or False")
        if isinstance(rounding_seed, bool) or not isinstance(rounding_seed, int) or not 0 <= rounding_seed < 2**63:
            raise ValueError(f"rounding_seed = {rounding_seed!r}: must be a whole number, at least 0 and below 2**63")
        self._config = json.dumps(config)
        if fused and foreach is not None:
            raise ValueError(f"fused=True and foreach={foreach} were given; leave one of them out")
        self._foreach, self._fused = foreach, fused
        self._process_group = LossProcesses(process_group)
        self._check_every = check_every
        self._stay_predicted = stay_predicted
        self._rounding = Rounding(rounding_seed) if stochastic_rounding else None
        self._place = Place()
        self._loaded: Filter | None = None
        self._synced: list[str] = []
        self._observation = Observation()
        self._memory: tuple[str | None, ...] = ()
        self._of_all = False
        self._known = Known()
        self._standing = Standing()
        self._progress = Progress()
        self._early = Early()
        self._kept = Kept()
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
            when = "before the first predict" if self._stay_predicted else "after step"
            raise RuntimeError(f"add_param_group was called between predict and step; call it {when}")
        if self._filter is not None:
            self._follow()
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
        names = group.get("param_names") or self._numbered(start, len(group["params"]))
        parameters = [(name, list(parameter.shape)) for name, parameter in zip(names, group["params"])]
        try:
            if self._filter is None:
                self._place.filter = Filter(self._config, options, parameters)
            else:
                self._filter.add_group(options, parameters)
        except ValueError as error:
            raise ValueError(renamed(str(error))) from None
        self._synced.append(options)
        self._learn()
        self._publish()

    def _numbered(self, start: int, count: int) -> list[str]:
        """Names for parameters that have none, which no other has."""
        taken = {name for name, _ in self._filter.parameters()} if self._filter is not None else set()
        numbers = (str(number) for number in itertools.count(start))
        return list(itertools.islice((number for number in numbers if number not in taken), count))

    def _forget_step(self) -> None:
        """A step is over: what was observed and done in it is of no use any more."""
        self._progress.resumed = self._progress.cleared = False
        self._observation.clear()
        self._early.clear()

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _frozen(self) -> list[bool]:
        """Of all parameters, whether their group is frozen."""
        return [frozen for group in self.param_groups for frozen in [bool(group["frozen"])] * len(group["params"])]

    @property
    def _filter(self) -> Filter | None:
        """The filter, as far as the host knows it: its settings and parameters."""
        return self._place.filter

    def _filter_now(self) -> Filter:
        """The filter; if it is on a device, this waits for it, and what is done with it does not reach the device."""
        if self._filter is None:
            raise RuntimeError("this optimizer was not initialised")
        return self._place.filter_now(self._filter)

    def _filter_seen(self) -> Filter:
        """The same without numbers of other processes, which are left to step."""
        if self._filter is None:
            raise RuntimeError("this optimizer was not initialised")
        return self._place.seen(self._filter)

    def _back_to_host(self) -> None:
        """Ends the stay of the filter on a device, if it is on one."""
        if self._place.back_to_host():
            # Its gains are what a scheduler may have had on the device.
            self._synced[:] = [""] * len(self._synced)

    def _synchronised(self) -> Filter:
        """The filter, told of what schedulers or people changed in the parameter groups."""
        self._follow()
        filter = self._filter_now()
        for index, group in enumerate(self.param_groups):
            options = group_options(group)
            if options != self._synced[index]:
                filter.set_group(index, options)
                self._synced[index] = options
        return filter

    def _follow(self) -> None:
        """Tells the filter of parameters that were put into groups, taken out of them or replaced there.

        Raises:
            RuntimeError: between predict and step.
            TypeError, ValueError: if these cannot be its parameters.
        """
        # Shapes once a step are enough.
        if self._known.is_of(self.param_groups, shapes=not self._progress.predicted):
            return
        if self._progress.predicted:
            raise RuntimeError(
                "parameters were changed in a group between predict and step; change them after step, or call abandon() before"
            )
        self._back_to_host()
        self._synced[:] = followed(self._filter_now(), self._known, self.param_groups, self.state, self._memory)
        self._known.note(self.param_groups)
        self._make_vectors()

    def _learn(self) -> None:
        """Notes what the filter and the groups are from now on, and makes the vectors of what is trained."""
        filter = self._filter_now()
        self._memory = tuple(filter.memory())
        # The paper's q_x is a sum over running means of all parameters, which take up also those that stand still.
        method = json.loads(filter.config())
        self._of_all = method.get("koala-m", {}).get("position-noise") == "paper"
        self._known.note(self.param_groups)
        self._make_vectors()

    def _make_vectors(self) -> None:
        """Also before they are needed: tools that load states look for them."""
        averaged = self._filter_now().averaged
        for position, (parameter, frozen) in enumerate(zip(self._parameters(), self._frozen())):
            trained = self._of_all or (parameter.requires_grad and not frozen)
            vectors_of(parameter, self.state, self._memory, make=trained, averaged=averaged, position=position)

    def _publish(self) -> list[Tensor]:
        """Puts the filter's state where PyTorch's tools look for it: into the first parameter group, as JSON. Returns what
        belongs to each parameter's state, if there are so many that it stands apart.

        As one value: tools that take states apart make an entry of every number in a dictionary.
        """
        filter = self._filter_now()
        self._progress.settle(filter)
        text = filter.state()
        parts: list[Tensor] = []
        if is_apart(len(filter.parameters())):
            text, parts = apart(text)
            # Tools that load flattened states ask for what is there already.
            for parameter, part in zip(self._parameters(), parts):
                if PART not in self.state[parameter]:
                    self.state[parameter][PART] = torch.zeros_like(part)
        self.param_groups[0]["filter"] = text
        return parts

    def __repr__(self) -> str:
        hidden = self.param_groups[0].pop("filter", None) if self.param_groups else None
        try:
            return super().__repr__()
        finally:
            if hidden is not None:
                self.param_groups[0]["filter"] = hidden
