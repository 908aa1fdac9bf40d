"""Several processes with one filter: sums over process groups, parts of parameters, and a check that nobody drifted.

Every process holds the whole filter (a few numbers). It stays the same on all of them because all of them see the same
sums: of the losses over the data-parallel group, of squared norms over the processes that hold parts of a parameter.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import Parameter

from .collectives import all_gather, all_reduce

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Number: TypeAlias = "Tensor | float"
ProcessGroups: TypeAlias = "tuple[ProcessGroup, ...]"


class ReplicaDrift(RuntimeError):
    """The filters of the processes that train together are no longer the same. The step that found it is done.

    Attributes:
        ranks: ranks of the processes whose filter is not that of most (of two processes: not that of the first).
    """

    def __init__(self, message: str, ranks: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.ranks = ranks


class LossProcesses:
    """The processes whose losses make up one minibatch: a given group, all (``None``, ``True``) or this one (``False``)."""

    def __init__(self, given: ProcessGroup | bool | None) -> None:
        if given is not None and not isinstance(given, bool):
            if not dist.is_available():
                raise ValueError("process_group was given, but this PyTorch is built without torch.distributed")
            if given == dist.GroupMember.NON_GROUP_MEMBER:  # type: ignore[comparison-overlap]
                raise ValueError(
                    "process_group is a group that this process is not in; make the optimizer in the group's processes "
                    "only, or give each process its own group"
                )
            if not isinstance(given, dist.ProcessGroup):
                raise TypeError(f"process_group = {given!r}: must be a process group, None for all or False for none")
        self.given = given

    def groups(self) -> ProcessGroups:
        """The group, if there are several processes in it; none as long as ``torch.distributed`` is not initialised."""
        if self.given is False or not (dist.is_available() and dist.is_initialized()):
            return ()
        group = dist.group.WORLD if self.given is None or self.given is True else self.given
        return (group,) if group is not None and dist.get_world_size(group) > 1 else ()

    def __deepcopy__(self, memo: dict[int, Any]) -> LossProcesses:
        return self

    def __getstate__(self) -> dict[str, Any]:
        if self.given is not None and not isinstance(self.given, bool):
            raise TypeError(
                "an optimizer with a process_group of its own cannot be pickled: groups exist in their processes only; "
                "save its state_dict() and load it into an optimizer made with the group"
            )
        return self.__dict__


def is_spread(tensor: Tensor) -> bool:
    """Whether processes hold parts of it: a ``DTensor``."""
    return type(tensor) not in (Tensor, Parameter) and hasattr(tensor, "device_mesh")


def local_part(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor: all of it, or its part of a ``DTensor``."""
    return tensor.to_local() if is_spread(tensor) else tensor


def gradient_part(parameter: Tensor, gradient: Tensor) -> Tensor:
    """This process's part of a gradient, spread as the parameter is."""
    if is_spread(gradient) and gradient.placements != parameter.placements:
        gradient = gradient.redistribute(placements=parameter.placements)
    return local_part(gradient)


def part_groups(parameter: Tensor) -> ProcessGroups:
    """The processes over which sums of the parts of a parameter make the sum of the whole."""
    if not is_spread(parameter):
        return ()
    mesh = parameter.device_mesh
    # All that is not replicated: placements of fully_shard over other parallelism do not call themselves shards.
    return tuple(
        mesh.get_group(dimension)
        for dimension, placement in enumerate(parameter.placements)
        if not placement.is_replicate() and mesh.size(dimension) > 1
    )


def spread_alike(tensor: Tensor, parameter: Tensor) -> bool:
    """Whether every process holds the same part of both."""
    if not is_spread(parameter):
        return not is_spread(tensor)
    return (
        is_spread(tensor)
        and tensor.device_mesh == parameter.device_mesh
        and tensor.placements == parameter.placements
        and local_part(tensor).shape == local_part(parameter).shape
    )


def sum_over(groups: ProcessGroups, values: list[Number]) -> Tensor:
    """The sums of the values over the processes of the groups, the same bits on each, as one vector."""
    vector = _vector(values, device_of(groups[0]))
    for group in groups:
        all_reduce(vector, group)
    return vector


