"""The kernels of the device path: as they are where there is a device, elsewhere by Triton's interpreter, over CPU tensors."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from support import Variant, assert_near, difference, memory, nearing, network, python, same, values
from test_engines import LAYOUTS, made, plain, stepped, with_gaps
from test_trajectories import FILES, TOLERANCE, TYPES, replay
from torch import nn

from koala_optim import KoalaA, KoalaM, conformance
from koala_optim.device.reach import no_kernels

# An interpreter takes its time: what a device does in full, it does in part.
HERE = torch.cuda.is_available()
DEVICE = "cuda" if HERE else "cpu"
pytestmark = pytest.mark.skipif(
    no_kernels([torch.zeros(1, device=DEVICE)]) is not None, reason="Triton is not installed, or does not interpret"
)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.05, "decay_rule": "coupled", "max_update_norm": 0.01},
    {"weight_decay": 0.05, "decay_rule": "decoupled", "target": 0.5, "measurement_noise": 0.3},
    {"weight_decay": 0.05, "decay_rule": "coupled", "partition": "global", "max_update_norm": 0.02},
    {"target": 0.5, "target_rule": "offset", "initial_measurement_noise": None},
    {"target": 0.7, "target_rule": "relative", "weight_decay": 0.05, "decay_rule": "coupled", "measurement_noise": 0.3},
    {"target": 0.4, "target_rule": "relative", "partition": "global", "initial_measurement_noise": None},
]


@pytest.mark.parametrize(
    "path", [path for path in FILES if HERE or "-f32" not in path.stem], ids=lambda path: path.stem
)
def test_the_trajectory_is_repeated(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        tolerance = TOLERANCE[TYPES[file.metadata()["dtype"]]]
    worst = replay(path, device=DEVICE, fused=True)
    assert max(worst.values()) <= tolerance


@pytest.mark.parametrize("index", range(0, conformance.conformance_cases(), 1 if HERE else 16))
def test_conformance(index: int) -> None:
    assert conformance.check(conformance.case(index), device=DEVICE, fused=True) <= 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(variant: Variant, dtype: torch.dtype) -> None:
    results = []
    for engine in ({"fused": True}, {"foreach": True}):
        model = network(dtype).to(DEVICE)
        optimizer = variant(model.parameters(), weight_decay=0.01, **engine)
        steps(optimizer, model, range(4))
        results.append([*values(model), *memory(optimizer)])
    assert all(x.dtype == y.dtype for x, y in zip(*results))
    # Both compute in float32 and round once, to the nearest: what differs is the last bits of float32, by which a number may
    # fall to the other side of a boundary. That is one unit in the last place.
    assert difference(*results) <= torch.finfo(dtype).eps


def test_bfloat16_is_rounded_to_the_nearest_of_two_the_even_one() -> None:
    """Triton's interpreter cuts off; a device rounds. Kernels store the same by both."""
    from kernels_of_tests import copy

    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(-(2**31), 2**31, (4096,), generator=generator).to(torch.int32)
    # Half of them ties; then what is no number, or would carry into it.
    bits[:2048] = bits[:2048] >> 16 << 16 | 0x8000
    special = [0x7F800000, -0x800000, 0x7FFFFFFF, 0x7F800001, 0x7F7FFFFF, -1, 0, -(2**31), 1, 0x8000]
    bits[2048 : 2048 + len(special)] = torch.tensor(special, dtype=torch.int64).to(torch.int32)
    source = bits.view(torch.float32).to(DEVICE)
    target = torch.empty(4096, dtype=torch.bfloat16, device=DEVICE)
    copy[(1,)](source, target, 4096)
    expected = source.bfloat16()
    assert torch.equal(target.isnan(), expected.isnan())
    assert torch.equal(target[~expected.isnan()], expected[~expected.isnan()])


def test_a_target_that_comes_nearer_lowers_the_floor_of_gradients() -> None:
    results = []
    for engine in ({"fused": True}, {"foreach": True}):
        model = network(torch.float64).to(DEVICE)
        optimizer = KoalaA(model.parameters(), gradient_floor=0.9, **engine)
        nearing(optimizer, model, range(20))
        results.append((json.loads(optimizer.state_dict()["param_groups"][0]["filter"]), values(model)))
    assert_near(results[0][0], results[1][0])
    assert difference(results[0][1], results[1][1]) < 1e-11


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_whole_state_and_report_are_the_same(variant: Variant, settings: dict[str, Any]) -> None:
    """As by foreach operations: with something missing, something below its target, something without gradient."""
    results = []
    for engine in ({"fused": True}, {"foreach": True}):
        parameters = [nn.Parameter(x.detach().to(DEVICE)) for x in made(plain, torch.float64)]
        optimizer = variant(parameters, **settings, **engine)
        for step in range(7):
            optimizer.predict()
            generator = torch.Generator().manual_seed(step)
            for at, parameter in enumerate(parameters):
                given = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(DEVICE)
                parameter.grad = None if step == 4 and at == 1 else given
            if step == 2:
                parameters[0].grad[0, 0, 0, 0] = torch.nan
            if step == 5:
                parameters[3].grad.fill_(1e-12)
            losses = torch.rand(6, generator=generator, dtype=torch.float64).to(DEVICE) + 0.2 - 0.6 * (step == 3)
            optimizer.update(losses)
        state = json.loads(optimizer.state_dict()["param_groups"][0]["filter"])
        results.append((state, optimizer.report(), [*values(parameters), *memory(optimizer)]))
    assert_near(results[0][0], results[1][0])
    assert_near(results[0][1], results[1][1])
    assert difference(results[0][2], results[1][2]) < 1e-11


