"""What the tests of other frameworks share."""

import importlib.util
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def example():
    """Loads a script of ``examples/`` by name."""

    def load(name):
        specification = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def trained_by_hand():
    """The loop without any framework: one step for each list of micro-batches."""

    def train(model, optimizer, losses_of, steps):
        for micro_batches in steps:
            optimizer.zero_grad()
            optimizer.predict()
            losses = [losses_of(model, batch) for batch in micro_batches]
            for some in losses:
                optimizer.observe(some)
            torch.cat(losses).mean().backward()
            optimizer.step()
        return model

    return train


@pytest.fixture
def assert_same():
    """Compares the parameters of two models."""

    def check(left, right, **tolerances):
        for (name, value), other in zip(left.named_parameters(), right.parameters(), strict=True):
            torch.testing.assert_close(value, other, msg=lambda text: f"{name}: {text}", **tolerances)

    return check
