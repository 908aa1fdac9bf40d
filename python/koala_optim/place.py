"""Where the filter is: on the host, or on the device of its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from ._native import Filter, TooManyMissing
from .device.engine import Engine


@dataclass
class Place:
    """The filter, and where it is. An object beside the optimizer, as :class:`koala_optim.progress.Progress` is."""

    filter: Filter | None = None
    """As it is on the host, or was when it went to the device."""
    device: Engine | None = None
    """What has the filter now, if it is on a device."""
    reported: str | None = None
    """The last report of a device from which the filter has come back."""

    def filter_now(self, filter: Filter) -> Filter:
        """``filter``, or if it is on a device, what has become of it there: waits for the device."""
        return filter if self.device is None else self.device.filter()

    def seen(self, filter: Filter) -> Filter:
        """The same without numbers that other processes have parts of."""
        return filter if self.device is None else self.device.seen()

    def back_to_host(self) -> bool:
        """Ends the stay of the filter on a device; whether it was on one."""
        if self.device is None:
            return False
        try:
            self.reported = self.device.report()
        except TooManyMissing:
            # The next step that is missing raises it too.
            self.reported = None
        self.filter, self.device = self.device.filter(), None
        return True

    def report(self) -> str | None:
        """The report of the last step: of a device, this waits for it."""
        if self.device is not None:
            return self.device.report()
        found = None if self.filter is None else self.filter.report()
        return found or self.reported
