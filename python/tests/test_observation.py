"""What is observed: per-sample losses or their moments, in one piece or in many; and what is missing."""

import copy
import math

import hypothesis
import hypothesis.strategies as st
import pytest
import torch
from support import (
    VARIANTS,
    Maker,
    Variant,
    assert_twins,
    batch,
    difference,
    losses_of,
    network,
    run_step,
    same,
    train,
    values,
)
from torch import nn

from koala_optim import KoalaV, TooManyMissing, filter_state, scalars

WITHIN = 1e-12


def ended(optimizer, model, observe, data=None) -> None:
    """A step over float64 in which ``observe(losses)`` tells the losses."""
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, data or batch(0, torch.float64))
    observe(losses)
    losses.mean().backward()
    optimizer.step()


@pytest.mark.parametrize("plain", [True, False], ids=["numbers", "tensors"])
def test_moments_are_as_good_as_the_losses(make: Maker, plain: bool) -> None:
    model, twin = network(torch.float64), network(torch.float64)
    each, moments = make(model.parameters()), make(twin.parameters())
    for _ in range(3):
        ended(each, model, each.observe)

        def by_moments(losses: torch.Tensor) -> None:
            mean, square = losses.detach().mean(), losses.detach().square().mean()
            if plain:
                mean, square = mean.item(), square.item()
            moments.observe(mean, mean_square=square, count=len(losses))

        ended(moments, twin, by_moments)
    assert difference(values(model), values(twin)) < WITHIN
    assert each.report()["second_moment"] == pytest.approx(moments.report()["second_moment"], rel=WITHIN)


def test_a_mean_alone_is_taken_as_if_all_losses_were_equal(variant: Variant) -> None:
    model, twin = network(torch.float64), network(torch.float64)
    mean, equal = variant(model.parameters()), variant(twin.parameters())
    ended(mean, model, lambda losses: mean.observe(losses.mean()))
    ended(equal, twin, lambda losses: equal.observe(losses.detach().mean().expand(8)))
    assert difference(values(model), values(twin)) < WITHIN
    report = mean.report()
    assert report["second_moment"] == pytest.approx(report["loss"] ** 2, rel=WITHIN)


def test_without_a_noise_at_the_start_it_is_the_mean_of_what_was_measured(make: Maker) -> None:
    parameter = nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer = make([parameter], initial_measurement_noise=None, measurement_noise_smoothing=0.5)
    for loss, noise in ((2.0, 4.0), (4.0, (0.5 * 0.5 * 4.0 + 0.5 * 16.0) / 0.75)):
        optimizer.predict()
        optimizer.update(loss)
        assert optimizer.filter_state()["measurement_noise"] == pytest.approx(noise, rel=1e-14)


@pytest.mark.parametrize("shape", [(8,), (8, 1), (2, 4), (2, 2, 2)])
def test_losses_of_any_shape(variant: Variant, shape: tuple[int, ...]) -> None:
    model, twin = network(), network()
    one, other = variant(model.parameters()), variant(twin.parameters())
    for optimizer, net, seen in ((one, model, (8,)), (other, twin, shape)):
        optimizer.predict()
        losses = losses_of(net, batch(0))
        optimizer.observe(losses.reshape(seen))
        losses.mean().backward()
        optimizer.step()
    assert same(values(model), values(twin))


