"""Schedulers of PyTorch move the gain, and hooks are called."""

import copy

import pytest
import torch
from support import Maker, assert_twins, network, run_step, same, train, values
from torch.optim import lr_scheduler, swa_utils

SCHEDULERS = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2, gamma=0.5),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [1, 3], gamma=0.3),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o, 0.5, total_iters=2),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, 0.1, total_iters=4),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o, 5),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda step: 1.0 / (1 + step)),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, step_size_up=2, cycle_momentum=False),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=10, cycle_momentum=False),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=2), lr_scheduler.ExponentialLR(o, 0.5)], [2]
    ),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.5, total_iters=2), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=10.0, factor=0.5),
    "SWALR": lambda o: swa_utils.SWALR(o, 0.1, anneal_epochs=3),
}


def advance(scheduler, loss) -> None:
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
        scheduler.step(loss)
    else:
        scheduler.step()


def groups(model) -> list[dict]:
    return [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5}]


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("tensor_lr", [False, True], ids=["number", "tensor"])
def test_a_schedule_is_the_same_as_gains_set_by_hand(make: Maker, name: str, tensor_lr: bool) -> None:
    model, twin = network(), network()
    gain = torch.tensor(0.75, dtype=torch.float64) if tensor_lr else 0.75
    scheduled = make(groups(model), lr=gain)
    scheduler = SCHEDULERS[name](scheduled)
    gains = []
    for step in range(6):
        gains.append([float(group["lr"]) for group in scheduled.param_groups])
        advance(scheduler, run_step(scheduled, model, step))
    assert len({tuple(gain) for gain in gains}) > 1
    by_hand = make(groups(twin), lr=0.75)
    for step, given in enumerate(gains):
        for group, gain in zip(by_hand.param_groups, given):
            group["lr"] = gain
        run_step(by_hand, twin, step)
    assert same(values(model), values(twin))


def test_a_resumed_schedule(make: Maker) -> None:
    def begin(model):
        optimizer = make(model.parameters())
        return optimizer, lr_scheduler.CosineAnnealingLR(optimizer, 8)

    model, twin = network(), network(seed=9)
    optimizer, scheduler = begin(model)
    for step in range(3):
        run_step(optimizer, model, step)
        scheduler.step()
    twin.load_state_dict(model.state_dict())
    other, schedule = begin(twin)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    schedule.load_state_dict(scheduler.state_dict())
    for step in range(3, 6):
        for one, net, its in ((optimizer, model, scheduler), (other, twin, schedule)):
            run_step(one, net, step)
            its.step()
    assert_twins((optimizer, model), (other, twin))


def test_a_tensor_gain_is_a_number_in_the_filter(make: Maker) -> None:
    model, twin = network(), network()
    gain = torch.tensor(0.5)
    by_tensor, by_number = make(model.parameters(), lr=gain), make(twin.parameters(), lr=0.5)
    train(by_tensor, model, range(2))
    train(by_number, twin, range(2))
    gain.mul_(0.5)
    by_number.param_groups[0]["lr"] = 0.25
    train(by_tensor, model, range(2, 4))
    train(by_number, twin, range(2, 4))
    assert same(values(model), values(twin))


def test_a_gain_that_cannot_be_is_refused_at_the_next_step(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    run_step(optimizer, model, 0)
    before = values(model)
    for bad in (-0.1, float("nan"), float("inf"), "fast"):
        optimizer.param_groups[0]["lr"] = bad
        with pytest.raises(ValueError, match="^lr = "):
            optimizer.predict()
    assert same(values(model), before)
    optimizer.param_groups[0]["lr"] = 1.0
    run_step(optimizer, model, 1)


def test_step_hooks(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    called = []
    before = optimizer.register_step_pre_hook(lambda opt, args, kwargs: called.append(("before", opt, args[1:])))
    after = optimizer.register_step_post_hook(lambda opt, args, kwargs: called.append(("after", opt, args[1:])))
    run_step(optimizer, model, 0)
    assert [(name, args) for name, _, args in called] == [("before", ()), ("after", ())]
    assert all(opt is optimizer for _, opt, _ in called)
    before.remove()
    after.remove()
    run_step(optimizer, model, 1)
    assert len(called) == 2


def test_update_calls_step_hooks_too(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    called = []
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    optimizer.predict()
    losses = (model[0].weight ** 2).sum(dim=1)
    losses.mean().backward()
    optimizer.update(losses)
    assert called == [1]


def test_a_pre_hook_can_change_gradients(make: Maker) -> None:
    model, twin = network(), network()
    hooked, plain = make(model.parameters()), make(twin.parameters())

    def clip(opt, args, kwargs):
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3)

    hooked.register_step_pre_hook(clip)
    run_step(hooked, model, 0)
    run_step(plain, twin, 0)
    assert not same(values(model), values(twin))
    assert hooked.report()["gradient_norm"] <= 1.01e-3


def test_state_dict_hooks(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    run_step(optimizer, model, 0)
    called = []
    optimizer.register_state_dict_pre_hook(lambda opt: called.append("saving"))
    optimizer.register_state_dict_post_hook(lambda opt, state: {**state, "epoch": 3})
    optimizer.register_load_state_dict_pre_hook(lambda opt, state: called.append("loading"))
    optimizer.register_load_state_dict_post_hook(lambda opt: called.append("loaded"))
    state = optimizer.state_dict()
    assert state["epoch"] == 3
    optimizer.load_state_dict(state)
    assert called == ["saving", "loading", "loaded"]
