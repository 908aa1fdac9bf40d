"""A tiny problem, trained by a loop as users write it. As a program: ``python lab_problem.py FOLDER STEPS [KILL_AT]``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import koala_optim
from koala_optim import lab

INPUTS = torch.randn(300, 4, generator=torch.Generator().manual_seed(7))
LABELS = INPUTS[:, :3].argmax(1)
TRAIN, VALIDATION, TEST = slice(0, 200), slice(200, 250), slice(250, 300)
CONFIG: dict[str, Any] = {"dataset": "argmax", "model": "linear", "seed": 0, "batch_size": 32}


def network(seed: int = 0) -> nn.Sequential:
    """A small classifier of three classes."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 3))


def batch(seed: int, step: int) -> tuple[Tensor, Tensor]:
    """A function of seed and step, so that a loop may begin anywhere."""
    chosen = torch.randint(200, (32,), generator=torch.Generator().manual_seed(1000 * seed + step))
    return INPUTS[chosen], LABELS[chosen]


def judge(model: nn.Module, part: slice, name: str) -> dict[str, Tensor]:
    """Figures of a part of the samples."""
    with torch.no_grad():
        outputs = model(INPUTS[part])
        loss = nn.functional.cross_entropy(outputs, LABELS[part])
        error = 100.0 * (outputs.argmax(1) != LABELS[part]).float().mean()
    return {f"{name}_loss": loss, f"{name}_error": error}


def step(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, labels: Tensor) -> Tensor:
    """A step of any optimizer; returns the losses of the samples."""
    ours = isinstance(optimizer, koala_optim.Koala)
    optimizer.zero_grad()
    if ours:
        optimizer.predict()
    losses = nn.functional.cross_entropy(model(inputs), labels, reduction="none")
    losses.mean().backward()
    if ours:
        optimizer.update(losses)
    else:
        optimizer.step()
    return losses


def adamw(params: Any, lr: float = 1e-2) -> torch.optim.Optimizer:
    """A baseline."""
    return torch.optim.AdamW(params, lr=lr)


def train(make: lab.Make, seed: int, run: lab.Run) -> None:
    """What a comparison calls."""
    model = network(seed)
    optimizer = make(model.named_parameters(), model)
    for at in range(20):
        run.step(step(model, optimizer, *batch(seed, at)))
        if at % 10 == 9:
            run.epoch(**judge(model, VALIDATION, "validation"))
    if run.test:
        run.finish(**judge(model, TEST, "test"))


def main(folder: Path, steps: int, kill_at: int | None = None) -> None:
    """A program that makes checkpoints and goes on from them."""
    model = network()
    optimizer = koala_optim.KoalaM(model.named_parameters())
    checkpoint = folder.parent / f"{folder.name}.pt"
    done = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["steps"]
    with lab.Run(folder, CONFIG, optimizer=optimizer, model=model, steps=steps, log_every=1, resume=done) as run:
        for at in range(run.steps, steps):
            run.step(step(model, optimizer, *batch(0, at)))
            if run.steps % 10 == 0:
                run.epoch(**judge(model, VALIDATION, "validation"))
                run.sync()
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "steps": run.steps}
                torch.save(state, checkpoint.with_suffix(".part"))
                os.replace(checkpoint.with_suffix(".part"), checkpoint)
            if run.steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        run.finish(**judge(model, TEST, "test"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
