"""The filter on the device: a step in which the host reads nothing, and what of it is read later.

Meta tensors have no numbers: whoever reads one is stopped, so that a step over them is the test that nothing is read.
"""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
import torch
from support import (
    VARIANTS,
    Variant,
    assert_near,
    difference,
    losses_of,
    memory,
    nearing,
    network,
    run_step,
    same,
    train,
    values,
)
from support import batch as batch_of
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from koala_optim import KoalaA, KoalaM, KoalaV, TooManyMissing, scalars

SETTINGS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.05, "decay_rule": "coupled"},
    {"weight_decay": 0.05, "decay_rule": "decoupled"},
    {"weight_decay": 0.05, "decay_rule": "coupled", "partition": "global"},
    {"max_update_norm": 0.01, "lr": 0.7},
    {"target": 0.5, "measurement_noise": 0.3},
    {"target": 0.5, "negative_residual": "allow"},
    {"target": 0.5, "target_rule": "offset", "initial_measurement_noise": 2.0, "measurement_noise_smoothing": 0.5},
    {"target": 0.4, "target_rule": "relative", "weight_decay": 0.05, "decay_rule": "coupled"},
    {"target": 0.9, "target_rule": "relative", "initial_measurement_noise": None, "negative_residual": "allow"},
    {"initial_measurement_noise": None},
]
GAIN_ONLY = {"weight_decay": 0.05, "decay_rule": "gain-only"}
SHAPES = ((3, 4), (5,), (), (0,), (2, 3, 4, 5))


def meta_step(optimizer, parameters: list[nn.Parameter], observe) -> None:
    optimizer.predict()
    observe(optimizer)
    for parameter in parameters:
        parameter.grad = torch.empty_like(parameter)
    parameters[1].grad = None
    optimizer.step()


def in_one_piece(optimizer) -> None:
    optimizer.observe(torch.empty(8, device="meta"))


def in_pieces(optimizer) -> None:
    for size in (3, 5):
        optimizer.observe(torch.empty(size, device="meta"))
    optimizer.observe(torch.empty((), device="meta"), mean_square=torch.empty((), device="meta"), count=4)
    optimizer.observe(1.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("settings", [*SETTINGS, GAIN_ONLY], ids=str)
def test_nothing_is_read(variant: Variant, settings: dict[str, Any], dtype: torch.dtype) -> None:
    if settings is GAIN_ONLY and not issubclass(variant.method, (KoalaV, KoalaM)):
        pytest.skip("no such decay")
    parameters = [nn.Parameter(torch.empty(shape, dtype=dtype, device="meta")) for shape in SHAPES]
    optimizer = variant(parameters, **settings)
    for observe in (in_one_piece, in_pieces, in_one_piece):
        meta_step(optimizer, parameters, observe)
    assert not optimizer.predicted


def test_nothing_is_read_of_groups_gains_and_scales(variant: Variant) -> None:
    parameters = [nn.Parameter(torch.empty(shape, device="meta")) for shape in SHAPES]
    gain = torch.empty((), device="meta")
    groups = [
        {"params": parameters[:1]},
        {"params": parameters[1:3], "weight_decay": 0.1, "lr": 0.5},
        {"params": parameters[3:4], "frozen": True},
        {"params": parameters[4:], "weight_decay": 0.1, "decay_rule": "decoupled"},
    ]
    optimizer = variant(groups)
    # What an optimizer is made with is checked, and so read.
    optimizer.param_groups[0]["lr"] = gain
    for _ in range(2):
        optimizer.grad_scale, optimizer.found_inf = torch.empty((), device="meta"), torch.empty((), device="meta")
        optimizer.predict()
        in_one_piece(optimizer)
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
        optimizer.found_inf = torch.empty((), device="meta")
        del optimizer.grad_scale
        optimizer.step()


def test_a_reading_is_noticed(variant: Variant) -> None:
    parameters = [nn.Parameter(torch.empty(shape, device="meta")) for shape in SHAPES]
    optimizer = variant(parameters)
    meta_step(optimizer, parameters, in_one_piece)
    for look in (optimizer.report, optimizer.filter_state, optimizer.state_dict):
        with pytest.raises(NotImplementedError, match="meta"):
            look()


class Launches(TorchDispatchMode):
    """Counts the operations that are a launch on a device: not views, allocations and numbers of the host."""

    VIEWS = ("view", "alias", "unbind", "slice", "select", "as_strided", "unsqueeze", "expand", "t", "detach")
    NONE = (*VIEWS, "empty", "scalar_tensor", "_record_function_enter_new", "_record_function_exit")

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):
        name = operation._schema.name.removeprefix("aten::").removeprefix("profiler::")
        if name not in self.NONE:
            lists = [x for x in arguments if isinstance(x, (list, tuple)) and x and isinstance(x[0], Tensor)]
            scalars = name.startswith("_foreach") and any(y.dim() == 0 for x in lists[1:] for y in x)
            # A list of numbers on the device is one launch for each of them.
            self.names += [name] * (len(lists[0]) if scalars else 1)
        return operation(*arguments, **(keywords or {}))


