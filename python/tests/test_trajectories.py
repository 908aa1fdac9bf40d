"""The recorded trajectories of fixtures/trajectories replay through the package: see FORMAT.md there."""

from pathlib import Path

import pytest
import torch
from replaying import FILES, TOLERANCE, TYPES, read, replay
from safetensors import safe_open
from support import FIXTURES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_are_read_as_safetensors_reads_them(path: Path) -> None:
    metadata, tensors = read(path)
    with safe_open(path, "pt") as file:
        assert metadata == file.metadata()
        assert tensors.keys() == set(file.keys())
        for name, tensor in tensors.items():
            assert torch.equal(tensor, file.get_tensor(name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_trajectory_is_repeated(path: Path, foreach: bool) -> None:
    tolerance = TOLERANCE[TYPES[read(path)[0]["dtype"]]]
    worst = replay(path, foreach=foreach)
    print(f"{path.stem}, foreach={foreach}: {worst}")
    assert max(worst.values()) <= tolerance


def test_all_trajectories_are_here() -> None:
    assert len(FILES) == 10


def test_a_wrong_filter_is_seen() -> None:
    """The comparison can fail: another R at the start is another trajectory."""
    worst = replay(FIXTURES / "trajectories" / "koala-m.safetensors", foreach=False, initial_measurement_noise=1.001)
    assert worst["parameters"] > 1e-6
