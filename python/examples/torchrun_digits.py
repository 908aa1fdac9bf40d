"""Trains a network on handwritten digits across processes, here or on many machines:

    torchrun --nproc-per-node 2 examples/torchrun_digits.py

Every process takes its share of each minibatch; PyTorch averages the gradients, the optimizer gathers the losses, and so
all processes have the same parameters and the same filter. Data: digits.csv.gz of this repository (8x8 pixels; UCI, CC
BY 4.0), or ``--data`` for a file of the same form.
"""

from __future__ import annotations

import argparse
import gzip
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import koala_optim

DIGITS = Path(__file__).parents[2] / "crates" / "koala-data" / "assets" / "digits.csv.gz"
TRAINED_ON = 1500


def read(path: Path) -> tuple[Tensor, Tensor]:
    """Images of 64 numbers from 0 to 1, and their classes."""
    with gzip.open(path, "rt") as file:
        rows = torch.tensor([[int(value) for value in line.split(",")] for line in file if line.strip()])
    return rows[:, :64] / 16.0, rows[:, 64]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, default=DIGITS)
    arguments.add_argument("--method", choices=["KoalaV", "KoalaM", "KoalaPP", "KoalaA"], default="KoalaM")
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--batch", type=int, default=100, help="samples of a minibatch, of all processes together")
    options = arguments.parse_args()

    # torchrun tells each process its rank, and where the others are.
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    if options.batch < size or options.batch % size:
        arguments.error(f"--batch {options.batch} does not divide among {size} processes; PyTorch wants equal shares")
    images, classes = read(options.data)

    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)))
    optimizer = getattr(koala_optim, options.method)(model.parameters())
    for epoch in range(options.epochs):
        # The same order everywhere, of which each process takes every size-th sample.
        order = torch.randperm(TRAINED_ON, generator=torch.Generator().manual_seed(epoch))
        losses_of_epoch = []
        for batch in order.split(options.batch):
            mine = batch[rank : len(batch) // size * size : size]
            optimizer.zero_grad()
            optimizer.predict()
            losses = cross_entropy(model(images[mine]), classes[mine], reduction="none")
            optimizer.observe(losses)
            losses.mean().backward()
            optimizer.step()
            # The report is of the whole minibatch, the same on every process.
            losses_of_epoch.append(optimizer.report()["loss"])
        if rank == 0:
            with optimizer.averaged() if optimizer.keeps_mean else nullcontext(), torch.no_grad():
                right = (model.module(images[TRAINED_ON:]).argmax(1) == classes[TRAINED_ON:]).float().mean().item()
            loss = sum(losses_of_epoch) / len(losses_of_epoch)
            print(f"epoch {epoch + 1}: loss {loss:.4f}, right on other digits {right:.1%}", flush=True)
            print(f"  filter: {koala_optim.filter_state(optimizer)}", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
