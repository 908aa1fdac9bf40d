"""Tensors whose memory does not hold their values: PyTorch's negative bit, and zeros without memory."""

import pytest
import torch
from support import Maker, Variant, losses_of, network, same, values
from torch import nn


def negated(tensor: torch.Tensor) -> torch.Tensor:
    """The same values with the negative bit: the memory holds their opposites."""
    like = torch._neg_view(-tensor)
    assert like.is_neg() and like.is_contiguous() and torch.equal(like, tensor)
    return like


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_a_gradient_that_autograd_leaves_with_the_bit_descends(make: Maker, shape: tuple[int, ...]) -> None:
    """|conj(.7 + i p) - (.7 + .2 i)|^2 is least at p = -.2."""
    parameter = nn.Parameter(torch.full(shape, 0.5))
    optimizer = make([parameter])
    first = None
    for _ in range(40):
        optimizer.zero_grad()
        optimizer.predict()
        value = torch.complex(torch.full_like(parameter, 0.7), parameter).conj()
        losses = (value - (0.7 + 0.2j)).abs().square().reshape(-1)
        losses.mean().backward()
        assert shape == (3,) or parameter.grad.is_neg()
        optimizer.update(losses)
        first = losses.detach().mean() if first is None else first
    assert float(losses.detach().mean()) < 0.1 * float(first)
    assert (parameter - -0.2).abs().max() < 0.2


def test_the_bit_changes_no_step(make: Maker) -> None:
    """PyTorch's own GradScaler refuses such gradients."""
    model, twin = network(), network()
    for net, alike in ((model, lambda g: g), (twin, negated)):
        optimizer = make(net.parameters())
        for step in range(3):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(net, (torch.eye(4)[:3] * (1 + step), torch.tensor([0, 1, 2])))
            losses.mean().backward()
            for parameter in net.parameters():
                parameter.grad = alike(parameter.grad)
            optimizer.update(losses)
    assert same(values(model), values(twin))


def test_a_gradient_of_zeros_without_memory(variant: Variant) -> None:
    model, twin = network(), network()
    for net, zeros in ((model, torch.zeros_like), (twin, lambda p: torch._efficientzerotensor(p.shape))):
        optimizer = variant(net.parameters())
        for _ in range(2):
            optimizer.predict()
            losses = losses_of(net, (torch.eye(4)[:3], torch.tensor([0, 1, 2])))
            losses.mean().backward()
            net[0].bias.grad = zeros(net[0].bias)
            optimizer.update(losses)
            optimizer.zero_grad()
    assert same(values(model), values(twin))


@pytest.mark.parametrize("without", [negated, lambda x: torch._efficientzerotensor(x.shape)], ids=["negative", "zero"])
def test_parameters_whose_memory_is_not_theirs_are_refused(make: Maker, without) -> None:
    with pytest.raises(
        TypeError, match="negative bit, or that are zeros without memory, are not supported; make them of"
    ):
        make([nn.Parameter(without(torch.ones(3)))])


def test_data_with_the_bit_that_is_put_in_later_is_not_moved_the_wrong_way(variant: Variant) -> None:
    """PyTorch's operations refuse it; read as raw memory, it would ascend."""
    parameter = nn.Parameter(torch.ones(3))
    optimizer = variant([parameter])
    parameter.data = negated(torch.ones(3))
    with pytest.raises(RuntimeError, match="negation"):
        optimizer.predict()
        parameter.grad = torch.ones(3)
        optimizer.update(1.0)


def test_tensors_that_wrap_others_are_refused(make: Maker) -> None:
    two = pytest.importorskip("torch.testing._internal.two_tensor").TwoTensor
    with pytest.raises(TypeError, match="parameters of type TwoTensor, which wrap other tensors, are not supported"):
        make([nn.Parameter(two(torch.ones(3), torch.ones(3)))])


@pytest.mark.parametrize("name", ["velocity", "second_moment", "mean"])
def test_loaded_vectors_with_the_bit(name: str, foreach: bool) -> None:
    from koala_optim import KoalaA

    def trained(alike):
        model = network()
        optimizer = KoalaA(model.parameters(), foreach=foreach)
        for step in range(4):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, (torch.eye(4)[:3] * (1 + step), torch.tensor([0, 1, 2])))
            losses.mean().backward()
            optimizer.update(losses)
            if step == 1:
                state = optimizer.state_dict()
                for vectors in state["state"].values():
                    vectors[name] = alike(vectors[name])
                optimizer.load_state_dict(state)
        return [*values(model), *(vectors["mean"] for vectors in optimizer.state.values())]

    assert same(trained(torch.clone), trained(negated))
