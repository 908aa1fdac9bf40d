"""fully_shard: processes hold parts of the parameters, some of them none, and have the filter of the whole."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
from problem import (
    METHODS,
    alone,
    filter_numbers,
    losses_of,
    network,
    optimizer,
    parameters_of,
    same_filter_on_all,
    samples,
    share,
    train_step,
)
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

from koala_optim import Koala

STEPS = 50


def sharded(dtype: torch.dtype, mesh: DeviceMesh | None = None) -> Module:
    """Nested: the second layer apart from the rest. The last layer's one row is on one process only."""
    model = network(dtype)
    options = {} if mesh is None else {"mesh": mesh}
    fully_shard(model[2], **options)
    return fully_shard(model, **options)


def assert_is_one_process(
    method: str, model: Module, found: Koala, dtype: torch.dtype, steps: int = STEPS, **options
) -> None:
    assert same_filter_on_all(found)
    reference, other = alone(method, steps, dtype, **options)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(filter_numbers(found), filter_numbers(other), rtol=tolerance, atol=0.0)


def equals_one_process(method: str, dtype: torch.dtype, foreach: bool, options: dict) -> None:
    model = sharded(dtype)
    parts = [parameter.to_local() for parameter in model.parameters()]
    sizes: list = [None] * dist.get_world_size()
    dist.all_gather_object(sizes, [part.numel() for part in parts])
    assert any(0 in counts for counts in sizes), "some process is to hold no part of some parameter"
    assert any(len(set(of_parameter)) > 1 for of_parameter in zip(*sizes)), "some parts are to be unequal"
    found = optimizer(method, model, foreach=foreach, **options)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, dtype)))
    assert_is_one_process(method, model, found, dtype, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("count", "dtype", "foreach"), [(2, torch.float32, False), (4, torch.float64, False), (4, torch.float64, True)]
)
def test_is_one_process_with_the_whole_batch(processes, method, count, dtype, foreach):
    processes.run(count, equals_one_process, method, dtype, foreach, {})


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("KoalaM", {"position_noise": "paper"}),
        ("KoalaM", {"position_noise": 1e-3}),
        ("KoalaM", {"partition": "global"}),
        ("KoalaM", {"decay_rule": "decoupled"}),
        ("KoalaA", {"metric": "none"}),
        ("KoalaA", {"mean": None}),
        ("KoalaA", {"decay_rule": "coupled"}),
        ("KoalaA", {"epsilon": 0.1}),  # the largest second moment matters
    ],
    ids=str,
)
def test_options_that_take_other_sums(processes, method, options):
    processes.run(2, equals_one_process, method, torch.float64, False, options)


def equals_one_process_in_replicas(method: str) -> None:
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicate", "shard"))
    model = sharded(torch.float64, mesh)
    found = optimizer(method, model)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, torch.float64)))
    assert_is_one_process(method, model, found, torch.float64)


@pytest.mark.parametrize("method", METHODS)
def test_shards_in_replicas(processes, method):
    processes.run(4, equals_one_process_in_replicas, method)


def evaluates_between(method: str) -> None:
    model = sharded(torch.float64)
    found = optimizer(method, model)
    for step in range(10):
        # A forward without backward leaves the root's parameters gathered, in front of the prediction.
        with torch.no_grad():
            losses_of(model, samples(0, torch.float64))
        train_step(model, found, share(samples(step, torch.float64)))
    assert_is_one_process(method, model, found, torch.float64, 10)


@pytest.mark.parametrize("method", METHODS)
def test_an_evaluation_before_the_prediction_changes_nothing(processes, method):
    processes.run(2, evaluates_between, method)


def accumulates() -> None:
    model = sharded(torch.float64)
    found = optimizer("KoalaM", model)
    for step in range(10):
        found.zero_grad()
        found.predict()
        inputs, targets = share(samples(step, torch.float64))
        for last, part in enumerate(zip(inputs.chunk(2), targets.chunk(2))):
            model.set_requires_gradient_sync(bool(last))
            losses = losses_of(model, part)
            found.observe(losses)
            (losses.sum() / len(inputs)).backward()
        found.step()
    assert_is_one_process("KoalaM", model, found, torch.float64, 10)


def test_micro_batches(processes):
    processes.run(2, accumulates)


