"""What the four optimizers have in common: PyTorch's optimizer, with predict and observe around its step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from . import foreach, native, stored
from ._native import Filter
from .distributed import (
    LossProcesses,
    Number,
    ProcessGroups,
    check_same,
    fingerprint,
    is_due,
    is_spread,
    local_part,
)
from .measure import LARGEST, measure
from .observation import Observation
from .progress import LOOP, Progress
from .readback import Readback
from .resharding import reshard_modules
from .rows import Row, check_trainable, fits_native, rows_of, stored_type, vectors_of
from .scaling import unscaled
from .settings import DecayRule, group_options, renamed

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class Koala(Optimizer):
    """Base of :class:`KoalaV`, :class:`KoalaM`, :class:`KoalaPP` and :class:`KoalaA`; not to be made itself.

    A step is :meth:`predict`, then losses at the predicted parameters, :meth:`observe`, backward, :meth:`step`.
    Parameters stand at their prediction between ``predict`` and ``step``: evaluate and save after ``step``, and, if the
    optimizer :attr:`keeps_mean`, within :meth:`averaged`.

    Every parameter group has ``lr``, the gain multiplier e (1 is its natural value, and what learning-rate schedulers
    move), ``weight_decay``, ``decay_rule`` and ``frozen``.
    """

    # GradScaler then calls step with scaled gradients, and also when they overflowed: predict was done and stands, and
    # the measurement is missing.
    _step_supports_amp_scaling = True
    _can_keep_mean = False

    def __init__(
        self,
        params: ParamsT,
        config: dict[str, Any],
        *,
        lr: float | Tensor,
        weight_decay: float,
        decay_rule: DecayRule,
        foreach: bool | None,
        process_group: ProcessGroup | bool | None,
        check_every: int,
    ) -> None:
        if isinstance(check_every, bool) or not isinstance(check_every, int) or check_every < 0:
            raise ValueError(f"check_every = {check_every!r}: must be a number of steps, or 0 for never")
        self._config = json.dumps(config)
        self._foreach = foreach
        self._process_group = LossProcesses(process_group)
        self._check_every = check_every
        self._filter: Filter | None = None
        self._synced: list[str] = []
        self._observation = Observation()
        self._memory: tuple[str | None, ...] = ()
        self._progress = Progress()
        defaults = {"lr": lr, "weight_decay": weight_decay, "decay_rule": decay_rule, "frozen": False}
        super().__init__(params, defaults)

    # The step. torch.compile leaves it out of its graphs.

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def predict(self) -> None:
        """The time update: moves the parameters to their prediction (KOALA-M, KOALA-A; the others leave them alone).

        Compute losses and gradients afterwards.

        Raises:
            RuntimeError: if the last step was not finished by :meth:`step`.
        """
        self._refuse_at_mean("predict")
        if self._predicted:
            raise RuntimeError(
                "predict was called twice without a step between; call it once a step, before the first micro-batch:"
                + LOOP
            )
        filter = self._synchronised()
        if filter.motion() is None:
            filter.complete_predict([])
            self._predicted = True
            return
        rows = self._rows()
        deviations: list[Number] = [0.0] * len(rows)
        if any(row.over for row in rows):
            reshard_modules()
        for engine, part in self._engines(rows):
            for row, deviation in zip(part, engine.advance(filter, engine.lend(part))):
                deviations[row.position] = deviation
        self._predicted = True
        # Numbers on other devices or of other processes are fetched with the rest of the step's, in step().
        self._deviations = [([deviation], row.over) for deviation, row in zip(deviations, rows)]
        if all(type(deviation) is float and not row.over for deviation, row in zip(deviations, rows)):
            self._complete(filter, [float(deviation) for deviation in deviations])

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def observe(
        self,
        losses: Tensor | float,
        *,
        mean_square: Tensor | float | None = None,
        count: int | None = None,
    ) -> None:
        """Tells the filter the losses of the minibatch, or of a micro-batch of it. Reads nothing back.

        Args:
            losses: per-sample losses, of any shape; or, as a single number, their mean.
            mean_square: with the mean, the mean of the squared per-sample losses. Left out, it is taken for the square
                of the mean, as if all losses were equal: the filter then takes the measurement for better than it is.
            count: with the mean, the number of samples that it is of; tells how much it weighs among micro-batches.

        Raises:
            RuntimeError: if :meth:`predict` was not called before.
            TypeError, ValueError: if these cannot be losses.
        """
        if not self._predicted:
            raise RuntimeError("observe was called before predict; a step is:" + LOOP)
        self._observation.add(losses, mean_square, count)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @overload
    def step(self, closure: Callable[[], Tensor]) -> Tensor: ...

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor | float] | None = None) -> Tensor | float | None:
        """The measurement update, with the losses observed and the gradients of their mean, without weight decay.

        Args:
            closure: clears the gradients, computes the losses, calls ``backward`` on their mean and returns them (or the
                mean alone). With it, a step is this call alone: predict and observe are done here. A closure that calls
                :meth:`observe` itself may return anything; trainers' closures do.

        Returns:
            What the closure returned.

        Raises:
            RuntimeError: if nothing was observed; under ``negative_residual="error"``.
            TooManyMissing: after ``missing_limit`` losses or gradients in a row that were not finite.
        """
        self._refuse_at_mean("step")
        losses = None
        if closure is not None:
            before = self._observation.count
            if not self._predicted:
                self.predict()
            with torch.enable_grad():
                losses = closure()
            if self._observation.count == before:
                self._observe_result(losses)
        try:
            self._update()
        except BaseException:
            # GradScaler takes these back from a step that returns; left behind, they would multiply its next scale.
            self.__dict__.pop("grad_scale", None)
            self.__dict__.pop("found_inf", None)
            raise
        return losses

    def _observe_result(self, losses: Tensor | float | None) -> None:
        """Observes what a closure returned that has observed nothing itself."""
        if not self._observation.count:
            if losses is None:
                raise RuntimeError("the closure returned nothing; return the per-sample losses, or their mean")
            self.observe(losses)
        elif losses is not None:
            raise RuntimeError(
                "step was given a closure that returns losses, but others were observed before; observe these within the "
                "closure too, or leave all observing to its result"
            )

    def update(self, losses: Tensor | float, **means: Any) -> None:
        """:meth:`observe` and :meth:`step` in one, after ``backward``."""
        self._refuse_at_mean("update")
        self.observe(losses, **means)
        self.step()

    def _update(self) -> None:
        if not self._observation.count:
            if not self._predicted and all(float(group["lr"]) == 0.0 for group in self.param_groups):
                # torch.distributed.checkpoint makes a fresh optimizer's state by such a step.
                return
            missing = "no losses were observed" if self._predicted else "neither predict nor observe before it"
            raise RuntimeError(f"step was called, but {missing}; a step is:{LOOP}")
        filter = self._synchronised()
        gradients = unscaled(self._parameters(), getattr(self, "grad_scale", None))
        rows = self._rows(gradients)
        lent = [
            (engine, part, engine.lend(part, gradients=True))
            for engine, part in self._engines([row for row in rows if row.gradient is not None])
        ]
        readback = Readback()
        predicted = self._read_deviations(readback)
        statistics: list[list[float] | None] = [None] * len(self._parameters())
        shared: dict[int, tuple[list[Number], ProcessGroups]] = {}
        measured = measure(filter, lent)
        for position, found in measured.sums.items():
            if measured.here(position):
                statistics[position] = [float(number) for number in found]
            else:
                shared[position] = found, measured.over[position]
        # By position: which engine a part goes to need not be the same in all processes.
        places = {position: readback.add(*shared[position]) for position in sorted(shared)}
        largest = readback.add([] if measured.largest is None else [measured.largest])
        over = self._process_group.groups()
        due = over and is_due(filter.step + 1, self._check_every)
        mark = fingerprint(filter.state() if due else None, filter.step, self._check_every)
        observed = readback.gather([*self._observation.sums(), self._overflow(), *mark], over)
        numbers = readback.read()
        if predicted is not None:
            self._complete(filter, [numbers[at][0] for at in predicted])
        for position, place in places.items():
            statistics[position] = numbers[place]
        for number in numbers[largest]:
            for sums in statistics:
                if sums is not None:
                    sums[LARGEST] = number
        gathered = iter(numbers[observed])
        processes = list(zip(*[gathered] * (4 + len(mark))))
        total, squares, count, overflow = (sum(column) for column in list(zip(*processes))[:4])
        if overflow != 0.0 and all(math.isfinite(number) for sums in statistics if sums for number in sums):
            # What overflowed is no gradient of this filter's: of another process, or of a frozen parameter.
            total = math.nan
        try:
            filter.update(statistics, total, squares, round(count))
        finally:
            self._predicted = filter.predicted
            if not self._predicted:
                self._observation = Observation()
        for engine, _, memory in lent:
            engine.displace(filter, memory)
        # Parameters that stand still, but whose mean follows.
        still = [row for row in rows if row.gradient is None and filter.tensor_step(row.position) is not None]
        for engine, part in self._engines(still):
            engine.displace(filter, engine.lend(part))
        if over:
            check_same(over, [process[4:] for process in processes])

    def _read_deviations(self, readback: Readback) -> list[int] | None:
        if self._deviations is None:
            return None
        return [readback.add(values, over) for values, over in self._deviations]

    def _settle(self) -> None:
        """Ends predict now, if its numbers are still to be fetched."""
        readback = Readback()
        places = self._read_deviations(readback)
        if places is not None:
            numbers = readback.read()
            self._complete(self._filter_now(), [numbers[at][0] for at in places])

    def _complete(self, filter: Filter, deviations: list[float]) -> None:
        self._deviations = None
        filter.complete_predict(deviations)

    def _overflow(self) -> Number:
        """More than 0 if GradScaler found gradients that are not finite."""
        found = getattr(self, "found_inf", 0.0)
        return local_part(found).reshape(()) if isinstance(found, Tensor) else float(found)

    # Parameters.

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, such as layers that are trained from now on. What the filter has learnt stays.

        Raises:
            RuntimeError: between :meth:`predict` and :meth:`step`.
            TypeError: for complex, sparse or integer parameters.
            ValueError: naming the option of the group that is wrong.
        """
        self._refuse_at_mean("add_param_group")
        if self._predicted:
            raise RuntimeError("add_param_group was called between predict and step; call it after step")
        super().add_param_group(param_group)
        try:
            self._extend(self.param_groups[-1])
        except Exception:
            self.param_groups.pop()
            raise

    def _extend(self, group: dict[str, Any]) -> None:
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
        if self._filter is None:
            raise RuntimeError("this optimizer was not initialised")
        return self._filter

    def _synchronised(self) -> Filter:
        """The filter, told of what schedulers or people changed in the parameter groups."""
        filter = self._filter_now()
        for index, group in enumerate(self.param_groups):
            options = group_options(group)
            if options != self._synced[index]:
                filter.set_group(index, options)
                self._synced[index] = options
        return filter

    def _rows(self, gradients: list[Tensor | None] | None = None) -> list[Row]:
        parameters = self._parameters()
        return rows_of(parameters, gradients or [None] * len(parameters), self.state, self._memory)

    def _make_vectors(self, parameters: list[Tensor]) -> None:
        """Also before they are needed: tools that load states look for them."""
        for parameter in parameters:
            vectors_of(parameter, self.state, self._memory)

    def _engines(self, rows: list[Row]) -> list[tuple[Any, list[Row]]]:
        """The rows apart by engine."""
        direct = [row for row in rows if not self._foreach and fits_native(row.parameter)]
        chosen = {row.position for row in direct}
        other = [row for row in rows if row.position not in chosen]
        if other and self._foreach is False:
            raise ValueError(
                f"foreach=False, but parameter {other[0].position} is no dense float32 or float64 tensor on the CPU"
            )
        return [(engine, part) for engine, part in ((native, direct), (foreach, other)) if part]

    # Lightning's wrapper has the methods of this class and hands on the attributes that it lacks, but not assignments to
    # them: what predict assigns lies in an object that the wrapper finds here.

    @property
    def _predicted(self) -> bool:
        return self._progress.predicted

    @_predicted.setter
    def _predicted(self, predicted: bool) -> None:
        self._progress.predicted = predicted

    @property
    def _deviations(self) -> list[tuple[list[Number], ProcessGroups]] | None:
        return self._progress.deviations

    @_deviations.setter
    def _deviations(self, deviations: list[tuple[list[Number], ProcessGroups]] | None) -> None:
        self._progress.deviations = deviations

    # Evaluation.

    @property
    def keeps_mean(self) -> bool:
        """Whether there is a mean of the parameters, at which the model is to be evaluated: KOALA-A, unless ``mean=None``."""
        return self._filter_now().mean_slot() is not None

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it, the parameters stand at their mean: where the model is to be evaluated.

        >>> with optimizer.averaged():
        ...     koala_optim.recompute_batch_norm(model, batches)  # if it has batch normalisation
        ...     evaluate(model)

        Afterwards, also after an exception, they are what they were, to the bit. Parameters whose mean has taken nothing
        up, since no step was done with them, stay as they are. Takes memory for a copy of the parameters.

        Raises:
            RuntimeError: if the optimizer keeps no mean; between :meth:`predict` and :meth:`step`; within another
                ``averaged``. Within it, :meth:`predict`, :meth:`step`, :meth:`update`, :meth:`state_dict`,
                :meth:`load_state_dict`, :meth:`add_param_group` and copies of the optimizer raise one too.
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
            RuntimeError: if the optimizer keeps no mean; between :meth:`predict` and :meth:`step`.
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
            raise RuntimeError("averaged was called within averaged: the parameters stand at the mean already")
        self._progress.outside, self._progress.saving = [], saving
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
        filter = self._filter_now()
        parameters = self._parameters()
        slot = filter.mean_slot()
        if slot is None:
            return []
        found = [
            (parameter, vectors_of(parameter, self.state, self._memory)[slot])
            for position, parameter in enumerate(parameters)
            if filter.averaged(position)
        ]
        return [(parameter, mean) for parameter, mean in found if mean is not None]

    def _refuse_without_mean(self, called: str) -> None:
        if not self.keeps_mean:
            remedy = (
                "give it one with mean=8.0" if type(self)._can_keep_mean else "evaluate at the parameters as they are"
            )
            raise RuntimeError(f"{called} was called, but this {type(self).__name__} keeps no mean; {remedy}")
        if self._predicted:
            raise RuntimeError(
                f"{called} was called between predict and step, when the parameters stand at their prediction; call it "
                "after step"
            )

    def _refuse_at_mean(self, called: str) -> None:
        if self._progress.outside is not None:
            raise RuntimeError(
                f"{called} was called within averaged, where the parameters stand at the mean; leave it before"
            )

    # What there is to see.

    @property
    def predicted(self) -> bool:
        """Whether the parameters stand at their prediction: between :meth:`predict` and :meth:`step`."""
        return self._predicted

    def filter_state(self) -> dict[str, Any]:
        """The filter as it is now: see :func:`koala_optim.filter_state`."""
        # Numbers of other processes are left to step: looking at the filter never waits for them.
        if not any(over for _, over in self._deviations or []):
            self._settle()
        filter = self._filter_now()
        return {"step": filter.step, "predicted": self._predicted, **json.loads(filter.noise())}

    def report(self) -> dict[str, Any] | None:
        """What the last step did and why; ``None`` before the first.

        The numbers are those of :func:`koala_optim.scalars`. Beside them, ``outcome`` is ``"measured"``, ``"no-gradient"``
        or ``{"missing": {"cause": ...}}``; ``limiting_block`` is the index in ``blocks`` of the one that set the
        covariance; every entry of ``blocks`` has a ``name`` and an ``outcome``: ``"updated"``, ``"clamped"``,
        ``"restarted"`` or ``{"skipped": reason}``.
        """
        text = self._filter_now().report()
        return None if text is None else json.loads(text)

    def __repr__(self) -> str:
        hidden = self.param_groups[0].pop("filter", None) if self.param_groups else None
        try:
            return super().__repr__()
        finally:
            if hidden is not None:
                self.param_groups[0]["filter"] = hidden

    # The state.

    def state_dict(self) -> dict[str, Any]:
        """The whole state: the method's vectors, the groups, and the filter (JSON) as the first group's ``filter``.

        Plain tensors, numbers and strings, which ``torch.load(weights_only=True)`` reads. Loaded into an optimizer over
        parameters of the same values, the next step is the same to the bit. Losses observed and not used yet are not
        part of it.
        """
        if not self._progress.saving:
            self._refuse_at_mean("state_dict")
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
        self._refuse_at_mean("load_state_dict")
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
        self._filter = filter
        self._config = filter.config()
        self._memory = tuple(filter.memory())
        self._predicted = filter.predicted
        self._deviations = None
        self._observation = Observation()
        self._synced = [""] * len(self.param_groups)
        self._make_vectors(self._parameters())

    def _publish(self) -> None:
        """Puts the filter's state where PyTorch's tools look for it: into the first parameter group, as JSON.

        As one value: tools that take states apart make an entry of every number in a dictionary, and flattened states
        repeat a group's values for each of its parameters.
        """
        self._settle()
        self.param_groups[0]["filter"] = self._filter_now().state()

    def __getstate__(self) -> dict[str, Any]:
        self._refuse_at_mean("a copy")
        self._publish()
        own = ("_config", "_foreach", "_process_group", "_check_every")
        return {**super().__getstate__(), **{name: self.__dict__[name] for name in own}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._filter = Filter.from_state(self.param_groups[0]["filter"])
        self._memory = tuple(self._filter.memory())
        self._progress = Progress(predicted=self._filter.predicted)
        self._synced = [""] * len(self.param_groups)
        self._observation = Observation()
