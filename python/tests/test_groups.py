"""Parameter groups: options of their own, added later, named."""

import inspect

import pytest
import torch
from support import Maker, Variant, assert_twins, memory, network, run_step, same, train, values
from torch import nn

from koala_optim import KoalaA, KoalaM, KoalaPP, KoalaV
from koala_optim.settings import OF_THE_FILTER, CommonSettings


def halves(model: nn.Sequential, **second) -> list[dict]:
    return [{"params": model[0].parameters()}, {"params": model[2].parameters(), **second}]


def test_groups_of_equal_options_change_nothing(make: Maker) -> None:
    one, other = network(), network()
    whole, split = make(one.parameters(), weight_decay=1e-2), make(halves(other), weight_decay=1e-2)
    assert_twins((whole, one), (split, other), range(5))


@pytest.mark.parametrize(
    "options",
    [{"lr": 0.25}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decay_rule": "decoupled"}, {"frozen": True}],
    ids=["lr", "weight-decay", "decoupled", "frozen"],
)
def test_options_of_a_group_are_its_own(make: Maker, variant: Variant, options: dict) -> None:
    """The group that has them goes as if all had them, as far as the filter does not tie it to the other: one step."""
    plain, all_have, one_has = network(), network(), network()
    one_step = 0  # KOALA-M's first prediction moves nothing.
    train(make(plain.parameters()), plain, [one_step])
    train(make(all_have.parameters(), **{k: v for k, v in options.items() if k != "frozen"}), all_have, [one_step])
    optimizer = make(halves(one_has, **options))
    start = values(one_has)
    train(optimizer, one_has, [one_step])
    first, second = values(one_has)[:2], values(one_has)[2:]
    # Frozen gradients are not in KOALA-A's one innovation.
    assert same(first, values(plain)[:2]) or (variant.whole_model and "frozen" in options)
    assert same(second, start[2:] if options.get("frozen") else values(all_have)[2:])
    assert not same(second, values(plain)[2:])


def test_options_can_change_between_steps(make: Maker) -> None:
    model, twin = network(), network()
    early, late = make(halves(model, frozen=True)), make(halves(twin))
    late.param_groups[1]["frozen"] = True
    train(early, model, range(3))
    train(late, twin, range(3))
    # What is stored differs: only the second has trained vectors of that half, all zeros.
    assert same(values(model), values(twin)) and early.filter_state() == late.filter_state()
    before = values(model)[2:]
    early.param_groups[1]["frozen"] = late.param_groups[1]["frozen"] = False
    train(early, model, [3])
    train(late, twin, [3])
    assert_twins((early, model), (late, twin), range(4, 6))
    assert not same(values(model)[2:], before)


def test_gain_zero_moves_nothing_but_the_filter(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters(), lr=0.0)
    start, noise = values(model), optimizer.filter_state()["measurement_noise"]
    train(optimizer, model, range(3))
    assert same(values(model), start)
    assert optimizer.filter_state()["measurement_noise"] != noise


def test_a_group_added_before_the_first_step_is_as_if_made_with_it(make: Maker) -> None:
    model, twin = network(), network()
    at_once = make(halves(model, lr=0.5))
    added = make(twin[0].parameters())
    added.add_param_group({"params": list(twin[2].parameters()), "lr": 0.5})
    assert_twins((at_once, model), (added, twin), range(5))


def test_a_group_added_later_keeps_what_the_filter_learnt(make: Maker) -> None:
    model = network()
    optimizer = make(model[0].parameters())
    train(optimizer, model, range(4))
    learnt, vectors, moved = optimizer.filter_state(), memory(optimizer), values(model)
    optimizer.add_param_group({"params": list(model[2].parameters())})
    assert optimizer.filter_state() == learnt
    assert same(memory(optimizer)[: len(vectors)], vectors)
    assert all(not vector.any() for vector in memory(optimizer)[len(vectors) :])
    train(optimizer, model, range(4, 6))
    assert optimizer.filter_state()["step"] == 6
    assert not any(torch.equal(x, y) for x, y in zip(values(model), moved))


def test_a_frozen_group_added_later_changes_no_step_of_the_others(make: Maker) -> None:
    """Only KOALA-M's q_x, a mean over all parameters, can tell."""
    model, twin = network(), network()
    alone, joined = make(model[0].parameters()), make(twin[0].parameters())
    train(alone, model, range(2))
    train(joined, twin, range(2))
    joined.add_param_group({"params": list(twin[2].parameters()), "frozen": True})
    train(alone, model, range(2, 4))
    train(joined, twin, range(2, 4))
    assert joined.report()["blocks"][2]["outcome"] == {"skipped": "frozen"}
    averages = "average" in joined.state[twin[0].weight]
    assert averages or same(values(model), values(twin))
    assert same(values(model)[2:], values(twin)[2:])


def test_a_group_cannot_be_added_in_the_middle_of_a_step(make: Maker) -> None:
    model = network()
    optimizer = make(model[0].parameters())
    optimizer.predict()
    with pytest.raises(RuntimeError, match="between predict and step; call it after step"):
        optimizer.add_param_group({"params": list(model[2].parameters())})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"lr": -1.0}, ValueError, "lr = -1.0: must not be negative"),
        ({"decay_rule": "both"}, ValueError, "decay_rule = 'both': must be one of 'coupled', 'decoupled', 'gain-only'"),
        ({"frozen": 1}, ValueError, "frozen = 1: must be True or False"),
        ({"params": [torch.zeros(2, dtype=torch.complex64)]}, TypeError, "complex parameters are not supported"),
        ({"params": [torch.zeros(2, dtype=torch.int64)]}, (TypeError, ValueError), "int64|leaf"),
    ],
    ids=["lr", "decay-rule", "frozen", "complex", "integer"],
)
def test_a_group_that_is_refused_leaves_all_as_it_was(make: Maker, bad: dict, error: type, message: str) -> None:
    model, twin = network(), network()
    optimizer, untouched = make(model[0].parameters()), make(twin[0].parameters())
    group = {"params": list(model[2].parameters()), **bad}
    with pytest.raises(error, match=message):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert_twins((optimizer, model), (untouched, twin), range(3))
    good = [list(net[2].parameters()) for net in (model, twin)]
    optimizer.add_param_group({"params": good[0]})
    untouched.add_param_group({"params": good[1]})
    assert_twins((optimizer, model), (untouched, twin), range(3, 6))


