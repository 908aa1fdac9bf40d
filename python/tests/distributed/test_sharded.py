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
from koala_optim.device.reach import no_kernels

STEPS = 50
HOST, DEVICE, KERNELS = {"foreach": False}, {"foreach": True}, {"fused": True}
ENGINES = [HOST, DEVICE, KERNELS]


def steps_of(engine: dict) -> int:
    """Triton's interpreter takes its time."""
    return 8 if engine == KERNELS else STEPS


def is_where_it_belongs(found: Koala, engine: dict) -> bool:
    at = found._place.device
    return at is None if engine == HOST else at is not None and at.fused == (engine == KERNELS)


def kernels_are_there(engine: dict) -> None:
    if engine == KERNELS and no_kernels([torch.zeros(1)]) is not None:
        pytest.skip("Triton is not installed, or does not interpret")


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


def equals_one_process(method: str, dtype: torch.dtype, engine: dict, options: dict) -> None:
    model = sharded(dtype)
    parts = [parameter.to_local() for parameter in model.parameters()]
    sizes: list = [None] * dist.get_world_size()
    dist.all_gather_object(sizes, [part.numel() for part in parts])
    assert any(0 in counts for counts in sizes), "some process is to hold no part of some parameter"
    assert any(len(set(of_parameter)) > 1 for of_parameter in zip(*sizes)), "some parts are to be unequal"
    found = optimizer(method, model, **engine, **options)
    for step in range(steps_of(engine)):
        train_step(model, found, share(samples(step, dtype)))
    assert is_where_it_belongs(found, engine)
    assert_is_one_process(method, model, found, dtype, steps_of(engine), **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("count", "dtype", "engine"),
    [
        (2, torch.float32, HOST),
        (4, torch.float64, HOST),
        (2, torch.float32, DEVICE),
        (4, torch.float64, DEVICE),
        (2, torch.float32, KERNELS),
        (4, torch.float64, KERNELS),
    ],
    ids=str,
)
def test_is_one_process_with_the_whole_batch(processes, method, count, dtype, engine):
    kernels_are_there(engine)
    processes.run(count, equals_one_process, method, dtype, engine, {})


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("KoalaM", {"position_noise": "paper"}),
        ("KoalaM", {"position_noise": 1e-3}),
        ("KoalaM", {"partition": "global"}),
        ("KoalaM", {"decay_rule": "decoupled"}),
        ("KoalaM", {"coast": False, "max_update_norm": 0.05}),
        ("KoalaV", {"target": 0.2, "target_rule": "relative"}),
        ("KoalaPP", {"partition": "global", "max_update_norm": 0.05}),
        ("KoalaA", {"target": 0.2, "target_rule": "relative", "max_update_norm": 0.05}),
        ("KoalaA", {"metric": "none"}),
        ("KoalaA", {"mean": None}),
        ("KoalaA", {"decay_rule": "coupled"}),
        ("KoalaA", {"epsilon": 0.1}),  # the largest second moment matters
    ],
    ids=str,
)
def test_options_that_take_other_sums(processes, method, options, engine):
    kernels_are_there(engine)
    processes.run(2, equals_one_process, method, torch.float64, engine, options)


def equals_one_process_in_replicas(method: str, engine: dict) -> None:
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicate", "shard"))
    model = sharded(torch.float64, mesh)
    found = optimizer(method, model, **engine)
    for step in range(steps_of(engine)):
        train_step(model, found, share(samples(step, torch.float64)))
    assert_is_one_process(method, model, found, torch.float64, steps_of(engine))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_shards_in_replicas(processes, method, engine):
    kernels_are_there(engine)
    processes.run(4, equals_one_process_in_replicas, method, engine)


