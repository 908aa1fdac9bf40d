"""torch.distributed.checkpoint: a state saved by some processes goes on in others, with the same next step."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as checkpoint
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
from test_sharded import DEVICE, HOST, KERNELS, is_where_it_belongs, kernels_are_there
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

import koala_optim
from koala_optim import Koala

STEPS = 3


def made(method: str, spread: bool, seed: int = 0, **engine: bool) -> tuple[Module, Koala]:
    """Two groups, of which only the first carries the filter."""
    model = network(torch.float64)
    with torch.no_grad():
        model[0].weight.add_(seed)
    if spread:
        fully_shard(model[2])
        fully_shard(model)
    groups = [
        {"params": list(model[0].parameters())},
        {"params": [*model[2].parameters(), *model[4].parameters()], "lr": 0.5, "weight_decay": 1e-3},
    ]
    return model if spread else DistributedDataParallel(model), getattr(koala_optim, method)(groups, **engine)


def states(model: Module, found: Koala, options: StateDictOptions) -> dict:
    return {
        "model": get_model_state_dict(model, options=options),
        "optimizer": get_optimizer_state_dict(model, found, options=options),
    }


def next_step(model: Module, found: Koala) -> list[torch.Tensor]:
    # The same samples on all processes: their sums have the same bits, however many they are, up to 4.
    train_step(model, found, samples(STEPS, torch.float64))
    assert same_filter_on_all(found)
    return parameters_of(model)


def saves(method: str, spread: bool, options: StateDictOptions, path: str) -> list[torch.Tensor]:
    model, found = made(method, spread)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, torch.float64)))
    checkpoint.save(states(model, found, options), checkpoint_id=path)
    return next_step(model, found)


def loads(method: str, spread: bool, options: StateDictOptions, path: str) -> list[torch.Tensor]:
    model, found = made(method, spread, seed=1)
    state = states(model, found, options)
    checkpoint.load(state, checkpoint_id=path)
    set_model_state_dict(model, state["model"], options=options)
    set_optimizer_state_dict(model, found, state["optimizer"], options=options)
    assert found.filter_state()["step"] == STEPS
    assert [group["lr"] for group in found.param_groups] == [1.0, 0.5]
    return next_step(model, found)


def assert_goes_on(processes, counts, method, spread, options, path) -> None:
    expected = processes.run(counts[0], saves, method, spread, options, path)[0]
    for count in counts[1:]:
        for found, other in zip(processes.run(count, loads, method, spread, options, path)[0], expected, strict=True):
            torch.testing.assert_close(found, other, rtol=1e-13, atol=1e-13)
            if count == counts[0]:
                assert torch.equal(found, other)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("flat", [False, True])
def test_sharded_on_two_goes_on_in_two_four_and_one(processes, method, flat, tmp_path):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    assert_goes_on(processes, (2, 2, 4, 1), method, True, options, str(tmp_path))


def in_parts(function, *arguments):
    """As with more parameters than one text is stored of."""
    usual, koala_optim.parts._WHOLE = koala_optim.parts._WHOLE, 1
    try:
        return function(*arguments)
    finally:
        koala_optim.parts._WHOLE = usual


def saves_in_parts(*arguments) -> list[torch.Tensor]:
    return in_parts(saves, *arguments)


def loads_in_parts(*arguments) -> list[torch.Tensor]:
    return in_parts(loads, *arguments)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", [{"flatten_optimizer_state_dict": True}, {}], ids=["flat", "nested"])
def test_states_in_parts_go_on(processes, method, options, tmp_path):
    arguments = (method, True, StateDictOptions(**options), str(tmp_path))
    expected = processes.run(2, saves_in_parts, *arguments)[0]
    for count in (2, 4):
        for found, other in zip(processes.run(count, loads_in_parts, *arguments)[0], expected, strict=True):
            torch.testing.assert_close(found, other, rtol=1e-13, atol=1e-13)
            assert count > 2 or torch.equal(found, other)


def saves_by(method: str, engine: dict, options: StateDictOptions, path: str, predicted: bool) -> list[torch.Tensor]:
    model, found = made(method, True, **engine)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, torch.float64)))
    if predicted:
        found.predict()
    checkpoint.save(states(model, found, options), checkpoint_id=path)
    return goes_on(model, found, engine)


def loads_by(method: str, engine: dict, options: StateDictOptions, path: str, predicted: bool) -> list[torch.Tensor]:
    model, found = made(method, True, seed=1, **engine)
    state = states(model, found, options)
    checkpoint.load(state, checkpoint_id=path)
    set_model_state_dict(model, state["model"], options=options)
    set_optimizer_state_dict(model, found, state["optimizer"], options=options)
    assert found.filter_state()["step"] == STEPS and found.predicted == predicted
    return goes_on(model, found, engine)


def goes_on(model: Module, found: Koala, engine: dict) -> list[torch.Tensor]:
    """Two steps more, the first perhaps begun: the same samples on all processes."""
    for step in range(STEPS, STEPS + 2):
        found.zero_grad()
        if not found.predicted:
            found.predict()
        losses = losses_of(model, samples(step, torch.float64))
        found.observe(losses)
        losses.mean().backward()
        found.step()
    assert is_where_it_belongs(found, engine)
    assert same_filter_on_all(found)
    return parameters_of(model)


@pytest.mark.parametrize(
    ("method", "engine", "predicted"),
    [
        *((method, DEVICE, False) for method in METHODS),
        *((method, KERNELS, True) for method in METHODS),
        ("KoalaM", DEVICE, True),
    ],
    ids=str,
)
def test_shards_on_the_device_go_on_there_and_on_the_host(processes, method, engine, predicted, tmp_path):
    """To the bit in as many processes; to rounding in one, and from the host and back."""
    kernels_are_there(engine)
    flat = StateDictOptions(flatten_optimizer_state_dict=True)
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    expected = processes.run(2, saves_by, method, engine, flat, here, predicted)[0]
    of_host = processes.run(2, saves_by, method, HOST, flat, there, predicted)[0]
    again = processes.run(2, loads_by, method, engine, flat, here, predicted)[0]
    assert all(torch.equal(x, y) for x, y in zip(again, expected, strict=True))
    others = [
        of_host,
        processes.run(2, loads_by, method, HOST, flat, here, predicted)[0],
        processes.run(2, loads_by, method, engine, flat, there, predicted)[0],
        processes.run(4, loads_by, method, engine, flat, here, predicted)[0],
        processes.run(1, loads_by, method, engine, flat, here, predicted)[0],
    ]
    for other in others:
        for x, y in zip(other, expected, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-12)


# Whole states of KOALA-V fail as those of SGD without momentum do: PyTorch wants a tensor in them.
@pytest.mark.parametrize("method", ["KoalaM", "KoalaPP", "KoalaA"])
def test_whole_states(processes, method, tmp_path):
    options = StateDictOptions(full_state_dict=True)
    assert_goes_on(processes, (2, 2, 4), method, True, options, str(tmp_path))


@pytest.mark.parametrize("method", ["KoalaV", "KoalaM", "KoalaA"])
def test_data_parallel(processes, method, tmp_path):
    assert_goes_on(processes, (2, 2, 4), method, False, StateDictOptions(), str(tmp_path))


def broadcasts() -> None:
    model, found = made("KoalaM", True)
    for step in range(STEPS):
        train_step(model, found, share(samples(step, torch.float64)))
    whole = states(model, found, StateDictOptions(full_state_dict=True, cpu_offload=True))
    other_model, other = made("KoalaM", True, seed=1)
    options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
    mine = whole if dist.get_rank() == 0 else {"model": {}, "optimizer": {}}
    set_model_state_dict(other_model, mine["model"], options=options)
    set_optimizer_state_dict(other_model, other, mine["optimizer"], options=options)
    for found_part, expected in zip(next_step(other_model, other), next_step(model, found), strict=True):
        assert torch.equal(found_part, expected)


def refuses_whole_vectors() -> None:
    plain = network(torch.float64)
    alone = optimizer("KoalaM", plain, process_group=False)
    _, found = made("KoalaM", True)
    state = alone.state_dict()
    state["param_groups"] = found.state_dict()["param_groups"]
    with pytest.raises(
        ValueError, match="is not spread over processes as the parameter is; .*set_optimizer_state_dict"
    ):
        found.load_state_dict(state)


def saves_between_predict_and_step() -> None:
    model, found = made("KoalaM", True)
    train_step(model, found, share(samples(0, torch.float64)))
    found.zero_grad()
    found.predict()
    # The deviations of the prediction are still to be summed over the parts.
    whole = copy.deepcopy(states(model, found, StateDictOptions()))
    other_model, other = made("KoalaM", True, seed=1)
    set_model_state_dict(other_model, whole["model"])
    set_optimizer_state_dict(other_model, other, whole["optimizer"])
    for network_, filter_ in ((model, found), (other_model, other)):
        assert filter_.filter_state()["predicted"]
        losses = (network_(samples(1, torch.float64)[0]) - 1.0).square()
        filter_.observe(losses)
        losses.mean().backward()
        filter_.step()
    for found_part, expected in zip(parameters_of(other_model), parameters_of(model), strict=True):
        assert torch.equal(found_part, expected)


def copies() -> None:
    group = dist.new_group([0, 1])
    model = network()
    found = optimizer("KoalaM", model, process_group=group)
    train_step(model, found, samples(0))
    twin = copy.deepcopy(found)
    assert twin._process_group.groups() == (group,)
    assert twin.filter_state() == found.filter_state()
    # The copy's parameters are copies too; its losses still are summed over the group.
    for step in (found, twin):
        step.zero_grad()
        step.predict()
        step.observe(float(dist.get_rank()))
        for at, parameter in enumerate(step.param_groups[0]["params"]):
            parameter.grad = torch.full_like(parameter, 1.0 + at)
        step.step()
        assert step.report()["loss"] == 0.5
    for mine, other in zip(found.param_groups[0]["params"], twin.param_groups[0]["params"], strict=True):
        assert torch.equal(mine, other)
    with pytest.raises(TypeError, match="cannot be pickled: .*state_dict"):
        pickle.dumps(found)
    for given in (None, False):
        again = pickle.loads(pickle.dumps(optimizer("KoalaM", network(), process_group=given)))
        assert len(again._process_group.groups()) == (0 if given is False else 1)


@pytest.mark.parametrize("function", [broadcasts, refuses_whole_vectors, saves_between_predict_and_step, copies])
def test_states(processes, function):
    processes.run(2, function)
