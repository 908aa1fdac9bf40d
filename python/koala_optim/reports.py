"""What ``report()`` returns: the types of the last step's report, one for each method.

Numbers that are not finite are ``None`` (of a missing measurement); all else is a number always.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from typing_extensions import NotRequired


class MissingCause(TypedDict):
    """Why a measurement was missing."""

    cause: str


class Missing(TypedDict):
    """The outcome of a step whose measurement was missing."""

    missing: MissingCause


class Skipped(TypedDict):
    """The outcome of a block that was left alone."""

    skipped: Literal["frozen", "no-gradient", "vanishing-gradient", "missing-measurement"]


class Scalar(TypedDict):
    """P, or Q, as one number."""

    scalar: float | None


class PositionVelocityNoise(TypedDict):
    """q_x and q_v."""

    position: float | None
    velocity: float


# Its key is no name of Python's.
PositionVelocity = TypedDict("PositionVelocity", {"position-velocity": PositionVelocityNoise})
"""KOALA-M's process noise."""


class MatrixCovariance(TypedDict):
    """P of position and velocity."""

    p11: float
    p12: float
    p22: float


class Matrix(TypedDict):
    """P of KOALA-M and KOALA-A."""

    matrix: MatrixCovariance


class Whiteness(TypedDict):
    """KOALA-A's test, by which Q moves."""

    gradient_squared: float | None
    correlation: float | None
    smoothed_correlation: float | None
    corrected_correlation: float | None


class BlockReport(TypedDict):
    """One block (parameter) in one step; the numbers are those of :func:`koala_optim.scalars`."""

    name: str
    outcome: Literal["updated", "clamped", "restarted"] | Skipped
    gradient_norm: float | None
    innovation: float | None
    innovation_variance: float | None
    normalised_innovation_squared: float | None
    gain_norm: float | None
    effective_learning_rate: float | None
    update_norm: float | None
    metric: NotRequired[float | None]


class StepReport(TypedDict):
    """What is told of a step of every method."""

    step: int
    outcome: Literal["measured", "no-gradient"] | Missing
    loss: float | None
    second_moment: float | None
    target: float | None
    gain: float
    measurement_noise: float | None
    limiting_block: int | None
    update_norm: float | None
    gradient_norm: float | None
    bound_factor: float | None
    missing_in_a_row: int
    blocks: list[BlockReport]


class KoalaVReport(StepReport):
    """A step of KOALA-V."""

    process_noise: Scalar
    covariance: Scalar


class KoalaMReport(StepReport):
    """A step of KOALA-M."""

    process_noise: PositionVelocity
    covariance: Matrix


class KoalaPPReport(StepReport):
    """A step of KOALA++, which stores products in place of a covariance."""

    process_noise: Scalar
    covariance: Literal["product"]


class KoalaAReport(StepReport):
    """A step of KOALA-A."""

    process_noise: Scalar
    covariance: Matrix
    whiteness: NotRequired[Whiteness]
