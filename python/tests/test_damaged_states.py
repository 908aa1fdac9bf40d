"""Whatever stands in a state: it is refused by a ValueError that changes nothing, or it is taken and training goes on."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from support import Variant, network, run_step, train, values
from torch import Tensor

from koala_optim import Koala

SEEDS = range(40)
PLAIN = [None, True, -1, 0, 10**6, 1.5, float("nan"), float("inf"), "", "x", "{}", [], {}, [None], {"params": [0]}]
TENSORS = [
    torch.zeros(2),
    torch.tensor(float("nan")),
    torch.full((5, 4), float("inf")),
    torch.zeros(5, 4, dtype=torch.int64),
    torch.zeros(5, 4, dtype=torch.complex64),
    torch.zeros(5, 4, device="meta"),
    torch.eye(5, 4).to_sparse(),
]
ODD = [*PLAIN, (), b"x", *TENSORS]
NAMES = ["new", 7, "filter", "parameter", "untrained", "velocity"]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in it that can be replaced."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def damage(value: Any, draws: random.Random, odd: list[Any]) -> None:
    """Takes something out of it, puts something else in its place, changes it a little, or puts something beside it."""
    ways = list(places(value))
    if not ways:
        return
    *way, key = draws.choice(ways)
    for step in way:
        value = value[step]
    what, strange = draws.choice(["remove", "replace", "change", "add"]), copy.deepcopy(draws.choice(odd))
    if what == "remove":
        del value[key]
    elif what == "replace":
        value[key] = strange
    elif what == "add" and isinstance(value, dict):
        value[draws.choice(NAMES)] = strange
    elif what == "add":
        value.append(strange)
    elif isinstance(old := value[key], bool):
        value[key] = not old
    elif isinstance(old, (int, float)):
        value[key] = draws.choice([-old, old + 1, old * 1e30, old - 1, old * 0])
    elif isinstance(old, Tensor):
        value[key] = draws.choice(
            [old.double(), old.half(), old[None], old * float("nan"), old * 1e30, old.reshape(-1)]
        )
    elif isinstance(old, str):
        value[key] = old[: len(old) // 2]


def damaged(state: dict[str, Any], draws: random.Random) -> Any:
    if draws.random() < 0.02:
        return copy.deepcopy(draws.choice(ODD))
    state = copy.deepcopy(state)
    for _ in range(draws.choice([1, 1, 1, 2, 3])):
        if draws.random() < 0.5:
            damage(state, draws, ODD)
            continue
        try:
            stored = json.loads(state["param_groups"][0]["filter"])
            damage(stored, draws, PLAIN)
            state["param_groups"][0]["filter"] = json.dumps(stored)
        except (LookupError, TypeError, ValueError):
            continue
    return state


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def trained(variant: Variant, steps: int, foreach: bool) -> tuple[torch.nn.Module, Koala]:
    model = network()
    optimizer = variant(model.parameters(), foreach=foreach, missing_limit=10**6)
    train(optimizer, model, range(steps))
    return model, optimizer


def refusal_of(optimizer: Koala, state: Any) -> str | None:
    """What it says of a state that it does not take."""
    try:
        optimizer.load_state_dict(state)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_it_is_refused_and_changes_nothing_or_training_goes_on(variant: Variant, foreach: bool) -> None:
    state = trained(variant, 4, foreach)[1].state_dict()
    refused = 0
    for seed in SEEDS:
        model, optimizer = trained(variant, 2, foreach)
        before = copy.deepcopy(optimizer.state_dict())
        weights = [value.clone() for value in values(model)]
        refusal = refusal_of(optimizer, damaged(state, random.Random(f"{variant.name} {seed}")))
        if refusal is not None:
            refused += 1
            assert same(before, optimizer.state_dict()), f"seed {seed} was refused, but changed: {refusal}"
            assert all(map(torch.equal, weights, values(model))), (
                f"seed {seed} was refused, but moved weights: {refusal}"
            )
            continue
        for step in range(4, 7):
            run_step(optimizer, model, step)
        # Of what is frozen nothing may be stored.
        stored = [optimizer.state[parameter].get(name) for parameter in model.parameters() for name in variant.memory]
        for tensor in [*values(model), *filter(torch.is_tensor, stored)]:
            assert tensor.isfinite().all(), f"seed {seed}: {tensor}"
        trained(variant, 0, foreach)[1].load_state_dict(optimizer.state_dict())
    assert 0.5 * len(SEEDS) < refused < len(SEEDS)
