"""Collectives over process groups, after which a process may end at any moment."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch.distributed as dist
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

# Gloo's threads let go of a collective after whoever waits for it goes on. Whoever lets go last frees its tensors, for which a
# thread needs the interpreter; if that is ending by then, the process aborts ("terminate called without an active exception").
# Those threads outlive destroy_process_group() where DistributedDataParallel was used. So the latest of each group are held
# here, more than can be done while a thread waits for the interpreter, a few milliseconds; and no longer than the group, whose
# connections they keep open.
_LATEST: WeakKeyDictionary[Any, deque[Any]] = WeakKeyDictionary()
_HELD = 64


def all_reduce(tensor: Tensor, group: ProcessGroup, op: Any = None) -> None:
    """Replaces the tensor by its sum, or what ``op`` says, over the processes of the group."""
    op = dist.ReduceOp.SUM if op is None else op
    _finish(group, dist.all_reduce(tensor, op, group, async_op=_by_threads(tensor)))


def all_gather(parts: list[Tensor], mine: Tensor, group: ProcessGroup) -> None:
    """Fills ``parts`` with the tensors of all processes of the group, one process after the other."""
    _finish(group, dist.all_gather(parts, mine, group, async_op=_by_threads(mine)))


def _by_threads(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu"


def _finish(group: ProcessGroup, work: Any) -> None:
    if work is not None:
        _LATEST.setdefault(group, deque(maxlen=_HELD)).append(work)
        work.wait()
