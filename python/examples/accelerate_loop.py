"""KOALA-M with accelerate, accumulating gradients over two micro-batches.

pip install "koala-optim[integrations]"; python examples/accelerate_loop.py
"""

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset

import koala_optim
from koala_optim.integrations.accelerate import expose


def main(epochs: int = 5, micro_batches: int = 2) -> list[float]:
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=micro_batches)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    inputs = torch.randn(64, 4)
    batches = DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True).sin()), batch_size=8)
    model, optimizer, batches = accelerator.prepare(model, koala_optim.KoalaM(model.parameters()), batches)
    optimizer = expose(optimizer)  # accelerate's wrapper hands step and zero_grad on, but not predict and observe
    history = []
    for _ in range(epochs):
        for inputs, targets in batches:
            with accelerator.accumulate(model):
                optimizer.predict()  # of micro-batches, only the first begins a step
                losses = (model(inputs) - targets).square().mean(1)
                optimizer.observe(losses)
                accelerator.backward(losses.mean())
                optimizer.step()  # the wrapper lets the last micro-batch through
                optimizer.zero_grad()
            history.append(losses.mean().item())
    return history


if __name__ == "__main__":
    history = main()
    print(f"loss {history[0]:.3f} at first, {history[-1]:.3f} at last")