def overflows() -> None:
    model = sharded(torch.float32)
    found = optimizer("KoalaM", model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1000)
    for step in range(8):
        found.zero_grad()
        found.predict()
        losses = losses_of(model, share(samples(step)))
        found.observe(losses)
        scaler.scale(losses.mean()).backward()
        if step == 5 and dist.get_rank() == 0:
            next(model.parameters()).grad.to_local().fill_(torch.inf)
        before = parameters_of(model)
        scaler.step(found)
        scaler.update()
        moved = not all(torch.equal(a, b) for a, b in zip(before, parameters_of(model)))
        assert moved == (step != 5)
    assert scaler.get_scale() == 512.0
    assert same_filter_on_all(found)


def test_overflow_of_one_part_is_a_missing_measurement(processes):
    processes.run(2, overflows)


def freezes() -> None:
    model = sharded(torch.float64)
    reference = network(torch.float64)
    for network_ in (model, reference):
        network_[0].weight.requires_grad_(False)
    found, other = optimizer("KoalaM", model), optimizer("KoalaM", reference, process_group=False)
    for step in range(10):
        train_step(model, found, share(samples(step, torch.float64)))
        train_step(reference, other, samples(step, torch.float64))
    assert same_filter_on_all(found)
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-12)


def test_a_frozen_parameter(processes):
    processes.run(2, freezes)


def communicates(method: str, sharded_reductions: int) -> None:
    for model, reductions in ((sharded(torch.float32), sharded_reductions), (DistributedDataParallel(network()), 0)):
        found = optimizer(method, model, check_every=1)
        with patch.object(dist, "all_reduce", wraps=dist.all_reduce) as reduce:
            with patch.object(dist, "all_gather", wraps=dist.all_gather) as gather:
                for step in range(3):
                    found.zero_grad()
                    found.predict()
                    losses = losses_of(model, share(samples(step)))
                    found.observe(losses)
                    losses.mean().backward()
                    reduce.reset_mock()
                    gather.reset_mock()
                    found.step()
                    found.filter_state()
                    assert (reduce.call_count, gather.call_count) == (reductions, 1)


@pytest.mark.parametrize(("method", "sharded_reductions"), [("KoalaM", 1), ("KoalaA", 2)])
def test_a_step_communicates_two_or_three_times_at_most(processes, method, sharded_reductions):
    processes.run(2, communicates, method, sharded_reductions)


def evaluates_at_the_mean(foreach: bool) -> None:
    model = sharded(torch.float64)
    found = optimizer("KoalaA", model, foreach=foreach)
    reference, other = alone("KoalaA", 10, torch.float64)
    for step in range(10):
        train_step(model, found, share(samples(step, torch.float64)))
    batch = samples(99, torch.float64)
    before = parameters_of(model)
    with torch.no_grad():
        outside = losses_of(model, batch).mean()
        with found.averaged(), other.averaged():
            inside, expected = losses_of(model, batch).mean(), losses_of(reference, batch).mean()
            for part, whole in zip(parameters_of(model), parameters_of(reference), strict=True):
                torch.testing.assert_close(part, whole, rtol=1e-12, atol=1e-12)
        again = losses_of(model, batch).mean()
    torch.testing.assert_close(inside, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(again, outside) and not torch.equal(inside, outside)
    for part, whole in zip(found.averaged_state_dict(model).values(), other.averaged_state_dict(reference).values()):
        torch.testing.assert_close(part.full_tensor(), whole, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(x, y) for x, y in zip(before, parameters_of(model)))
    assert_is_one_process("KoalaA", model, found, torch.float64, 10)


@pytest.mark.parametrize("foreach", [False, True])
def test_evaluation_at_the_mean(processes, foreach):
    processes.run(2, evaluates_at_the_mean, foreach)


def splits_layers(method: str) -> None:
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    model, reference = network(torch.float64, width=8), network(torch.float64, width=8)
    parallelize_module(model, mesh["tensor"], {"0": ColwiseParallel(), "2": RowwiseParallel()})
    fully_shard(model, mesh=mesh["data"])
    # Both shard the rows of the first layer: a placement that is neither replicated nor calls itself a shard.
    assert not all(placement.is_shard() for placement in model[0].weight.placements)
    found, other = optimizer(method, model), optimizer(method, reference, process_group=False)
    for step in range(STEPS):
        batch = samples(step, torch.float64)
        train_step(model, found, tuple(tensor.chunk(2)[mesh["data"].get_local_rank()] for tensor in batch))
        train_step(reference, other, batch)
    assert same_filter_on_all(found)
    torch.testing.assert_close(filter_numbers(found), filter_numbers(other), rtol=1e-12, atol=0.0)
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_with_tensor_parallel_layers(processes, method):
    processes.run(4, splits_layers, method)
