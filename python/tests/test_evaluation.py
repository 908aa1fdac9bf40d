"""Evaluation at the mean: the swap and what it refuses, running statistics found anew, and the warning."""

import copy
import gc
import pickle
import warnings
from functools import partial

import pytest
import torch
from support import VARIANTS, Maker, assert_twins, batch, losses_of, memory, network, run_step, same, train, values
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import koala_optim
from koala_optim import KoalaA, recompute_batch_norm, warn_if_not_averaged


@pytest.fixture
def make(foreach: bool) -> Maker:
    return partial(KoalaA, foreach=foreach)


def means(optimizer) -> list[torch.Tensor]:
    return [optimizer.state[p]["mean"].clone() for group in optimizer.param_groups for p in group["params"]]


def trained(make: Maker, steps: int = 6, **settings):
    model = network()
    optimizer = make(model.parameters(), **settings)
    train(optimizer, model, range(steps))
    return optimizer, model


def test_the_mean_is_the_polynomially_decaying_one(make: Maker) -> None:
    model = network(torch.float64)
    optimizer = make(model.parameters(), mean=3.0)
    expected = values(model)
    for step in range(7):
        run_step(optimizer, model, step)
        weight = min(1.0, 4.0 / (step + 1 + 3.0))
        expected = [mean + weight * (x - mean) for mean, x in zip(expected, values(model))]
        with optimizer.averaged():
            torch.testing.assert_close(values(model), expected, rtol=1e-13, atol=1e-15)


def test_the_parameters_come_back_to_the_bit_and_nothing_else_changes(make: Maker) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    before, vectors = values(model), memory(optimizer)
    places = [parameter.data_ptr() for parameter in model.parameters()]
    with optimizer.averaged():
        assert same(values(model), means(optimizer)) and not same(values(model), before)
        assert [parameter.data_ptr() for parameter in model.parameters()] == places
    assert same(values(model), before) and same(memory(optimizer), vectors)
    assert_twins((optimizer, model), (untouched, twin))


def test_the_parameters_come_back_after_an_exception(make: Maker) -> None:
    optimizer, model = trained(make)
    before = values(model)
    with pytest.raises(ZeroDivisionError), optimizer.averaged():
        raise ZeroDivisionError
    assert same(values(model), before)
    run_step(optimizer, model, 7)


def test_the_parameters_come_back_if_the_swap_fails(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer, model = trained(make)
    before = values(model)
    last = list(model.parameters())[-1]
    found = optimizer._means()
    monkeypatch.setattr(optimizer, "_means", lambda: [*found[:-1], (last, torch.ones(99))])
    with pytest.raises(RuntimeError, match="size"), optimizer.averaged():
        raise AssertionError("not reached")
    monkeypatch.undo()
    assert same(values(model), before)
    with optimizer.averaged():
        assert same(values(model), means(optimizer))


@pytest.mark.parametrize(
    "call",
    [
        lambda optimizer: optimizer.predict(),
        lambda optimizer: optimizer.step(),
        lambda optimizer: optimizer.step(lambda: 1.0),
        lambda optimizer: optimizer.update(1.0),
        lambda optimizer: optimizer.state_dict(),
        lambda optimizer: optimizer.load_state_dict({}),
        lambda optimizer: optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]}),
        copy.deepcopy,
        pickle.dumps,
    ],
    ids=["predict", "step", "closure", "update", "state_dict", "load_state_dict", "add_param_group", "copy", "pickle"],
)
def test_what_is_refused_at_the_mean(make: Maker, call) -> None:
    optimizer, model = trained(make)
    untouched, twin = trained(make)
    with optimizer.averaged():
        with pytest.raises(
            RuntimeError, match="was called within averaged, where the parameters stand at the mean; leave"
        ):
            call(optimizer)
    assert_twins((optimizer, model), (untouched, twin))


def test_one_mean_within_another_is_refused(make: Maker) -> None:
    optimizer, model = trained(make)
    before = values(model)
    with optimizer.averaged():
        with pytest.raises(RuntimeError, match="averaged was called within averaged"), optimizer.averaged():
            raise AssertionError("not reached")
        assert same(values(model), means(optimizer))
    assert same(values(model), before)


