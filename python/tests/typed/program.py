"""A program as users write it, for the type checker alone: see test.sh."""

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from typing_extensions import assert_type

import koala_optim
from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV, lab


def train(model: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    optimizer = KoalaM(model.named_parameters(), lr=0.5, weight_decay=5e-4, decay_rule="decoupled", position_noise=1e-3)
    schedule = CosineAnnealingLR(optimizer, T_max=len(batches))
    for inputs, labels in batches:
        optimizer.zero_grad()
        optimizer.predict()
        losses = nn.functional.cross_entropy(model(inputs), labels, reduction="none")
        optimizer.observe(losses)
        losses.mean().backward()
        optimizer.step()
        schedule.step()
    return koala_optim.scalars(optimizer, blocks=True)


def other_ways(model: nn.Module, losses: Tensor) -> None:
    groups = [{"params": [parameter], "lr": 0.1} for parameter in model.parameters()]
    optimizers: list[Koala] = [
        KoalaV(groups, measurement_noise=0.5, partition="global"),
        KoalaPP(model.parameters(), torch.tensor(1.0), variant="minimum-norm", missing_limit=3),
        KoalaA(model.parameters(), weight_decay=0.1, metric="none", mean=None, initial_measurement_noise=1.0),
    ]
    for optimizer in optimizers:
        optimizer.predict()
        optimizer.update(losses.mean(), mean_square=losses.square().mean(), count=losses.numel())
        assert_type(optimizer.step(lambda: losses), Tensor)
        assert_type(optimizer.step(lambda: 1.0), float)
        assert_type(optimizer.step(), None)
        assert_type(optimizer.step(lambda: None), None)
        optimizer.abandon()
        report = optimizer.report()
        if report is not None and report["outcome"] != "measured" and not isinstance(report["outcome"], str):
            assert_type(report["outcome"]["missing"]["cause"], str)
        optimizer.load_state_dict(optimizer.state_dict())
    try:
        optimizers[0].update(1.0)
    except koala_optim.ReplicaDrift as drift:
        assert_type(drift.ranks, tuple[int, ...])
    except koala_optim.TooManyMissing:
        raise


def kept(model: nn.Module, optimizer: torch.optim.Optimizer, losses: Tensor) -> int:
    config = {"dataset": "mine", "seed": 0, "optimizer": {"name": "adamw", "lr": 1e-3}}
    with lab.Run("runs/mine", config, optimizer=optimizer, model=model, measure="loss", resume=True) as run:
        run.step(losses, error=1.0)
        run.epoch(validation_loss=losses.mean())
        run.finish(test_loss=0.5)
        return assert_type(run.steps, int)


def compared() -> list[lab.Failed]:
    def train(make: lab.Make, seed: int, run: lab.Run) -> None:
        model = nn.Linear(2, 2)
        optimizer = assert_type(make(model.parameters(), model), torch.optim.Optimizer)
        optimizer.step()
        run.step(float(seed))

    def adamw(params: list[Tensor], lr: float = 1e-3) -> torch.optim.Optimizer:
        return torch.optim.AdamW(params, lr=lr)

    tuning = lab.Tuning({"adamw": {"lr": [1e-3, 1e-2]}}, seeds=[1000, 1001])
    ended = lab.compare(
        train,
        {"adamw": adamw, "koala-a": KoalaA},
        folder="comparisons/mine",
        dataset="mine",
        model="linear",
        tuning=tuning,
    )
    return ended.failed


def evaluate(model: nn.Module, optimizer: Koala, batches: list[tuple[Tensor, Tensor]]) -> dict[str, object]:
    handle = koala_optim.warn_if_not_averaged(model, optimizer)
    if assert_type(optimizer.keeps_mean, bool):
        with optimizer.averaged():
            koala_optim.recompute_batch_norm(model, batches, device="cpu")
    handle.remove()
    return optimizer.averaged_state_dict(model)


def reports(model: nn.Module) -> None:
    of_v, of_m = KoalaV(model.parameters()).report(), KoalaM(model.parameters(), coast=False).report()
    of_p, of_a = KoalaPP(model.parameters()).report(), KoalaA(model.parameters()).report()
    if of_v and of_m and of_p and of_a:
        assert_type(of_v["covariance"]["scalar"], float | None)
        assert_type(of_m["process_noise"]["position-velocity"]["velocity"], float)
        assert_type(of_m["covariance"]["matrix"]["p11"], float)
        assert_type(of_a["process_noise"]["scalar"], float | None)
        print(of_p["covariance"].upper(), [block["name"] for block in of_a["blocks"]])


def mistakes(model: nn.Module) -> None:
    """Each of these lines must be an error: an ignore that is not needed is one."""
    KoalaM(model.parameters(), decay_rule="l2")  # type: ignore[arg-type]
    KoalaM(model.parameters(), partition="layers")  # type: ignore[arg-type]
    KoalaV(model.parameters(), momentum=0.9)  # type: ignore[call-arg]
    KoalaPP(model.parameters(), variant=1)  # type: ignore[arg-type]
    KoalaA(model.parameters(), metric="full")  # type: ignore[arg-type]
    KoalaV(model.parameters()).observe("high")  # type: ignore[arg-type]
    KoalaV(model.parameters()).update(1.0, counts=3)  # type: ignore[call-arg]
    KoalaV(model.parameters()).update(1.0, count="3")  # type: ignore[arg-type]
    report = KoalaPP(model.parameters()).report()
    assert report is not None
    report["losses"]  # type: ignore[typeddict-item]
    report["covariance"]["scalar"]  # type: ignore[index]
