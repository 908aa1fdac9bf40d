"""Fixtures of all tests: every optimizer through both engines."""

from __future__ import annotations

import os
from functools import partial

import pytest
import torch

# Before anything imports it: without a device, Triton's kernels are interpreted.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

from support import VARIANTS, Maker, Variant

import koala_optim


def pytest_report_header() -> str:
    return f"koala_optim: {koala_optim.__file__}, torch {torch.__version__}"


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors gain nothing from threads, and other processes may need them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=VARIANTS, ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    """Every variant of the optimizers, on the engine that the package chooses."""
    return request.param


@pytest.fixture(params=[False, True], ids=["rust", "foreach"])
def foreach(request: pytest.FixtureRequest) -> bool:
    """Both engines."""
    return request.param


@pytest.fixture
def make(variant: Variant, foreach: bool) -> Maker:
    """Makes every variant of the optimizers on both engines, as ``make(params, **settings)``."""
    return partial(variant, foreach=foreach)