@pytest.mark.parametrize(
    "name",
    ["target", "partition", "max_update_norm", "velocity_noise", "foreach", "mean", "measurement_noise", "coast"],
)
def test_a_setting_of_the_filter_is_no_option_of_a_group(make: Maker, name: str) -> None:
    model = network()
    message = (
        f"^{name} is a setting of the whole filter, of which a parameter group cannot have its own; give {name}= to"
    )
    with pytest.raises(ValueError, match=message):
        make([{"params": model.parameters(), name: 1.0}])
    optimizer = make(model[0].parameters())
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": model[2].parameters(), name: 1.0})
    optimizer.param_groups[0][name] = 1.0
    with pytest.raises(ValueError, match=message):
        optimizer.predict()
    del optimizer.param_groups[0][name]
    run_step(optimizer, model, 0)


def test_every_setting_of_every_method_is_known() -> None:
    """Those of the optimizers' signatures, but what groups have."""
    named = set(CommonSettings.__annotations__)
    for method in (KoalaV, KoalaM, KoalaPP, KoalaA):
        named |= set(inspect.signature(method).parameters)
    assert named - {"params", "lr", "weight_decay", "decay_rule", "common"} == OF_THE_FILTER


def test_a_group_may_carry_what_others_read(make: Maker) -> None:
    """Names, scales of layers, what schedulers note."""
    model = network()
    optimizer = make([{"params": model.parameters(), "name": "all", "lr_scale": 0.5, "initial_lr": 1.0, "max_lr": 2.0}])
    run_step(optimizer, model, 0)


def test_names_of_parameters_are_the_names_of_blocks(make: Maker) -> None:
    model = network()
    optimizer = make(model.named_parameters())
    run_step(optimizer, model, 0)
    names = [name for name, _ in model.named_parameters()]
    assert [block["name"] for block in optimizer.report()["blocks"]] == names
    assert optimizer.param_groups[0]["param_names"] == names
    twin = network()
    assert_twins((optimizer, model), (_stepped(make(twin.parameters()), twin), twin))


def _stepped(optimizer, model):
    run_step(optimizer, model, 0)
    return optimizer


def test_named_groups(make: Maker) -> None:
    model = network()
    parts = [list(model[at].named_parameters(prefix=str(at))) for at in (0, 2)]
    optimizer = make([{"params": part} for part in parts])
    run_step(optimizer, model, 0)
    assert [block["name"] for block in optimizer.report()["blocks"]] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_zero_grad(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    run_step(optimizer, model, 0)
    assert all(parameter.grad is not None for parameter in model.parameters())
    optimizer.zero_grad(set_to_none=False)
    assert all(not parameter.grad.any() for parameter in model.parameters())
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_gradients_are_left_as_they_are(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters(), weight_decay=0.1)
    train(optimizer, model, range(2))
    optimizer.zero_grad()
    optimizer.predict()
    losses = sum((parameter**2).sum() for parameter in model.parameters())
    losses.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    optimizer.update(losses)
    assert same([parameter.grad for parameter in model.parameters()], gradients)


def test_one_block_or_many(make: Maker, variant: Variant) -> None:
    model, twin = network(), network()
    whole, each = make(model.parameters(), partition="global"), make(twin.parameters())
    run_step(whole, model, 0)
    run_step(each, twin, 0)
    assert [block["name"] for block in whole.report()["blocks"]] == ["all"]
    assert len(each.report()["blocks"]) == 4
    assert same(values(model), values(twin)) == variant.whole_model
