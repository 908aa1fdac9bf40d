"""Kernels that do a step and the next prediction in one pass over memory: ``stay_predicted``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import torch
from support import VARIANTS, Variant, assert_near, batch, difference, losses_of, memory, network, same, values
from test_kernels import DEVICE, HERE
from test_kernels import pytestmark as pytestmark
from torch import Tensor, nn

from koala_optim import Koala, KoalaA, KoalaM, TooManyMissing

MOVING = [variant for variant in VARIANTS if variant.method in (KoalaA, KoalaM)]
MOVING.append(Variant("m-stands", KoalaM, {"coast": False}, ("velocity", "average")))


@pytest.fixture(params=MOVING, ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


def with_faults(optimizer: Koala, model: nn.Module, steps: range = range(6)) -> None:
    """Steps without a measurement, with gradients of zeros, and without some of them."""
    for step in steps:
        optimizer.zero_grad()
        optimizer.predict()
        first, *others = model.parameters()
        inputs, labels = batch(step, first.dtype)
        losses = losses_of(model, (inputs.to(DEVICE), labels.to(DEVICE)))
        losses.mean().backward()
        if step in (1, 3):
            first.grad = None
        if step == 4:
            for parameter in others:
                parameter.grad.zero_()
        optimizer.observe(losses * float("nan") if step in (2, 3) else losses)
        optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_it_is_the_two_to_the_bit(variant: Variant, dtype: torch.dtype) -> None:
    pairs = []
    for stays in (True, False):
        model = network(dtype).to(DEVICE)
        # Decoupled decay ends in a product, which must be rounded before v is added to it.
        options = {"weight_decay": 0.05, "decay_rule": "decoupled", "fused": True, "stay_predicted": stays}
        optimizer = variant(model.parameters(), **options)
        with_faults(optimizer, model)
        pairs.append((optimizer, model))
    (staying, model), (apart, twin) = pairs
    assert staying.predicted and not apart.predicted
    apart.predict()
    assert same(values(model), values(twin))
    assert same(memory(staying), memory(apart))
    assert staying.filter_state() == apart.filter_state()
    assert staying.report() == apart.report()


ENGINES = ({"fused": True}, {"foreach": True}, {"foreach": False})


def test_kernels_foreach_operations_and_the_host_are_the_same(variant: Variant) -> None:
    """Whole states, reports, and the parameters in both phases."""
    found = []
    for engine in ENGINES if not HERE else ENGINES[:2]:
        model = network(torch.float64).to(DEVICE)
        groups = [
            {"params": model[0].parameters(), "weight_decay": 0.1},
            {"params": [model[2].weight], "lr": 0.5},
            {"params": [model[2].bias], "frozen": True},
        ]
        optimizer = variant(groups, stay_predicted=True, **engine)
        seen: list[tuple[Any, Any, list[Tensor]]] = []
        for steps in (range(3), range(3, 6)):
            with_faults(optimizer, model, steps)
            assert optimizer.predicted
            state = json.loads(optimizer.state_dict()["param_groups"][0]["filter"])
            assert state["phase"] == "predicted"
            before = values(model)
            with optimizer.posterior():
                posterior = values(model)
            assert same(values(model), before)
            assert not same(posterior, before)
            seen.append((state, optimizer.report(), [*before, *posterior, *memory(optimizer)]))
            # What was frozen is not, from here on.
            optimizer.param_groups[2]["frozen"] = False
        found.append(seen)
    for other in found[1:]:
        for (state, report, tensors), (its, its_report, its_tensors) in zip(found[0], other):
            assert_near(state, its)
            assert_near(report, its_report)
            assert difference(tensors, its_tensors) < 1e-11


def test_an_error_of_the_step_leaves_the_prediction_done(variant: Variant) -> None:
    """The step that finds too many missing has predicted too, and says so."""
    model, twin = network().to(DEVICE), network().to(DEVICE)
    optimizer = variant(model.parameters(), fused=True, stay_predicted=True, missing_limit=2)
    other = variant(twin.parameters(), fused=True, stay_predicted=True)
    for one, net in ((optimizer, model), (other, twin)):
        with_faults(one, net, range(2))
        for _ in range(2):
            one.predict()
            for parameter in net.parameters():
                parameter.grad = torch.ones_like(parameter)
            one.observe(float("nan"))
            try:
                one.step()
                # On a device it comes late: a look finds it.
                one.report()
            except TooManyMissing:
                assert one is optimizer
    assert optimizer.predicted and optimizer.observed == 0
    for one, net in ((optimizer, model), (other, twin)):
        with_faults(one, net, range(4, 6))
    assert same(values(model), values(twin))


# Numbers that are read or written, a parameter, staying and not: docs/gpu.md has the same table.
MOVED = {
    "m": (8, 13),
    "m-stands": (8, 13),
    "m-paper": (8, 12),
    "m-fixed": (6, 10),
    "a": (14, 18),
    "a-no-metric": (9, 13),
    "a-no-mean": (12, 16),
}


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """What kernels load and store, counted in numbers by address."""
    interpreter = pytest.importorskip("triton.runtime.interpreter")
    builder, counter = interpreter.interpreter_builder, Counter[int]()

    def counted(name: str, mask_at: int) -> None:
        before = getattr(builder, name)

        def run(pointers, *given):
            counter.update(pointers.data[given[mask_at].data].tolist())
            return before(pointers, *given)

        monkeypatch.setattr(builder, name, run)

    counted("create_masked_load", 0)
    counted("create_masked_store", 1)
    return counter


@pytest.mark.skipif(HERE, reason="counts in the interpreter")
@pytest.mark.parametrize("stays", [True, False])
def test_the_numbers_that_a_step_moves(variant: Variant, stays: bool, touched: Counter[int]) -> None:
    parameters = [nn.Parameter(torch.randn(size)) for size in (1500, 700)]
    optimizer = variant(parameters, fused=True, stay_predicted=stays)
    for _ in range(2):
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        touched.clear()
        optimizer.predict()
        optimizer.update(torch.ones(3))
    tensors = [
        *parameters,
        *(x.grad for x in parameters),
        *(v for x in parameters for v in optimizer.state[x].values()),
    ]
    ranges = [range(x.data_ptr(), x.data_ptr() + 4 * x.numel()) for x in tensors]
    moved = sum(count for address, count in touched.items() if any(address in one for one in ranges))
    assert moved == MOVED[variant.name][not stays] * 2200
