"""Parameters that are not trained cost nothing: no memory, and no reading after the first step."""

import copy

import pytest
import torch
from support import Maker, Variant, assert_twins, batch, losses_of, network, run_step, same, train, values
from torch import nn

from koala_optim import KoalaA, KoalaM


def stored(optimizer) -> int:
    return sum(
        value.numel() for vectors in optimizer.state.values() for value in vectors.values() if torch.is_tensor(value)
    )


def halved(half: int = 0, seed: int = 0) -> nn.Sequential:
    """A network one of whose layers is not trained."""
    model = network(seed=seed)
    model[half].requires_grad_(False)
    return model


def paper(variant: Variant) -> bool:
    return variant.settings.get("position_noise") == "paper"


@pytest.mark.parametrize("how", ["requires_grad", "group"])
def test_nothing_is_stored_of_what_is_not_trained(make: Maker, variant: Variant, how: str) -> None:
    if how == "requires_grad":
        model = halved()
        optimizer = make(model.parameters())
    else:
        model = network()
        optimizer = make([{"params": model[0].parameters(), "frozen": True}, {"params": model[2].parameters()}])
    train(optimizer, model, range(3))
    trained = sum(parameter.numel() for parameter in model[2].parameters())
    everything = sum(parameter.numel() for parameter in model.parameters())
    # The paper's q_x reads a running mean of every parameter.
    expected = everything if paper(variant) else trained
    assert stored(optimizer) == len(variant.memory) * expected
    saved = optimizer.state_dict()["state"].values()
    assert sum(v.numel() for vectors in saved for v in vectors.values() if torch.is_tensor(v)) == stored(optimizer)


def test_the_steps_are_those_with_memory(make: Maker) -> None:
    """To the bit: a state of before, with zeros for what stands still, goes on alike."""
    model, twin = halved(), halved()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    names = [name for name in other._memory if name is not None]
    for parameter in twin[0].parameters():
        for name in names:
            other.state[parameter][name] = torch.zeros_like(parameter)
    train(optimizer, model, range(6))
    train(other, twin, range(6))
    assert same(values(model), values(twin))
    assert optimizer.filter_state() == other.filter_state()


def test_parameters_that_stand_still_are_read_once(foreach: bool, monkeypatch) -> None:
    from koala_optim import foreach as slow
    from koala_optim import native, placement

    # On a device, sums are found in other ways: see test_device.
    monkeypatch.setattr(placement, "beyond", lambda *given: "it is to stay on the host")
    model = halved()
    optimizer = KoalaM(model.parameters(), foreach=foreach)
    read = []
    for engine in (native, slow):
        original = engine.advance

        def advance(filter, lent, original=original):
            read.extend(row.position for row in lent.rows)
            return original(filter, lent)

        monkeypatch.setattr(engine, "advance", advance)
    train(optimizer, model, range(5))
    assert read.count(0) == read.count(1) == 1 and read.count(2) == read.count(3) == 5
    with torch.no_grad():
        model[0].weight.mul_(2.0)
    train(optimizer, model, range(5, 7))
    assert read.count(0) == 2 and read.count(1) == 1


def test_unfreezing_goes_on_as_if_there_had_been_memory(make: Maker) -> None:
    model, twin = halved(), halved()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    names = [name for name in other._memory if name is not None]
    for parameter in twin[0].parameters():
        for name in names:
            other.state[parameter][name] = torch.zeros_like(parameter)
    for one, net in ((optimizer, model), (other, twin)):
        train(one, net, range(3))
        net[0].requires_grad_(True)
        train(one, net, range(3, 4))
    assert_twins((optimizer, model), (other, twin))
    if optimizer.keeps_mean:
        with optimizer.averaged(), other.averaged():
            assert same(values(model), values(twin))


def test_the_mean_of_what_was_never_trained_is_where_it_is() -> None:
    model = halved()
    optimizer = KoalaA(model.parameters())
    train(optimizer, model, range(3))
    before = values(model)
    with optimizer.averaged():
        assert same(values(model)[:2], before[:2]) and not same(values(model)[2:], before[2:])
    state = optimizer.averaged_state_dict(model)
    assert torch.equal(state["0.weight"], model[0].weight)