def test_between_predict_and_step_there_is_no_mean(make: Maker) -> None:
    optimizer, model = trained(make)
    optimizer.predict()
    with pytest.raises(RuntimeError, match="averaged was called between predict and step, .* call it after step"):
        with optimizer.averaged():
            raise AssertionError("not reached")
    with pytest.raises(RuntimeError, match="averaged_state_dict was called between predict and step"):
        optimizer.averaged_state_dict(model)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_who_keeps_no_mean_says_so(variant, foreach: bool) -> None:
    model = network()
    optimizer = variant(model.parameters(), foreach=foreach)
    assert optimizer.keeps_mean == ("mean" in variant.memory)
    if optimizer.keeps_mean:
        return
    remedy = "mean=8.0" if variant.method is KoalaA else "evaluate at the parameters as they are"
    with pytest.raises(
        RuntimeError, match=f"averaged was called, but this {variant.method.__name__} keeps no.*{remedy}"
    ):
        with optimizer.averaged():
            raise AssertionError("not reached")
    with pytest.raises(RuntimeError, match="averaged_state_dict was called, but"):
        optimizer.averaged_state_dict(model)
    with pytest.raises(RuntimeError, match="warn_if_not_averaged: this .* keeps no mean"):
        warn_if_not_averaged(model, optimizer)


def test_before_the_first_step_the_mean_is_the_parameters(make: Maker) -> None:
    optimizer, model = trained(make, steps=0)
    before = values(model)
    with optimizer.averaged():
        assert same(values(model), before)
    assert same(list(optimizer.averaged_state_dict(model).values()), before)


def test_parameters_whose_mean_took_nothing_up_stay(make: Maker) -> None:
    """Added after the last step; and frozen from the start."""
    model = network()
    optimizer = make([{"params": model[0].parameters()}, {"params": [model[2].bias], "frozen": True}])
    train(optimizer, model, range(3))
    optimizer.add_param_group({"params": [model[2].weight]})
    before = values(model)
    with optimizer.averaged():
        inside = values(model)
    assert [torch.equal(x, y) for x, y in zip(inside, before)] == [False, False, True, True]
    assert not optimizer.state[model[2].bias]


def test_the_mean_of_what_stands_still_follows(make: Maker) -> None:
    """Without gradient from the third step on, as a layer that is frozen late."""
    model = network(torch.float64)
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    model[0].requires_grad_(False)
    x, mean = model[0].weight.detach().clone(), optimizer.state[model[0].weight]["mean"].clone()
    assert not torch.equal(x, mean)
    train(optimizer, model, range(2, 5))
    assert torch.equal(model[0].weight, x)
    for k in (3, 4, 5):
        mean += 9.0 / (k + 8.0) * (x - mean)
    torch.testing.assert_close(optimizer.state[model[0].weight]["mean"], mean, rtol=1e-13, atol=1e-15)


def test_autograd_notices_the_swap(make: Maker) -> None:
    optimizer, model = trained(make)
    losses = losses_of(model, batch(0))
    with optimizer.averaged():
        pass
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        losses.mean().backward()


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(half: torch.dtype) -> None:
    model = network(half)
    optimizer = KoalaA(model.parameters())
    train(optimizer, model, range(6))
    before = values(model)
    with optimizer.averaged():
        assert same(values(model), [mean.to(half) for mean in means(optimizer)])
    assert same(values(model), before)
    assert {value.dtype for value in optimizer.averaged_state_dict(model).values()} == {half}


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_a_state_of_half_precision_goes_on_to_the_bit(half: torch.dtype) -> None:
    """PyTorch gives stored vectors the parameter's type; second moment and mean would lose their bits."""
    model, twin = network(half), network(half, seed=9)
    optimizer, other = KoalaA(model.parameters()), KoalaA(twin.parameters())
    train(optimizer, model, range(5))
    twin.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert_twins((optimizer, model), (other, twin))


def test_small_gradients_of_half_precision_do_not_explode() -> None:
    """Their squares are 0 in float16; the step is that of float32 nevertheless."""
    moved = []
    for dtype in (torch.float16, torch.float32):
        parameter = nn.Parameter(torch.zeros(4, dtype=dtype))
        optimizer = KoalaA([parameter])
        for _ in range(3):
            optimizer.predict()
            parameter.grad = torch.tensor([1.0, 1e-4, -1e-4, 0.0], dtype=dtype)
            optimizer.update(1.0)
        moved.append(parameter.detach().float())
    torch.testing.assert_close(moved[0], moved[1], rtol=1e-2, atol=1e-6)


# The state of a model at the mean.


def test_a_state_of_the_model_at_the_mean(make: Maker) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    model[0] = weight_norm(model[0])
    model.register_parameter("apart", nn.Parameter(torch.ones(2)))
    model[2].weight.requires_grad_(True)
    optimizer = make([p for name, p in model.named_parameters() if name != "apart"])
    train(optimizer, model, range(5))
    before = copy.deepcopy(model.state_dict())
    state = optimizer.averaged_state_dict(model)
    assert type(state) is type(before) and list(state) == list(before) and state._metadata == before._metadata
    assert all(type(value) is torch.Tensor and not value.requires_grad for value in state.values())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with optimizer.averaged():
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    changed = {name for name, value in state.items() if not torch.equal(value, before[name])}
    assert changed == {name for name, _ in model.named_parameters()} - {"apart"}
    # It is a copy: training does not change it.
    kept = copy.deepcopy(state)
    train(optimizer, model, range(5, 7))
    assert all(torch.equal(value, kept[name]) for name, value in state.items())
    twin = copy.deepcopy(model)
    twin.load_state_dict(state)