def launches(method, count: int, **settings: Any) -> list[str]:
    parameters = [nn.Parameter(torch.empty(7, 3, device="meta")) for _ in range(count)]
    optimizer = method(parameters, **settings)
    for _ in range(3):
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
        losses = torch.empty(8, device="meta")
        with Launches() as counted:
            optimizer.predict()
            optimizer.observe(losses)
            optimizer.step()
    return counted.names


def test_a_step_of_koala_m_is_few_launches() -> None:
    names = launches(KoalaM, 200)
    assert len(names) <= 41, names
    assert "_foreach_add_" in names


def test_the_number_of_tensors_changes_no_number_of_launches(variant: Variant) -> None:
    assert len(launches(variant, 3)) == len(launches(variant, 60))


def engines(variant: Variant, dtype: torch.dtype = torch.float64, **settings: Any):
    """The same training by the filter on the host and on the device."""
    pairs = []
    for foreach in (False, True):
        model = network(dtype)
        pairs.append((variant(model.parameters(), foreach=foreach, **settings), model))
    return pairs


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_whole_report_is_the_same(variant: Variant, settings: dict[str, Any]) -> None:
    (host, model), (device, twin) = engines(variant, **settings)
    for step in range(6):
        run_step(host, model, step)
        run_step(device, twin, step)
        expected, found = scalars(host, blocks=True), scalars(device, blocks=True)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
        assert device.report()["outcome"] == host.report()["outcome"]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_whole_state_is_the_same(variant: Variant, settings: dict[str, Any]) -> None:
    """Counters too, after steps in which something was missing, below its target or without gradient."""
    pairs = engines(variant, **settings)
    for optimizer, model in pairs:
        for step in range(8):
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, batch_of(step, torch.float64))
            losses.mean().backward()
            if step in (2, 3):
                model[0].weight.grad[0, 0] = math.nan
            if step == 5:
                model[0].bias.grad = None
            optimizer.update(losses.detach() * (math.inf if step == 6 else 0.0 if step == 4 else 1.0))
    states = [json.loads(optimizer.state_dict()["param_groups"][0]["filter"]) for optimizer, _ in pairs]
    assert_near(states[1], states[0])
    assert difference(memory(pairs[0][0]), memory(pairs[1][0])) < 1e-11
    assert difference(values(pairs[0][1]), values(pairs[1][1])) < 1e-11


def fading(optimizer, model: nn.Module, steps: range) -> None:
    """Losses that fall with their gradients, as after a perfect fit."""
    for step in steps:
        optimizer.zero_grad()
        optimizer.predict()
        losses = losses_of(model, batch_of(step, torch.float64)) * 0.3**step
        optimizer.observe(losses)
        losses.mean().backward()
        optimizer.step()


def test_a_target_that_comes_nearer_lowers_the_floor_of_gradients() -> None:
    pairs = []
    for floor, foreach in ((0.9, False), (0.9, True), (0.0, True)):
        model = network(torch.float64)
        pairs.append((KoalaA(model.parameters(), gradient_floor=floor, foreach=foreach), model))
        nearing(*pairs[-1], range(20))
    (host, model), (device, twin), (_, without) = pairs
    assert_near(
        json.loads(device.state_dict()["param_groups"][0]["filter"]),
        json.loads(host.state_dict()["param_groups"][0]["filter"]),
    )
    assert difference(values(model), values(twin)) < 1e-11
    assert difference(values(model), values(without)) > 1e-3


