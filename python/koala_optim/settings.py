"""Settings that all methods share, as the filter reads them."""

from __future__ import annotations

import json
import numbers
from functools import lru_cache
from typing import Any, Literal, TypedDict

DecayRule = Literal["coupled", "decoupled", "gain-only"]
Partition = Literal["per-tensor", "global"]
NegativeResidual = Literal["clamp", "allow", "error"]
TargetRule = Literal["constant", "offset", "relative"]

_FIELDS = {
    "options.gain": "lr",
    "options.measurement-noise.fixed": "measurement_noise",
    "options.measurement-noise.adaptive.initial": "initial_measurement_noise",
    "options.measurement-noise.adaptive.smoothing": "measurement_noise_smoothing",
    "options.measurement-noise.bias-corrected.smoothing": "measurement_noise_smoothing",
    "options.target.constant": "target",
    "options.target.offset": "target",
    "options.max-update-norm": "max_update_norm",
    "options.missing-limit": "missing_limit",
    "weight-decay.rule": "decay_rule",
    "position-noise.fixed": "position_noise",
    "position-noise.authors.initial": "initial_position_noise",
}


OF_THE_FILTER = frozenset(
    {
        "measurement_noise",
        "measurement_noise_smoothing",
        "initial_measurement_noise",
        "target",
        "target_rule",
        "negative_residual",
        "partition",
        "missing_limit",
        "max_update_norm",
        "foreach",
        "fused",
        "process_group",
        "check_every",
        "stay_predicted",
        "stochastic_rounding",
        "rounding_seed",
        "initial_covariance",
        "process_noise",
        "velocity_decay",
        "initial_position_covariance",
        "initial_cross_covariance",
        "initial_velocity_covariance",
        "velocity_noise",
        "position_noise",
        "initial_position_noise",
        "coast",
        "variant",
        "initial_process_noise",
        "metric",
        "second_moment_smoothing",
        "epsilon",
        "growth_rate",
        "decline_rate",
        "rate_horizon",
        "whiteness_smoothing",
        "gradient_floor",
        "mean",
    }
)
"""Settings of the whole filter, of whichever method: no parameter group has its own."""

_OF_GROUPS = frozenset({"lr", "weight_decay", "decay_rule", "frozen"})


class CommonSettings(TypedDict, total=False):
    """Keyword arguments that all optimizers take, beside their own; each tells of them."""

    measurement_noise: float | None
    measurement_noise_smoothing: float
    initial_measurement_noise: float | None
    target: float
    target_rule: TargetRule
    negative_residual: NegativeResidual
    partition: Partition
    missing_limit: int
    max_update_norm: float | None


def options(
    *,
    measurement_noise: float | None = None,
    measurement_noise_smoothing: float = 0.9,
    initial_measurement_noise: float | None = 1.0,
    target: float = 0.0,
    target_rule: TargetRule = "constant",
    negative_residual: NegativeResidual = "clamp",
    partition: Partition = "per-tensor",
    missing_limit: int = 25,
    max_update_norm: float | None = None,
) -> dict[str, Any]:
    """The filter's common options. Gain and weight decay are not among them: parameter groups have their own."""
    _one_of("target_rule", target_rule, ("constant", "offset", "relative"))
    _one_of("negative_residual", negative_residual, ("clamp", "allow", "error"))
    _one_of("partition", partition, ("per-tensor", "global"))
    whole = isinstance(missing_limit, numbers.Integral) and not isinstance(missing_limit, bool)
    if not whole or not 1 <= missing_limit < 2**32:
        raise ValueError(f"missing_limit = {missing_limit!r}: must be a whole number, at least 1")
    noise: dict[str, Any]
    if measurement_noise is not None:
        noise = {"fixed": real("measurement_noise", measurement_noise)}
    else:
        smoothing = real("measurement_noise_smoothing", measurement_noise_smoothing)
        if initial_measurement_noise is None:
            noise = {"bias-corrected": {"smoothing": smoothing}}
        else:
            initial = real("initial_measurement_noise", initial_measurement_noise)
            noise = {"adaptive": {"smoothing": smoothing, "initial": initial}}
    return {
        "measurement-noise": noise,
        "target": {target_rule: real("target", target)},
        "negative-residual": negative_residual,
        "partition": partition,
        "missing-limit": int(missing_limit),
        "max-update-norm": None if max_update_norm is None else real("max_update_norm", max_update_norm),
    }


def group_options(group: dict[str, Any]) -> str:
    """A parameter group as the filter reads it.

    Raises:
        ValueError: naming the key of the group that is wrong.
    """
    if not OF_THE_FILTER.isdisjoint(group):
        name = min(OF_THE_FILTER & group.keys())
        raise ValueError(
            f"{name} is a setting of the whole filter, of which a parameter group cannot have its own; give {name}= to the "
            "optimizer (groups have lr, weight_decay, decay_rule and frozen)"
        )
    if not group.keys() >= _OF_GROUPS:
        raise ValueError(
            f"a parameter group has no {min(_OF_GROUPS - group.keys())}; add groups with optimizer.add_param_group(), which "
            "fills in what is left out"
        )
    lr = _not_negative("lr", group["lr"])
    decay = _not_negative("weight_decay", group["weight_decay"])
    _one_of("decay_rule", group["decay_rule"], ("coupled", "decoupled", "gain-only"))
    if not isinstance(group["frozen"], bool):
        raise ValueError(f"frozen = {group['frozen']!r}: must be True or False")
    return _written(lr, decay, group["decay_rule"], group["frozen"])


@lru_cache
def _written(lr: float, decay: float, rule: str, frozen: bool) -> str:
    # Asked for in every step, and nearly always the same.
    return json.dumps({"gain": lr, "weight-decay": {"rate": decay, "rule": rule}, "frozen": frozen})


def renamed(message: str) -> str:
    """A message of the filter about a field, with the name that the field has here."""
    field, separator, rest = message.partition(" = ")
    if not separator:
        return message
    here = _FIELDS.get(field, field.removeprefix("options.").replace("-", "_").replace(".", "_"))
    return f"{here}{separator}{rest}"


def real(name: str, value: Any) -> float:
    """A finite number, as JSON can hold it.

    Raises:
        ValueError: naming the argument.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r}: must be a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{name} = {value!r}: must be finite")
    return number


def _not_negative(name: str, value: Any) -> float:
    number = real(name, value)
    if number < 0.0:
        raise ValueError(f"{name} = {number}: must not be negative")
    return number


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}: must be one of {', '.join(map(repr, allowed))}")
