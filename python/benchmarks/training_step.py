"""What a whole training step costs in PyTorch: ``python benchmarks/training_step.py --networks cnn,gpt``.

Forward, backward and step of the networks that the program's recipes train, in eager mode. The other side is ``cargo bench
--workspace --bench training_step``, with the same networks, batches and keys; ``scripts/step_ratios.py`` runs both in turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import networks
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, AdamW

VOCABULARY = 65
# Steps that do not count: memory is taken, caches are filled.
WARM_UP = 2

IMAGES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: networks.mlp(64), (64, 1, 8, 8)),
    "cnn": (lambda: networks.cnn(1), (128, 1, 28, 28)),
    "resnet20": (networks.resnet20, (32, 3, 32, 32)),
    "resnet18": (networks.resnet18, (32, 3, 32, 32)),
}
TEXTS: dict[str, Callable[[], nn.Module]] = {
    "lstm": lambda: networks.lstm(VOCABULARY),
    "transformer": lambda: networks.transformer(VOCABULARY),
    "gpt": lambda: networks.gpt(VOCABULARY, 128, 4, 4, 64, dropout=0.2, tied=True),
}
NAMES = ("mlp", "cnn", "lstm", "transformer", "gpt", "resnet20", "resnet18")
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "adamw": lambda model: AdamW(model.parameters(), lr=1e-3, fused=True),
    "sgd": lambda model: SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True),
}


def batch(name: str) -> tuple[Tensor, Tensor]:
    if name in IMAGES:
        shape = IMAGES[name][1]
        return torch.randn(shape), torch.arange(shape[0]) * 7 % 10
    tokens = torch.arange(32 * 64)
    return (tokens * 11 % VOCABULARY).reshape(32, 64), tokens * 13 % VOCABULARY


def status(key: str) -> int:
    """Bytes, as Linux tells them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))


def timed(name: str, optimizer_name: str, steps: int) -> dict[str, object]:
    torch.manual_seed(0)
    inputs, targets = batch(name)
    before = status("VmRSS:")
    model = IMAGES[name][0]() if name in IMAGES else TEXTS[name]()
    optimizer = OPTIMIZERS[optimizer_name](model)
    times, forwards, optimizers, means = [], [], [], []
    processor = 0.0
    for step in range(steps + WARM_UP):
        if step == WARM_UP:
            processor = time.process_time()
        start = time.perf_counter()
        losses = cross_entropy(model(inputs).flatten(0, -2), targets, reduction="none")
        means.append(losses.mean().item())
        forward = time.perf_counter()
        optimizer.zero_grad()
        losses.mean().backward()
        backward = time.perf_counter()
        optimizer.step()
        end = time.perf_counter()
        if step >= WARM_UP:
            times.append(end - start)
            forwards.append(forward - start)
            optimizers.append(end - backward)
    processor = time.process_time() - processor
    return {
        "side": "pytorch",
        "network": name,
        "optimizer": optimizer_name,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "milliseconds": 1e3 * statistics.median(times),
        "processor_milliseconds": 1e3 * processor / steps,
        "forward_milliseconds": 1e3 * statistics.median(forwards),
        "optimizer_milliseconds": 1e3 * statistics.median(optimizers),
        "bytes": status("VmHWM:") - before,
        "losses": [means[0], means[-1]],
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--networks", default=",".join(NAMES), help="one after the other, with commas between")
    arguments.add_argument("--optimizers", default="adamw", help="adamw and sgd, both fused")
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.networks.split(","):
        for optimizer in options.optimizers.split(","):
            print(json.dumps(timed(name, optimizer, options.steps)), flush=True)


if __name__ == "__main__":
    main()