def test_a_state_goes_into_an_optimizer_that_trains_more_and_back(make: Maker) -> None:
    model = halved()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    state = copy.deepcopy(optimizer.state_dict())

    thawed = network(seed=3)
    thawed.load_state_dict(model.state_dict())
    other = make(thawed.parameters())
    other.load_state_dict(copy.deepcopy(state))
    model[0].requires_grad_(True)
    train(optimizer, model, [3])
    train(other, thawed, [3])
    assert_twins((optimizer, model), (other, thawed))

    frozen_again = halved(seed=4)
    frozen_again.load_state_dict(thawed.state_dict())
    third = make(frozen_again.parameters())
    third.load_state_dict(copy.deepcopy(other.state_dict()))
    thawed[0].requires_grad_(False)
    assert_twins((other, thawed), (third, frozen_again))


def test_a_state_of_before_brings_no_memory(make: Maker, variant: Variant) -> None:
    """It has zeros, and means that are the parameters, of what was never trained."""
    if paper(variant):
        return
    model = halved()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    before = copy.deepcopy(optimizer.state_dict())
    for at, parameter in enumerate(model[0].parameters()):
        before["state"][at] = {
            name: parameter.detach().clone() if name == "mean" else torch.zeros_like(parameter)
            for name in variant.memory
        }
    twin = halved(seed=5)
    twin.load_state_dict(model.state_dict())
    other = make(twin.parameters())
    other.load_state_dict(before)
    assert stored(other) == stored(optimizer)
    assert_twins((optimizer, model), (other, twin))
    # What was trained before it was frozen keeps its own.
    model[2].requires_grad_(False)
    kept = stored(optimizer)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert stored(optimizer) == kept


def test_a_trained_parameter_without_state_is_still_refused(make: Maker, variant: Variant) -> None:
    if not variant.memory:
        return
    model = halved()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    state = copy.deepcopy(optimizer.state_dict())
    del state["state"][2]
    with pytest.raises(ValueError, match="the state of parameter 2 has no"):
        optimizer.load_state_dict(state)


def test_freezing_what_was_trained_keeps_its_memory(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    before = stored(optimizer)
    model[0].requires_grad_(False)
    train(optimizer, model, range(3, 5))
    assert stored(optimizer) == before


def test_an_adapter_costs_what_it_should(variant: Variant) -> None:
    """A frozen layer of 90,000 numbers with an adapter of 304."""
    base, adapter = nn.Linear(300, 300), nn.Linear(300, 1)
    base.requires_grad_(False)
    optimizer = variant([*base.parameters(), *adapter.parameters()], foreach=False)
    for step in range(2):
        optimizer.zero_grad()
        optimizer.predict()
        losses = adapter(base(torch.ones(4, 300) * step)).square().mean(1) + 1.0
        losses.mean().backward()
        optimizer.update(losses)
    assert paper(variant) or stored(optimizer) == 301 * len(variant.memory)


def test_a_frozen_part_of_another_type_needs_no_engine_of_its_own() -> None:
    """foreach=False is for what is trained; a base in half precision is only read, once."""
    model = network()
    model[0].requires_grad_(False).bfloat16()
    optimizer = KoalaM(model.parameters(), foreach=False)
    for step in range(2):
        optimizer.predict()
        inputs, labels = batch(step)
        outputs = model[2](model[1](model[0](inputs.bfloat16()).float()))
        losses = nn.functional.cross_entropy(outputs, labels, reduction="none")
        losses.mean().backward()
        optimizer.update(losses)
    assert optimizer.report()["outcome"] == "measured"


def test_gradients_of_a_frozen_group_are_left_alone(make: Maker) -> None:
    model = network()
    optimizer = make([{"params": model[0].parameters(), "frozen": True}, {"params": model[2].parameters()}])
    before = values(model[0])
    for step in range(2):
        run_step(optimizer, model, step)
        assert model[0].weight.grad is not None
    assert same(values(model[0]), before)
    assert float(losses_of(model, batch(0)).detach().mean()) > 0.0