def test_groups_have_their_own_options(variant: Variant) -> None:
    results = []
    for engine in ({"fused": True}, {"foreach": True}):
        model = network(torch.float64).to(DEVICE)
        groups = [
            {"params": model[0].parameters(), "lr": 0.5},
            {"params": [model[2].weight], "weight_decay": 0.1, "decay_rule": "coupled"},
            {"params": [model[2].bias], "frozen": True},
        ]
        optimizer = variant(groups, **engine)
        steps(optimizer, model, range(3))
        optimizer.param_groups[2].update(frozen=False, weight_decay=0.1, decay_rule="decoupled")
        steps(optimizer, model, range(3, 6))
        results.append([*values(model), *memory(optimizer)])
    assert difference(*results) < 1e-11


def steps(optimizer, model: nn.Module, numbers: range) -> None:
    for step in numbers:
        optimizer.predict()
        for at, parameter in enumerate(model.parameters()):
            parameter.grad = 0.2 * parameter.detach() + 0.1 * torch.cos(parameter.detach() * (3 + step + at))
        optimizer.update(torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64, device=DEVICE))


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout is not with_gaps], ids=lambda f: f.__name__)
@pytest.mark.parametrize("gradient_layout", LAYOUTS[1:], ids=lambda f: f.__name__)
def test_layouts_in_memory_change_nothing(layout, gradient_layout) -> None:
    expected = made(plain, torch.float32)
    stepped(KoalaM(expected, foreach=True, weight_decay=0.02), expected, plain)
    found = [nn.Parameter(layout(x.detach()).to(DEVICE)) for x in made(plain, torch.float32)]
    optimizer = KoalaM(found, fused=True, weight_decay=0.02)
    stepped(optimizer, found, lambda x: gradient_layout(x).to(DEVICE))
    assert difference(values(expected), [x.cpu() for x in values(found)]) < 2e-6


def test_tensors_of_many_chunks_and_several_types() -> None:
    results = []
    for engine in ({"fused": True}, {"foreach": True}):
        generator = torch.Generator().manual_seed(0)
        kinds = (torch.float32, torch.float64, torch.float32)
        parameters = [
            nn.Parameter(torch.randn(size, generator=generator).to(DEVICE, kind))
            for size, kind in zip((300_001 if HERE else 140_001, 2_500, 7), kinds)
        ]
        optimizer = KoalaM(parameters, weight_decay=0.01, **engine)
        for step in range(3):
            optimizer.predict()
            for parameter in parameters:
                parameter.grad = torch.sin(parameter.detach() * (step + 2))
            optimizer.update(torch.ones(3, device=DEVICE))
        results.append(values(parameters))
    assert difference(*results) < 2e-6


def test_the_next_step_of_a_state_is_the_same_to_the_bit(variant: Variant) -> None:
    model, twin = network().to(DEVICE), network(seed=9).to(DEVICE)
    optimizer, other = variant(model.parameters(), fused=True), variant(twin.parameters(), fused=True)
    steps(optimizer, model, range(3))
    twin.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, net in ((optimizer, model), (other, twin)):
        steps(one, net, range(3, 5))
    assert same([*values(model), *memory(optimizer)], [*values(twin), *memory(other)])
    assert optimizer.filter_state() == other.filter_state()


def test_a_look_in_the_middle_of_a_step_changes_nothing(variant: Variant) -> None:
    """The kernels leave the time update of the numbers to the update; whoever looks before it has it done."""
    looked, plain_ = (network().to(DEVICE) for _ in range(2))
    optimizer, other = (variant(model.parameters(), fused=True) for model in (looked, plain_))
    for one, net in ((optimizer, looked), (other, plain_)):
        steps(one, net, range(2))
        one.predict()
        if one is optimizer:
            state = one.filter_state()
            assert state["predicted"] and state["step"] == 2
        for parameter in net.parameters():
            parameter.grad = torch.ones_like(parameter)
        one.update(torch.ones(2, device=DEVICE))
    # Else replicas of which one is looked at would drift.
    assert same([*values(looked), *memory(optimizer)], [*values(plain_), *memory(other)])
    assert optimizer.filter_state() == other.filter_state()


