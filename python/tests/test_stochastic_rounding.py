"""Parameters in bfloat16 that are rounded up or down by chance: kernels and foreach operations draw the same."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest
import torch
from support import VARIANTS, Variant, batch, losses_of, memory, network, same, values
from test_kernels import DEVICE
from torch import Tensor, nn

from koala_optim import KoalaA, KoalaM, KoalaPP, KoalaV
from koala_optim.device.plan import Options, Part
from koala_optim.device.reach import no_kernels
from koala_optim.device.rounding import PREDICTION, UPDATE, Rounding, philox
from koala_optim.rows import Row

with_kernels = pytest.mark.skipif(no_kernels([torch.zeros(1, device=DEVICE)]) is not None, reason="no kernels")
ENGINES = [
    pytest.param({"foreach": True}, id="foreach"),
    pytest.param({"fused": True}, id="kernels", marks=with_kernels),
]


def rounded(value: Tensor, step: int = 0, *, seed: int = 0, position: int = 0, write: int = UPDATE) -> Tensor:
    part = Part([Row(position, nn.Parameter(value.bfloat16()), None, [])], [Options(0.0, "coupled", False)])
    matrix = part.pages.gather([value])
    (found,) = part.pages.views(Rounding(seed)(part, matrix, torch.tensor(float(step)), write))
    return found


def test_the_generator_is_philox() -> None:
    """Known answers of Random123 (kat_vectors, philox 4x32 10)."""
    ones = 0xFFFFFFFF
    cases = (
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ones,) * 4, (ones, ones), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    )
    for counter, (low, high), expected in cases:
        words = philox(low | high << 32, *(torch.tensor([word]) for word in counter))
        assert tuple(int(word) for word in words) == expected


@pytest.mark.parametrize("value", [1.0 + 2**-9, -3.0 - 2**-10, 1e-3, 70000.3, 1.0625 * 2.0**-130])
def test_it_is_unbiased(value: float) -> None:
    """How often it goes up is binomial: within five standard deviations, 6e-7 by chance."""
    given = torch.full((100_000,), value)
    exact = given[0].double()
    lower = (given[:1].view(torch.int32) >> 16 << 16).view(torch.float32)[0]
    upper = ((given[:1].view(torch.int32) >> 16) + 1 << 16).view(torch.float32)[0]
    found = rounded(given)
    assert set(found.tolist()) == {float(lower), float(upper)}
    chance = float((exact - lower.double()) / (upper.double() - lower.double()))
    deviation = math.sqrt(chance * (1.0 - chance) / len(found))
    assert abs(float((found == upper).double().mean()) - chance) < 5.0 * deviation


def test_what_can_be_represented_is_left_alone() -> None:
    every = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.bfloat16).float()
    found = rounded(every)
    assert torch.equal(found.isnan(), every.isnan())
    assert torch.equal(found[~every.isnan()], every[~every.isnan()])


def test_seed_step_tensor_place_and_pass_change_what_is_drawn() -> None:
    given = torch.full((4096,), 1.0 + 2**-8)
    found = [
        rounded(given),
        rounded(given, 1),
        rounded(given, seed=1),
        rounded(given, seed=1 << 32),
        rounded(given, position=1),
        rounded(given, write=PREDICTION),
        rounded(given).roll(1),
    ]
    for at, one in enumerate(found):
        for other in found[at + 1 :]:
            # Independent of each other: a half differs, within five standard deviations of 32.
            assert abs(int((one != other).sum()) - 2048) < 160
    assert torch.equal(rounded(given), found[0])


def steps(optimizer, model: nn.Module, numbers: range) -> None:
    for step in numbers:
        optimizer.zero_grad()
        optimizer.predict()
        inputs, labels = batch(step, next(model.parameters()).dtype)
        losses = losses_of(model, (inputs.to(DEVICE), labels.to(DEVICE)))
        losses.mean().backward()
        if step == 1:
            model[0].weight.grad = None
        optimizer.observe(losses * math.nan if step == 2 else losses)
        optimizer.step()


def trained(variant: Variant, steps_: int = 4, **settings: Any):
    model = network(torch.bfloat16).to(DEVICE)
    optimizer = variant(model.parameters(), weight_decay=0.01, stochastic_rounding=True, **settings)
    steps(optimizer, model, range(steps_))
    return optimizer, model


@with_kernels
def test_kernels_and_foreach_operations_draw_the_same(variant: Variant) -> None:
    (one, model), (other, twin) = (trained(variant, **engine) for engine in ({"fused": True}, {"foreach": True}))
    assert same(values(model), values(twin))
    for left, right in zip(memory(one), memory(other)):
        # Second moments and means are added up in another order; KOALA-M's mean is rounded after that.
        assert torch.allclose(left, right, rtol=2**-7 if left.dtype is torch.bfloat16 else 1e-5, atol=0.0)
    plain = network(torch.bfloat16).to(DEVICE)
    steps(variant(plain.parameters(), weight_decay=0.01, foreach=True), plain, range(4))
    assert not same(values(model), values(plain))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.name in ("m", "pp", "a")], ids=lambda v: v.name)
def test_resumed_and_copied_it_goes_on_to_the_bit(variant: Variant, engine: dict[str, Any]) -> None:
    optimizer, model = trained(variant, 3, rounding_seed=5, **engine)
    twin = copy.deepcopy(model)
    other = variant(twin.parameters(), weight_decay=0.01, stochastic_rounding=True, rounding_seed=5, **engine)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    both = pickle.loads(pickle.dumps((optimizer, model)))
    for one, net in ((optimizer, model), (other, twin), both):
        steps(one, net, range(3, 5))
    assert same(values(model), values(twin))
    assert same(values(model), values(both[1]))
    assert not same(values(model), values(trained(variant, 5, rounding_seed=6, **engine)[1]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.name in ("m", "a")], ids=lambda v: v.name)
def test_a_step_with_the_next_prediction_in_it_is_the_two_to_the_bit(variant: Variant, engine: dict[str, Any]) -> None:
    _, model = trained(variant, stay_predicted=True, **engine)
    apart, twin = trained(variant, **engine)
    apart.predict()
    assert same(values(model), values(twin))


def test_steps_in_backward_draw_what_steps_after_it_do() -> None:
    results = []
    for early in (True, False):
        model = network(torch.bfloat16)
        optimizer = KoalaM(model.parameters(), stochastic_rounding=True, foreach=True)
        if early:
            optimizer.step_in_backward()
        for step in range(3):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, batch(step, torch.bfloat16))
            optimizer.observe(losses)
            losses.mean().backward()
            optimizer.step()
        results.append(values(model))
    assert same(*results)


@pytest.mark.parametrize("engine", ENGINES)
def test_small_steps_add_up(engine: dict[str, Any]) -> None:
    """Each step is a sixteenth of bfloat16's precision: rounded to the nearest, x stands still; by chance, it arrives."""
    ended = {}
    for by_chance in (False, True):
        parameter = nn.Parameter(torch.full((256,), 1.5, dtype=torch.bfloat16, device=DEVICE))
        # With a fixed R that is large, x moves by lr l p / R along g: about 2^-11, where numbers are 2^-7 apart.
        optimizer = KoalaV(
            [parameter],
            lr=2.0**-11,
            measurement_noise=1e6,
            initial_covariance=1e6,
            process_noise=0.0,
            stochastic_rounding=by_chance,
            **engine,
        )
        for _ in range(40):
            optimizer.predict()
            parameter.grad = torch.full_like(parameter, 2.0**-12)
            optimizer.update(torch.tensor(2.0**12, device=DEVICE))
        ended[by_chance] = parameter.detach().float()
    assert bool((ended[False] == 1.5).all())
    moved = 1.5 - ended[True]
    # A sum of 40 draws each: mean about 40 * 2^-11, and of 256 of them within five standard deviations.
    expected, spread = 40 * 2.0**-11, math.sqrt(40 * 15) / 16 * 2.0**-7 / math.sqrt(256)
    assert abs(float(moved.mean()) - expected) < 5 * spread


