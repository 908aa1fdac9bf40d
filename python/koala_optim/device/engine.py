"""The filter of an optimizer on the device of its parameters: steps without a number read, and what is read later."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._native import Filter
from ..distributed import ProcessGroups, gradient_part
from ..observation import Observation
from ..rows import dense, rows_of
from ..settings import group_options, real
from .adaptive import Adaptive
from .blocks import Blocks
from .blockwise import Momentum, Vanilla
from .exchange import Exchange
from .losses import Losses, losses_of
from .method import Given, Method, Sums
from .plan import Options, Plan, Present
from .products import PlusPlus
from .reach import wide
from .record import Record, repeated, settled
from .rounding import Rounding
from .watch import Watch

if TYPE_CHECKING:
    from .fused.passes import Passes

METHODS: dict[str, type[Method]] = {
    "koala-v": Vanilla,
    "koala-m": Momentum,
    "koala-pp": PlusPlus,
    "koala-a": Adaptive,
}


class Engine:
    """Takes a filter over, and hands it back when it is asked for."""

    def __init__(
        self,
        filter: Filter,
        device: torch.device,
        memory: tuple[str | None, ...],
        *,
        fused: bool,
        check_every: int,
        of_all: bool,
        rounding: Rounding | None = None,
    ) -> None:
        stored: dict[str, Any] = json.loads(filter.state())
        self.device, self.dtype = device, wide(device)
        ((name, _),) = stored["method"].items()
        self.method = METHODS[name](stored, device, self.dtype)
        self.method.rounding = rounding
        self.predicted = filter.predicted
        self.done = 0
        """Steps that were done here."""
        self.fused = fused
        self.told: tuple[object, ...] = ()
        """What the optimizer was told of engines and processes when the filter was put here."""
        self._filter, self._memory, self._of_all = filter, memory, of_all
        gains = [-group["gain"] for group in stored["layout"]["groups"]]
        self._gains = torch.tensor(gains, dtype=self.dtype, device=device)
        self._none = torch.zeros((), dtype=self.dtype, device=device)
        self._gain_of: list[float | None] = [None] * len(self._gains)
        # Triton launches where PyTorch's current device is.
        self._current = torch.cuda.device(device) if fused and device.type == "cuda" else nullcontext()
        self._passes = passes_of(self.method, self._gains) if fused else None
        self._told: list[tuple[Any, ...]] = [()] * len(self._gains)
        self._plan: Plan | None = None
        self._stands = False
        self._records: dict[tuple[int, ...], Record] = {}
        self._before: tuple[Filter, list[Record]] | None = None
        """Records of tensors that are other ones now, and the filter that made them, until the next step."""
        self._exchange = Exchange(check_every, device, self.dtype)
        self._watch = Watch(device, self.method.options["missing-limit"])
        self._blocks = Blocks()

    # A step.

    def predict(self, groups: list[dict[str, Any]], state: MutableMapping[Tensor, dict[str, Any]]) -> None:
        """The time update."""
        plan = self._planned(groups, state)
        self._set_gains(groups)
        if self._passes is None:
            self.method.predict(plan)
        else:
            with self._current:
                self._passes.predict(plan)
        self.predicted = True

    def abandon(self) -> None:
        """Gives up a step that was begun: the prediction stands."""
        if self.predicted:
            self._complete()
            self.method.numbers.abandon()
            self.predicted, self._blocks = False, Blocks()

    def update(
        self,
        groups: list[dict[str, Any]],
        state: MutableMapping[Tensor, dict[str, Any]],
        gradients: list[Tensor | None],
        observation: Observation,
        overflow: Tensor | float,
        over: ProcessGroups = (),
        *,
        stays: bool = False,
    ) -> None:
        """The measurement update, with the losses of the processes of a group.

        ``stays``: with the next time update, if kernels do both in one pass; :attr:`predicted` tells.

        Raises:
            TypeError: for sparse gradients.
            TooManyMissing: if that many measurements were missing when the device was last asked.
            ReplicaDrift: if the filters of the processes were not the same when it was.
        """
        plan = self._planned(groups, state)
        parameters = [parameter for group in groups for parameter in group["params"]]
        gradients = dense(parameters, gradients)
        if plan.spread:
            gradients = [
                gradient if gradient is None else gradient_part(parameter, gradient)
                for parameter, gradient in zip(parameters, gradients)
            ]
        present = plan.present(tuple(at for at, gradient in enumerate(gradients) if gradient is not None))
        self._set_gains(groups)
        found = overflow if isinstance(overflow, Tensor) else None
        if over:
            same = [self.method.numbers.state, *self.method.extras(), self._gains]
            overflowed = self._none if found is None else found
            step = self.method.numbers.now["step"]
            losses, found = self._exchange(over, observation, overflowed, step, same)
        else:
            losses = losses_of(observation, self.device, self.dtype)
        by_part = [[gradients[row.position] for row in part.rows] for part in present.parts]
        record = self._records.setdefault(present.positions, Record(present, self.device))
        joined = stays and self._passes is not None and not present.empty
        if self._passes is not None and not present.empty:
            with self._current:
                self._passes.update(plan, present, by_part, losses, found, record, stays=stays)  # type: ignore[arg-type]
        else:
            self._update(plan, present, by_part, losses, found, record)  # type: ignore[arg-type]
        self._over(predicted=joined)

    def step_block(
        self,
        groups: list[dict[str, Any]],
        state: MutableMapping[Tensor, dict[str, Any]],
        position: int,
        gradient: Tensor,
        observation: Observation,
    ) -> None:
        """The step of one tensor, before the gradients of the others are there: the filter's numbers stay as they are."""
        if not self._blocks:
            # Predict has planned, but of a state that was taken in the middle of a step nobody has.
            self._planned(groups, state)
            self._set_gains(groups)
            self._complete()
            self._blocks.begin(losses_of(observation, self.device, self.dtype))
        assert self._plan is not None
        present = self._plan.present((position,))
        if not present.empty:
            (as_held,) = dense([present.parts[0].parameters[0]], [gradient])
            assert as_held is not None
            self._blocks.step(self.method, self._plan, present, as_held, self._gains)

    def finish_blocks(self) -> None:
        """What is left of an update when all tensors have moved by themselves.

        Raises:
            TooManyMissing: as an update does.
        """
        assert self._plan is not None
        losses = self._blocks.losses
        present = self._plan.present(self._blocks.positions)
        sums = self._blocks.together(present) if not present.empty else self.method.nothing()
        record = self._records.setdefault(present.positions, Record(present, self.device))
        self._measure(self._plan, present, sums, losses, None, record)
        self._blocks = Blocks()
        self._over()

    def _over(self, *, predicted: bool = False) -> None:
        """A step is over, and the next one begun if it is ``predicted``."""
        self.predicted, self._before = predicted, None
        self.done += 1
        self._watch.look(self._watched, self._noticed)

    def _watched(self) -> Tensor:
        return torch.stack([self.method.numbers.now["missing_in_a_row"], self._exchange.drift])

    def _noticed(self, numbers: list[float]) -> None:
        missing, drift = numbers
        if missing >= self.method.options["missing-limit"]:
            self.report()
        if drift:
            self._exchange.check()

    def _update(
        self,
        plan: Plan,
        present: Present,
        gradients: list[list[Tensor]],
        losses: Losses,
        found: Tensor | None,
        record: Record,
    ) -> None:
        if self._passes is not None:
            with self._current:
                self._passes.complete()
        sums = self.method.nothing() if present.empty else self.method.reduce(present, gradients)
        self.method.complete()
        self._measure(plan, present, sums, losses, found, record)

    def _measure(
        self, plan: Plan, present: Present, sums: Sums, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        # Not finite where GradScaler found what is not.
        poison = [] if found is None else [found / (found == 0.0)]
        told = self._none if found is None else found.to(self.device, self.dtype)
        before = [self.method.numbers.futures[0], *self.method.extras(), self._gains]
        record.write([*before, losses.loss, losses.norm, told, sums.matrix], losses.count)
        self.method.update(plan, present, sums, Given(losses, self._gains, poison))

    def _complete(self) -> None:
        """Kernels, and tensors that are spread, leave the time update of the numbers to the next step; before it, it is done
        here."""
        self.method.complete()
        if self._passes is not None:
            with self._current:
                self._passes.complete()

    # What is read.

    def filter(self) -> Filter:
        """The filter as it is now: waits for the device."""
        self._complete()
        self._filter = settled(self.method, self._filter, self._gains, predicted=self.predicted)
        return self._filter

    def seen(self) -> Filter:
        """The same for one process that looks while others do not: numbers that they have parts of are left to the step, and
        the filter is as it was before the prediction."""
        if self.method.apart or (self._passes is not None and self._passes.apart):
            return settled(self.method, self._filter, self._gains, predicted=False)
        return self.filter()

    def report(self) -> str | None:
        """The report of the last step: waits for the device.

        Raises:
            TooManyMissing: if the step was the last of too many.
        """
        filter, written = self._before or (self._filter, self._written())
        if not written:
            return filter.report()
        last = max(written, key=lambda record: record.read()[0][self.method.numbers.names.index("step")])
        return repeated(self.method, filter, last, len(filter.parameters())).report()

    def _written(self) -> list[Record]:
        return [record for record in self._records.values() if record.vector is not None]

    # What a step is about.

    def stands(self, parameters: list[Tensor], state: MutableMapping[Tensor, dict[str, Any]]) -> bool:
        """Whether parameters and vectors are where they were in the last step."""
        self._stands = self._plan is not None and self._plan.holds(parameters, state)
        return self._stands

    def _planned(self, groups: list[dict[str, Any]], state: MutableMapping[Tensor, dict[str, Any]]) -> Plan:
        for index, group in enumerate(groups):
            told = group["weight_decay"], group["decay_rule"], group["frozen"]
            if told != self._told[index]:
                self._keep_records()
                # The gain is the device's affair; the rest is checked here, by the filter too.
                self._filter.set_group(index, group_options({**group, "lr": 1.0}))
                self._told[index], self._plan = told, None
        parameters = [parameter for group in groups for parameter in group["params"]]
        if self._plan is None or not (self._stands or self._plan.holds(parameters, state)):
            self._keep_records()
            indices = [index for index, group in enumerate(groups) for _ in group["params"]]
            options = [Options(float(told[0]), told[1], bool(told[2])) for told in self._told]
            rows = rows_of(
                parameters,
                state,
                self._memory,
                frozen=[options[index].frozen for index in indices],
                of_all=self._of_all,
                # Waits for the device, but only where a mean is made of what is trained from now on.
                averaged=lambda position: self.filter().averaged(position),
            )
            self._plan = Plan(
                parameters, rows, [options[index] for index in indices], indices, state, stores=any(self._memory)
            )
            self._records = {}
        self._stands = False
        return self._plan

    def _keep_records(self) -> None:
        """Keeps what the last step was, before its tensors or options are others."""
        written = self._written()
        if written and self._before is None:
            self._before = Filter.from_state(self._filter.state()), written

    def _set_gains(self, groups: list[dict[str, Any]]) -> None:
        for index, group in enumerate(groups):
            lr = group["lr"]
            if isinstance(lr, Tensor) and lr.device == self.device:
                torch.sub(self._none, lr.detach().reshape(()), out=self._gains[index])
                self._gain_of[index] = None
            elif (gain := real("lr", lr)) != self._gain_of[index]:
                group_options(group)
                self._gains[index].fill_(-gain)
                self._gain_of[index] = gain


def passes_of(method: Method, gains: Tensor) -> Passes | None:
    """The kernels of a method."""
    from .fused.choice import made

    return made(method, gains)