def largest_over(groups: ProcessGroups, values: list[Number]) -> Tensor:
    """The largest of the values over the processes of the groups, the same on each; at least 0."""
    vector = _vector([0.0, *values], device_of(groups[0])).max()
    for group in groups:
        all_reduce(vector, group, dist.ReduceOp.MAX)
    return vector


def gathered(groups: ProcessGroups, values: list[Number]) -> Tensor:
    """The values of all processes of the group, one process after the other, as one vector."""
    (group,) = groups
    mine = _vector(values, device_of(group))
    everyone = torch.empty(dist.get_world_size(group) * len(values), dtype=mine.dtype, device=mine.device)
    all_gather(list(everyone.split(len(values))), mine, group)
    return everyone


def fingerprint(state: str | None, step: int, check_every: int) -> tuple[float, float, float]:
    """What processes compare: the steps that they count, how often they look at the state, and now and then the state."""
    if state is None:
        return float(step), float(check_every), 0.0
    # 48 bits, which a float64 holds exactly.
    digest = hashlib.blake2b(state.encode(), digest_size=6).digest()
    return float(step), float(check_every), float(int.from_bytes(digest, "big"))


def is_due(step: int, check_every: int) -> bool:
    """Whether the state is compared in this step (counted from 1): also in the first two, where wrong set-ups show."""
    return check_every > 0 and (step % check_every == 0 or step <= 2)


def check_same(groups: ProcessGroups, fingerprints: list[tuple[float, ...]]) -> None:
    """Compares the :func:`fingerprint` of all processes.

    Raises:
        ReplicaDrift: on every process, naming those that differ from most.
    """
    if len(set(fingerprints)) == 1 or all(check_every == 0.0 for _, check_every, _ in fingerprints):
        return
    common, _ = Counter(fingerprints).most_common(1)[0]
    different = [at for at, found in enumerate(fingerprints) if found != common]
    everyone = dist.get_process_group_ranks(groups[0])
    ranks = tuple(everyone[at] for at in different)
    step, check_every, _ = (int(number) for number in common)
    found_step, found_check_every, _ = (int(number) for number in fingerprints[different[0]])
    others = f"rank {everyone[0]}" if 2 * len(different) >= len(everyone) else "most processes"
    names = f"{'rank' if len(ranks) == 1 else 'ranks'} {', '.join(map(str, ranks))}"
    if found_check_every != check_every:
        cause = f"had check_every = {found_check_every}, {others} {check_every}"
        remedy = "give all of them the same"
    elif found_step != step:
        cause = f"had done {found_step} steps, {others} {step}"
        remedy = "load the same checkpoint on all of them"
    else:
        cause = f"had another filter than {others} before step {step + 1}: parameters, gradients or options differ"
        remedy = "load the same checkpoint on all of them, and give all of them the same model and the same schedule"
        if step < 2:
            remedy += (
                "; each must hold all parameters, which under ZeroRedundancyOptimizer it does not: use fully_shard"
            )
    raise ReplicaDrift(f"{names} {cause}; {remedy}", ranks)


def _vector(values: list[Number], device: torch.device) -> Tensor:
    numbers = [0.0 if isinstance(value, Tensor) else value for value in values]
    vector = torch.tensor(numbers, dtype=torch.float64, device=device)
    for source in {value.device for value in values if isinstance(value, Tensor)}:
        places = [at for at, value in enumerate(values) if isinstance(value, Tensor) and value.device == source]
        held = [value for value in values if isinstance(value, Tensor) and value.device == source]
        stacked = torch.stack([value if source.type == "mps" else value.double() for value in held])
        vector[torch.tensor(places, device=device)] = stacked.to(device).double()
    return vector


def device_of(group: ProcessGroup) -> torch.device:
    """A device whose tensors the group can sum."""
    backend = dist.get_backend(group)
    if "gloo" in backend or "mpi" in backend:
        return torch.device("cpu")
    accelerator = torch.accelerator.current_accelerator()
    return (
        torch.device("cpu")
        if accelerator is None
        else torch.device(accelerator.type, torch.accelerator.current_device_index())
    )
