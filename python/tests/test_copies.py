"""deepcopy and pickle: the copy goes on to the bit, apart from the original."""

import copy
import io
import pickle

import pytest
import torch
from support import Maker, assert_twins, batch, losses_of, memory, network, run_step, same, train, values


def by_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


def by_torch(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.fixture(params=[copy.deepcopy, by_pickle, by_torch], ids=["deepcopy", "pickle", "torch.save"])
def copied(request: pytest.FixtureRequest):
    return request.param


def test_a_copy_goes_on_to_the_bit_and_apart(make: Maker, copied) -> None:
    model = network()
    optimizer = make(model.parameters(), weight_decay=1e-2)
    train(optimizer, model, range(3))
    twin, other = copied((model, optimizer))
    assert_twins((optimizer, model), (other, twin))
    before = values(twin), memory(other), other.filter_state()
    run_step(optimizer, model, 7)
    assert same(values(twin), before[0])
    assert same(memory(other), before[1])
    assert other.filter_state() == before[2]


def test_a_copy_in_the_middle_of_a_step(make: Maker, copied) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    optimizer.zero_grad()
    optimizer.predict()
    twin, other = copied((model, optimizer))
    for one, net in ((optimizer, model), (other, twin)):
        losses = losses_of(net, batch(2))
        losses.mean().backward()
        one.update(losses)
    assert_twins((optimizer, model), (other, twin))


def test_a_copy_keeps_settings(make: Maker, copied) -> None:
    model = network()
    optimizer = make(model.parameters(), check_every=7, max_update_norm=0.5, lr=0.3)
    other = copied(optimizer)
    assert repr(other) == repr(optimizer)
    assert other.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    kept = ("_foreach", "_check_every")
    assert other._process_group.given == optimizer._process_group.given
    assert [other.__dict__[name] for name in kept] == [optimizer.__dict__[name] for name in kept]
    with pytest.raises(ValueError, match="this optimizer is"):
        other.load_state_dict(torch_state_of_another_method(optimizer))


def torch_state_of_another_method(optimizer):
    import koala_optim

    other = koala_optim.KoalaV if isinstance(optimizer, koala_optim.KoalaPP) else koala_optim.KoalaPP
    return other(network().parameters()).state_dict()


def test_repr_shows_the_groups_and_not_the_filter(make: Maker) -> None:
    text = repr(make(network().parameters(), lr=0.5))
    assert text.startswith("Koala")
    assert "lr: 0.5" in text
    assert "filter" not in text
