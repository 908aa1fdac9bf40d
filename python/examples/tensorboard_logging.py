"""What the filter knows of every step, in TensorBoard.

pip install tensorboard; python examples/tensorboard_logging.py runs/koala; tensorboard --logdir runs
"""

import sys

import torch
from torch.utils.tensorboard import SummaryWriter

import koala_optim


def main(folder: str, steps: int = 100) -> koala_optim.KoalaM:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = koala_optim.KoalaM(model.named_parameters())  # with names, which the blocks then have
    inputs = torch.randn(64, 4)
    targets = inputs.sum(1, keepdim=True).sin()
    with SummaryWriter(folder) as writer:
        for step in range(steps):
            chosen = torch.randint(64, (16,))
            optimizer.zero_grad()
            optimizer.predict()
            losses = (model(inputs[chosen]) - targets[chosen]).square().mean(1)
            losses.mean().backward()
            optimizer.update(losses)
            for name, value in koala_optim.scalars(optimizer, blocks=step % 10 == 0).items():
                writer.add_scalar(name, value, step)
            report = optimizer.report()
            if report["outcome"] != "measured":
                writer.add_text("koala/outcome", str(report["outcome"]), step)
        writer.add_text("koala/filter", str(koala_optim.filter_state(optimizer)), steps)
    return optimizer


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runs/koala")
