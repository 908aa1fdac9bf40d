"""Steps given up, and parameters that are not trained, on several processes: as on one."""

from __future__ import annotations

import pytest
import torch
from problem import (
    METHODS,
    losses_of,
    network,
    optimizer,
    parameters_of,
    same_filter_on_all,
    samples,
    share,
    train_step,
)
from torch.distributed.fsdp import fully_shard
from torch.nn import Module

from koala_optim import Koala


def half_frozen(dtype: torch.dtype = torch.float64) -> Module:
    """The second layer is not trained."""
    model = network(dtype)
    model[2].requires_grad_(False)
    return model


def trained(model: Module, found: Koala, part) -> None:
    """Steps of which one is given up after its losses were observed, one before, and one skipped by clearing gradients."""
    for step in range(6):
        batch = part(samples(step, torch.float64))
        if step in (2, 4):
            found.zero_grad()
            found.predict()
            if step == 2:
                found.observe(losses_of(model, batch) + 100.0)
            found.abandon()
        else:
            train_step(model, found, batch)


def is_one_process(method: str) -> None:
    model = half_frozen()
    fully_shard(model[2])
    fully_shard(model)
    found = optimizer(method, model)
    trained(model, found, share)
    assert same_filter_on_all(found)
    reference = half_frozen()
    other = optimizer(method, reference, process_group=False)
    trained(reference, other, lambda batch: batch)
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-12)
    assert found.filter_state()["step"] == 4
    assert not any(found.state.get(parameter) for parameter in model[2].parameters())


@pytest.mark.parametrize("method", METHODS)
def test_sharded(processes, method):
    processes.run(2, is_one_process, method)
