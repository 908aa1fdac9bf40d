"""What the four optimizers have in common: PyTorch's optimizer, with predict and observe around its step.

The step is here. What it stands on is in ``groups``, evaluation at the mean in ``mean``, states and copies in ``state``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any, overload

import torch
from torch import Tensor

from . import native
from ._native import Filter
from .backward import StepsInBackward
from .distributed import Number, check_same, fingerprint, is_due
from .measure import Shared, Taken, measure
from .posterior import AtPosterior
from .progress import LOOP
from .readback import Readback
from .reports import StepReport
from .resharding import reshard_modules
from .rows import Row
from .scaling import unscaled
from .skipped import gradient_marks, warn_of_no_losses, warn_of_unfinished
from .state import Restorable

_OVER = attrgetter("over")


class Koala(StepsInBackward, AtPosterior, Restorable):
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

    # The step. torch.compile leaves it out of its graphs.

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def predict(self) -> None:
        """The time update: moves the parameters to their prediction (KOALA-M, KOALA-A; the others leave them alone).

        Compute losses and gradients afterwards. A step that will not be finished is given up with :meth:`abandon`. Of a
        state that was taken in the middle of a step, and loaded, the first call changes nothing: the prediction stands. If
        gradients were cleared in between by :meth:`zero_grad`, as loops do that skip a batch, a step that was begun is given
        up with a warning.
        With ``stay_predicted``, :meth:`step` has predicted already, but for the first: this then does nothing.

        Raises:
            RuntimeError: if the last step was neither finished by :meth:`step` nor given up.
        """
        self._progress.refuse_at_mean("predict")
        if self._early.hooks is not None:
            self._early.hooks.attach(self._parameters())
        if self._progress.predicted and self._stay_predicted:
            if self._progress.cleared and self._observation.count:
                warn_of_unfinished("began a new step")
                self._observation.clear()
            self._progress.begun()
            return
        if self._progress.resumed:
            self._progress.begun()
            return
        if self._progress.cleared:
            warn_of_unfinished("began a new step")
            self.abandon()
        if self._progress.predicted:
            raise RuntimeError(
                "predict was called twice without a step between; call it once a step, before the first micro-batch, or give "
                "the step before up with optimizer.abandon():" + LOOP
            )
        if self._predict_on_device():
            return
        filter = self._synchronised()
        motion = filter.motion()
        if motion is None:
            filter.complete_predict([])
            self._progress.begun()
            return
        rows = self._rows(self._parameters())
        deviations: list[Number] = [0.0] * len(rows)
        # In every step: by loops that are not Python's.
        spread = any(map(_OVER, rows))
        if spread:
            reshard_modules()
        held = self._held(rows)
        for engine, part in self._engines(held):
            for row, deviation in zip(part, engine.advance(filter, engine.lend(part))):
                deviations[row.position] = deviation
        _, deviates, _ = motion
        standing = [row for row in rows if not row.memory] if deviates and len(held) < len(rows) else []
        for engine, part in self._engines(standing, everywhere=True):
            for row in part:
                deviations[row.position] = self._standing.deviation(filter, engine, row)
        self._progress.begun()
        self._progress.note_stood(self._parameters())
        if not spread and set(map(type, deviations)) == {float}:
            self._progress.complete(filter, deviations)  # type: ignore[arg-type]
        else:
            # Numbers on other devices or of other processes are fetched with the rest of the step's, in step().
            self._progress.deviations = [([deviation], row.over) for deviation, row in zip(deviations, rows)]

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
        if not self._progress.predicted:
            raise RuntimeError("observe was called before predict; a step is:" + LOOP)
        if self._early.sums:
            raise RuntimeError(
                "observe was called after parameters had moved in backward by the losses before; with steps in backward "
                "a step has one minibatch: call step() first"
            )
        if self._progress.cleared and self._observation.count and not self._has_gradients():
            warn_of_unfinished("observed other losses")
            self._observation.clear()
        self._observation.add(losses, mean_square, count)
        self._progress.resumed = False

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def abandon(self) -> None:
        """Gives up a step that was begun: its batch did not fit into memory, or is to be skipped.

        The prediction stands, as after a missing measurement, but none is counted; losses that were observed are forgotten.
        A :meth:`step` without losses does nothing then, and the next :meth:`predict` begins a step. Without a step begun it
        does nothing. Gradients are not touched. Processes that train together must give up the same steps.

        >>> try:
        ...     losses = loss_of(model(inputs), labels)
        ...     losses.mean().backward()
        ... except torch.OutOfMemoryError:
        ...     optimizer.abandon()
        ...     continue
        """
        self._observation.clear()
        self._early.clear()
        if self._progress.predicted and not self._abandon_on_device():
            filter = self._filter_now()
            self._progress.settle(filter)
            filter.abandon()
        self._progress.predicted = self._progress.resumed = self._progress.cleared = False
        self._progress.abandoned = True

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients, as every optimizer does."""
        super().zero_grad(set_to_none)
        self._progress.cleared = self._progress.predicted

    def _has_gradients(self) -> bool:
        return any(parameter.grad is not None for parameter in self._parameters())

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], None]) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @overload
    def step(self, closure: Callable[[], Tensor]) -> Tensor: ...

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor | float | None] | None = None) -> Tensor | float | None:
        """The measurement update, with the losses observed and the gradients of their mean, without weight decay.

        Args:
            closure: clears the gradients, computes the losses, calls ``backward`` on their mean and returns them (or the
                mean alone). With it, a step is this call alone: predict and observe are done here. A closure that calls
                :meth:`observe` itself may return anything; trainers' closures do. One that returns ``None`` without having
                observed anything skips the step, as :meth:`abandon` does. After one that raises the prediction stands, and the
                step can be tried again.

        Returns:
            What the closure returned.

        Raises:
            RuntimeError: if nothing was observed; under ``negative_residual="error"``.
            TooManyMissing: after ``missing_limit`` losses or gradients in a row that were not finite; on a device some steps
                later, since nobody waits for it.
        """
        self._progress.refuse_at_mean("step")
        losses = None
        if closure is not None:
            losses = self._evaluated(closure)
            if losses is None and not self._observation.count:
                self.abandon()
                return None
        try:
            self._update()
        except BaseException:
            # GradScaler takes these back from a step that returns; left behind, they would multiply its next scale.
            self.__dict__.pop("grad_scale", None)
            self.__dict__.pop("found_inf", None)
            raise
        finally:
            self._kept.let_go()
        return losses

    def _evaluated(self, closure: Callable[[], Tensor | float | None]) -> Tensor | float | None:
        """What the closure returned, observed if it has observed nothing itself."""
        before, count = self._observation.copy(), self._observation.count
        if not self._progress.predicted:
            self.predict()
        marks = gradient_marks(self._parameters())
        try:
            with torch.enable_grad():
                losses = closure()
            if self._observation.count == count:
                self._observe_result(losses)
        except BaseException:
            # What it observed is not to be added to what it observes when it is tried again.
            self._observation.go_back(before)
            raise
        if losses is None and not self._observation.count and gradient_marks(self._parameters()) != marks:
            warn_of_no_losses(self._parameters())
        return losses

    def _observe_result(self, losses: Tensor | float | None) -> None:
        """Observes what a closure returned that has observed nothing itself."""
        if losses is None:
            return
        if not self._observation.count:
            self.observe(losses)
        else:
            raise RuntimeError(
                "step was given a closure that returns losses, but others were observed before; observe these within the "
                "closure too, or leave all observing to its result"
            )

    def update(
        self,
        losses: Tensor | float,
        *,
        mean_square: Tensor | float | None = None,
        count: int | None = None,
    ) -> None:
        """:meth:`observe` and :meth:`step` in one, after ``backward``."""
        self._progress.refuse_at_mean("update")
        self.observe(losses, mean_square=mean_square, count=count)
        self.step()

    def step_func(self, value: Tensor | float) -> None:
        """The measurement update with the value of the loss, after backward, and the next prediction: for training programs
        that call this with optimizers that need the loss, and know no :meth:`predict`.

        The parameters stand at their prediction from then on: evaluate within :meth:`posterior`, or :meth:`averaged` if the
        optimizer :attr:`keeps_mean`.

        Raises:
            RuntimeError: if predict would move the parameters away from where the gradients were taken.
        """
        if not self._progress.predicted:
            if self._filter_now().step > 0 and self._filter_now().motion() is not None:
                raise RuntimeError(
                    "step_func was called after a step without it, so that the gradients are not of the prediction; call "
                    "predict() before the loss"
                )
            self.predict()
        self.update(value)
        if not self._progress.predicted:
            self.predict()

    def _update(self) -> None:
        if not self._observation.count:
            if self._progress.abandoned:
                return
            if not self._progress.predicted and all(float(group["lr"]) == 0.0 for group in self.param_groups):
                # torch.distributed.checkpoint makes a fresh optimizer's state by such a step.
                return
            missing = "no losses were observed" if self._progress.predicted else "neither predict nor observe before it"
            raise RuntimeError(f"step was called, but {missing}; a step is:{LOOP}")
        if self._finish_in_backward():
            return
        if self._update_on_device(self._overflow):
            if self._stay_predicted and not self._progress.predicted:
                self.predict()
            return
        filter = self._synchronised()
        parameters = self._parameters()
        gradients = unscaled(parameters, getattr(self, "grad_scale", None))
        rows = self._held(self._rows(parameters, gradients))
        moving = [row for row in rows if row.gradient is not None]
        lent = [
            (engine, part, engine.lend(part, gradients=True))
            for engine, part in self._engines(rows if len(moving) == len(rows) else moving)
        ]
        readback = Readback()
        predicted = self._progress.collect(readback)
        over = self._process_group.groups()
        if len(lent) == 1 and lent[0][0] is native and not over and not any(map(_OVER, rows)):
            # All here, as nearly always on a processor: nobody but the filter looks at them.
            taken: Taken | Shared = Taken(native.measure(filter, lent[0][2]))
        else:
            taken = Shared(measure(filter, lent), len(gradients), readback)
        due = over and is_due(filter.step + 1, self._check_every)
        mark = fingerprint(filter.state() if due else None, filter.step, self._check_every)
        observed = readback.gather([*self._observation.sums(), self._overflow(), *mark], over)
        numbers = readback.read()
        if predicted is not None:
            self._progress.complete(filter, [numbers[at][0] for at in predicted])
        taken.complete(numbers)
        gathered = iter(numbers[observed])
        processes = list(zip(*[gathered] * (4 + len(mark))))
        total, squares, count, overflow = (sum(column) for column in list(zip(*processes))[:4])
        if overflow != 0.0 and taken.finite():
            # What overflowed is no gradient of this filter's: of another process, or of a frozen parameter.
            total = math.nan
        self._conclude(filter, taken.statistics, total, squares, round(count))
        for engine, _, memory in lent:
            engine.displace(filter, memory)
        # Parameters that stand still, but whose mean follows; or that have no gradient, but a velocity.
        if len(moving) < len(rows):
            still = [row for row in rows if row.gradient is None and self._follows(filter, row)]
            for engine, part in self._engines(still):
                engine.displace(filter, engine.lend(part))
        if filter.predicted:
            self._progress.note_stood(self._parameters())
        elif self._stay_predicted:
            # What is to be measured in it, KOALA-M's position noise, does not join it with the update.
            self.predict()
        if over:
            check_same(over, [process[4:] for process in processes])

    @staticmethod
    def _follows(filter: Filter, row: Row) -> bool:
        step = filter.tensor_step(row.position)
        return step is not None and not (row.frozen and step["mean"] is None)

    # What there is to see.

    @property
    def predicted(self) -> bool:
        """Whether the parameters stand at their prediction: between :meth:`predict` and :meth:`step`."""
        return self._progress.predicted

    @property
    def observed(self) -> int:
        """How many losses were observed since :meth:`predict`."""
        return self._observation.count

    def filter_state(self) -> dict[str, Any]:
        """The filter as it is now: see :func:`koala_optim.filter_state`."""
        # Numbers of other processes are left to step: looking at the filter never waits for them.
        filter = self._filter_seen()
        if not any(over for _, over in self._progress.deviations or []):
            self._progress.settle(filter)
        return {"step": filter.step, "predicted": self._progress.predicted, **json.loads(filter.noise())}

    def report(self) -> StepReport | None:
        """What the last step did and why; ``None`` before the first.

        The numbers are those of :func:`koala_optim.scalars`. Beside them, ``outcome`` is ``"measured"``, ``"no-gradient"``
        or ``{"missing": {"cause": ...}}``; ``limiting_block`` is the index in ``blocks`` of the one that set the
        covariance; every entry of ``blocks`` has a ``name`` and an ``outcome``: ``"updated"``, ``"clamped"``,
        ``"restarted"`` or ``{"skipped": reason}``.
        """
        text = self._place.report()
        report: StepReport | None = None if text is None else json.loads(text)
        return report
