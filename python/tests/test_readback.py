"""A filter on the host reads back once in a step, one on the device never. Without a device, PyTorch's fake tensors stand in:
they have a device and no numbers, and whoever reads one is stopped."""

import pytest
import torch
from support import Variant
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from koala_optim.readback import Readback


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of each reading, which are made up."""
    found: list[int] = []

    def read(self: Readback) -> list[list[float]]:
        found.append(sum(isinstance(number, torch.Tensor) for values in self._sections for number in values))
        return [[1.0 if isinstance(x, torch.Tensor) else x for x in values] for values in self._sections]

    monkeypatch.setattr(Readback, "read", read)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("on_host", [True, False], ids=["host", "device"])
def test_how_often_a_step_reads(variant: Variant, dtype: torch.dtype, on_host: bool, reads: list[int]) -> None:
    policy = {"negative_residual": "error"} if on_host else {}
    with FakeTensorMode():
        parameters = [
            nn.Parameter(torch.empty(shape, dtype=dtype, device="cuda")) for shape in ((3, 4), (5,), (), (0,))
        ]
        optimizer = variant(parameters, weight_decay=0.1, decay_rule="coupled", **policy)
        for step in range(1, 5):
            optimizer.predict()
            optimizer.observe(torch.empty(8, device="cuda"))
            for parameter in parameters:
                parameter.grad = torch.empty_like(parameter)
            optimizer.step()
            assert len(reads) == step * on_host
    if on_host:
        assert optimizer.report()["outcome"] == "measured"
        assert reads[-1] > 10


def test_a_reading_is_noticed() -> None:
    with FakeTensorMode():
        with pytest.raises(DataDependentOutputException):
            float(torch.empty((), device="cuda"))
