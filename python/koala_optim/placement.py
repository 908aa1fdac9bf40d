"""Steps of a filter that is on the device of its parameters, and when it goes there."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .device.engine import Engine
from .device.reach import beyond, fuses
from .distributed import Number
from .groups import Filtered
from .rows import fits_native
from .scaling import unscaled


class Placed(Filtered):
    """An optimizer whose filter goes to the device of its parameters where it can."""

    @property
    def capturable(self) -> bool:
        """Whether a step reads no number back, so that a CUDA graph can capture it."""
        return self._fits_device() and torch.device("cpu") != self._parameters()[0].device

    def _fits_device(self) -> bool:
        return self._why_on_host() is None

    def _why_on_host(self) -> str | None:
        """Why the filter is not to go to the device of its parameters; ``None`` if it is.

        Raises:
            ValueError: if parameters are to be rounded by chance, which the engines of the host do not do.
        """
        parameters = self._parameters()
        if self._foreach is False:
            reason: str | None = "foreach=False leaves the step to Rust"
        elif self._foreach is None and not self._fused and any(map(fits_native, parameters)):
            reason = "Rust steps float32 and float64 on the CPU, and the filter is with it (foreach=True leaves it out)"
        else:
            reason = beyond(self._config, parameters, self._process_group.groups())
        if reason is not None and self._rounding is not None and any(x.dtype is torch.bfloat16 for x in parameters):
            raise ValueError(f"stochastic_rounding=True, but {reason}; leave one of them out")
        return reason

    def _predict_on_device(self) -> bool:
        """The prediction, if the filter is on the device or goes there."""
        device = self._placed()
        self._observation.sum_as(None if device is None else device.dtype)
        if device is None:
            return False
        device.predict(self.param_groups, self.state)
        self._progress.begun()
        self._progress.note_stood(self._parameters())
        return True

    def _abandon_on_device(self) -> bool:
        """Gives the step up, if the filter is on the device."""
        if self._place.device is None:
            return False
        self._place.device.abandon()
        return True

    def _update_on_device(self, overflow: Callable[[], Number]) -> bool:
        """The update, if the filter is on the device; or goes there, with a state from the middle of a step."""
        if self._place.device is not None:
            self._follow()
        device = self._place.device or self._placed()
        if device is None:
            return False
        gradients = unscaled(self._parameters(), getattr(self, "grad_scale", None))
        over, told = self._process_group.groups(), overflow()
        self._conclude_on_device(
            device,
            lambda: device.update(
                self.param_groups, self.state, gradients, self._observation, told, over, stays=self._stay_predicted
            ),
        )
        return True

    def _conclude_on_device(self, device: Engine, update: Callable[[], None]) -> None:
        """The update, and with it the end of the step."""
        done = device.done
        try:
            update()
        finally:
            self._progress.predicted = device.predicted
            if device.done > done or not device.predicted:
                self._forget_step()
            if device.predicted:
                self._progress.note_stood(self._parameters())

    def _placed(self) -> Engine | None:
        """The filter on the device; ``None`` if it stays on the host, or has come back."""
        if self._place.device is None and not self._fits_device():
            return None
        self._follow()
        parameters = self._parameters()
        told = self._foreach, self._fused, self._process_group.groups()
        at = self._place.device
        if at is not None and at.told == told and at.stands(parameters, self.state):
            return at
        if not self._fits_device():
            self._back_to_host()
            return None
        device, fused = parameters[0].device, fuses(parameters, self._foreach, self._fused)
        if at is not None and (at.device, at.fused) != (device, fused):
            self._back_to_host()
        if self._place.device is None:
            filter = self._filter_now()
            self._progress.settle(filter)
            self._kept.forget()
            self._place.device = Engine(
                filter,
                device,
                self._memory,
                fused=fused,
                check_every=self._check_every,
                of_all=self._of_all,
                rounding=self._rounding,
            )
        self._place.device.told = told
        return self._place.device
