"""The measurement, of losses that nobody reads: L, M about the target, R, and residuals."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..observation import Observation
from .vector import FIRST, Numbers, Row

LEAST = {torch.float64: 1e-300, torch.float32: 1e-37}
"""What R is at least, so that no quotient is 0/0: nothing beside any R that is none."""
MANY = 1e3
"""So many times that is still no noise at all: averages add it up."""


class Losses:
    """The losses of a step on the filter's device: their mean, the norm of all of them, and their number."""

    def __init__(self, loss: Tensor, norm: Tensor, count: int, implied: bool) -> None:
        self.loss, self.norm, self.count = loss, norm, count
        self.implied = implied
        """Whether the mean is finite if the norm is, as of single losses."""


def losses_of(observation: Observation, device: torch.device, dtype: torch.dtype) -> Losses:
    """The minibatch that was observed."""
    piece = observation.in_one_piece()
    if piece is not None and piece[0].device == device and piece[0].dtype is dtype:
        return Losses(*piece, observation.count, implied=True)
    total, squares, _ = (
        number.to(device, dtype) if isinstance(number, Tensor) else torch.full((), number, dtype=dtype, device=device)
        for number in observation.sums()
    )
    return Losses(total / observation.count, squares.sqrt(), observation.count, implied=False)


class Target:
    """What the losses are driven to: see ``Target`` of the filter."""

    def __init__(self, rule: dict[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        ((kind, value),) = rule.items()
        self._value = float(value)
        self._now = torch.full((), self._value, dtype=dtype, device=device)
        self.is_offset = kind == "offset"
        self.is_relative = kind == "relative"
        self.is_zero = kind == "constant" and self._value == 0.0

    def values(self, first: float | None) -> dict[str, float]:
        """Numbers of the filter that the target needs: the first loss that was measured, and whether there is one."""
        return dict(zip(FIRST, (0.0 if first is None else first, float(first is not None)))) if self.is_relative else {}

    def measured(self) -> dict[str, Row]:
        """What a measurement makes of them without its losses."""
        return {FIRST[1]: {"one": 1.0}} if self.is_relative else {}

    def follow(self, numbers: Numbers, losses: Losses) -> None:
        """Before a measurement's moment and residuals: its loss is the first one, if there was none."""
        if self.is_relative:
            first, found = (numbers.before[name] for name in FIRST)
            taken = torch.where(found > 0.0, first, losses.loss, out=numbers.after[FIRST[0]])
            self._now = taken.clamp_min(0.0) * self._value

    def moment(self, losses: Losses) -> Tensor:
        """M, the second moment about the target."""
        mean_square = losses.norm.square() / losses.count
        if self.is_offset:
            variance = torch.addcmul(mean_square, losses.loss, losses.loss, value=-1.0)
            return variance.clamp_min(0.0) + self._value**2
        if self.is_zero:
            return mean_square
        target = self._now
        about = torch.addcmul(mean_square, losses.loss, target, value=-2.0).addcmul_(target, target)
        return torch.maximum(about, (losses.loss - target).square())

    def residual(self, losses: Losses, penalty: Tensor | None) -> Tensor:
        """The residual of each block, or one of all: L_b - T, or the offset."""
        if self.is_offset:
            return torch.full_like(losses.loss, self._value)
        loss = losses.loss if penalty is None else losses.loss + penalty
        return loss if self.is_zero else loss - self._now


class Noise:
    """How R is found: see ``MeasurementNoise`` of the filter."""

    def __init__(self, rule: dict[str, Any], target: Target, dtype: torch.dtype) -> None:
        ((self._kind, given),) = rule.items()
        self._smoothing = 0.0 if self._kind == "fixed" else given["smoothing"]
        self._target = target
        self._least = LEAST[dtype]

    def measured(self) -> dict[str, Row]:
        """What a measurement makes of R without its losses."""
        if self._kind == "bias-corrected":
            return {"measurements": {"step": 1.0, "missing_in_all": -1.0, "one": 1.0}}
        kept = self._smoothing if self._kind == "adaptive" else 1.0
        return {key: {"measurement_noise": kept, "one": self._least} for key in ("measurement_noise", "noise_again")}

    def measure(self, numbers: Numbers, losses: Losses) -> list[Tensor]:
        """Puts R after the measurement into the numbers. Returns what must be finite beside it."""
        self._target.follow(numbers, losses)
        pair = numbers.slice("measurement_noise", "noise_again", after=True)
        beta = self._smoothing
        # Of single losses, the mean is finite if the norm is; and R is if M is, unless it is fixed.
        poison = [] if losses.implied else [losses.loss]
        if self._kind == "fixed":
            return [*poison, losses.norm]
        if self._kind == "adaptive":
            if self._target.is_zero:
                torch.addcmul(pair, losses.norm, losses.norm, value=(1.0 - beta) / losses.count, out=pair)
            else:
                torch.add(pair, self._target.moment(losses), alpha=1.0 - beta, out=pair)
            return poison
        # R' = (1 - beta^k) R, and beta (1 - beta^(k-1)) = beta - beta^k.
        fade = torch.pow(beta, numbers.after["measurements"])
        taken_up = torch.add(
            (beta - fade) * numbers.before["measurement_noise"], self._target.moment(losses), alpha=1.0 - beta
        )
        pair.copy_((taken_up / (1.0 - fade)).clamp_min(self._least))
        return poison