def test_what_there_are_no_kernels_for_is_said() -> None:
    gap = nn.Parameter(torch.ones(4, 6, device=DEVICE)[:, ::2])
    with pytest.raises(ValueError, match="fused=True, but parameter 0 is not dense in memory; leave fused out"):
        KoalaM([gap], fused=True).predict()
    with pytest.raises(ValueError, match="fused=True, but parameters are on 'meta', for which there are no kernels"):
        KoalaM([nn.Parameter(torch.ones(3, device="meta"))], fused=True).predict()
    with pytest.raises(ValueError, match="fused=True and foreach=True were given; leave one of them out"):
        KoalaM(network().parameters(), fused=True, foreach=True)


COMPILED = """
import inspect, sys, torch
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from triton.runtime.jit import JITFunction, mangle_type
import koala_optim, koala_optim.placement

launched, found = [], set()

def run(kernel, *arguments, grid=None, warmup=False, num_warps=4, enable_fp_fusion=True, **settings):
    given = inspect.signature(kernel.fn).bind(*arguments, **settings).arguments
    fixed = {p.name: given[p.name] for p in kernel.params if p.is_constexpr}
    signature = {p.name: "constexpr" if p.name in fixed else mangle_type(given[p.name]) for p in kernel.params}
    options = {"num_warps": num_warps, "enable_fp_fusion": enable_fp_fusion}
    made = compile(ASTSource(kernel, signature, fixed, {}), target=GPUTarget("cuda", 90, 32), options=options)
    launched.append(kernel.__name__)
    found.add(kernel.__name__)
    if kernel.__name__ == "displace":
        assert "ld.global.v4" in made.asm["ptx"], "not 16 bytes at a time"
    if kernel.__name__ in ("advance", "displace", "descend"):
        assert "fma.rn" not in made.asm["ptx"], "a step with the next prediction in it would not be the two to the bit"

JITFunction.run = run
koala_optim.placement.fuses = lambda *given: True
M, A = koala_optim.KoalaM, koala_optim.KoalaA

def stepped(method, given):
    kind = torch.bfloat16 if "stochastic_rounding" in given else torch.float32
    parameters = [torch.nn.Parameter(torch.zeros(2048, dtype=kind)) for _ in range(2)]
    optimizer = method(parameters, foreach=True, **given)
    for parameter in parameters:
        launched.clear()
        parameter.grad = torch.zeros_like(parameter)
        optimizer.predict()
        optimizer.update(torch.ones(3))
    print(len(launched), end=" ")
    return optimizer

for method, given in (
    (koala_optim.KoalaV, {}),
    (M, {}),
    (M, {"stay_predicted": True}),
    (M, {"stay_predicted": True, "position_noise": 1e-3}),
    (M, {"stay_predicted": True, "coast": False}),
    (koala_optim.KoalaPP, {}),
    (A, {}),
    (A, {"stay_predicted": True}),
    (A, {"stay_predicted": True, "metric": "none"}),
    (M, {"stay_predicted": True, "stochastic_rounding": True}),
    (koala_optim.KoalaPP, {"stochastic_rounding": True}),
    (A, {"stochastic_rounding": True}),
    (koala_optim.KoalaV, {"target_rule": "relative", "target": 0.5}),
    (koala_optim.KoalaPP, {"target_rule": "relative", "target": 0.5}),
    (A, {"target_rule": "relative", "target": 0.5}),
):
    optimizer = stepped(method, given)
    # A look in the middle of a step.
    launched.clear()
    if not optimizer.predicted:
        optimizer.predict()
    before = len(launched)
    optimizer.filter_state()
    assert launched[before:] == ["foresee"]

# Tensors that are spread over processes, of which nobody is here to add anything.
koala_optim.device.exchange.Shares.__bool__ = lambda shares: True
for method in (koala_optim.KoalaV, M, koala_optim.KoalaPP, A):
    stepped(method, {})
print(*sorted(found))
"""


def test_the_kernels_compile_for_a_device_that_is_not_here(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path / "cache")
    found = python(COMPILED, folder=tmp_path, timeout=300.0, environment=environment).split()
    kernels = (
        "adaptive advance blockwise descend displace find_floor fold follow foresee moments plus_plus products reduce turn "
        "weigh"
    )
    # Of a step with all gradients, as the methods stand there: KOALA-M and KOALA-A with the next prediction in it too.
    steps = ["3", "4", "3", "3", "3", "3", "6", "5", "3", "3", "3", "6", "3", "3", "6"]
    # Sums of tensors that are spread take one more, two with KOALA-M's deviations.
    assert found == [*steps, "4", "6", "4", "7", *kernels.split()]


def test_triton_is_imported_when_it_is_used(tmp_path: Path) -> None:
    program = """
import sys, torch, koala_optim
optimizer = koala_optim.KoalaM([torch.nn.Parameter(torch.ones(2))], foreach=True)
optimizer.predict()
optimizer.update(1.0)
print(any(name.startswith("koala_optim.device.fused.") for name in sys.modules))
"""
    assert python(program, folder=tmp_path).strip() == "False"
