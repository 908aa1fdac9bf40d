"""States of many parameters stand in parts: flattened, they grow with the parameters, not as their square."""

import copy
import io
import json
import pickle

import pytest
import torch
import torch.distributed.checkpoint as checkpoint
from support import Maker, Variant, assert_twins, same, train, values
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from koala_optim import KoalaA, KoalaM, KoalaPP, KoalaV

FLAT = StateDictOptions(flatten_optimizer_state_dict=True)
KINDS = [KoalaV, KoalaM, KoalaPP, KoalaA]


def deep(layers: int = 36, seed: int = 0) -> nn.Sequential:
    """Two parameters a layer: more than are stored as one text."""
    torch.manual_seed(seed)
    middle = [nn.Linear(3, 3) for _ in range(layers - 2)]
    return nn.Sequential(nn.Linear(4, 3), *middle, nn.Linear(3, 3))


def trained(make, steps: int = 3, **settings):
    model = deep()
    optimizer = make(model.parameters(), **settings)
    train(optimizer, model, range(steps))
    return optimizer, model


def through_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("through", [copy.deepcopy, through_file], ids=["copy", "file"])
@pytest.mark.parametrize("partition", ["per-tensor", "global"])
def test_the_next_step_is_the_same_to_the_bit(make: Maker, through, partition: str) -> None:
    optimizer, model = trained(make, partition=partition)
    twin = deep(seed=1)
    twin.load_state_dict(model.state_dict())
    other = make(twin.parameters(), partition=partition)
    other.load_state_dict(through(optimizer.state_dict()))
    assert_twins((optimizer, model), (other, twin), range(50, 52))


def test_without_coasting_too() -> None:
    def make(params):
        return KoalaM(params, coast=False)

    optimizer, model = trained(make)
    model[3].weight.requires_grad_(False)
    train(optimizer, model, [3])
    twin = deep(seed=1)
    twin.load_state_dict(model.state_dict())
    twin[3].weight.requires_grad_(False)
    other = make(twin.parameters())
    other.load_state_dict(through_file(optimizer.state_dict()))
    assert_twins((optimizer, model), (other, twin), range(50, 52))


@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["copy", "pickle"]
)
def test_copies(make: Maker, through) -> None:
    optimizer, model = trained(make)
    other, twin = through((optimizer, model))
    assert_twins((optimizer, model), (other, twin), range(50, 52))


def test_one_text_of_before_is_read(make: Maker) -> None:
    optimizer, model = trained(make)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0]["filter"] = optimizer._filter_now().state()
    for vectors in state["state"].values():
        vectors.pop("filter", None)
    twin = deep(seed=1)
    twin.load_state_dict(model.state_dict())
    other = make(twin.parameters())
    other.load_state_dict(state)
    assert_twins((optimizer, model), (other, twin), range(50, 52))


def test_what_does_not_fit_is_refused(make: Maker) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    with pytest.raises(ValueError, match="the state has 72 parameters, this optimizer 4|parameter group"):
        make(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).parameters()).load_state_dict(optimizer.state_dict())
    wider = deep()
    wider[1] = nn.Linear(3, 4)
    with pytest.raises(ValueError, match="other shapes than those of the state; load the state with the model"):
        optimizer.load_state_dict(make(wider.parameters()).state_dict())
    assert_twins((optimizer, model), (untouched, twin), range(50, 51))


def flattened(kind, parameters: int) -> int:
    """Bytes of a flattened state, each entry written for itself, without its tensors of the parameters' shape.

    Named parameters would make any optimizer's grow as the square: PyTorch repeats their list of names.
    """
    model = nn.ParameterDict({f"p{at}": nn.Parameter(torch.ones(2)) for at in range(parameters)})
    optimizer = kind(model.parameters())
    state = get_optimizer_state_dict(model, optimizer, options=FLAT)
    own = {name: value for name, value in state.items() if not torch.is_tensor(value) or value.shape != (2,)}
    return sum(len(name) + len(pickle.dumps(value)) for name, value in own.items())


@pytest.mark.parametrize("kind", KINDS)
def test_flattened_states_grow_with_the_parameters(kind) -> None:
    few, many = flattened(kind, 100), flattened(kind, 400)
    assert many < 4.5 * few
    assert many < 3_000 * 400


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [30, 36])
def test_a_flattened_state_goes_on(kind, count: int, tmp_path) -> None:
    """Of 60 parameters as one text, of 72 in parts."""
    model = deep(count)
    optimizer = kind(model.parameters())
    train(optimizer, model, range(3))
    checkpoint.save(get_optimizer_state_dict(model, optimizer, options=FLAT), checkpoint_id=str(tmp_path), no_dist=True)
    twin = deep(count, seed=1)
    twin.load_state_dict(model.state_dict())
    other = kind(twin.parameters())
    state = get_optimizer_state_dict(twin, other, options=FLAT)
    checkpoint.load(state, checkpoint_id=str(tmp_path), no_dist=True)
    set_optimizer_state_dict(twin, other, state, options=FLAT)
    assert_twins((optimizer, model), (other, twin), range(50, 52))


@pytest.mark.parametrize("kind", KINDS)
def test_a_flattened_state_with_frozen_parameters_goes_on(kind) -> None:
    model = deep()
    model[2].requires_grad_(False)
    optimizer = kind(model.parameters())
    train(optimizer, model, range(3))
    state = get_optimizer_state_dict(model, optimizer, options=FLAT)
    twin = deep(seed=1)
    twin.load_state_dict(model.state_dict())
    twin[2].requires_grad_(False)
    other = kind(twin.parameters())
    set_optimizer_state_dict(twin, other, copy.deepcopy(state), options=FLAT)
    train(optimizer, model, range(50, 52))
    train(other, twin, range(50, 52))
    assert same(values(model), values(twin)) and optimizer.filter_state() == other.filter_state()


def test_the_text_is_short(variant: Variant) -> None:
    optimizer, _ = trained(variant)
    text = optimizer.state_dict()["param_groups"][0]["filter"]
    assert len(text) < 2_000 and json.loads(text)["parameters"]["count"] == 72


@pytest.mark.parametrize("kind", [KoalaPP, KoalaA])
def test_the_parts_are_of_a_type_that_every_device_has(kind) -> None:
    """A state is loaded with map_location; devices without float64 refuse it."""
    optimizer, _ = trained(kind)
    parts = [vectors["filter"] for vectors in optimizer.state_dict()["state"].values()]
    assert len(parts) == 72 and all(part.dtype is torch.int64 and part.is_cpu for part in parts)
