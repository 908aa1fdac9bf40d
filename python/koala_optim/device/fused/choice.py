"""Which kernels a method has."""

from __future__ import annotations

from torch import Tensor

from ..adaptive import Adaptive
from ..blockwise import Blockwise
from ..method import Method
from ..products import PlusPlus
from .adaptive import AdaptivePasses
from .blockwise import BlockwisePasses
from .passes import Passes
from .plus_plus import PlusPlusPasses


def made(method: Method, gains: Tensor) -> Passes:
    """The kernels of a method."""
    if isinstance(method, Blockwise):
        return BlockwisePasses(method, gains)
    if isinstance(method, PlusPlus):
        return PlusPlusPasses(method, gains)
    assert isinstance(method, Adaptive)
    return AdaptivePasses(method, gains)
