"""The runs of koala-filter's conformance suite through the package, and the command that runs them on any device."""

import dataclasses
import re

import pytest
import torch

from koala_optim import conformance, foreach

INDICES = range(conformance.conformance_cases())
TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def test_there_are_runs_of_every_method() -> None:
    names = [case.name for case in conformance.cases()]
    assert len(names) == len(set(names)) >= 64
    assert {name.split(",")[0] for name in names} == {"koala-v", "koala-m", "koala-pp", "koala-a"}


@pytest.mark.parametrize("index", INDICES)
def test_rust_agrees_to_the_bit(index: int) -> None:
    """It is the same code over the same slices."""
    assert conformance.check(conformance.case(index), within=0.0) == 0.0


@pytest.mark.parametrize("index", INDICES)
def test_foreach_agrees_to_rounding(index: int) -> None:
    assert conformance.check(conformance.case(index), foreach=True) <= 1e-5


@pytest.mark.parametrize("index", [at for at in INDICES if conformance.case(at).method == "koala-a"])
def test_the_sums_of_devices_agree(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several tensors in one operation, where they are not on the CPU."""
    monkeypatch.setattr(foreach, "_one_by_one", lambda tensor: False)
    assert conformance.check(conformance.case(index), foreach=True) <= 1e-5


@pytest.mark.parametrize("dtype", TYPES[1:], ids=str)
@pytest.mark.parametrize("index", INDICES[::5])
def test_other_types_agree_to_their_rounding(index: int, dtype: torch.dtype, foreach: bool) -> None:
    conformance.check(conformance.case(index), dtype=dtype, foreach=foreach or None)


def changed(case: conformance.Case, **settings) -> conformance.Case:
    return dataclasses.replace(case, settings={**case.settings, **settings})


def test_another_filter_disagrees() -> None:
    case = conformance.case(8)
    assert case.name == "koala-m"
    with pytest.raises(
        conformance.Disagreement, match=r"koala-m, step [01], after (step|predict): 'stem.weight' differs by"
    ):
        conformance.check(changed(case, **{"velocity-decay": 0.8}))


def test_another_outcome_disagrees() -> None:
    case = conformance.case(0)
    step = case.steps[0]
    step.report["blocks"][2]["outcome"] = "clamped"
    with pytest.raises(conformance.Disagreement, match=r"step 0, report: .*'body.0.bias': 'clamped'"):
        conformance.check(case)


@pytest.fixture
def three_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are stepped above."""
    monkeypatch.setattr(conformance, "conformance_cases", lambda: 3)


@pytest.mark.usefixtures("three_runs")
def test_the_command_says_what_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main(["--foreach"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1] == "3 of 3 runs agree on cpu in float32"
    assert all(re.match(r"agrees to \d\.\de[+-]\d\d   koala-", line) for line in lines[:-1])


@pytest.mark.usefixtures("three_runs")
def test_the_command_says_what_differs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "tolerance", lambda dtype: 1e-30)
    assert conformance.main(["--dtype", "float64"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("DIFFERS             koala-v") for line in lines[:-1])
    assert lines[-1] == "0 of 3 runs agree on cpu in float64"


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator")
@pytest.mark.parametrize("index", INDICES)
def test_the_accelerator_agrees(index: int) -> None:
    conformance.check(conformance.case(index), device=torch.accelerator.current_accelerator())
