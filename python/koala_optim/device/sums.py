"""Sums over tensors by foreach operations: for all of them together, and left on the device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..rows import PIECE, is_dense
from .plan import HALF, Part, Present


def norms(tensors: Iterable[list[Tensor]], dtype: torch.dtype) -> Tensor:
    """The norms of tensors, which come apart by type, as one vector. Stacked before they are squared: three launches in
    all."""
    return torch.stack([norm for alike in tensors for norm in _norms(alike, dtype)])


def _norms(tensors: list[Tensor], dtype: torch.dtype) -> Sequence[Tensor]:
    if tensors[0].is_cpu and any(tensor.numel() > PIECE for tensor in tensors):
        return [_norm(tensor, dtype) for tensor in tensors]
    return torch._foreach_norm(tensors, 2, dtype=dtype)


def _norm(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """That of one on the CPU, which copies numbers into the wider type: a piece of them at once."""
    pieces = tensor.as_strided((tensor.numel(),), (1,)).split(PIECE) if is_dense(tensor) else [tensor]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(pieces, 2, dtype=dtype)))
    return norm


def decayed(part: Part, gradients: list[Tensor], decays: list[float], weights: Tensor) -> list[Tensor]:
    """h = g + w x; g itself where w is 0."""
    if not any(decays):
        return gradients
    if part.dtype in HALF:
        # Beside g there is nothing left of w x in half precision.
        pages = part.pages
        wide = pages.gather(gradients).addcmul_(pages.gather(part.parameters), pages.column(weights))
        penalties = pages.views(wide)
    else:
        penalties = list(torch._foreach_mul(part.parameters, decays))
        torch._foreach_add_(penalties, gradients)
    return [h if decay else g for h, g, decay in zip(penalties, gradients, decays)]


def of_gradients(
    present: Present, gradients: list[list[Tensor]], dtype: torch.dtype
) -> tuple[Tensor, list[list[Tensor]]]:
    """Rows |g|^2 and, if there is decay in what is measured, |h|^2 and |x|^2; and h."""
    squares = norms(gradients, dtype).square().unsqueeze(0)
    if not any(present.rates("measured")):
        return squares, gradients
    h = [
        decayed(part, alike, part.measured, present.weights("measured", part.wide)[part.columns])
        for part, alike in zip(present.parts, gradients)
    ]
    x = [part.parameters for part in present.parts]
    return torch.cat([squares, torch.stack([norms(h, dtype), norms(x, dtype)]).square()]), h