def test_other_types_are_rounded_as_ever() -> None:
    results = []
    for by_chance in (True, False):
        model = network()
        steps_of = KoalaM(model.parameters(), stochastic_rounding=by_chance, foreach=True)
        for step in range(3):
            steps_of.zero_grad()
            steps_of.predict()
            losses = losses_of(model, batch(step))
            losses.mean().backward()
            steps_of.update(losses)
        results.append(values(model))
    assert same(*results)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"foreach": False},
            "stochastic_rounding=True, but foreach=False leaves the step to Rust; leave one of them out",
        ),
        ({"negative_residual": "error"}, "stochastic_rounding=True, but negative_residual='error' is an error"),
    ],
)
def test_where_it_is_not_offered_it_says_so(settings: dict[str, Any], message: str) -> None:
    optimizer = KoalaM([nn.Parameter(torch.ones(3, dtype=torch.bfloat16))], stochastic_rounding=True, **settings)
    with pytest.raises(ValueError, match=message):
        optimizer.predict()


@pytest.mark.parametrize("method", [KoalaV, KoalaM, KoalaPP, KoalaA])
def test_what_cannot_be_a_setting_of_it(method) -> None:
    x = [nn.Parameter(torch.ones(2))]
    with pytest.raises(ValueError, match="stochastic_rounding = 1: must be True or False"):
        method(x, stochastic_rounding=1)
    with pytest.raises(ValueError, match="rounding_seed = -1: must be a whole number, at least 0 and below 2\\*\\*63"):
        method(x, rounding_seed=-1)


def test_nothing_is_read(variant: Variant) -> None:
    parameters = [nn.Parameter(torch.empty(shape, dtype=torch.bfloat16, device="meta")) for shape in ((3, 4), (0,), ())]
    optimizer = variant(parameters, stochastic_rounding=True)
    for _ in range(2):
        optimizer.predict()
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
        optimizer.observe(torch.empty(8, device="meta"))
        optimizer.step()