def evaluates_between(method: str, engine: dict) -> None:
    model = sharded(torch.float64)
    found = optimizer(method, model, **engine)
    for step in range(6):
        # A forward without backward leaves the root's parameters gathered, in front of the prediction.
        with torch.no_grad():
            losses_of(model, samples(0, torch.float64))
        train_step(model, found, share(samples(step, torch.float64)))
    assert_is_one_process(method, model, found, torch.float64, 6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_an_evaluation_before_the_prediction_changes_nothing(processes, method, engine):
    kernels_are_there(engine)
    processes.run(2, evaluates_between, method, engine)


def accumulates() -> None:
    model = sharded(torch.float64)
    found = optimizer("KoalaM", model)
    for step in range(8):
        found.zero_grad()
        found.predict()
        inputs, targets = share(samples(step, torch.float64))
        for last, part in enumerate(zip(inputs.chunk(2), targets.chunk(2))):
            model.set_requires_gradient_sync(bool(last))
            losses = losses_of(model, part)
            found.observe(losses)
            (losses.sum() / len(inputs)).backward()
        found.step()
    assert_is_one_process("KoalaM", model, found, torch.float64, 8)


def test_micro_batches(processes):
    processes.run(2, accumulates)


def overflows(engine: dict) -> None:
    model = sharded(torch.float32)
    found = optimizer("KoalaM", model, **engine)
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


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_overflow_of_one_part_is_a_missing_measurement(processes, engine):
    kernels_are_there(engine)
    processes.run(2, overflows, engine)


def freezes(engine: dict) -> None:
    model = sharded(torch.float64)
    reference = network(torch.float64)
    for network_ in (model, reference):
        network_[0].weight.requires_grad_(False)
    found, other = optimizer("KoalaM", model, **engine), optimizer("KoalaM", reference, process_group=False)
    for step in range(8):
        train_step(model, found, share(samples(step, torch.float64)))
        train_step(reference, other, samples(step, torch.float64))
    assert same_filter_on_all(found)
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_a_frozen_parameter(processes, engine):
    kernels_are_there(engine)
    processes.run(2, freezes, engine)


def communicates(method: str, sharded_reductions: int, engine: dict) -> None:
    for model, reductions in ((sharded(torch.float32), sharded_reductions), (DistributedDataParallel(network()), 0)):
        found = optimizer(method, model, check_every=1, **engine)
        with patch.object(dist, "all_reduce", wraps=dist.all_reduce) as reduce:
            with patch.object(dist, "all_gather", wraps=dist.all_gather) as gather:
                for step in range(3):
                    found.zero_grad()
                    reduce.reset_mock()
                    gather.reset_mock()
                    found.predict()
                    assert (reduce.call_count, gather.call_count) == (0, 0)
                    losses = losses_of(model, share(samples(step)))
                    found.observe(losses)
                    losses.mean().backward()
                    reduce.reset_mock()
                    gather.reset_mock()
                    found.step()
                    found.filter_state()
                    assert (reduce.call_count, gather.call_count) == (reductions, 1)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@pytest.mark.parametrize(
    ("method", "sharded_reductions"), [("KoalaV", 1), ("KoalaM", 1), ("KoalaPP", 1), ("KoalaA", 2)]
)
def test_a_step_communicates_two_or_three_times_at_most(processes, method, sharded_reductions, engine):
    kernels_are_there(engine)
    processes.run(2, communicates, method, sharded_reductions, engine)


def evaluates_at_the_mean(engine: dict) -> None:
    model = sharded(torch.float64)
    found = optimizer("KoalaA", model, **engine)
    reference, other = alone("KoalaA", 8, torch.float64)
    for step in range(8):
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
    assert_is_one_process("KoalaA", model, found, torch.float64, 8)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_evaluation_at_the_mean(processes, engine):
    kernels_are_there(engine)
    processes.run(2, evaluates_at_the_mean, engine)


def splits_layers(method: str, engine: dict) -> None:
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    model, reference = network(torch.float64, width=8), network(torch.float64, width=8)
    parallelize_module(model, mesh["tensor"], {"0": ColwiseParallel(), "2": RowwiseParallel()})
    fully_shard(model, mesh=mesh["data"])
    # Both shard the rows of the first layer: a placement that is neither replicated nor calls itself a shard.
    assert not all(placement.is_shard() for placement in model[0].weight.placements)
    found, other = optimizer(method, model, **engine), optimizer(method, reference, process_group=False)
    for step in range(steps_of(engine)):
        batch = samples(step, torch.float64)
        train_step(model, found, tuple(tensor.chunk(2)[mesh["data"].get_local_rank()] for tensor in batch))
        train_step(reference, other, batch)
    assert same_filter_on_all(found)
    torch.testing.assert_close(filter_numbers(found), filter_numbers(other), rtol=1e-12, atol=0.0)
    for part, expected in zip(parameters_of(model), parameters_of(reference), strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_with_tensor_parallel_layers(processes, method, engine):
    kernels_are_there(engine)
    processes.run(4, splits_layers, method, engine)
