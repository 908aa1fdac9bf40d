"""Rows are kept from step to step only as long as everything is where it was, and nothing is held that others want back."""

import cProfile
import gc
import weakref

import pytest
import torch
from support import Maker, Variant, memory, network, run_step, same, train, values
from torch import nn

from koala_optim import Koala, KoalaM


def elsewhere(_: Koala, model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()


def in_another_order(_: Koala, model: nn.Module) -> None:
    weight = model[0].weight
    weight.data = weight.data.t().contiguous().t()


def other_vectors(optimizer: Koala, _: nn.Module) -> None:
    for kept in optimizer.state.values():
        for name, vector in kept.items():
            kept[name] = vector.clone()


def moved_vectors(optimizer: Koala, _: nn.Module) -> None:
    for kept in optimizer.state.values():
        for vector in kept.values():
            vector.data = vector.data.clone()


def frozen_and_back(optimizer: Koala, model: nn.Module) -> None:
    model[2].bias.requires_grad_(not model[2].bias.requires_grad)


def a_frozen_group(optimizer: Koala, _: nn.Module) -> None:
    optimizer.param_groups[1]["frozen"] = not optimizer.param_groups[1]["frozen"]


def reloaded(optimizer: Koala, _: nn.Module) -> None:
    optimizer.load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize(
    "change",
    [elsewhere, in_another_order, other_vectors, moved_vectors, frozen_and_back, a_frozen_group, reloaded],
    ids=lambda change: change.__name__,
)
def test_a_change_is_seen(make: Maker, change) -> None:
    """Beside an optimizer that keeps no row."""
    kept, anew = network(), network()
    optimizers = [
        make([{"params": model[0].parameters()}, {"params": model[2].parameters()}]) for model in (kept, anew)
    ]
    for step in range(8):
        for optimizer, model in zip(optimizers, (kept, anew)):
            if step in (3, 5):
                change(optimizer, model)
            optimizer.zero_grad()
            run_step(optimizer, model, step)
        optimizers[1]._kept.forget()
        assert same(values(kept), values(anew)), step
        assert same(memory(optimizers[0]), memory(optimizers[1])), step


def test_gradients_and_old_values_are_let_go(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    gradients = [weakref.ref(parameter.grad.untyped_storage()) for parameter in model.parameters()]
    old = [weakref.ref(parameter.data.untyped_storage()) for parameter in model.parameters()]
    optimizer.zero_grad()
    elsewhere(optimizer, model)
    gc.collect()
    assert all(gradient() is None for gradient in gradients)
    train(optimizer, model, range(3, 4))
    gc.collect()
    assert all(value() is None for value in old)


def test_a_filter_that_goes_to_the_device_leaves_no_rows_behind() -> None:
    model = network()
    optimizer = KoalaM(model.parameters())
    train(optimizer, model, range(2))
    assert optimizer._kept._rows
    model.to(torch.bfloat16)
    train(optimizer, model, range(2, 4))
    assert optimizer._place.device is not None and not optimizer._kept._rows


def calls(variant: Variant, count: int) -> int:
    """Calls that Python code makes in a step over so many tensors."""
    parameters = [nn.Parameter(torch.randn(50)) for _ in range(count)]
    optimizer = variant(parameters, foreach=False)
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    for _ in range(3):
        profile = cProfile.Profile()
        profile.enable()
        optimizer.predict()
        optimizer.observe(torch.ones(8))
        optimizer.step()
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def test_a_tensor_more_is_one_call_more_at_most(variant: Variant) -> None:
    """What a step asks of each tensor, loops ask that are not Python's: a network of small tensors is slow by what is left."""
    assert calls(variant, 60) - calls(variant, 20) <= 40
