"""What a training step needs of memory, beside PyTorch's AdamW: ``python benchmarks/memory.py``.

Of each optimizer: the state that it keeps, and the most that is allocated at once in a step, beyond the parameters, as
PyTorch's profiler counts it. With steps in backward, a parameter moves as soon as its gradient is there, which is then let
go: gradients never are in memory all at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

import torch
from networks import gpt, resnet18
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.profiler import ProfilerActivity, profile

import koala_optim
from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

MEBIBYTE = 2.0**20

Make = Callable[[Iterable[nn.Parameter]], Optimizer]

CONTENDERS: dict[str, tuple[Make, bool]] = {
    "SGD momentum": (lambda x: torch.optim.SGD(x, lr=1e-3, momentum=0.9, fused=True), False),
    "AdamW": (lambda x: torch.optim.AdamW(x, lr=1e-3, fused=True), False),
    "KOALA-V": (KoalaV, False),
    "KOALA-V, in backward": (KoalaV, True),
    "KOALA-M": (KoalaM, False),
    "KOALA-M, fixed position noise": (lambda x: KoalaM(x, position_noise=1e-3), False),
    "KOALA-M, fixed position noise, in backward": (lambda x: KoalaM(x, position_noise=1e-3), True),
    "KOALA++, in backward": (KoalaPP, True),
    "KOALA-A": (KoalaA, False),
}


def images() -> tuple[nn.Module, Tensor, Tensor]:
    """ResNet-18, and two images of 32 x 32: with few, what an optimizer needs is most of all."""
    return resnet18(), torch.randn(2, 3, 32, 32), torch.randint(10, (2,))


def text() -> tuple[nn.Module, Tensor, Tensor]:
    """A GPT of four layers, and two windows of 64 characters."""
    tokens = torch.randint(65, (2, 65))
    return gpt(vocabulary=65, width=256, layers=4, heads=4, window=64), tokens[:, :-1], tokens[:, 1:]


NETWORKS = {"ResNet-18": images, "GPT": text}


def step(optimizer: Optimizer, model: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """One step of the usual loop."""
    optimizer.zero_grad()
    if isinstance(optimizer, Koala):
        optimizer.predict()
    outputs = model(inputs)
    losses = cross_entropy(outputs.flatten(0, -2), labels.flatten(), reduction="none")
    if isinstance(optimizer, Koala):
        optimizer.observe(losses)
    losses.mean().backward()
    del outputs, losses
    optimizer.step()


def peak(work: Callable[[], None]) -> int:
    """The most bytes beyond those at its start that were allocated at once."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    events = profiler.profiler.kineto_results.events()  # type: ignore[union-attr]
    allocated = most = 0
    for event in sorted((event for event in events if event.name() == "[memory]"), key=lambda event: event.start_ns()):
        allocated += event.nbytes()
        most = max(most, allocated)
    return most


def measured(network: str, name: str) -> dict[str, Any]:
    """One row of the table."""
    torch.manual_seed(0)
    make, in_backward = CONTENDERS[name]
    model, inputs, labels = NETWORKS[network]()
    optimizer = make(model.parameters())
    if in_backward:
        optimizer.step_in_backward()  # type: ignore[attr-defined]
    for _ in range(2):
        step(optimizer, model, inputs, labels)
    optimizer.zero_grad()
    found = peak(lambda: step(optimizer, model, inputs, labels))
    vectors = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    state = sum(vector.numel() * vector.element_size() for vector in vectors)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "network": network,
        "parameters": parameters,
        "optimizer": name,
        "state_mebibytes": state / MEBIBYTE,
        "step_mebibytes": found / MEBIBYTE,
        "bytes_a_parameter": (state + found) / parameters,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--network", choices=list(NETWORKS), help="one alone")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    chosen = [options.network] if options.network else list(NETWORKS)
    rows = [measured(network, name) for network in chosen for name in CONTENDERS]
    if options.json:
        print(json.dumps({"torch": torch.__version__, "koala_optim": koala_optim.__version__, "rows": rows}, indent=2))
        return
    print(f"torch {torch.__version__}, koala_optim {koala_optim.__version__}")
    print(f"{'network':10s} {'optimizer':44s} {'state MiB':>10s} {'step MiB':>10s} {'bytes/parameter':>16s}")
    for row in rows:
        print(
            f"{row['network']:10s} {row['optimizer']:44s} {row['state_mebibytes']:10.1f} {row['step_mebibytes']:10.1f} "
            f"{row['bytes_a_parameter']:16.1f}"
        )


if __name__ == "__main__":
    main()
