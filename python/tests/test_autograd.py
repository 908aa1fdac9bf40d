"""Parameters that moved after the forward pass are noticed by autograd, as with PyTorch's own optimizers."""

import pytest
import torch

import koala_optim


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("kind", [koala_optim.KoalaV, koala_optim.KoalaM, koala_optim.KoalaPP, koala_optim.KoalaA])
def test_a_backward_after_the_step_is_refused(kind, foreach):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    optimizer = kind(model.parameters(), foreach=foreach)
    optimizer.predict()
    losses = model(torch.randn(5, 3)).square().mean(1)
    losses.mean().backward(retain_graph=True)
    optimizer.update(losses)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        losses.mean().backward()


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("kind", [koala_optim.KoalaM, koala_optim.KoalaA])
def test_a_prediction_after_the_forward_pass_is_refused(kind, foreach):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    optimizer = kind(model.parameters(), foreach=foreach)
    # KOALA-A's first prediction moves nothing.
    optimizer.predict()
    losses = model(torch.randn(5, 3)).square().mean(1)
    losses.mean().backward()
    optimizer.update(losses)
    losses = model(torch.randn(5, 3)).square().mean(1)
    optimizer.predict()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        losses.mean().backward()