# Batch normalisation.


def normalised() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3))


BATCHES = [batch(step) for step in range(20, 24)]


def test_running_statistics_are_those_of_the_batches() -> None:
    model = normalised()
    model[1].momentum = 0.3
    model.train()
    model[3].eval()
    modes = [module.training for module in model.modules()]
    with torch.no_grad():
        model(BATCHES[0][0])
    recompute_batch_norm(model, BATCHES)
    with torch.no_grad():
        hidden = [model[0](inputs) for inputs, _ in BATCHES]
    mean = torch.stack([x.mean(0) for x in hidden]).mean(0)
    variance = torch.stack([x.var(0) for x in hidden]).mean(0)
    torch.testing.assert_close(model[1].running_mean, mean)
    torch.testing.assert_close(model[1].running_var, variance)
    assert model[1].momentum == 0.3 and int(model[1].num_batches_tracked) == 4
    assert [module.training for module in model.modules()] == modes


def test_all_else_works_as_in_an_evaluation() -> None:
    """Dropout before a second normalisation is off."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(4))
    recompute_batch_norm(model, BATCHES)
    torch.testing.assert_close(model[1].running_mean, torch.stack([x.mean(0) for x, _ in BATCHES]).mean(0))


def test_at_the_mean(make: Maker) -> None:
    model, twin = normalised(), normalised()
    optimizer = make(model.parameters())
    train(optimizer, model, range(5))
    twin.load_state_dict(optimizer.averaged_state_dict(model))
    recompute_batch_norm(twin, BATCHES)
    with optimizer.averaged():
        recompute_batch_norm(model, BATCHES)
        assert same(list(model.buffers()), list(twin.buffers()))
        state = optimizer.averaged_state_dict(model)
    assert all(torch.equal(value, state[name]) for name, value in twin.state_dict().items())


@pytest.mark.parametrize(
    "batches",
    [
        [inputs for inputs, _ in BATCHES],
        [[inputs, labels] for inputs, labels in BATCHES],
        [{"input": inputs, "labels": labels} for inputs, labels in BATCHES],
    ],
    ids=["tensors", "lists", "mappings"],
)
def test_kinds_of_batches(batches) -> None:
    model, twin = normalised(), normalised()
    recompute_batch_norm(model, batches, device="cpu")
    recompute_batch_norm(twin, BATCHES)
    assert same(list(model.buffers()), list(twin.buffers()))


def failing():
    yield BATCHES[0]
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("batches", "error"), [([], ValueError), (failing(), ZeroDivisionError)], ids=["none", "error"]
)
def test_without_batches_statistics_stay(batches, error: type) -> None:
    model = normalised()
    model(BATCHES[0][0])
    before = [buffer.clone() for buffer in model.buffers()]
    with pytest.raises(error):
        recompute_batch_norm(model, batches)
    assert same(list(model.buffers()), before)
    assert model[1].momentum == 0.1 and model[1].training


def test_models_without_running_statistics() -> None:
    """The batches are not even looked at."""
    for model in (network(), nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False))):
        recompute_batch_norm(model, failing())


# The warning.


def evaluated(model: nn.Module) -> list[str]:
    """Messages of warnings of a forward pass as in an evaluation."""
    model.eval()
    with warnings.catch_warnings(record=True) as found, torch.no_grad():
        warnings.simplefilter("always")
        model(batch(0)[0])
    model.train()
    return [str(warning.message) for warning in found]


def test_it_warns_once_of_an_evaluation_elsewhere(make: Maker) -> None:
    optimizer, model = trained(make, steps=0)
    warn_if_not_averaged(model, optimizer)
    assert evaluated(model) == []  # there is no mean yet
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(optimizer, model, range(3))
        with optimizer.averaged():
            assert evaluated(model) == []
    (message,) = evaluated(model)
    assert "KoalaA trains was evaluated at its parameters, not at their mean; evaluate it within" in message
    assert evaluated(model) == []


def test_it_can_be_removed(make: Maker) -> None:
    optimizer, model = trained(make)
    warn_if_not_averaged(model, optimizer).remove()
    assert evaluated(model) == []


def test_it_keeps_no_optimizer_and_goes_with_no_copy(make: Maker) -> None:
    optimizer, model = trained(make)
    warn_if_not_averaged(model, optimizer)
    with optimizer.averaged():  # where the optimizer itself cannot be copied
        twins = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    assert [evaluated(twin) for twin in twins] == [[], []]
    del optimizer
    gc.collect()
    assert evaluated(model) == []
    assert koala_optim.KoalaA(model.parameters()).keeps_mean
