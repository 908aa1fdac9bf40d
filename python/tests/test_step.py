"""The ways to do a step: the loop, a closure, update; and what it does to a loss."""

import pytest
import torch
from support import Maker, assert_twins, batch, losses_of, network, run_step, train
from torch import nn


def test_update_is_observe_and_step(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for step in range(3):
        run_step(optimizer, model, step)
        other.zero_grad()
        other.predict()
        losses = losses_of(twin, batch(step))
        losses.mean().backward()
        assert other.update(losses) is None
    assert_twins((optimizer, model), (other, twin))


@pytest.mark.parametrize("predicted", [False, True], ids=["alone", "after predict"])
def test_a_closure_does_it_all(make: Maker, predicted: bool) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for step in range(3):
        run_step(optimizer, model, step)
        calls = []

        def closure(step: int = step, calls: list = calls) -> torch.Tensor:
            assert torch.is_grad_enabled()
            calls.append(step)
            other.zero_grad()
            losses = losses_of(twin, batch(step))
            losses.mean().backward()
            return losses

        if predicted:
            other.predict()
        with torch.no_grad():
            returned = other.step(closure)
        assert calls == [step]
        assert returned.shape == (8,)
    assert_twins((optimizer, model), (other, twin))


def test_a_closure_may_return_the_mean(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())

    def closure(net: nn.Module, scalar: bool):
        net.zero_grad()
        loss = losses_of(net, batch(0)).mean()
        loss.backward()
        return float(loss.detach()) if scalar else loss

    assert optimizer.step(lambda: closure(model, False)).shape == ()
    assert isinstance(other.step(lambda: closure(twin, True)), float)
    assert_twins((optimizer, model), (other, twin))


def test_a_closure_that_fails_can_be_tried_again(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)

    def closure(one, net):
        one.zero_grad()
        losses = losses_of(net, batch(0))
        losses.mean().backward()
        return losses

    optimizer.step(lambda: closure(optimizer, model))
    other.step(lambda: closure(other, twin))
    assert_twins((optimizer, model), (other, twin))


def test_training_lowers_the_loss(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    first = float(run_step(optimizer, model, 0))
    train(optimizer, model, range(1, 40))
    assert float(losses_of(model, batch(0)).detach().mean()) < 0.5 * first


def test_least_squares_with_a_perfect_fit_is_solved(make: Maker) -> None:
    """Under interpolation, target 0 converges without any schedule."""
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    solution = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    x = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = make([x])
    for _ in range(400):
        optimizer.zero_grad()
        optimizer.predict()
        losses = (inputs @ (x - solution)).square()
        losses.mean().backward()
        optimizer.update(losses)
    assert float((x.detach() - solution).norm()) < 1e-3


def test_no_step_is_done_without_gradients_on_a_fresh_optimizer_of_gain_zero(make: Maker) -> None:
    """How torch.distributed.checkpoint makes the state of a fresh optimizer."""
    model, twin = network(), network()
    optimizer, other = make(model.parameters(), lr=0.0), make(twin.parameters(), lr=0.0)
    optimizer.step()
    assert_twins((optimizer, model), (other, twin))


def test_inference_mode_and_no_grad_around_predict(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for step in range(2):
        run_step(optimizer, model, step)
        other.zero_grad()
        with torch.no_grad():
            other.predict()
        losses = losses_of(twin, batch(step))
        losses.mean().backward()
        with torch.no_grad():
            other.update(losses)
    assert_twins((optimizer, model), (other, twin))


def test_predict_and_step_build_no_graph(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    assert all(parameter.is_leaf and parameter.grad_fn is None for parameter in model.parameters())
    assert all(not vector.requires_grad for vectors in optimizer.state.values() for vector in vectors.values())
