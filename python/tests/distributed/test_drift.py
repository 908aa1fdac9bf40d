"""A process whose filter is no longer that of the others is named, on every process."""

from __future__ import annotations

import copy
import json
import pickle
import time
from collections.abc import Callable

import problem
import pytest
import torch
import torch.distributed as dist
from problem import network, optimizer, parameters_of, same_filter_on_all, same_on_all, samples, share, train_step
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.parallel import DistributedDataParallel

import koala_optim
from koala_optim import Koala, ReplicaDrift


def drifts(disturb: Callable[[Koala, dict], None], expected: str, at: int, foreach: bool | None = None) -> None:
    """Rank 1 is disturbed before step 7 (counted from 0); the step ``at`` (counted so too) is to tell."""
    model = DistributedDataParallel(network())
    found = optimizer("KoalaM", model, check_every=10, foreach=foreach)
    for step in range(7):
        train_step(model, found, share(samples(step)))
        if step == 3:
            early = copy.deepcopy(found.state_dict())
    if dist.get_rank() == 1:
        disturb(found, early)
    for step in range(7, at):
        train_step(model, found, share(samples(step)))
    with pytest.raises(ReplicaDrift, match=expected) as caught:
        train_step(model, found, share(samples(at)))
    assert caught.value.ranks == (1,)
    # The step is done; rank 0's state on all of them mends it.
    assert not found.filter_state()["predicted"]
    states = [found.state_dict() if dist.get_rank() == 0 else None]
    dist.broadcast_object_list(states)
    found.load_state_dict(states[0])
    for parameter in model.parameters():
        dist.broadcast(parameter.data, 0)
    for step in range(at + 1, at + 12):
        train_step(model, found, share(samples(step)))
    assert same_filter_on_all(found)
    assert same_on_all(parameters_of(model))


def other_gain(found: Koala, early: dict) -> None:
    found.param_groups[0]["lr"] = 0.5


def other_step(found: Koala, early: dict) -> None:
    found.load_state_dict(early)


def other_noise(found: Koala, early: dict) -> None:
    state = found.state_dict()
    filter = json.loads(state["param_groups"][0]["filter"])
    filter["measurement_noise"] *= 2.0
    state["param_groups"][0]["filter"] = json.dumps(filter)
    found.load_state_dict(state)


def other_parameters(found: Koala, early: dict) -> None:
    with torch.no_grad():
        found.param_groups[0]["params"][0].add_(0.1)


@pytest.mark.parametrize(
    ("disturb", "expected", "at"),
    [
        (other_gain, "rank 1 had another filter than", 9),
        (other_noise, "rank 1 had another filter than", 9),
        (other_parameters, "rank 1 had another filter than", 9),
        (other_step, "rank 1 had done 4 steps, .* 7; load the same checkpoint", 7),
    ],
)
@pytest.mark.parametrize("count", [2, 4])
def test_is_named(processes, count, disturb, expected, at):
    processes.run(count, drifts, disturb, expected, at)


@pytest.mark.parametrize(
    ("disturb", "expected", "at"),
    [
        (other_gain, "rank 1 had another filter than", 7),
        (other_noise, "rank 1 had another filter than", 7),
        (other_parameters, "rank 1 had another filter than", 7),
        (other_step, "rank 1 had done 4 steps, .* 7; load the same checkpoint", 7),
    ],
)
def test_is_named_by_the_device(processes, disturb, expected, at):
    """There the filters are compared in every step."""
    processes.run(2, drifts, disturb, expected, at, True)


def checks_differ() -> None:
    model = DistributedDataParallel(network())
    found = optimizer("KoalaV", model, check_every=0 if dist.get_rank() == 2 else 50)
    with pytest.raises(ReplicaDrift, match="rank 2 had check_every = 0, most processes 50; give all") as caught:
        train_step(model, found, share(samples(0)))
    assert caught.value.ranks == (2,)


def checks_nothing() -> None:
    model = DistributedDataParallel(network())
    found = optimizer("KoalaV", model, check_every=0, lr=1.0 + dist.get_rank())
    for step in range(3):
        train_step(model, found, share(samples(step)))
    assert not same_on_all(parameters_of(model))


def differs_from_the_start() -> None:
    model = DistributedDataParallel(network())
    ranks = dist.get_rank() % 2
    found = optimizer("KoalaV", model, lr=1.0 + ranks)
    with pytest.raises(ReplicaDrift, match="ranks 1, 3 had another filter than rank 0 before step 1") as caught:
        train_step(model, found, share(samples(0)))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.ranks == (1, 3)
    assert str(again) == str(caught.value)


@pytest.mark.parametrize(("count", "function"), [(4, checks_differ), (2, checks_nothing), (4, differs_from_the_start)])
def test_checks(processes, count, function):
    processes.run(count, function)


def dies() -> None:
    group = dist.new_group()
    model = network()
    found = optimizer("KoalaM", model, process_group=group)
    train_step(model, found, share(samples(0)))
    dist.barrier()
    if dist.get_rank() == 1:
        # As a process that is gone: its connections close.
        dist.destroy_process_group(group)
        return
    found.zero_grad()
    found.predict()
    before = parameters_of(model)
    losses = problem.losses_of(model, share(samples(1)))
    found.observe(losses)
    losses.mean().backward()
    start = time.monotonic()
    with pytest.raises(RuntimeError):
        found.step()
    assert time.monotonic() - start < 30.0
    # Nothing of the step was done: the state can be saved, and another optimizer goes on with it alone.
    assert all(torch.equal(a, b) for a, b in zip(before, parameters_of(model)))
    alone = optimizer("KoalaM", model, process_group=False)
    alone.load_state_dict(found.state_dict())
    alone.observe(losses.detach())
    alone.step()
    assert alone.filter_state()["step"] == 2


def test_a_process_that_is_gone(processes):
    processes.run(2, dies)


def splits_parameters(method: str) -> None:
    model = DistributedDataParallel(network())
    zero = ZeroRedundancyOptimizer(model.parameters(), getattr(koala_optim, method))
    batch = share(samples(0))

    def closure() -> torch.Tensor:
        zero.zero_grad()
        losses = problem.losses_of(model, batch)
        losses.mean().backward()
        return losses

    with pytest.raises(ReplicaDrift, match="another filter.*ZeroRedundancyOptimizer"):
        zero.step(closure)


@pytest.mark.parametrize("method", problem.METHODS)
def test_zero_redundancy_optimizer_is_refused(processes, method):
    processes.run(2, splits_parameters, method)
