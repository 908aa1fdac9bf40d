"""Parts of parameters by every engine: what a step does beside steps, and that on a device the host reads nothing."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
from problem import METHODS, optimizer, parameters_of, same_filter_on_all, samples, share, train_step
from support import assert_near
from test_sharded import DEVICE, ENGINES, HOST, KERNELS, is_where_it_belongs, kernels_are_there, sharded
from torch import Tensor
from torch.distributed.fsdp import fully_shard
from torch.nn import Module
from torch.utils._python_dispatch import TorchDispatchMode

from koala_optim import Koala
from koala_optim.device import watch

STAYING = [("KoalaM", {}), ("KoalaM", {"position_noise": "paper"}), ("KoalaM", {"coast": False}), ("KoalaA", {})]


def parts_of(model: Module, found: Koala) -> list[Tensor]:
    """What this process holds: its parts of parameters and vectors."""
    parameters = list(model.parameters())
    vectors = [vector for x in parameters for _, vector in sorted(found.state[x].items())]
    return [x.detach().to_local().clone() for x in [*parameters, *vectors]]


def begin(model: Module, found: Koala, step: int, factor: float = 1.0) -> None:
    batch = share(samples(step, torch.float64))
    found.zero_grad()
    if not found.predicted:
        found.predict()
    losses = (model(batch[0]) - batch[1]).square().mean(1)
    found.observe(losses * factor)
    losses.mean().backward()


def with_faults(model: Module, found: Koala, look: bool = False) -> None:
    """A loss that is no number on one process, tensors without gradient, steps given up; ``look``: in the middle of a step."""
    first, *_, last = model.parameters()
    for step in range(7):
        begin(model, found, step, torch.nan if step == 2 and dist.get_rank() == 0 else 1.0)
        if step in (1, 2):
            first.grad = last.grad = None
        if step == 3:
            found.abandon()
            continue
        if look and dist.get_rank() == 0:
            # As who logs on one process does: nobody waits for the others.
            assert found.filter_state()["predicted"]
        if step == 5:
            for parameter in model.parameters():
                parameter.grad = None
        found.step()


def numbers_of(found: Koala) -> Any:
    """State and report; what the optimizer was told beside them is not compared."""
    state = json.loads(found.state_dict()["param_groups"][0]["filter"])
    return state, found.report()


def agrees(method: str, engine: dict, options: dict, look: bool) -> None:
    results = []
    for given in (HOST, engine):
        model = sharded(torch.float64)
        found = optimizer(method, model, **given, **options)
        with_faults(model, found, look and given is engine)
        assert is_where_it_belongs(found, given)
        assert same_filter_on_all(found)
        results.append((parts_of(model, found), *numbers_of(found)))
    (expected, *numbers), (parts, *others) = results
    for part, other in zip(parts, expected, strict=True):
        torch.testing.assert_close(part, other, rtol=1e-11, atol=1e-12)
    assert_near(others, numbers)


@pytest.mark.parametrize("engine", ENGINES[1:], ids=str)
@pytest.mark.parametrize(
    ("method", "options"),
    [
        *((method, {}) for method in METHODS),
        ("KoalaM", {"position_noise": "paper"}),
        ("KoalaM", {"coast": False}),
        ("KoalaA", {"metric": "none"}),
        *((method, {"stay_predicted": True, **options}) for method, options in STAYING),
    ],
    ids=str,
)
def test_the_device_does_what_the_host_does(processes, method, options, engine):
    kernels_are_there(engine)
    processes.run(2, agrees, method, engine, options, False)


@pytest.mark.parametrize("engine", ENGINES[1:], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_a_look_in_the_middle_of_a_step_changes_nothing(processes, method, engine):
    kernels_are_there(engine)
    processes.run(2, agrees, method, engine, {}, True)


def repeats(method: str, engine: dict) -> None:
    results = []
    for _ in range(2):
        model = sharded(torch.float32)
        found = optimizer(method, model, **engine)
        for step in range(4):
            train_step(model, found, share(samples(step)))
        results.append((parts_of(model, found), found.filter_state()))
    assert all(torch.equal(x, y) for x, y in zip(results[0][0], results[1][0], strict=True))
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize("engine", ENGINES[1:], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_equal_steps_give_equal_bits(processes, method, engine):
    kernels_are_there(engine)
    processes.run(2, repeats, method, engine)


def a_process_has_nothing(method: str, engine: dict) -> None:
    """One weight in one row: all of it is on the first process."""
    results = []
    for spread in (True, False):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 1, bias=False).double()
        if spread:
            fully_shard(model)
            assert model.weight.to_local().numel() == (3 if dist.get_rank() == 0 else 0)
        found = optimizer(method, model, process_group=None if spread else False, **engine)
        for step in range(4):
            inputs = samples(step, torch.float64)[0][:, :3]
            found.zero_grad()
            found.predict()
            losses = (model(inputs) - 1.0).square().mean(1)
            found.observe(losses)
            losses.mean().backward()
            found.step()
        assert is_where_it_belongs(found, engine)
        results.append(parameters_of(model))
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_a_process_without_any_part(processes, method, engine):
    kernels_are_there(engine)
    processes.run(2, a_process_has_nothing, method, engine)


def parts_move(method: str, engine: dict) -> None:
    """Memory that parts lie in is another one: as after ``model.to``, which lays them anew under ``fully_shard``."""
    results = []
    for moves in (False, True):
        model = sharded(torch.float64)
        found = optimizer(method, model, **engine)
        for step in range(4):
            if moves and step == 2:
                before = [x.to_local().data_ptr() for x in model.parameters() if x.to_local().numel()]
                kept = list(model.parameters())
                model._apply(torch.clone)
                assert all(x is y for x, y in zip(kept, model.parameters(), strict=True))
                after = [x.to_local().data_ptr() for x in model.parameters() if x.to_local().numel()]
                assert not set(before) & set(after)
            train_step(model, found, share(samples(step, torch.float64)))
        results.append(parameters_of(model))
    assert all(torch.equal(x, y) for x, y in zip(*results, strict=True))


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_parts_that_lie_elsewhere_are_found(processes, method, engine):
    kernels_are_there(engine)
    processes.run(2, parts_move, method, engine)


def rounds(method: str, options: dict) -> None:
    """Kernels and foreach operations draw the same, of each process others."""
    results = []
    for engine in (DEVICE, KERNELS):
        model = torch.nn.Linear(64, 64).bfloat16()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(1.5)
        fully_shard(model)
        found = optimizer(method, model, stochastic_rounding=True, weight_decay=0.0, lr=1e-3, **options, **engine)
        for _ in range(2):
            if not found.predicted:
                found.predict()
            for parameter in model.parameters():
                parameter.grad = torch.full_like(parameter, 0.01)
            found.update(torch.ones(3))
        results.append(parts_of(model, found)[0])
        whole = parameters_of(model)[0]
        # Equal numbers, gradients and places: only by which part it is could they have drawn otherwise.
        assert not torch.equal(*whole.chunk(2))
    assert int((results[0] != results[1]).sum()) <= results[0].numel() // 100


@pytest.mark.parametrize(("method", "options"), [*((m, {}) for m in METHODS), ("KoalaM", {"stay_predicted": True})])
def test_parts_are_rounded_by_chance_alike(processes, method, options):
    kernels_are_there(KERNELS)
    processes.run(2, rounds, method, options)


class Reading(TorchDispatchMode):
    """Stops whoever takes a number out of a tensor."""

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):
        name = operation._schema.name
        assert name not in ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal", "aten::nonzero"), name
        return operation(*arguments, **(keywords or {}))


def reads_nothing(method: str, options: dict) -> None:
    model = sharded(torch.float64)
    found = optimizer(method, model, **DEVICE, **options)

    def read(*_: Any) -> None:
        raise AssertionError("a number was read")

    for step in range(5):
        begin_and_step = share(samples(step, torch.float64))
        found.zero_grad()
        # A CPU has the numbers at once: the late look at them is not the step's.
        with patch.object(watch.Watch, "look", lambda *_: None), patch.object(Tensor, "tolist", read), Reading():
            found.predict()
            losses = (model(begin_and_step[0]) - begin_and_step[1]).square().mean(1)
            found.observe(losses)
        losses.mean().backward()
        if step == 3:
            next(model.parameters()).grad = None
        if step < 2:
            # What is made once, of lists on the host, may look at them.
            found.step()
            continue
        with patch.object(watch.Watch, "look", lambda *_: None), patch.object(Tensor, "tolist", read), Reading():
            found.step()
    assert is_where_it_belongs(found, DEVICE)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        *((method, {}) for method in METHODS),
        ("KoalaM", {"stay_predicted": True}),
        ("KoalaA", {"target": 0.5, "target_rule": "relative"}),
    ],
    ids=str,
)
def test_nothing_is_read(processes, method, options):
    processes.run(2, reads_nothing, method, options)


def a_reading_is_seen() -> None:
    model = sharded(torch.float64)
    found = optimizer("KoalaM", model, **HOST)
    begin(model, found, 0)
    with pytest.raises(AssertionError, match="_local_scalar_dense"), Reading():
        torch.ones(()).item()


def test_a_reading_is_noticed(processes):
    processes.run(2, a_reading_is_seen)
