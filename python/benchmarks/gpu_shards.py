"""Parameters that are spread over processes, on one device: what is added up between kernels goes over collectives there.

There is one process, and what it adds up is its own: the step is that of whole parameters, and takes the way of parts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch.distributed as dist
from gpu_cases import SETTINGS, Failures, engines, one_step
from gpu_speed import Setup
from support import VARIANTS, Variant, difference, values
from support import memory as vectors_of
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard

from koala_optim.distributed import is_spread

STAYING = ("m", "a")


@contextmanager
def one_process(setup: Setup) -> Iterator[None]:
    """A group of this process alone that counts as several: sums of parts are added up."""

    def groups(parameter: Tensor) -> tuple[Any, ...]:
        return (parameter.device_mesh.get_group(0),) if is_spread(parameter) else ()  # type: ignore[attr-defined]

    with tempfile.TemporaryDirectory() as folder:
        back_end = "nccl" if setup.device.type == "cuda" else "gloo"
        dist.init_process_group(back_end, init_method=f"file://{Path(folder) / 'store'}", rank=0, world_size=1)
        try:
            with patch("koala_optim.rows.part_groups", groups), patch("koala_optim.device.reach.part_groups", groups):
                yield
        finally:
            dist.destroy_process_group()


def model_of(setup: Setup, spread: bool) -> nn.Module:
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(40, 70), nn.Linear(70, 30), nn.Linear(30, 1)).to(setup.device)
    return fully_shard(model) if spread else model


def shards(setup: Setup) -> dict[str, Any]:
    """Steps of parts while a wait for the device is an error: those of whole parameters, to rounding."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1)).to(setup.device)

    def steps(variant: Variant, settings: dict[str, Any], spread: bool) -> list[Tensor]:
        parameters = list(model_of(setup, spread).parameters())
        optimizer = variant(parameters, **settings)
        for step in range(6):
            if step == 2 and setup.device.type == "cuda":
                torch.cuda.set_sync_debug_mode("error")
            one_step(optimizer, parameters, losses, step)
        if setup.device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
        found = [*values(parameters), *vectors_of(optimizer)]
        return [x.to_local().cpu() if is_spread(x) else x.cpu() for x in found]

    def one(variant: Variant, settings: dict[str, Any]) -> float:
        with patch.object(dist, "all_reduce", wraps=dist.all_reduce) as reduced:
            found = steps(variant, settings, True)
        assert reduced.call_count >= 6, "nothing was added up"
        far = difference(found, steps(variant, settings, False))
        assert far < 1e-4, far
        return far

    worst = 0.0
    with one_process(setup):
        for name, engine in engines(setup):
            for variant in VARIANTS[:: 3 if setup.tiny else 1]:
                cases = [*SETTINGS[: 1 if setup.tiny else None]]
                cases += [{"stay_predicted": True}] if variant.name in STAYING else []
                for settings in cases:
                    key = f"{variant.name}, {settings}, {name}"
                    far = failures.run(key, lambda v=variant, s=settings, e=engine: one(v, {**s, **e}))
                    worst = max(worst, far or 0.0)
    return failures.end(worst=worst)
