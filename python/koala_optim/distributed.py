"""Several processes with one filter: sums over process groups, parts of parameters, and a check that nobody drifted.

Every process holds the whole filter (a few numbers). It stays the same on all of them because all of them see the same
sums: of the losses over the data-parallel group, of squared norms over the processes that hold parts of a parameter.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import torch
import torch.distributed as dist
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

ProcessGroups: TypeAlias = "tuple[ProcessGroup, ...]"


class ReplicaDrift(RuntimeError):
    """The filters of the processes that train together are no longer the same.

    Attributes:
        ranks: ranks, in the group, of the processes whose filter is not that of most.
    """

    def __init__(self, ranks: list[int], step: int) -> None:
        self.ranks = ranks
        names = ", ".join(str(rank) for rank in ranks)
        which = f"rank {names} has" if len(ranks) == 1 else f"ranks {names} have"
        super().__init__(
            f"after step {step} {which} another filter than the other processes: losses, gains or parameters differ "
            "between them; load the same checkpoint on all of them, and give all of them the same schedule"
        )


def loss_groups(process_group: ProcessGroup | bool | None) -> ProcessGroups:
    """The processes whose losses make up one minibatch: a given group, else all, if there are several."""
    if process_group is False or not (dist.is_available() and dist.is_initialized()):
        return ()
    group = dist.group.WORLD if process_group in (None, True) else process_group
    return (group,) if group is not None and dist.get_world_size(group) > 1 else ()


def local_part(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor: all of it, or its part of a ``DTensor``."""
    return tensor.to_local() if _is_distributed(tensor) else tensor


def gradient_part(parameter: Tensor, gradient: Tensor) -> Tensor:
    """This process's part of a gradient, spread as the parameter is."""
    if _is_distributed(gradient) and gradient.placements != parameter.placements:
        gradient = gradient.redistribute(placements=parameter.placements)
    return local_part(gradient)


def part_groups(parameter: Tensor) -> ProcessGroups:
    """The processes over which sums of the parts of a parameter make the sum of the whole."""
    if not _is_distributed(parameter):
        return ()
    mesh = parameter.device_mesh
    return tuple(
        mesh.get_group(dimension)
        for dimension, placement in enumerate(parameter.placements)
        if placement.is_shard() and mesh.size(dimension) > 1
    )


def sum_over(groups: ProcessGroups, values: list[Tensor | float]) -> Tensor:
    """The sums of the values over the processes of the groups, as one vector."""
    device = _device(groups[0])
    wide = torch.float32 if device.type == "mps" else torch.float64
    vector = torch.stack([torch.as_tensor(value, dtype=wide, device=device) for value in values])
    for group in groups:
        dist.all_reduce(vector, group=group)
    return vector


def check_same(groups: ProcessGroups, state: str, step: int) -> None:
    """Compares the filter's state over the processes.

    Raises:
        ReplicaDrift: on every process, naming those that differ from most.
    """
    if not groups:
        return
    digest = hashlib.blake2b(state.encode(), digest_size=8).digest()
    mine = torch.tensor([int.from_bytes(digest, "big", signed=True)], device=_device(groups[0]))
    gathered = [torch.empty_like(mine) for _ in range(dist.get_world_size(groups[0]))]
    dist.all_gather(gathered, mine, group=groups[0])
    digests = torch.cat(gathered).tolist()
    common, _ = Counter(digests).most_common(1)[0]
    drifted = [rank for rank, found in enumerate(digests) if found != common]
    if drifted:
        raise ReplicaDrift(drifted, step)


def _is_distributed(tensor: Tensor) -> bool:
    return hasattr(tensor, "device_mesh") and hasattr(tensor, "to_local")


def _device(group: ProcessGroup) -> torch.device:
    """A device whose tensors the group can sum."""
    backend = dist.get_backend(group)
    if "gloo" in backend or "mpi" in backend:
        return torch.device("cpu")
    accelerator = torch.accelerator.current_accelerator()
    if accelerator is None:
        return torch.device("cpu")
    return torch.device(accelerator.type, torch.accelerator.current_device_index())
