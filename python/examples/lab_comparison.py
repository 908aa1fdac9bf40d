"""Your data, your network, your loop, any optimizers: compared as the program koala compares, on handwritten digits.

    python examples/lab_comparison.py comparisons/digits
    koala report comparisons/digits     # one page, with verdict and curves
    koala watch comparisons/digits      # beside it, while it goes

The same command goes on where it was stopped. Data: digits.csv.gz of this repository (8x8 pixels; UCI, CC BY 4.0), or --data
for a file of the same form.
"""

from __future__ import annotations

import argparse
import gzip
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import koala_optim
from koala_optim import lab

DIGITS = Path(__file__).parents[2] / "crates" / "koala-data" / "assets" / "digits.csv.gz"
BATCH = 64

OPTIMIZERS: dict[str, lab.Factory] = {
    "adamw": lambda params, lr=1e-3: torch.optim.AdamW(params, lr=lr),
    "sgd": lambda params, lr=0.1: torch.optim.SGD(params, lr=lr, momentum=0.9),
    "koala-a": lambda params: koala_optim.KoalaA(params),
}


def read(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Images of 64 numbers from 0 to 1 and their classes: to train on, held out, and to test on."""
    with gzip.open(path, "rt") as file:
        rows = torch.tensor([[int(value) for value in line.split(",")] for line in file if line.strip()])
    images, classes = rows[:, :64] / 16.0, rows[:, 64]
    parts = (slice(0, 1300), slice(1300, 1450), slice(1450, None))
    return [(images[part], classes[part]) for part in parts]


def judged(model: nn.Module, samples: tuple[Tensor, Tensor], name: str) -> dict[str, Tensor]:
    images, classes = samples
    with torch.no_grad():
        scores = model(images)
    error = 100.0 * (scores.argmax(1) != classes).float().mean()
    return {f"{name}_loss": cross_entropy(scores, classes), f"{name}_error": error}


def where_evaluated(optimizer: torch.optim.Optimizer) -> AbstractContextManager[None]:
    """KOALA-A is evaluated at the mean of its parameters, the others as they are."""
    if isinstance(optimizer, koala_optim.Koala) and optimizer.keeps_mean:
        return optimizer.averaged()
    return nullcontext()


def main(folder: str, data: Path = DIGITS, epochs: int = 10, seeds: tuple[int, ...] = (0, 1, 2)) -> lab.Compared:
    train, held_out, test = read(data)

    def run_once(make: lab.Make, seed: int, run: lab.Run) -> None:
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))  # torch is seeded by then
        optimizer = make(model.named_parameters(), model)
        order = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            for chosen in torch.randperm(len(train[0]), generator=order).split(BATCH):
                optimizer.zero_grad()
                if isinstance(optimizer, koala_optim.Koala):
                    optimizer.predict()
                losses = cross_entropy(model(train[0][chosen]), train[1][chosen], reduction="none")
                losses.mean().backward()
                if isinstance(optimizer, koala_optim.Koala):
                    optimizer.update(losses)
                else:
                    optimizer.step()
                run.step(losses)
            with where_evaluated(optimizer):
                run.epoch(**judged(model, held_out, "validation"))
        if run.test:
            with where_evaluated(optimizer):
                run.finish(**judged(model, test, "test"))

    return lab.compare(
        run_once,
        OPTIMIZERS,
        folder=folder,
        dataset="digits",
        model="mlp",
        seeds=seeds,
        tuning={"adamw": {"lr": [1e-4, 1e-3, 1e-2]}, "sgd": {"lr": [0.01, 0.1, 1.0]}},
        config={"batch_size": BATCH, "epochs": epochs, "hidden": 64},
        reference="best",
        steps=epochs * -(-len(train[0]) // BATCH),
        epochs=epochs,
        test_samples=len(test[0]),
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--data", type=Path, default=DIGITS)
    arguments.add_argument("--epochs", type=int, default=10)
    options = arguments.parse_args()
    for failed in main(options.folder, options.data, options.epochs).failed:
        print(f"{failed.optimizer}, seed {failed.seed}, failed: {failed.message}")
