"""DistributedDataParallel: every process trains on its share, and all have the same filter."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.distributed as dist
from problem import (
    METHODS,
    SAMPLES,
    alone,
    filter_numbers,
    losses_of,
    network,
    optimizer,
    parameters_of,
    same_filter_on_all,
    same_on_all,
    samples,
    share,
    train_step,
)
from torch.nn.parallel import DistributedDataParallel

STEPS = 50
# After 50 steps; the order of sums is all that differs.
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-12}


def assert_close(model: torch.nn.Module, reference: torch.nn.Module) -> None:
    for found, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        tolerance = TOLERANCE[found.dtype]
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def equals_one_process(method: str, dtype: torch.dtype, foreach: bool) -> None:
    model = DistributedDataParallel(network(dtype))
    before = losses_of(model, samples(0, dtype)).mean()
    found = optimizer(method, model, foreach=foreach)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, dtype)))
    assert losses_of(model, samples(0, dtype)).mean() < 0.8 * before
    assert same_on_all(parameters_of(model))
    assert same_filter_on_all(found)
    reference, other = alone(method, STEPS, dtype)
    assert_close(model, reference)
    torch.testing.assert_close(filter_numbers(found), filter_numbers(other), rtol=TOLERANCE[dtype], atol=0.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize(("count", "dtype"), [(2, torch.float32), (4, torch.float32), (4, torch.float64)])
def test_is_one_process_with_the_whole_batch(processes, method, foreach, count, dtype):
    processes.run(count, equals_one_process, method, dtype, foreach)


def is_given_a_share_of_the_first_loss(method: str, engine: dict) -> None:
    """That of the minibatch of all processes; one that is no number on one of them is not the first on any."""
    relative = {"target": 0.3, "target_rule": "relative"}
    model = DistributedDataParallel(network(torch.float64))
    found = optimizer(method, model, **relative, **engine)
    found.predict()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    found.update(torch.tensor([torch.nan if dist.get_rank() == 0 else 1.0], dtype=torch.float64))
    for step in range(6):
        train_step(model, found, share(samples(step, torch.float64)))
    assert same_filter_on_all(found)
    reference = network(torch.float64)
    first = losses_of(reference, samples(0, torch.float64)).mean().item()
    assert found.report()["target"] == pytest.approx(0.3 * first, rel=1e-12)
    other = optimizer(method, reference, process_group=False, foreach=False, **relative)
    other.predict()
    for parameter in reference.parameters():
        parameter.grad = torch.zeros_like(parameter)
    other.update(torch.nan)
    for step in range(6):
        train_step(reference, other, samples(step, torch.float64))
    assert_close(model, reference)
    torch.testing.assert_close(filter_numbers(found), filter_numbers(other), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("engine", [{"foreach": False}, {"foreach": True}, {"fused": True}], ids=str)
def test_a_relative_target_is_that_of_all_processes(processes, method, engine):
    processes.run(2, is_given_a_share_of_the_first_loss, method, engine)


def one_replica_is_looked_at(method: str, engine: dict, stays: dict) -> None:
    """As who logs and saves on one process does, in the middle of steps too."""
    results = []
    for looks in (True, False):
        model = DistributedDataParallel(network())
        found = optimizer(method, model, check_every=1, **engine, **stays)
        for step in range(4):
            found.zero_grad()
            if not found.predicted:
                found.predict()
            if looks and dist.get_rank() == 0:
                assert found.filter_state()["predicted"]
                found.state_dict()
                found.report()
            losses = losses_of(model, share(samples(step)))
            found.observe(losses)
            losses.mean().backward()
            found.step()
        assert same_on_all(parameters_of(model))
        assert same_filter_on_all(found)
        results.append(parameters_of(model))
    assert all(torch.equal(x, y) for x, y in zip(*results, strict=True))


@pytest.mark.parametrize(
    ("method", "stays"),
    [*((m, {}) for m in METHODS), ("KoalaM", {"stay_predicted": True}), ("KoalaA", {"stay_predicted": True})],
    ids=str,
)
@pytest.mark.parametrize("engine", [{"foreach": False}, {"foreach": True}, {"fused": True}], ids=str)
def test_a_look_at_one_replica_changes_nothing(processes, method, stays, engine):
    processes.run(2, one_replica_is_looked_at, method, engine, stays)


def rounds_by_chance(method: str) -> None:
    """Replicas draw the same, whatever each process does with PyTorch's random numbers."""
    torch.manual_seed(dist.get_rank())
    model = DistributedDataParallel(network(torch.bfloat16))
    found = optimizer(method, model, stochastic_rounding=True)
    for step in range(5):
        train_step(model, found, share(samples(step, torch.bfloat16)))
    assert same_on_all(parameters_of(model))
    assert same_filter_on_all(found)


@pytest.mark.parametrize("method", METHODS)
def test_replicas_round_alike(processes, method):
    processes.run(2, rounds_by_chance, method)


def accumulates(method: str) -> None:
    model = DistributedDataParallel(network())
    found = optimizer(method, model)
    for step in range(STEPS):
        found.zero_grad()
        found.predict()
        # Processes may cut their shares in different numbers of micro-batches.
        parts = 2 + dist.get_rank()
        inputs, targets = share(samples(step))
        for at, part in enumerate(zip(inputs.chunk(parts), targets.chunk(parts))):
            with model.no_sync() if at + 1 < parts else nullcontext():
                losses = losses_of(model, part)
                found.observe(losses)
                (losses.sum() / len(inputs)).backward()
        found.step()
    assert same_on_all(parameters_of(model))
    assert same_filter_on_all(found)
    assert_close(model, alone(method, STEPS)[0])


