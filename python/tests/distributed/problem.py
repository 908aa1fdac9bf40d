"""A small regression that the tests of several processes train on, in one process or in shares."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

import koala_optim
from koala_optim import Koala

SAMPLES = 24
METHODS = ("KoalaV", "KoalaM", "KoalaPP", "KoalaA")


def network(dtype: torch.dtype = torch.float32, width: int = 7) -> nn.Sequential:
    """The same on every process; 7, 5 and 1 rows divide by no number of processes."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 5), nn.Tanh(), nn.Linear(5, 1)).to(dtype)


def samples(step: int, dtype: torch.dtype = torch.float32, count: int = SAMPLES) -> tuple[Tensor, Tensor]:
    """The whole minibatch of a step."""
    generator = torch.Generator().manual_seed(1000 + step)
    inputs = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    return inputs.to(dtype), (inputs.sum(1, keepdim=True).sin() + 0.5).to(dtype)


def share(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """This process's samples of the minibatch."""
    rank, size = dist.get_rank(), dist.get_world_size()
    inputs, targets = batch
    return inputs.chunk(size)[rank], targets.chunk(size)[rank]


def optimizer(method: str, model: nn.Module, **options: Any) -> Koala:
    """One of the four, with some weight decay, so that every sum of a block is used."""
    return getattr(koala_optim, method)(model.parameters(), **{"weight_decay": 1e-3, **options})


def losses_of(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    inputs, targets = batch
    return (model(inputs) - targets).square().mean(1)


def train_step(model: nn.Module, optimizer: Koala, batch: tuple[Tensor, Tensor]) -> float:
    optimizer.zero_grad()
    optimizer.predict()
    losses = losses_of(model, batch)
    optimizer.observe(losses)
    losses.mean().backward()
    optimizer.step()
    return losses.mean().item()


def alone(method: str, steps: int, dtype: torch.dtype = torch.float32, **options: Any) -> tuple[nn.Module, Koala]:
    """What one process makes of the whole minibatches."""
    model = network(dtype)
    reference = optimizer(method, model, process_group=False, **options)
    for step in range(steps):
        train_step(model, reference, samples(step, dtype))
    return model, reference


def parameters_of(model: nn.Module) -> list[Tensor]:
    """Whole parameters, also of a model that is spread over processes."""
    whole = [parameter.detach() for parameter in model.parameters()]
    return [parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter.clone() for parameter in whole]


def same_on_all(tensors: list[Tensor]) -> bool:
    """Whether all processes hold the same bits."""
    mine = torch.cat([tensor.reshape(-1) for tensor in tensors])
    everyone = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(everyone, mine)
    return all(torch.equal(mine, other) for other in everyone)


def filter_numbers(optimizer: Koala) -> Tensor:
    """All numbers of the filter: steps, P, R, Q."""

    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [number for part in value.values() for number in numbers(part)]
        return [] if isinstance(value, str) else [float(value)]

    return torch.tensor(numbers(optimizer.filter_state()), dtype=torch.float64)


def same_filter_on_all(optimizer: Koala) -> bool:
    states: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(states, optimizer.state_dict()["param_groups"][0]["filter"])
    return all(state == states[0] for state in states)
