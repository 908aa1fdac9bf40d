"""Steps in the middle of backward: each parameter moves as soon as its gradient is there, which need not be kept then.

The losses are known before backward, and with them R; the gain of a block needs its own gradient beside them, and P. Only P's
correction needs the gradients of all blocks, of which it needs the lengths.
"""

from __future__ import annotations

import json
import math
from typing import Any

import torch
from torch import Tensor

from .distributed import is_spread
from .early import InBackward
from .engines import WithEngines
from .progress import LOOP
from .readback import Readback
from .rows import hand_out, rows_of
from .warned import warn


class StepsInBackward(WithEngines):
    """An optimizer whose parameters can move while gradients are made."""

    def step_in_backward(self) -> InBackward:
        """From now on each parameter moves in ``backward``, as soon as its gradient is there, which is then let go.

        The loop stays what it is, with ``observe`` before ``backward``; :meth:`step` does what is left, the covariance after
        the measurement. The parameters are to the bit those of steps after backward, and the gradients never are in memory all
        at once. Of the result, ``remove()`` ends it; so does leaving it as a context manager.

        >>> optimizer = KoalaV(model.parameters())
        >>> optimizer.step_in_backward()
        >>> for inputs, labels in batches:
        ...     optimizer.predict()
        ...     losses = cross_entropy(model(inputs), labels, reduction="none")
        ...     optimizer.observe(losses)
        ...     losses.mean().backward()                       # moves the parameters
        ...     optimizer.step()

        What needs all gradients before any step cannot be had with it: micro-batches that are added up, a bound on the update,
        clipping, GradScaler, several processes, KOALA-A, whose innovation is of the whole model. A gradient that is not finite
        leaves its own parameter alone, not the whole model.

        Raises:
            ValueError: if the optimizer is one of those.
            RuntimeError: if it does so already, or in the middle of a step.
        """
        reason = self._not_in_backward()
        if reason is not None:
            raise ValueError(f"step_in_backward: {reason}")
        if self._early.hooks is not None and not self._early.hooks.removed:
            raise RuntimeError("step_in_backward was called already; remove() what it returned before")
        if self._progress.predicted and self._observation.count:
            raise RuntimeError("step_in_backward was called in the middle of a step; call it before predict")
        self._early.hooks = InBackward(self.step_parameter)
        self._early.hooks.attach(self._parameters())
        return self._early.hooks

    @property
    def supports_fused_back_pass(self) -> bool:
        """Whether single parameters can be moved in backward: what training programs ask before :meth:`step_parameter`."""
        return self._not_in_backward() is None

    @torch._disable_dynamo  # type: ignore[attr-defined]
    @torch.no_grad()
    def step_parameter(self, parameter: Tensor, group: dict[str, Any] | None = None, index: int | None = None) -> None:
        """Moves one parameter by its gradient, before those of the others are there; :meth:`step` does what is left.

        What :meth:`step_in_backward` calls, and training programs with hooks of their own. They let go of the gradient
        themselves.

        Args:
            parameter: one of the optimizer's.
            group: its group, and
            index: its place there: not looked at, since the optimizer knows them.

        Raises:
            RuntimeError: without :meth:`predict` and :meth:`observe` before; for a second gradient in a step; if the optimizer
                needs all gradients before any step.
        """
        gradient = parameter.grad
        if gradient is None:
            return
        position = self._early.position(parameter, self._parameters())
        if position in self._early.sums:
            raise RuntimeError(
                f"parameter {position} got a second gradient in one step, after it had moved by the first; with steps in "
                "backward a step has one backward"
            )
        if not self._early.sums:
            self._begin_in_backward()
        if self._place.device is not None:
            self._place.device.step_block(self.param_groups, self.state, position, gradient, self._observation)
            self._early.sums[position] = None
        else:
            self._early.sums[position] = self._move(parameter, gradient, position)

    def _not_in_backward(self) -> str | None:
        """Why parameters cannot move before all gradients are there; ``None`` if they can."""
        ((method, given),) = json.loads(self._config).items()
        options = given["options"]
        if method == "koala-a":
            return (
                "KOALA-A has one innovation for the whole model, for which it needs all gradients; use another method"
            )
        if options["partition"] != "per-tensor":
            return "a global partition has one innovation, for which it needs all gradients; leave partition out"
        if options["max-update-norm"] is not None:
            return "max_update_norm bounds the whole update, whose norm takes all gradients; leave it out"
        if self._stay_predicted:
            return "stay_predicted joins the step with the next prediction; leave it out"
        if self._process_group.groups() or any(map(is_spread, self._parameters())):
            return "gradients of several processes are added up after backward; step after it"
        return None

    def _begin_in_backward(self) -> None:
        self._progress.refuse_at_mean("a step in backward")
        reason = self._not_in_backward()
        if reason is not None:
            raise RuntimeError(f"a parameter was to move in backward, but {reason}")
        if not (self._progress.predicted and self._observation.count):
            missing = "observe" if self._progress.predicted else "predict and observe"
            raise RuntimeError(
                f"a parameter was to move in backward, but {missing} was not called before it; a step is:{LOOP}"
            )
        if self._place.device is not None or self._placed() is not None:
            return
        filter = self._synchronised()
        self._progress.settle(filter)
        readback = Readback()
        at = readback.add(self._observation.sums()[:2])
        total, squares = readback.read()[at]
        self._early.losses = total, squares, self._observation.count

    def _move(self, parameter: Tensor, gradient: Tensor, position: int) -> list[float] | None:
        """Moves a parameter whose filter is on the host; returns the sums of it."""
        filter = self._filter_now()
        rows = rows_of(
            [parameter],
            self.state,
            self._memory,
            frozen=[filter.reduction(position) is None],
            of_all=self._of_all,
            averaged=lambda _: filter.averaged(position),
        )
        hand_out(rows, [parameter], [gradient])
        rows[0].position = position
        ((engine, part),) = self._engines(rows)
        lent = engine.lend(part, gradients=True)
        (found,) = engine.reduce(filter, lent)
        if found is None:
            return None
        readback = Readback()
        at = readback.add(found)
        sums = readback.read()[at]
        assert self._early.losses is not None
        filter.update_tensor(position, sums, *self._early.losses)
        engine.displace(filter, lent)
        return sums

    def _finish_in_backward(self) -> bool:
        """What is left of a step of which parameters have moved in backward; whether there are such."""
        if not self._early.sums:
            return False
        if getattr(self, "grad_scale", None) is not None:
            raise RuntimeError(
                "GradScaler scales gradients back after backward, when parameters have moved by them; train without it, or "
                "step after backward"
            )
        for position, parameter in enumerate(self._parameters()):
            if parameter.grad is not None and position not in self._early.sums:
                self.step_parameter(parameter)
        if self._place.device is not None:
            self._conclude_on_device(self._place.device, self._place.device.finish_blocks)
            return True
        assert self._early.losses is not None
        filter = self._filter_now()
        statistics = [self._early.sums.get(position) for position in range(len(self._parameters()))]
        self._conclude(filter, finite_of(statistics), *self._early.losses)
        return True


def finite_of(statistics: list[list[float] | None]) -> list[list[float] | None]:
    """Those that are finite: the others have not moved. If none is, the measurement is missing, which the filter is to see."""
    lost = {at for at, sums in enumerate(statistics) if sums is not None and not all(map(math.isfinite, sums))}
    if not lost or len(lost) == sum(sums is not None for sums in statistics):
        return statistics
    warn(
        f"the gradient of parameter {min(lost)} is not finite; it was left alone, but others had moved in backward by then"
    )
    return [None if at in lost else sums for at, sums in enumerate(statistics)]
