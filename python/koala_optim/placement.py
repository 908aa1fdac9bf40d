"""Where the filter is: on the host, or on the device of its parameters."""

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
        parameters = self._parameters()
        if self._foreach is False or (self._foreach is None and not self._fused and any(map(fits_native, parameters))):
            return False
        return beyond(self._config, parameters, self._process_group.groups()) is None

    def _predict_on_device(self) -> bool:
        """The prediction, if the filter is on the device or goes there."""
        device = self._placed()
        if device is None:
            return False
        device.predict(self.param_groups, self.state)
        self._observation.lean = device.dtype
        self._progress.begun()
        return True

    def _update_on_device(self, overflow: Callable[[], Number]) -> bool:
        """The update, if the filter is on the device; or goes there, with a state from the middle of a step."""
        device = self._device or self._placed()
        if device is None:
            return False
        self._follow()
        steps = device.steps
        gradients = unscaled(self._parameters(), getattr(self, "grad_scale", None))
        try:
            over = self._process_group.groups()
            device.update(self.param_groups, self.state, gradients, self._observation, overflow(), over)
            if self._stay_predicted:
                device.predict(self.param_groups, self.state)
        finally:
            self._progress.predicted = device.predicted
            if device.steps > steps:
                self._progress.resumed = self._progress.cleared = False
                self._observation.clear()
        return True

    def _placed(self) -> Engine | None:
        """The filter on the device; ``None`` if it stays on the host, or has come back."""
        self._follow()
        parameters = self._parameters()
        told = self._foreach, self._fused, self._process_group.groups()
        if self._device is not None and self._device.told == told and self._device.stands(parameters):
            return self._device
        if not self._fits_device():
            self._back_to_host()
            self._observation.lean = None
            return None
        device, fused = parameters[0].device, fuses(parameters, self._foreach, self._fused)
        if self._device is not None and (self._device.device, self._device.fused) != (device, fused):
            self._back_to_host()
        if self._device is None:
            filter = self._filter_now()
            self._progress.settle(filter)
            self._device = Engine(filter, device, self._memory, fused=fused, check_every=self._check_every)
        self._device.told = told
        return self._device