@pytest.mark.parametrize("method", METHODS)
def test_micro_batches_under_no_sync(processes, method):
    processes.run(2, accumulates, method)


def unequal(weighted: bool) -> None:
    model = DistributedDataParallel(network(torch.float64))
    found = optimizer("KoalaM", model)
    reference = network(torch.float64)
    other = optimizer("KoalaM", reference, process_group=False)
    rank, size, first = dist.get_rank(), dist.get_world_size(), 4
    for step in range(20):
        batch = samples(step, torch.float64)
        parts = [[tensor[:first], tensor[first:]] for tensor in batch]
        found.zero_grad()
        found.predict()
        losses = losses_of(model, (parts[0][rank], parts[1][rank]))
        found.observe(losses)
        (losses.sum() * size / SAMPLES if weighted else losses.mean()).backward()
        found.step()
        other.zero_grad()
        other.predict()
        losses = losses_of(reference, batch)
        other.observe(losses)
        (losses.mean() if weighted else (losses[:first].mean() + losses[first:].mean()) / 2).backward()
        other.step()
    assert same_on_all(parameters_of(model))
    assert_close(model, reference)


@pytest.mark.parametrize("weighted", [True, False])
def test_unequal_shares_weigh_losses_by_sample_and_gradients_by_process(processes, weighted):
    processes.run(2, unequal, weighted)


def meets_no_number(method: str) -> None:
    model = DistributedDataParallel(network())
    found = optimizer(method, model)
    for step in range(3):
        train_step(model, found, share(samples(step)))
    known = found.filter_state()["measurement_noise"]
    inputs, targets = share(samples(3))
    if dist.get_rank() == 1:
        targets = targets.clone()
        targets[0] = torch.inf
    found.zero_grad()
    found.predict()
    before = parameters_of(model)
    losses = losses_of(model, (inputs, targets))
    # The gradients stay finite: the loss alone must make the measurement missing.
    losses[losses.isfinite()].mean().backward()
    found.observe(losses)
    found.step()
    assert all(torch.equal(a, b) for a, b in zip(before, parameters_of(model)))
    assert found.filter_state()["measurement_noise"] == known
    train_step(model, found, share(samples(4)))
    assert not all(torch.equal(a, b) for a, b in zip(before, parameters_of(model)))
    assert same_on_all(parameters_of(model))
    assert same_filter_on_all(found)


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_that_is_no_number_on_one_process_is_a_missing_measurement_on_all(processes, method):
    processes.run(2, meets_no_number, method)


def scales_gradients() -> None:
    model = DistributedDataParallel(network())
    found = optimizer("KoalaM", model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1000)
    for step in range(20):
        found.zero_grad()
        found.predict()
        losses = losses_of(model, share(samples(step)))
        found.observe(losses)
        overflows = step == 5 and dist.get_rank() == 0
        (scaler.scale(losses.mean()) * (torch.inf if overflows else 1.0)).backward()
        before = parameters_of(model)
        scaler.step(found)
        scaler.update()
        moved = not all(torch.equal(a, b) for a, b in zip(before, parameters_of(model)))
        assert moved == (step != 5)
    assert same_on_all(parameters_of(model))
    assert same_filter_on_all(found)


def test_overflow_on_one_process_is_a_missing_measurement_on_all(processes):
    processes.run(2, scales_gradients)


def trains_alone() -> None:
    # Other data in every process: what the processes do must not touch each other.
    model = network()
    found = optimizer("KoalaM", model, process_group=False)
    offset = 100 * dist.get_rank()
    for step in range(1 + dist.get_rank()):
        train_step(model, found, samples(offset + step))
    assert found.filter_state()["step"] == 1 + dist.get_rank()
    dist.barrier()
    assert not same_on_all(parameters_of(model))


def test_without_a_process_group_every_process_is_its_own(processes):
    processes.run(2, trains_alone)


def trains_in_pairs() -> None:
    pairs = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    rank = dist.get_rank()
    mine, other = pairs[rank // 2], pairs[1 - rank // 2]
    model = DistributedDataParallel(network(), process_group=mine)
    found = optimizer("KoalaM", model, process_group=mine)
    for step in range(STEPS):
        inputs, targets = samples(step + 1000 * (rank // 2))
        train_step(model, found, (inputs.chunk(2)[rank % 2], targets.chunk(2)[rank % 2]))
    reference = network()
    alone = optimizer("KoalaM", reference, process_group=False)
    for step in range(STEPS):
        train_step(reference, alone, samples(step + 1000 * (rank // 2)))
    assert_close(model, reference)
    with pytest.raises(ValueError, match="a group that this process is not in"):
        optimizer("KoalaM", model, process_group=other)
    with pytest.raises(TypeError, match="must be a process group"):
        optimizer("KoalaM", model, process_group="gloo")


def test_a_process_group_of_some(processes):
    processes.run(4, trains_in_pairs)


def steps_under_another_default_device() -> None:
    model = DistributedDataParallel(network())
    found = optimizer("KoalaA", model)
    for step in range(2):
        found.zero_grad()
        found.predict()
        losses = losses_of(model, share(samples(step)))
        found.observe(losses)
        losses.mean().backward()
        with torch.device("meta"):
            found.step()
    assert same_filter_on_all(found)


def test_a_default_device_without_numbers(processes):
    processes.run(2, steps_under_another_default_device)
