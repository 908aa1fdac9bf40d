"""step(closure): which losses count when the closure, or somebody before it, observes some itself."""

import pytest
import torch

import koala_optim


def problem():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    return model, koala_optim.KoalaM(model.parameters()), torch.randn(8, 3)


def trained(step):
    """Parameters after three steps of ``step(optimizer, losses_of)``."""
    model, optimizer, inputs = problem()

    def losses_of(part=slice(None)):
        losses = model(inputs[part]).square().mean(1)
        (losses.sum() / len(inputs)).backward()
        return losses

    for _ in range(3):
        optimizer.zero_grad()
        step(optimizer, losses_of)
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def by_result(optimizer, losses_of):
    optimizer.step(losses_of)


def by_itself(optimizer, losses_of):
    def closure():
        losses = losses_of()
        optimizer.observe(losses)
        return losses.mean()

    optimizer.step(closure)


def before_a_closure_that_does_nothing(optimizer, losses_of):
    optimizer.predict()
    optimizer.observe(losses_of())
    optimizer.step(lambda: None)


@pytest.mark.parametrize("step", [by_itself, before_a_closure_that_does_nothing])
def test_losses_that_were_observed_are_not_observed_again(step):
    assert torch.equal(trained(step), trained(by_result))


def test_the_last_micro_batch_can_come_with_a_closure():
    def step(optimizer, losses_of):
        optimizer.predict()
        optimizer.observe(losses_of(slice(0, 5)))
        optimizer.step(lambda: optimizer.observe(losses_of(slice(5, 8))))

    torch.testing.assert_close(trained(step), trained(by_result))


def test_a_closure_whose_losses_would_be_left_out_is_an_error():
    model, optimizer, inputs = problem()
    optimizer.predict()
    optimizer.observe(model(inputs).square())
    with pytest.raises(RuntimeError, match="observe these within the closure too"):
        optimizer.step(lambda: model(inputs).square().mean())
