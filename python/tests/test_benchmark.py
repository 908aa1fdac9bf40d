"""The training benchmark, on small files in the formats of the real data sets."""

import gzip
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support import python

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def neighbours(monkeypatch):
    """The benchmarks, which find each other as ``python benchmarks/train.py`` does."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("train", "training_step", "memory", "datasets", "networks")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def script(neighbours):
    """``train.py``."""
    import train

    return train


@pytest.fixture
def fashion_mnist(tmp_path):
    """Ten kinds of images that differ in one bright row."""
    for part, number in (("train", 96), ("t10k", 40)):
        labels = np.arange(number, dtype=np.uint8) % 10
        images = np.full((number, 28, 28), 20, dtype=np.uint8)
        images[np.arange(number), 2 * labels + 3] = 255
        head = struct.pack(">4sIII", b"\x00\x00\x08\x03", number, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
        head = struct.pack(">4sI", b"\x00\x00\x08\x01", number)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    return tmp_path


@pytest.mark.parametrize("optimizer", ["koala-v", "koala-m", "koala-pp", "koala-a", "sgd", "adamw"])
def test_every_optimizer_trains(script, fashion_mnist, optimizer, tmp_path, capsys):
    threads = torch.get_num_threads()
    command = [
        "--dataset",
        "fashion-mnist",
        "--data-dir",
        str(fashion_mnist),
        "--model",
        "cnn",
        "--optimizer",
        optimizer,
    ]
    command += ["--epochs", "4", "--batch-size", "16", "--log-every", "12", "--threads", "1"]
    try:
        result = script.main([*command, "--json", str(tmp_path / "result.json")])
    finally:
        torch.set_num_threads(threads)
    assert list(result.losses) == [12, 24]
    assert result.losses[24] < 0.7 * result.losses[12]
    assert 0.0 < result.optimizer_share < 1.0
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["arguments"][: len(command)] == command
    assert written["test_error"] == result.test_error
    assert f"test error {result.test_error:.2f} %" in capsys.readouterr().out


def test_cifar10_is_read_in_its_binary_format(script, tmp_path):
    import datasets

    for name, number in [(f"data_batch_{at}.bin", 2) for at in range(1, 6)] + [("test_batch.bin", 3)]:
        pixels = np.arange(3072) // 1024 * 100
        records = np.stack([np.concatenate([[label], pixels]) for label in range(number)])
        (tmp_path / name).write_bytes(records.astype(np.uint8).tobytes())
    train, test = datasets.load("cifar10", tmp_path)
    assert train.inputs.shape == (10, 3, 32, 32) and test.labels.tolist() == [0, 1, 2]
    expected = torch.tensor([0.0, 100.0, 200.0]) / 255 - torch.tensor([0.4914, 0.4822, 0.4465])
    expected /= torch.tensor([0.2470, 0.2435, 0.2616])
    torch.testing.assert_close(test.inputs[1].mean((1, 2)), expected, rtol=1e-4, atol=1e-4)


def test_resnet18_has_the_parameters_of_the_paper(script):
    import networks

    with torch.device("meta"):
        model = networks.resnet18()
        assert model(torch.empty(2, 3, 32, 32)).shape == (2, 10)
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_173_962


def test_files_that_are_missing_are_named(script, tmp_path):
    import datasets

    with pytest.raises(FileNotFoundError, match="data_batch_1.bin is missing"):
        datasets.load("cifar10", tmp_path)
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte.*--data-dir"):
        datasets.load("fashion-mnist", tmp_path)


def test_steps_in_backward_need_less_memory(neighbours):
    import memory

    rows = {name: memory.measured("GPT", name) for name in ("AdamW", "KOALA-V", "KOALA-V, in backward")}
    of = {name: (row["state_mebibytes"], row["step_mebibytes"]) for name, row in rows.items()}
    gradients = rows["AdamW"]["parameters"] * 4 / memory.MEBIBYTE
    assert of["KOALA-V"][0] == of["KOALA-V, in backward"][0] == 0.0
    assert of["AdamW"][0] >= 2.0 * gradients
    assert of["KOALA-V"][1] >= gradients > of["KOALA-V, in backward"][1]


def test_networks_of_the_recipes_have_the_programs_parameters(neighbours):
    import training_step

    # As `cargo bench --workspace --bench training_step -- --json` tells them; scripts/step_ratios.py refuses others.
    expected = {
        "mlp": 17_226,
        "cnn": 105_914,
        "lstm": 656_265,
        "transformer": 510_065,
        "gpt": 809_856,
        "resnet20": 269_722,
    }
    for name, parameters in expected.items():
        found = training_step.timed(name, "sgd", steps=1)
        assert found["parameters"] == parameters and all(math.isfinite(loss) for loss in found["losses"])


def test_shortcuts_of_the_small_residual_network_have_no_parameters(neighbours):
    import networks

    torch.manual_seed(0)
    block = networks.resnet20()[6]
    torch.nn.init.zeros_(block.branch[-1].weight)
    images = torch.randn(2, 16, 8, 8)
    found = block(images)
    assert found.shape == (2, 32, 4, 4)
    torch.testing.assert_close(found[:, 8:24], images[:, :, ::2, ::2].relu())
    assert not found[:, :8].any() and not found[:, 24:].any()


def test_the_check_of_a_device_needs_nothing_but_pytorch(tmp_path):
    """Neither of them is part of an installation of it."""
    script = """
import runpy, sys
for name in ("pytest", "safetensors"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
sys.argv = ["gpu.py", "--device", "cpu", "--tiny", "--only", "recordings", "one pass", "states", "layouts"]
runpy.run_path(sys.path[0] + "/gpu.py", run_name="__main__")
"""
    told = python(script, str(BENCHMARKS), folder=tmp_path, timeout=600.0)
    assert "0 of 4 sections failed" in told
