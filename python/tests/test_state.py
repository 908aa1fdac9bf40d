"""Saving and loading: the next step is the same to the bit, and what does not fit is refused and changes nothing."""

import copy
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from support import VARIANTS, Maker, Variant, assert_twins, losses_of, memory, network, run_step, same, train, values
from support import batch as batch_of

import koala_optim


def through_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def trained(make: Maker, steps: int = 3, **settings) -> tuple[koala_optim.Koala, torch.nn.Module]:
    model = network()
    optimizer = make(model.parameters(), **settings)
    train(optimizer, model, range(steps))
    return optimizer, model


def restored(make: Maker, optimizer, model, through: Callable[[dict], dict], **settings):
    twin = network(seed=9)
    twin.load_state_dict(model.state_dict())
    other = make(twin.parameters(), **settings)
    other.load_state_dict(through(optimizer.state_dict()))
    return other, twin


@pytest.mark.parametrize("through", [copy.deepcopy, through_file], ids=["copy", "file"])
def test_the_next_step_is_the_same_to_the_bit(make: Maker, through: Callable[[dict], dict]) -> None:
    optimizer, model = trained(make, weight_decay=1e-2)
    other, twin = restored(make, optimizer, model, through)
    assert_twins((optimizer, model), (other, twin))


def test_a_loaded_state_shares_no_memory(make: Maker) -> None:
    optimizer, model = trained(make)
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    train(optimizer, model, range(3, 5))
    other = make(network().parameters())
    other.load_state_dict(kept)
    first = memory(other)
    train(optimizer, model, range(5, 6))
    assert same(memory(other), first)


def test_in_the_middle_of_a_step(make: Maker) -> None:
    """Saved after predict, the state goes on with the loop, which calls predict: the prediction stands."""
    optimizer, model = trained(make)
    optimizer.predict()
    state = through_file(optimizer.state_dict())
    twin = network(seed=9)
    twin.load_state_dict(model.state_dict())
    other = make(twin.parameters())
    other.load_state_dict(state)
    assert other.filter_state()["predicted"]
    other.predict()
    assert same(values(twin), values(model))
    with pytest.raises(RuntimeError, match="predict was called twice"):
        other.predict()
    for one, net in ((optimizer, model), (other, twin)):
        one.zero_grad()
        losses = losses_of(net, batch_of(3))
        losses.mean().backward()
        one.update(losses)
    assert_twins((optimizer, model), (other, twin))


def test_a_state_from_the_middle_of_a_step_does_not_disturb_the_step(make: Maker) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    for one, net in ((optimizer, model), (untouched, twin)):
        one.zero_grad()
        one.predict()
        losses = losses_of(net, batch_of(3))
        one.observe(losses)
        if one is optimizer:
            one.state_dict()
            one.filter_state()
            copy.deepcopy(one)
            repr(one)
        losses.mean().backward()
        one.step()
    assert_twins((optimizer, model), (untouched, twin))


def test_loading_ends_a_step_that_was_begun(make: Maker) -> None:
    optimizer, model = trained(make)
    state = optimizer.state_dict()
    saved = copy.deepcopy(state), copy.deepcopy(model.state_dict())
    optimizer.predict()
    optimizer.observe(torch.ones(3))
    optimizer.load_state_dict(saved[0])
    model.load_state_dict(saved[1])
    other, twin = trained(make)
    assert_twins((optimizer, model), (other, twin))


def test_the_state_brings_its_options(make: Maker) -> None:
    optimizer, model = trained(make, weight_decay=0.1, measurement_noise=0.5)
    other, twin = restored(make, optimizer, model, through_file, lr=0.1)
    assert other.param_groups[0]["weight_decay"] == 0.1
    assert other.param_groups[0]["lr"] == 1.0
    assert_twins((optimizer, model), (other, twin))
    assert other.filter_state()["measurement_noise"] == 0.5


def test_the_engines_read_each_other(variant: Variant) -> None:
    for first in (False, True):
        optimizer, model = trained(lambda params, first=first, **k: variant(params, foreach=first, **k))
        other, twin = restored(
            lambda params, first=first: variant(params, foreach=not first), optimizer, model, copy.copy
        )
        assert same(memory(other), memory(optimizer))
        assert other.filter_state() == optimizer.filter_state()
        run_step(other, twin, 4)


