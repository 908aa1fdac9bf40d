"""What of a step was done before all gradients were there, and the hooks that do it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary


class InBackward:
    """Hooks by which each parameter moves as soon as its gradient is there, until they are removed. Ends them as a context
    manager too."""

    def __init__(self, step: Callable[[Tensor], None]) -> None:
        self._step = weakref.WeakMethod(step)
        self._hooks: Any = WeakTensorKeyDictionary()
        self.removed = False

    def attach(self, parameters: list[Tensor]) -> None:
        """Makes hooks for those that have none yet."""
        if self.removed:
            return
        for parameter in parameters:
            if parameter.requires_grad and parameter not in self._hooks:
                self._hooks[parameter] = parameter.register_post_accumulate_grad_hook(self._reached)

    def remove(self) -> None:
        """From now on, gradients stay until ``step``."""
        for hook in self._hooks.values():
            hook.remove()
        self._hooks = WeakTensorKeyDictionary()
        self.removed = True

    def _reached(self, parameter: Tensor) -> None:
        step = self._step()
        if step is not None:
            step(parameter)
            parameter.grad = None

    def __enter__(self) -> InBackward:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Early:
    """The parameters that have moved in the middle of backward. In place: see :class:`koala_optim.progress.Progress`."""

    def __init__(self) -> None:
        self.hooks: InBackward | None = None
        self.sums: dict[int, list[float] | None] = {}
        """By position; ``None`` where a device has them, and of frozen parameters."""
        self.losses: tuple[float, float, int] | None = None
        """Sum, sum of squares and number, read once a step."""
        self._positions: dict[int, int] = {}

    def clear(self) -> None:
        """Forgets the step."""
        self.sums.clear()
        self._positions.clear()
        self.losses = None

    def position(self, parameter: Tensor, parameters: list[Tensor]) -> int:
        """Where the parameter stands among all of the optimizer.

        Raises:
            ValueError: if it is none of them.
        """
        if not self._positions:
            self._positions.update((id(parameter), position) for position, parameter in enumerate(parameters))
        found = self._positions.get(id(parameter))
        if found is None:
            raise ValueError("step_parameter was given a tensor that is no parameter of this optimizer")
        return found
