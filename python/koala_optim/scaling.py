"""Gradients that ``torch.amp.GradScaler`` has scaled."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from .distributed import local_part


def unscaled(parameters: list[Tensor], scale: Tensor | None) -> list[Tensor | None]:
    """The gradients of the parameters, after they were divided by the scale in place as ``GradScaler.unscale_`` does it.

    Of ``float16`` gradients the results are ``float32``: unscaled, ``float16`` does not hold what the scale was there for.
    """
    gradients = [parameter.grad for parameter in parameters]
    if scale is None:
        return gradients
    halves: list[tuple[Tensor, Tensor]] = []
    alike: dict[tuple[torch.device, torch.dtype], list[Tensor]] = defaultdict(list)
    for position, gradient in enumerate(gradients):
        # The optimizer refuses sparse ones by itself.
        if gradient is None or gradient.layout is not torch.strided:
            continue
        if gradient.dtype is torch.float16:
            wide = gradient.float()
            halves.append((gradient, wide))
            gradients[position] = gradient = wide
        part = local_part(gradient)
        alike[part.device, part.dtype].append(part)
    inverse = scale.reciprocal() if scale.device.type == "mps" else scale.double().reciprocal().float()
    for (device, _), group in alike.items():
        # The default type may be another one, of which the operation takes none.
        found = torch.zeros((), dtype=torch.float32, device=device)
        torch._amp_foreach_non_finite_check_and_unscale_(group, found, inverse.to(device))
    for gradient, wide in halves:
        gradient.copy_(wide)
    return gradients