def test_the_state_is_plain(make: Maker) -> None:
    """Tensors, numbers, texts, lists and dicts: what every loader reads, and JSON but for the tensors."""
    optimizer, _ = trained(make)
    state = optimizer.state_dict()
    json.dumps(state["param_groups"])
    for vectors in state["state"].values():
        assert all(type(vector) is torch.Tensor and not vector.requires_grad for vector in vectors.values())


def test_the_vectors_have_their_names(variant: Variant) -> None:
    state = trained(variant)[0].state_dict()["state"]
    expected = set(variant.memory)
    assert [set(vectors) for vectors in state.values()] == ([expected] * 4 if expected else [])


def test_a_state_before_the_first_step(make: Maker) -> None:
    optimizer, model = trained(make, steps=0)
    other, twin = restored(make, optimizer, model, through_file)
    assert_twins((optimizer, model), (other, twin), range(4))


def test_frozen_groups_and_added_groups_are_kept(make: Maker) -> None:
    def build(model):
        optimizer = make(model[0].parameters())
        train(optimizer, model, range(2))
        optimizer.add_param_group({"params": list(model[2].parameters()), "lr": 0.5, "frozen": True})
        return optimizer

    model, twin = network(), network(seed=9)
    optimizer, other = build(model), build(twin)
    train(optimizer, model, range(2, 4))
    optimizer.param_groups[1]["frozen"] = False
    twin.load_state_dict(model.state_dict())
    other.load_state_dict(through_file(optimizer.state_dict()))
    assert_twins((optimizer, model), (other, twin))


@contextmanager
def stored_filter(state: dict) -> Iterator[dict]:
    """The filter in a state, to be changed."""
    group = state["param_groups"][0]
    stored = json.loads(group["filter"])
    yield stored
    group["filter"] = json.dumps(stored)


def no_filter(state: dict) -> None:
    del state["param_groups"][0]["filter"]


def negative_noise(state: dict) -> None:
    with stored_filter(state) as stored:
        stored["measurement_noise"] = -1.0


def newer(state: dict) -> None:
    with stored_filter(state) as stored:
        stored["version"] = 99


def cut(state: dict) -> None:
    with stored_filter(state) as stored:
        del stored["phase"]


def other_shape(state: dict) -> None:
    with stored_filter(state) as stored:
        stored["layout"]["parameters"][1]["shape"] = [7]


def one_group_more(state: dict) -> None:
    with stored_filter(state) as stored:
        stored["layout"]["groups"] *= 2


def of_no_vectors(state: dict) -> None:
    del state["state"]


def of_no_groups(state: dict) -> None:
    state["param_groups"] = [None]


def of_one_number(state: dict) -> None:
    state["param_groups"][0]["params"] = 4


def one_twice(state: dict) -> None:
    state["param_groups"][0]["params"][1] = 0


def upwards(state: dict) -> None:
    state["param_groups"][0]["lr"] = -1.0


