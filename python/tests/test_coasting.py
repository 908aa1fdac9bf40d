"""KOALA-M's parameters without a gradient: they go on along their velocity, or stand still."""

import pytest
import torch
from support import batch, difference, losses_of, network, run_step, train, values

from koala_optim import KoalaM


def without_gradient_in_one_half(optimizer, model, step: int) -> None:
    """A step in which the first layer has no part."""
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, batch(step))
    losses.mean().backward()
    model[0].weight.grad = model[0].bias.grad = None
    optimizer.update(losses)


@pytest.mark.parametrize("coast", [True, False])
def test_what_got_no_gradient_coasts_or_stands(foreach: bool, coast: bool) -> None:
    model = network()
    optimizer = KoalaM(model.parameters(), foreach=foreach, coast=coast)
    train(optimizer, model, range(3))
    without_gradient_in_one_half(optimizer, model, 3)
    before, velocity = values(model), optimizer.state[model[0].weight]["velocity"].clone()
    optimizer.predict()
    moved = [not torch.equal(x, y) for x, y in zip(values(model), before)]
    assert moved == [coast, coast, True, True]
    assert torch.equal(optimizer.state[model[0].weight]["velocity"], velocity) != coast
    optimizer.abandon()
    # With a gradient again it moves again, along the velocity that it had.
    run_step(optimizer, model, 4)
    before = values(model)
    optimizer.predict()
    assert not any(torch.equal(x, y) for x, y in zip(values(model), before))


def test_with_gradients_everywhere_nothing_differs(foreach: bool) -> None:
    models = network(), network()
    for model, coast in zip(models, (True, False)):
        train(KoalaM(model.parameters(), foreach=foreach, coast=coast), model, range(6))
    # On a device the filter of one of them is on the host, and rounds as it does.
    assert difference(values(models[0]), values(models[1])) <= (1e-6 if foreach else 0.0)


def test_it_must_be_a_choice() -> None:
    with pytest.raises(ValueError, match="coast = 1: must be True or False"):
        KoalaM(network().parameters(), coast=1)