def test_gradient_accumulation_equals_the_big_batch(make: Maker) -> None:
    """One predict, many observe, one step; micro-batches of unequal size."""
    model, twin = network(torch.float64), network(torch.float64)
    whole, parts = make(model.parameters(), weight_decay=0.01), make(twin.parameters(), weight_decay=0.01)
    for step in range(5):
        inputs, labels = batch(step, torch.float64, size=12)
        ended(whole, model, whole.observe, (inputs, labels))
        parts.zero_grad()
        parts.predict()
        for at, piece in enumerate((slice(0, 5), slice(5, 6), slice(6, 12))):
            losses = losses_of(twin, (inputs[piece], labels[piece]))
            if at == 1:
                parts.observe(losses.item())
            elif at == 2:
                parts.observe(losses.detach().mean(), mean_square=losses.detach().square().mean(), count=len(losses))
            else:
                parts.observe(losses)
            (losses.sum() / 12).backward()
        parts.step()
        assert difference(values(model), values(twin)) < 1e-11


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@hypothesis.given(
    losses=st.lists(st.floats(0.0, 1e3, width=32), min_size=1, max_size=12),
    cuts=st.sets(st.integers(1, 11), max_size=4),
)
def test_however_the_losses_are_cut(losses: list[float], cuts: set[int]) -> None:
    reports = []
    for places in ([], sorted(cuts)):
        parameter = nn.Parameter(torch.ones(2))
        optimizer = KoalaV([parameter])
        optimizer.predict()
        parameter.grad = torch.ones(2)
        bounds = [0, *(place for place in places if place < len(losses)), len(losses)]
        for start, end in zip(bounds, bounds[1:]):
            optimizer.observe(torch.tensor(losses[start:end]))
        optimizer.step()
        reports.append(optimizer.report())
    assert reports[0]["loss"] == pytest.approx(reports[1]["loss"], rel=1e-12)
    assert reports[0]["second_moment"] == pytest.approx(reports[1]["second_moment"], rel=1e-12)
    exact = math.fsum(losses) / len(losses)
    assert reports[0]["loss"] == pytest.approx(exact, rel=1e-12, abs=1e-300)


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
@hypothesis.given(variant=st.sampled_from(VARIANTS), power=st.integers(-8, 8), foreach=st.booleans())
def test_the_unit_of_the_loss_changes_nothing(variant: Variant, power: int, foreach: bool) -> None:
    """(L, g, R_0) -> (c L, c g, c^2 R_0); powers of two, so that no rounding differs."""
    unit = 2.0**power
    results = []
    for c in (1.0, unit):
        model = network(torch.float64)
        optimizer = variant(model.parameters(), initial_measurement_noise=c * c, foreach=foreach)
        for step in range(4):
            optimizer.zero_grad()
            optimizer.predict()
            losses = c * losses_of(model, batch(step, torch.float64))
            losses.mean().backward()
            optimizer.update(losses)
        results.append(values(model))
    assert difference(*results) < 1e-11


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["loss", "gradient", "parameter-mean"])
def test_what_is_not_finite_is_a_missing_measurement(make: Maker, bad: float, where: str) -> None:
    """Nothing but the prediction happens, as if there had been a step without any information."""
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    optimizer.zero_grad()
    optimizer.predict()
    predicted, noise = values(model), optimizer.filter_state()
    losses = losses_of(model, batch(2))
    losses.mean().backward()
    if where == "gradient":
        model[2].bias.grad[1] = bad
        optimizer.update(losses)
    elif where == "loss":
        seen = losses.detach().clone()
        seen[3] = bad
        optimizer.update(seen)
    else:
        optimizer.update(bad)
    assert same(values(model), predicted)
    report = optimizer.report()
    assert set(report["outcome"]) == {"missing"}
    assert report["missing_in_a_row"] == 1
    after = optimizer.filter_state()
    assert after["step"] == 3
    assert {k: after[k] for k in ("measurement_noise", "covariance")} == {
        k: noise[k] for k in ("measurement_noise", "covariance")
    }
    run_step(optimizer, model, 3)
    assert optimizer.report()["outcome"] == "measured"
    assert optimizer.report()["missing_in_a_row"] == 0
    assert all(torch.isfinite(value).all() for value in values(model))


def test_too_many_missing_measurements_are_an_error(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters(), missing_limit=3)
    for _ in range(2):
        optimizer.predict()
        optimizer.update(math.nan)
    optimizer.predict()
    with pytest.raises(
        TooManyMissing, match=r"3 measurements in a row were missing \(last cause: loss is NaN\); .* lower"
    ):
        optimizer.update(math.nan)
    # The step is over; who knows better goes on.
    run_step(optimizer, model, 0)
    assert optimizer.report()["outcome"] == "measured"
    assert issubclass(TooManyMissing, RuntimeError)


