"""What one optimizer step costs, beside PyTorch's own optimizers: ``python benchmarks/step.py``.

All contenders work on the same parameters and gradients in one process, one after the other, in several turns; a KOALA
step is predict, observe and step. Medians count, so that other work on the machine matters little; where there is much of
it, the best times, which are given beside them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import Parameter
from torch.optim import SGD, AdamW, Optimizer

import koala_optim
from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

STEPS = 12
# Steps of a turn that do not count: caches and PyTorch's threads are still busy with the contender before.
WARM_UP = 4

CONTENDERS: dict[str, Callable[[list[Parameter]], Optimizer]] = {
    "SGD momentum, fused": lambda x: SGD(x, lr=1e-9, momentum=0.9, fused=True),
    "SGD momentum, foreach": lambda x: SGD(x, lr=1e-9, momentum=0.9, foreach=True),
    "AdamW, fused": lambda x: AdamW(x, lr=1e-9, fused=True),
    "AdamW, foreach": lambda x: AdamW(x, lr=1e-9, foreach=True),
    "KOALA-V": lambda x: KoalaV(x, lr=1e-9),
    "KOALA-M": lambda x: KoalaM(x, lr=1e-9),
    "KOALA-M, fixed position noise": lambda x: KoalaM(x, lr=1e-9, position_noise=1e-3),
    "KOALA-M, fixed, stays predicted": lambda x: KoalaM(x, lr=1e-9, position_noise=1e-3, stay_predicted=True),
    "KOALA++": lambda x: KoalaPP(x, lr=1e-9),
    "KOALA-A": lambda x: KoalaA(x, lr=1e-9),
    "KOALA-A, stays predicted": lambda x: KoalaA(x, lr=1e-9, stay_predicted=True),
    "KOALA-A, without mean": lambda x: KoalaA(x, lr=1e-9, mean=None),
    "KOALA-A, without metric": lambda x: KoalaA(x, lr=1e-9, metric="none"),
    "KOALA-V, foreach": lambda x: KoalaV(x, lr=1e-9, foreach=True),
    "KOALA-M, foreach": lambda x: KoalaM(x, lr=1e-9, foreach=True),
    "KOALA-A, foreach": lambda x: KoalaA(x, lr=1e-9, foreach=True),
}
# What the others are compared with.
BESIDE = ("SGD momentum, fused", "AdamW, fused")


def resnet18() -> list[tuple[int, ...]]:
    """Shapes of ResNet-18's 11,173,962 parameters in the form for CIFAR: 3x3 stem, ten classes."""
    shapes: list[tuple[int, ...]] = [(64, 3, 3, 3), (64,), (64,)]
    inputs = 64
    for width in (64, 128, 256, 512):
        for block in range(2):
            shapes += [(width, inputs, 3, 3), (width,), (width,), (width, width, 3, 3), (width,), (width,)]
            if block == 0 and inputs != width:
                shapes += [(width, inputs, 1, 1), (width,), (width,)]
            inputs = width
    return [*shapes, (10, 512), (10,)]


def small() -> list[tuple[int, ...]]:
    """Shapes of 197 small tensors with a million parameters in all: a transformer of 24 layers of width 64."""
    layer = [(64,), (64,), (192, 64), (192,), (64, 64), (64,), (360, 64), (360,)]
    return [(500, 64), (64, 64), *(layer * 24), (64,), (64,), (500,)]


SIZES: dict[str, Callable[[], list[tuple[int, ...]]]] = {
    "resnet18": resnet18,
    "small": small,
    "100m": lambda: [(5_000_000,)] * 20,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--size", choices=SIZES, default="resnet18")
    arguments.add_argument("--turns", type=int, default=10)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument("--only", default="", help="part of the names of the contenders beside fused SGD and AdamW")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    parameters = [Parameter(0.05 * torch.randn(shape)) for shape in SIZES[options.size]()]
    for parameter in parameters:
        parameter.grad = 1e-3 * torch.randn(parameter.shape)
    losses = torch.rand(32)

    contenders = {name: make for name, make in CONTENDERS.items() if name in BESIDE or options.only in name}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(options.turns):
        for name, make in contenders.items():
            optimizer = make(parameters)
            for at in range(STEPS):
                start = time.perf_counter()
                if isinstance(optimizer, Koala):
                    optimizer.predict()
                    optimizer.observe(losses)
                optimizer.step()
                if at >= WARM_UP:
                    seconds[name].append(time.perf_counter() - start)
            del optimizer

    count = sum(parameter.numel() for parameter in parameters)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    best = {name: min(times) for name, times in seconds.items()}
    sgd, adamw = (medians[name] for name in BESIDE)
    rows = [
        {
            "optimizer": name,
            "milliseconds": 1e3 * median,
            "nanoseconds_per_parameter": 1e9 * median / count,
            "times_fused_sgd": median / sgd,
            "times_fused_adamw": median / adamw,
            "best_milliseconds": 1e3 * best[name],
            "best_times_fused_adamw": best[name] / best[BESIDE[1]],
        }
        for name, median in medians.items()
    ]
    about = {
        "parameters": count,
        "tensors": len(parameters),
        "threads": options.threads,
        "torch": torch.__version__,
        "koala_optim": koala_optim.__version__,
    }
    if options.json:
        print(json.dumps({**about, "rows": rows}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    columns = ("ms", "ns/parameter", "x fused SGD", "x fused AdamW", "best ms", "x best AdamW")
    print(f"{'optimizer':31s}", *(f"{column:>13s}" for column in columns))
    for row in rows:
        name, *numbers = row.values()
        print(f"{name:31s}", *(f"{number:13.2f}" for number in numbers))


if __name__ == "__main__":
    main()