@pytest.mark.parametrize("foreach", [False, True])
def test_a_state_of_before_goes_on_without_a_floor_of_gradients(foreach: bool) -> None:
    def trained(floor: float, start: dict[str, Any] | None) -> tuple[nn.Module, dict[str, Any]]:
        model = network(torch.float64)
        fading(KoalaA(model.parameters(), gradient_floor=0.0), model, range(3))
        optimizer = KoalaA(model.parameters(), gradient_floor=floor, foreach=foreach)
        if start is not None:
            optimizer.load_state_dict(copy.deepcopy(start))
        fading(optimizer, model, range(3, 6))
        state = copy.deepcopy(optimizer.state_dict())
        fading(optimizer, model, range(6, 12))
        return model, state

    model = network(torch.float64)
    first = KoalaA(model.parameters(), gradient_floor=0.0)
    fading(first, model, range(3))
    new, old = copy.deepcopy(first.state_dict()), copy.deepcopy(first.state_dict())
    of_filter = json.loads(old["param_groups"][0]["filter"])
    of_method = of_filter["method"]["koala-a"]
    del of_method["gradients"], of_method["config"]["gradient-floor"]
    old["param_groups"][0]["filter"] = json.dumps(of_filter)
    (without, _), (resumed, state) = trained(0.0, new), trained(0.4, old)
    assert same(values(without), values(resumed))
    assert json.loads(state["param_groups"][0]["filter"])["method"]["koala-a"]["gradients"] is None
    assert difference(values(without), values(trained(0.4, None)[0])) > 1e-3


def test_a_report_stands_until_the_next_step(variant: Variant) -> None:
    model = network()
    optimizer = variant(model.parameters(), foreach=True)
    assert optimizer.report() is None
    train(optimizer, model, range(2))
    report = optimizer.report()
    optimizer.predict()
    assert optimizer.report() == report
    assert report["step"] == 1


def test_an_optimizer_goes_from_host_to_device_and_back(variant: Variant) -> None:
    model, twin = network(torch.float64), network(torch.float64)
    wandering, steady = variant(model.parameters(), foreach=False), variant(twin.parameters(), foreach=False)
    for step in range(6):
        wandering._foreach = step % 2 == 1
        run_step(wandering, model, step)
        run_step(steady, twin, step)
    assert difference(values(model), values(twin)) < 1e-11
    assert wandering.filter_state()["step"] == 6


def test_what_is_missing_moves_no_number_into_anything(variant: Variant) -> None:
    parameters = [nn.Parameter(torch.ones(shape)) for shape in SHAPES]
    optimizer = variant(parameters, foreach=True, weight_decay=0.1)
    for step in range(4):
        optimizer.predict()
        before = values(parameters)
        for parameter in parameters:
            parameter.grad = torch.full_like(parameter, math.nan if step == 2 else 0.5)
        optimizer.update(torch.ones(3))
        moved = not same(values(parameters), before)
        assert moved == (step != 2)
    assert all(torch.isfinite(x).all() for x in [*values(parameters), *memory(optimizer)])


def test_a_gain_on_the_device_is_taken_as_it_is_in_the_step() -> None:
    model, twin = network(), network()
    gain = torch.tensor(0.25)
    on_device, number = (
        KoalaM(model.parameters(), lr=gain, foreach=True),
        KoalaM(twin.parameters(), lr=0.25, foreach=True),
    )
    for step in range(4):
        run_step(on_device, model, step)
        run_step(number, twin, step)
        gain.fill_(0.5)
        number.param_groups[0]["lr"] = 0.5
    assert same(values(model), values(twin))
    assert on_device.state_dict()["param_groups"][0]["filter"] == number.state_dict()["param_groups"][0]["filter"]


def test_too_many_missing_is_seen_by_a_look() -> None:
    """On the CPU the step itself looks; a report does wherever the parameters are."""
    optimizer = KoalaM(network().parameters(), foreach=True, missing_limit=2)
    optimizer.predict()
    optimizer.update(math.nan)
    assert set(optimizer.report()["outcome"]) == {"missing"}
    optimizer.predict()
    with pytest.raises(TooManyMissing, match="2 measurements in a row were missing"):
        optimizer.update(math.nan)
    with pytest.raises(TooManyMissing):
        optimizer.report()
    assert optimizer.filter_state()["step"] == 2


def test_all_variants_have_a_name() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