DAMAGES = {
    of_no_vectors: "its 'state' is no dictionary of one for each parameter; load a state that Koala",
    of_no_groups: "its 'param_groups' is no list of parameter groups",
    of_one_number: "'params' of its parameter group 0 is no list of numbers or names",
    one_twice: "'params' of its parameter group 0 has one a second time",
    one_group_more: "the filter in the state has 2 parameter groups, this optimizer 1",
    upwards: r"parameter group 0 of the state is damaged: lr = -1.0: must not be negative; restore it",
    no_filter: "its first parameter group has no 'filter'",
    newer: "state has version 99; this version of Koala reads 1",
    cut: "optimizer state: .*missing field `phase`",
    negative_noise: "optimizer state is damaged: R is -1; restore it from an earlier checkpoint",
    other_shape: r"parameter 1 has the shape \[5\], but \[7\] in the state",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_state_is_refused_and_changes_nothing(make: Maker, damage: Callable[[dict], None]) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    other, _ = trained(make, steps=5)
    state = copy.deepcopy(other.state_dict())
    damage(state)
    with pytest.raises(ValueError, match=DAMAGES[damage]):
        optimizer.load_state_dict(state)
    assert_twins((optimizer, model), (untouched, twin))


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.memory], ids=lambda variant: variant.name)
@pytest.mark.parametrize("damage", ["absent", "shape", "none"])
def test_damaged_vectors_are_refused_and_change_nothing(variant: Variant, damage: str) -> None:
    optimizer, model = trained(variant)
    untouched, twin = trained(variant)
    state = copy.deepcopy(trained(variant, steps=5)[0].state_dict())
    name = variant.memory[0]
    if damage == "absent":
        del state["state"][1][name]
    elif damage == "shape":
        state["state"][1][name] = torch.zeros(2)
    else:
        state["state"] = {}
    position = 0 if damage == "none" else 1
    with pytest.raises(ValueError, match=f"the state of parameter {position} has no '{name}' of shape"):
        optimizer.load_state_dict(state)
    assert_twins((optimizer, model), (untouched, twin))


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.memory], ids=lambda variant: variant.name)
@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda vector: vector * float("nan"), "with numbers that are not finite"),
        (torch.Tensor.long, "of torch.int64"),
        (torch.Tensor.to_sparse, "torch.sparse_coo, not of strided floats"),
        (lambda vector: vector.to("meta"), "without numbers, on the device meta"),
    ],
    ids=["nan", "integers", "sparse", "meta"],
)
def test_vectors_of_no_numbers_are_refused_and_change_nothing(
    variant: Variant, damage: Callable[[torch.Tensor], torch.Tensor], what: str
) -> None:
    optimizer, model = trained(variant)
    untouched, twin = trained(variant)
    state = copy.deepcopy(trained(variant, steps=5)[0].state_dict())
    name = variant.memory[-1]
    state["state"][1][name] = damage(state["state"][1][name])
    with pytest.raises(ValueError, match=f"the state of parameter 1 has a '{name}' .*{what}"):
        optimizer.load_state_dict(state)
    assert_twins((optimizer, model), (untouched, twin))


def test_a_tensor_of_no_numbers_beside_the_vectors_is_refused(make: Maker) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    state = copy.deepcopy(trained(make, steps=5)[0].state_dict())
    state["state"].setdefault(1, {})["other"] = torch.zeros(2, device="meta")
    with pytest.raises(ValueError, match="the state of parameter 1 has a 'other' without numbers, on the device meta"):
        optimizer.load_state_dict(state)
    assert_twins((optimizer, model), (untouched, twin))


def test_another_methods_state_is_refused_and_changes_nothing(variant: Variant) -> None:
    optimizer, model = trained(variant)
    untouched, twin = trained(variant)
    for other in VARIANTS:
        if other.method is not variant.method:
            with pytest.raises(ValueError, match=r"the state is of koala-\w+, this optimizer is koala-\w+"):
                optimizer.load_state_dict(trained(other, steps=5)[0].state_dict())
    with pytest.raises(ValueError, match=r"no 'filter'; load a state that Koala\w+\.state_dict\(\) made"):
        optimizer.load_state_dict(torch.optim.AdamW(network().parameters()).state_dict())
    assert_twins((optimizer, model), (untouched, twin))


def test_another_partition_or_model_is_refused_and_changes_nothing(make: Maker) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    with pytest.raises(ValueError, match="has the partition 'global', this optimizer 'per-tensor'; make it with"):
        optimizer.load_state_dict(trained(make, partition="global")[0].state_dict())
    larger = torch.nn.Sequential(*network(), torch.nn.Linear(3, 3))
    with pytest.raises(ValueError, match="the state has 6 parameters, this optimizer 4"):
        optimizer.load_state_dict(make(larger.parameters()).state_dict())
    wider = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Linear(6, 3))
    with pytest.raises(ValueError, match=r"parameter 0 has the shape \[5, 4\], but \[6, 4\] in the state"):
        optimizer.load_state_dict(make(wider.parameters()).state_dict())
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters()}]
    with pytest.raises(ValueError, match="parameter group"):
        optimizer.load_state_dict(make(groups).state_dict())
    assert_twins((optimizer, model), (untouched, twin))


def test_a_state_of_other_settings_brings_its_own_vectors(foreach: bool) -> None:
    """KOALA-M with a fixed position noise keeps no running mean; with a measured one it does."""
    fixed, measured = VARIANTS[3], VARIANTS[1]
    for saved, loading in ((fixed, measured), (measured, fixed)):
        optimizer, model = trained(lambda params, saved=saved: saved(params, foreach=foreach))
        other, twin = restored(
            lambda params, loading=loading: loading(params, foreach=foreach), optimizer, model, through_file
        )
        assert {name for vectors in other.state.values() for name in vectors} == set(saved.memory)
        assert_twins((optimizer, model), (other, twin))
