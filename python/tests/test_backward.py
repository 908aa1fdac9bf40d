"""Steps in the middle of backward are the steps after it, to the bit, and gradients are let go."""

import copy
from functools import partial

import pytest
import torch
from support import (
    VARIANTS,
    Maker,
    Variant,
    batch,
    difference,
    losses_of,
    memory,
    network,
    run_step,
    same,
    train,
    values,
)
from torch import nn

from koala_optim import KoalaA, KoalaM, KoalaV, TooManyMissing

APART = tuple(variant for variant in VARIANTS if not variant.whole_model)


@pytest.fixture(params=APART, ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


def in_groups(model: nn.Sequential, rule: str) -> list[dict]:
    first, _, last = model
    groups = [
        {"params": [first.weight], "weight_decay": 0.1, "decay_rule": rule, "lr": 0.5},
        {"params": [first.bias], "frozen": True},
        {"params": list(last.parameters())},
    ]
    return groups


@pytest.mark.parametrize("rule", ["coupled", "decoupled"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_they_are_the_same_to_the_bit(variant: Variant, foreach: bool, dtype: torch.dtype, rule: str) -> None:
    late, early = network(dtype), network(dtype)
    # Rust has no half precision.
    make = partial(variant, foreach=foreach or (None if dtype is torch.bfloat16 else False))
    one, other = make(in_groups(late, rule)), make(in_groups(early, rule))
    other.step_in_backward()
    for step in range(8):
        assert torch.equal(run_step(one, late, step), run_step(other, early, step))
        assert one.report() == other.report()
    assert same(values(late), values(early)) and same(memory(one), memory(other))
    assert one.filter_state() == other.filter_state()
    # And without.
    other._early.hooks.remove()
    train(one, late, range(8, 11))
    train(other, early, range(8, 11))
    assert same(values(late), values(early))


def test_beside_kernels_they_are_the_same_but_for_rounding(variant: Variant) -> None:
    # Kernels predict and, after backward, step; in backward foreach operations do it.
    late, early = network(), network()
    one, other = (variant(in_groups(model, "coupled"), fused=True) for model in (late, early))
    other.step_in_backward()
    train(one, late, range(6))
    train(other, early, range(6))
    assert difference(values(late), values(early)) < 1e-5
    assert other.filter_state()["step"] == 6


def test_gradients_are_let_go(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    held: list[int] = []
    with optimizer.step_in_backward():
        for parameter in model.parameters():
            parameter.register_post_accumulate_grad_hook(
                lambda _: held.append(sum(other.grad is not None for other in model.parameters()))
            )
        train(optimizer, model, range(2))
    # Hooks run in the order in which they were made: ours before.
    assert held == [0] * 8
    run_step(optimizer, model, 2)
    assert max(held[8:]) == 4


def test_hooks_of_a_program_call_step_parameter(make: Maker) -> None:
    late, early = network(), network()
    one, other = make(late.parameters()), make(early.parameters())
    assert other.supports_fused_back_pass
    for group in other.param_groups:
        for index, parameter in enumerate(group["params"]):

            def reached(tensor: torch.Tensor, group: dict = group, index: int = index) -> None:
                other.step_parameter(tensor, group, index)
                tensor.grad = None

            # All but one: its gradient is there when the step comes.
            if index != 1:
                parameter.register_post_accumulate_grad_hook(reached)
    train(one, late, range(5))
    train(other, early, range(5))
    assert same(values(late), values(early)) and one.filter_state() == other.filter_state()


def test_parameters_that_are_trained_later_move_too(make: Maker) -> None:
    late, early = network(), network()
    one, other = make(late[2].parameters()), make(early[2].parameters())
    other.step_in_backward()
    early[2].bias.requires_grad_(False)
    late[2].bias.requires_grad_(False)
    for step in range(6):
        for optimizer, model in ((one, late), (other, early)):
            if step == 2:
                optimizer.add_param_group({"params": list(model[0].parameters())})
            if step == 4:
                model[2].bias.requires_grad_(True)
            run_step(optimizer, model, step)
        assert all(parameter.grad is None for group in other.param_groups for parameter in group["params"])
    assert same(values(late), values(early)) and one.filter_state() == other.filter_state()


def test_a_step_is_in_one_closure_too(make: Maker) -> None:
    late, early = network(), network()
    one, other = make(late.parameters()), make(early.parameters())
    other.step_in_backward()

    def closure(optimizer, model):
        def evaluate():
            optimizer.zero_grad()
            losses = losses_of(model, batch(0))
            # By itself: what a closure returns is observed when it is over.
            optimizer.observe(losses)
            losses.mean().backward()
            return losses

        return evaluate

    for _ in range(3):
        one.step(closure(one, late))
        other.step(closure(other, early))
    assert same(values(late), values(early))


def test_what_is_not_finite_is_left_alone_and_said(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    train(optimizer, model, range(2))
    weight = model[0].weight
    lost = weight.register_hook(lambda gradient: gradient * float("nan"))
    optimizer.predict()
    before = values(model)
    losses = losses_of(model, batch(2))
    optimizer.observe(losses)
    losses.mean().backward()
    if optimizer._place.device is None:
        with pytest.warns(UserWarning, match=r"parameter 0 is not finite.*left alone"):
            optimizer.step()
    else:
        optimizer.step()
    after = values(model)
    assert torch.equal(before[0], after[0])
    assert all(not torch.equal(x, y) for x, y in zip(before[1:], after[1:]))
    assert optimizer.report()["outcome"] == "measured"
    lost.remove()
    train(optimizer, model, range(3, 6))
    assert all(value.isfinite().all() for value in values(model))


def test_nothing_finite_is_a_missing_measurement(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters(), missing_limit=2)
    optimizer.step_in_backward()
    hooks = [parameter.register_hook(lambda gradient: gradient * float("inf")) for parameter in model.parameters()]
    before = values(model)
    run_step(optimizer, model, 0)
    assert "missing" in optimizer.report()["outcome"]
    assert same(before, values(model))
    with pytest.raises(TooManyMissing):
        run_step(optimizer, model, 1)
    for hook in hooks:
        hook.remove()
    train(optimizer, model, range(2, 4))


def test_a_loss_that_is_not_finite_moves_nothing(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    optimizer.predict()
    before = values(model)
    losses = losses_of(model, batch(0))
    optimizer.observe(losses * float("nan"))
    losses.mean().backward()
    optimizer.step()
    assert "missing" in optimizer.report()["outcome"]
    assert same(before, values(model))


def test_a_step_that_is_given_up_leaves_what_has_moved(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    train(optimizer, model, range(2))
    optimizer.predict()
    losses = losses_of(model, batch(2))
    optimizer.observe(losses)
    losses.mean().backward()
    moved = values(model)
    optimizer.abandon()
    assert same(moved, values(model))
    assert optimizer.filter_state()["step"] == 2
    train(optimizer, model, range(3, 5))
    assert optimizer.filter_state()["step"] == 4


def test_one_minibatch_a_step(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    losses = losses_of(model, batch(0))
    with pytest.raises(RuntimeError, match="predict and observe was not called before it"):
        losses.mean().backward()
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, batch(0))
    with pytest.raises(RuntimeError, match="observe was not called before it"):
        losses.mean().backward()
    optimizer.zero_grad()
    losses = losses_of(model, batch(0))
    optimizer.observe(losses)
    losses.mean().backward(retain_graph=False)
    again = losses_of(model, batch(1))
    with pytest.raises(RuntimeError, match=r"observe was called after parameters had moved"):
        optimizer.observe(again)
    with pytest.raises(RuntimeError, match=r"got a second gradient in one step"):
        again.mean().backward()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"partition": "global"}, "leave partition out"),
        ({"max_update_norm": 1.0}, "leave it out"),
    ],
)
def test_what_needs_all_gradients_is_refused(variant: Variant, settings: dict, reason: str) -> None:
    optimizer = variant(network().parameters(), **settings)
    assert not optimizer.supports_fused_back_pass
    with pytest.raises(ValueError, match=reason):
        optimizer.step_in_backward()


def test_more_that_is_refused() -> None:
    with pytest.raises(ValueError, match="KOALA-A has one innovation for the whole model"):
        KoalaA(network().parameters()).step_in_backward()
    model = network()
    with pytest.raises(ValueError, match="stay_predicted"):
        KoalaM(model.parameters(), stay_predicted=True).step_in_backward()
    optimizer = KoalaV(model.parameters())
    optimizer.step_in_backward()
    with pytest.raises(RuntimeError, match="called already"):
        optimizer.step_in_backward()
    optimizer.predict()
    losses = losses_of(model, batch(0))
    optimizer.observe(losses)
    losses.mean().backward()
    optimizer.grad_scale = torch.tensor(2.0)
    with pytest.raises(RuntimeError, match="GradScaler"):
        optimizer.step()
    with pytest.raises(ValueError, match="no parameter of this optimizer"):
        stranger = nn.Parameter(torch.zeros(2))
        stranger.grad = torch.zeros(2)
        optimizer.step_parameter(stranger)


def test_a_state_from_the_middle_of_a_step_goes_on(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    train(optimizer, model, range(3))
    optimizer.predict()
    twin = copy.deepcopy(model)
    other = make(twin.parameters())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    other.step_in_backward()
    for found, its in ((optimizer, model), (other, twin)):
        # Of the one that was loaded, this changes nothing.
        if found is other:
            found.predict()
        losses = losses_of(its, batch(3))
        found.observe(losses)
        losses.mean().backward()
        found.step()
        train(found, its, range(4, 6))
    assert same(values(model), values(twin)) and optimizer.filter_state() == other.filter_state()


def test_copies_have_no_hooks(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.step_in_backward()
    train(optimizer, model, range(2))
    twin, copied = copy.deepcopy((model, optimizer))
    train(copied, twin, range(2, 4))
    assert any(parameter.grad is not None for parameter in twin.parameters())
    train(optimizer, model, range(2, 4))
    assert same(values(model), values(twin))


def test_a_parameter_used_twice_moves_once(make: Maker) -> None:
    weights = [nn.Parameter(torch.tensor([[0.5, -0.2], [0.1, 0.3]])) for _ in range(2)]
    optimizers = [make([weight]) for weight in weights]
    optimizers[1].step_in_backward()
    for _ in range(4):
        for weight, optimizer in zip(weights, optimizers):
            optimizer.zero_grad()
            optimizer.predict()
            losses = ((torch.eye(2) @ weight).tanh() @ weight - 1.0).square().sum(1)
            optimizer.observe(losses)
            losses.mean().backward()
            optimizer.step()
    assert torch.equal(*weights)


def test_nothing_is_read(variant: Variant) -> None:
    shapes = ((3, 4), (5,), (), (0,))
    parameters = [nn.Parameter(torch.empty(shape, device="meta")) for shape in shapes]
    optimizer = variant([{"params": parameters[:2], "weight_decay": 0.1}, {"params": parameters[2:]}])
    for _ in range(3):
        optimizer.predict()
        optimizer.observe(torch.empty(8, device="meta"))
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
            optimizer.step_parameter(parameter)
            parameter.grad = None
        optimizer.step()
    assert not optimizer.predicted


# Programs that give an optimizer the loss after backward, and know no predict.


def test_step_func_is_the_loop(make: Maker) -> None:
    one, other = network(), network()
    known, unknown = make(one.parameters()), make(other.parameters())
    for step in range(5):
        known.zero_grad()
        known.predict()
        loss = losses_of(one, batch(step)).mean()
        loss.backward()
        known.update(loss.item())

        loss = losses_of(other, batch(step)).mean()
        loss.backward()
        unknown.step_func(loss.item())
        unknown.zero_grad()
    known.predict()
    assert same(values(one), values(other))
    assert known.filter_state() == unknown.filter_state()


def test_step_func_refuses_gradients_from_elsewhere() -> None:
    def call(method: partial) -> None:
        model = network()
        optimizer = method(model.parameters())
        run_step(optimizer, model, 0)
        optimizer.step_func(1.0)

    with pytest.raises(RuntimeError, match=r"call predict\(\) before the loss"):
        call(partial(KoalaM))
    call(partial(KoalaV))