def test_a_parameter_without_gradient_is_left_alone(make: Maker, variant: Variant) -> None:
    model = network()
    optimizer = make(model.parameters(), weight_decay=0.1)
    optimizer.predict()
    losses = losses_of(model, batch(0))
    losses.mean().backward()
    model[0].bias.grad = None
    model[2].bias.grad.fill_(1e-12)
    start = values(model)
    optimizer.update(losses)
    # KOALA-A has no threshold: it does not look at one parameter alone.
    taking_part = variant.whole_model
    assert [torch.equal(x, y) for x, y in zip(values(model), start)] == [False, True, False, not taking_part]
    outcomes = [block["outcome"] for block in optimizer.report()["blocks"]]
    assert outcomes[1::2] == [
        {"skipped": "no-gradient"},
        "updated" if taking_part else {"skipped": "vanishing-gradient"},
    ]


def test_no_gradient_at_all_is_no_error(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    start = values(model)
    optimizer.predict()
    optimizer.update(torch.ones(4))
    assert same(values(model), start)
    assert optimizer.report()["outcome"] == "no-gradient"


def test_a_parameter_that_requires_no_gradient_does_not_move(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(3))
    model[0].requires_grad_(False)
    still = values(model[0])
    train(optimizer, model, range(3, 6))
    assert same(values(model[0]), still)
    assert not same(values(model[2]), still)
    model[0].requires_grad_(True)
    train(optimizer, model, range(6, 8))
    assert not any(torch.equal(x, y) for x, y in zip(values(model[0]), still))


def test_requires_grad_off_with_an_old_gradient(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for one, net in ((optimizer, model), (other, twin)):
        run_step(one, net, 0)
        net[0].bias.requires_grad_(False)
        if net is twin:
            net[0].bias.grad = None
        one.predict()
        losses = losses_of(net, batch(1))
        net[0].weight.grad = net[2].weight.grad = net[2].bias.grad = None
        losses.mean().backward()
        one.update(losses)
    assert_twins((optimizer, model), (other, twin), ())


def test_the_report_and_its_scalars(make: Maker) -> None:
    model = network()
    optimizer = make(model.named_parameters(), lr=0.5)
    assert optimizer.report() is None
    assert scalars(optimizer) == {}
    mean = run_step(optimizer, model, 0)
    report = optimizer.report()
    assert report["loss"] == pytest.approx(float(mean), rel=1e-6)
    flat = scalars(optimizer, prefix="k/")
    assert flat["k/loss"] == report["loss"]
    assert all(name.startswith("k/") and isinstance(value, float) for name, value in flat.items())
    assert len(scalars(optimizer, blocks=True)) > len(flat)
    assert "koala/0.weight/update_norm" in scalars(optimizer, blocks=True)
    assert filter_state(optimizer) == optimizer.filter_state()
    assert filter_state(optimizer)["step"] == 1
    assert not filter_state(optimizer)["predicted"]


@pytest.mark.parametrize("foreach", [None, True], ids=["rust", "foreach"])
def test_a_relative_target_is_a_share_of_the_first_loss(variant: Variant, foreach: bool | None) -> None:
    model = network()
    optimizer = variant(model.parameters(), target=0.5, target_rule="relative", foreach=foreach)
    first = None
    for step in range(30):
        run_step(optimizer, model, step)
        report = optimizer.report()
        first = first or report["loss"]
        assert report["target"] == pytest.approx(0.5 * first, rel=1e-12)
    twin = copy.deepcopy(model)
    other = variant(twin.parameters(), target=0.5 * first, foreach=foreach)
    other.load_state_dict(optimizer.state_dict())
    assert other.report() is None
    run_step(other, twin, 30)
    # It is part of the state.
    assert other.report()["target"] == pytest.approx(0.5 * first, rel=1e-12)
