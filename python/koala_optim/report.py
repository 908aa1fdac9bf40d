"""The filter and its last step as plain dicts, for loggers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .optimizer import Koala

# Of the report, what is no number of its own (the step is the logger's axis; an index has no mean).
_NO_SCALARS = ("step", "limiting_block")
# Levels that only tell which method the numbers are of.
_TAGS = ("scalar", "matrix", "position-velocity")


def filter_state(optimizer: Koala) -> dict[str, Any]:
    """The filter of an optimizer as it is now.

    Returns:
        ``step``, the number of steps done; ``predicted``, whether the parameters stand at their prediction;
        ``measurement_noise`` R; ``covariance`` P, as ``{"scalar": P}`` (KOALA-V), ``{"matrix": {"p11": ..., "p12": ...,
        "p22": ...}}`` (KOALA-M, KOALA-A) or ``"product"`` (KOALA++, which stores products instead); ``process_noise`` Q, as
        ``{"scalar": Q}`` or ``{"position-velocity": {"position": q_x, "velocity": q_v}}``. Between predict and step
        P and Q of parameters that are spread over processes are those before the prediction.
    """
    return optimizer.filter_state()


def scalars(optimizer: Koala, prefix: str = "koala/", blocks: bool = False) -> dict[str, float]:
    """The last step's report as one level of numbers, as loggers want them; empty before the first step.

    Args:
        optimizer: the optimizer.
        prefix: what every name begins with.
        blocks: whether the numbers of every block (parameter) are among them, as ``{prefix}{block's name}/...``.

    Returns:
        By name, after the prefix:

        - ``loss`` L, ``second_moment`` M of the per-sample losses about the ``target`` T; absent if not finite
        - ``gain``: the filter's own, before the groups' ``lr``
        - ``measurement_noise``: R after the step
        - ``process_noise`` q (KOALA-V, KOALA++) or, after the step, Q (KOALA-A); or ``process_noise/position`` q_x and
          ``process_noise/velocity`` q_v
        - ``covariance`` P after the step (KOALA-V), or ``covariance/p11``, ``covariance/p12``, ``covariance/p22``
        - KOALA-A alone, unless the step is missing: ``whiteness/correlation`` rho of gradient and velocity, above 0 if the
          filter moves too little, below if too much; ``whiteness/smoothed_correlation`` its running mean from 0,
          ``whiteness/corrected_correlation`` the same corrected for its start, by which Q moves;
          ``whiteness/gradient_squared`` G
        - ``update_norm``: norm of the whole step, prediction and decoupled decay aside
        - ``gradient_norm``: norm of the gradients, coupled decay included; absent if there were none to use
        - ``effective_learning_rate``: ``update_norm / gradient_norm``, what a learning rate would have to be for such a step
        - ``bound_factor``: what ``max_update_norm`` multiplied the step with; 1 if nothing
        - ``missing``: 1 if loss or gradients were not finite and only the prediction was done, else 0;
          ``missing_in_a_row``: how many such steps there were since the last good one
        - ``blocks_skipped``, ``blocks_clamped``: blocks that did not move, and whose loss was below the target

        and for every block that moved: ``gradient_norm``, ``innovation`` T - L_b, ``innovation_variance`` S_b,
        ``normalised_innovation_squared`` (near 1 on average if the filter knows how uncertain it is), ``gain_norm``,
        ``effective_learning_rate`` and ``update_norm``; with KOALA-A's metric also ``metric``, its mean over the block (1 over
        the model).
    """
    report: Any = optimizer.report()
    return {} if report is None else {prefix + name: value for name, value in _of_step(report, blocks)}


def _of_step(report: dict[str, Any], blocks: bool) -> Iterator[tuple[str, float]]:
    measured = report["outcome"] == "measured"
    for name, value in _numbers(report, ""):
        if measured or name != "gradient_norm":
            yield name, value
    if measured and report["gradient_norm"] > 0.0:
        yield "effective_learning_rate", report["update_norm"] / report["gradient_norm"]
    yield "missing", float(isinstance(report["outcome"], dict))
    outcomes = [block["outcome"] for block in report["blocks"]]
    yield "blocks_skipped", float(sum(isinstance(outcome, dict) for outcome in outcomes))
    yield "blocks_clamped", float(outcomes.count("clamped"))
    for block in report["blocks"] if blocks else ():
        if not isinstance(block["outcome"], dict):
            yield from _numbers(block, f"{block['name']}/")


def _numbers(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _numbers(value, prefix if name in _TAGS else f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and name not in _NO_SCALARS:
            yield (prefix.rstrip("/") if name in _TAGS else f"{prefix}{name}"), float(value)
