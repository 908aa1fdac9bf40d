"""The filter and its last step as plain dicts, for loggers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .optimizer import Koala


def filter_state(optimizer: Koala) -> dict[str, Any]:
    """The filter of an optimizer as it is now.

    Returns:
        ``step``, the number of steps done; ``predicted``, whether the parameters stand at their prediction;
        ``measurement_noise`` R; ``covariance`` P; ``process_noise`` Q.
    """
    return optimizer.filter_state()


def scalars(optimizer: Koala, prefix: str = "koala/", blocks: bool = False) -> dict[str, float]:
    """The last step's report as one level of numbers, as loggers want them; empty before the first step.

    Args:
        optimizer: the optimizer.
        prefix: what every name begins with.
        blocks: whether the numbers of every block (parameter) are among them.
    """
    report = optimizer.report()
    return {} if report is None else dict(_numbers(report, prefix, blocks))


def _numbers(report: dict[str, Any], prefix: str, blocks: bool) -> Iterator[tuple[str, float]]:
    for name, value in report.items():
        if name == "blocks":
            if blocks:
                for block in value:
                    yield from _numbers(block, f"{prefix}{block['name']}/", False)
        elif isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}/", False)
        elif isinstance(value, (int, float)) and name != "step":
            yield f"{prefix}{name}", float(value)
