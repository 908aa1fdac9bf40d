"""Fashion-MNIST and CIFAR-10 as tensors, read from the files in which their authors gave them out. Nothing is downloaded."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

# Mean and standard deviation of every channel of the training images, at intensities from 0 to 1.
_STATISTICS = {
    "fashion-mnist": ([0.2860], [0.3530]),
    "cifar10": ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
}
_DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
_CIFAR_RECORD = 1 + 3 * 32 * 32


@dataclass
class Images:
    """Images of one set, normalised by channel: ``inputs`` (n, channels, height, width), ``labels`` (n)."""

    inputs: Tensor
    labels: Tensor


def load(name: str, data_dir: Path | None) -> tuple[Images, Images]:
    """Training and test images of ``fashion-mnist`` or ``cifar10``.

    Raises:
        FileNotFoundError: naming the file that is missing and what to give.
    """
    pair = _fashion_mnist(data_dir or _DEBIAN_FASHION_MNIST) if name == "fashion-mnist" else _cifar10(data_dir)
    mean, deviation = (torch.tensor(values).reshape(1, -1, 1, 1) for values in _STATISTICS[name])
    return tuple(Images((pixels.float() / 255.0 - mean) / deviation, labels) for pixels, labels in pair)


def _fashion_mnist(folder: Path) -> list[tuple[Tensor, Tensor]]:
    return [
        (_idx(folder, f"{part}-images-idx3-ubyte").unsqueeze(1), _idx(folder, f"{part}-labels-idx1-ubyte").long())
        for part in ("train", "t10k")
    ]


def _idx(folder: Path, name: str) -> Tensor:
    """A file in the IDX format, as it is or with gzip: two zeros, type 8 (bytes), rank, extents, elements."""
    path = next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"{folder / name}[.gz] is missing; install Debian's dataset-fashion-mnist, or give --data-dir the folder that "
            "holds the four files of Fashion-MNIST"
        )
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is no IDX file of bytes")
    rank = data[3]
    extents = np.frombuffer(data, dtype=">i4", count=rank, offset=4).tolist()
    elements = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * rank).reshape(extents)
    return torch.from_numpy(elements.copy())


def _cifar10(folder: Path | None) -> list[tuple[Tensor, Tensor]]:
    if folder is None:
        raise FileNotFoundError("give --data-dir the folder of CIFAR-10's binary version, with data_batch_1.bin in it")
    below = folder / "cifar-10-batches-bin"
    folder = below if below.is_dir() else folder
    return [
        _cifar_records([folder / f"data_batch_{number}.bin" for number in range(1, 6)]),
        _cifar_records([folder / "test_batch.bin"]),
    ]


def _cifar_records(paths: list[Path]) -> tuple[Tensor, Tensor]:
    """Records of a label and 32 x 32 red, green and blue values."""
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; --data-dir must hold CIFAR-10's binary version")
    records = np.concatenate([np.fromfile(path, dtype=np.uint8) for path in paths]).reshape(-1, _CIFAR_RECORD)
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return torch.from_numpy(records[:, 1:].copy()).reshape(-1, 3, 32, 32), labels
