"""Trains an image classifier with KOALA or with an optimizer of PyTorch, and tells loss, test error and time.

python benchmarks/train.py --dataset fashion-mnist --model cnn --optimizer koala-m --epochs 3
python benchmarks/train.py --dataset cifar10 --data-dir DIR --model resnet18 --optimizer sgd --steps 200 --batch-size 32
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import datasets
import networks
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import koala_optim

# The natural gain of KOALA; what is usual for the others.
_RATES = {"koala-v": 1.0, "koala-m": 1.0, "koala-pp": 1.0, "koala-a": 1.0, "sgd": 0.1, "adamw": 1e-3}


@dataclass
class Result:
    """What one run gave."""

    optimizer: str
    steps: int
    losses: dict[int, float] = field(default_factory=dict)
    """Mean training loss of the steps since the one before, by number of the step."""
    test_error: float = float("nan")
    """Percent of the test images that are misclassified."""
    seconds_a_step: float = float("nan")
    optimizer_share: float = float("nan")
    """Part of a step's time that predict, observe and step take."""


def main(arguments: list[str] | None = None) -> Result:
    """Runs the command line; returns what it printed."""
    args = _parsed(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    train, test = datasets.load(args.dataset, args.data_dir)
    channels = train.inputs.shape[1]
    model = networks.resnet18(channels) if args.model == "resnet18" else networks.cnn(channels)
    optimizer = made(args.optimizer, model, args.lr or _RATES[args.optimizer], args.weight_decay)
    a_epoch = len(train.labels) // args.batch_size
    steps = args.steps or args.epochs * a_epoch
    scheduler = None
    if args.schedule == "cosine":
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    result = fit(model, optimizer, scheduler, batches(train, args.batch_size, args.seed), steps, args.log_every)
    result.optimizer = args.optimizer
    if isinstance(optimizer, koala_optim.Koala) and optimizer.keeps_mean:
        with optimizer.averaged():
            some = islice(batches(train, args.batch_size, args.seed), min(a_epoch, 100))
            koala_optim.recompute_batch_norm(model, some)
            result.test_error = error(model, test, args.test_limit)
    else:
        result.test_error = error(model, test, args.test_limit)
    print(
        f"{args.optimizer}: test error {result.test_error:.2f} %, {result.seconds_a_step:.3f} s a step, "
        f"of which the optimizer {100.0 * result.optimizer_share:.1f} %"
    )
    if args.json:
        args.json.write_text(
            json.dumps({"arguments": sys.argv[1:] if arguments is None else arguments, **asdict(result)})
        )
    return result


def made(name: str, model: nn.Module, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """The optimizer of that name."""
    parameters = model.parameters()
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=weight_decay, fused=True)
    if name == "adamw":
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay, fused=True)
    methods = {
        "koala-v": koala_optim.KoalaV,
        "koala-m": koala_optim.KoalaM,
        "koala-pp": koala_optim.KoalaPP,
        "koala-a": koala_optim.KoalaA,
    }
    return methods[name](parameters, lr=lr, weight_decay=weight_decay)


def batches(images: datasets.Images, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled minibatches without end; the partial one at an epoch's end is left out."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(images.labels), generator=generator)
        for chosen in order.split(size)[: len(order) // size]:
            yield images.inputs[chosen], images.labels[chosen]


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None,
    data: Iterator[tuple[Tensor, Tensor]],
    steps: int,
    log_every: int,
) -> Result:
    """Trains for some steps. The first is not part of the times: it allocates memory that later ones have."""
    koala = isinstance(optimizer, koala_optim.Koala)
    result = Result("", steps)
    since: list[Tensor] = []
    whole, share = 0.0, 0.0
    model.train()
    for step, (inputs, labels) in zip(range(1, steps + 1), data):
        begin = time.perf_counter()
        optimizer.zero_grad()
        if koala:
            optimizer.predict()
        after_predict = time.perf_counter()
        losses = cross_entropy(model(inputs), labels, reduction="none")
        loss = losses.mean()
        loss.backward()
        after_backward = time.perf_counter()
        if koala:
            optimizer.observe(losses)
        optimizer.step()
        end = time.perf_counter()
        if scheduler is not None:
            scheduler.step()
        if step > 1:
            whole += end - begin
            share += after_predict - begin + end - after_backward
        since.append(loss.detach())
        if step % log_every == 0 or step == steps:
            result.losses[step] = torch.stack(since).mean().item()
            since.clear()
            print(f"step {step:5}  loss {result.losses[step]:.4f}", flush=True)
    if steps > 1:
        result.seconds_a_step, result.optimizer_share = whole / (steps - 1), share / whole
    return result


@torch.no_grad()
def error(model: nn.Module, images: datasets.Images, limit: int | None) -> float:
    """Percent of the first ``limit`` images that are misclassified."""
    model.eval()
    wrong = 0
    inputs, labels = images.inputs[:limit], images.labels[:limit]
    for some, truth in zip(inputs.split(250), labels.split(250)):
        wrong += (model(some).argmax(1) != truth).sum().item()
    return 100.0 * wrong / len(labels)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--dataset", choices=("fashion-mnist", "cifar10"), required=True)
    add("--data-dir", type=Path, help="folder of the data set's files (for fashion-mnist: Debian's if left out)")
    add("--model", choices=("cnn", "resnet18"), required=True)
    add("--optimizer", choices=tuple(_RATES), required=True)
    add("--lr", type=float, help="gain or learning rate; left out: " + ", ".join(f"{k} {v}" for k, v in _RATES.items()))
    add("--weight-decay", type=float, default=0.0)
    add("--schedule", choices=("cosine", "constant"), default="cosine")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int)
    length.add_argument("--epochs", type=int, default=1)
    add("--batch-size", type=int, default=128)
    add("--seed", type=int, default=0)
    add("--threads", type=int, help="threads of PyTorch and of the optimizer; left out: PyTorch's choice")
    add("--log-every", type=int, default=50, help="steps over which a printed loss is the mean")
    add("--test-limit", type=int, help="test on that many images, the first ones")
    add("--json", type=Path, help="file to write the result to")
    args = parser.parse_args(arguments)
    if args.model == "cnn" and args.dataset == "cifar10":
        parser.error("--model cnn is made for fashion-mnist's 28 x 28 pixels; take --model resnet18 for cifar10")
    return args


if __name__ == "__main__":
    main()
