"""accelerate: the optimizer that ``Accelerator.prepare`` returns, with what KOALA has beside ``step``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from ..optimizer import Koala


def expose(optimizer: Any) -> Any:
    """Gives accelerate's wrapper ``predict``, ``observe``, ``abandon``, ``averaged`` and ``report``, and returns it.

    >>> model, optimizer, batches = accelerator.prepare(model, optimizer, batches)
    >>> optimizer = expose(optimizer)

    Of micro-batches (``accelerator.accumulate``) only the first begins a step: ``predict`` does nothing for the others. So
    after a batch that is skipped, call ``abandon``. ``step`` and ``zero_grad`` are accelerate's own.

    Raises:
        TypeError: if it wraps no KOALA optimizer.
    """
    koala = getattr(optimizer, "optimizer", optimizer)
    if not isinstance(koala, Koala):
        raise TypeError(f"expose needs a KOALA optimizer that accelerate wraps, but got {type(koala).__name__}")
    if koala is not optimizer:
        exposed = _Exposed(koala)
        for name in ("predict", "observe", "abandon", "averaged", "averaged_state_dict", "report", "filter_state"):
            setattr(optimizer, name, getattr(exposed, name))
    return optimizer


class _Exposed:
    """KOALA's own methods, by way of the wrapper."""

    def __init__(self, koala: Koala) -> None:
        self._koala = koala
        self.observe, self.abandon = koala.observe, koala.abandon
        self.report, self.filter_state = koala.report, koala.filter_state

    def predict(self) -> None:
        """Begins a step, unless an earlier micro-batch of it did."""
        progress = self._koala._progress
        if not progress.predicted or progress.resumed:
            self._koala.predict()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """See :meth:`koala_optim.Koala.averaged`."""
        with self._koala.averaged():
            yield

    def averaged_state_dict(self, model: nn.Module) -> dict[str, Tensor]:
        """See :meth:`koala_optim.Koala.averaged_state_dict`; the model may be the one that accelerate has prepared."""
        return self._koala.averaged_state_dict(getattr(model, "module", model))
