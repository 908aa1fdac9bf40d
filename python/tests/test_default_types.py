"""PyTorch's defaults of type and device are the user's: the package names its own."""

import pytest
import torch
from support import Maker, batch, losses_of, network, run_step, same, values
from torch.amp import GradScaler


@pytest.fixture(params=[torch.float64, torch.bfloat16, torch.float16], ids=str)
def default_type(request: pytest.FixtureRequest):
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaler"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_steps_are_those_under_the_usual_default(make: Maker, default_type, dtype: torch.dtype, scaled: bool) -> None:
    results = []
    for default in (default_type, torch.float32):
        torch.set_default_dtype(torch.float32)
        model, data = network(dtype), [batch(step, dtype) for step in range(3)]
        optimizer = make(model.parameters(), weight_decay=1e-2)
        torch.set_default_dtype(default)
        for inputs in data:
            scaler = GradScaler("cpu", init_scale=2.0**8, enabled=scaled)
            optimizer.zero_grad()
            optimizer.predict()
            losses = losses_of(model, inputs)
            optimizer.observe(losses)
            scaler.scale(losses.mean()).backward()
            scaler.step(optimizer)
            scaler.update()
        results.append((values(model), optimizer.filter_state()))
    assert same(results[0][0], results[1][0]) and results[0][1] == results[1][1]


def test_a_default_device_without_numbers(make: Maker) -> None:
    """What the package makes for itself is where its tensors are."""
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    run_step(other, twin, 0)
    data = batch(0)
    with torch.device("meta"):
        optimizer.zero_grad()
        optimizer.predict()
        losses = losses_of(model, data)
        losses.mean().backward()
        optimizer.update(losses)
    assert same(values(model), values(twin))
