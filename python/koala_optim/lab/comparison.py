"""Giving several optimizers the same problem, the same seeds and the same effort of tuning."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import configuration, figures, suite
from .arms import Arm, Factory, check_names
from .errors import Misuse
from .figures import Measure
from .listed import listing_of, workload_of
from .planned import Choice, Plan
from .tuning import Tuning, grid, repeated
from .work import Failed, Train, Work


@dataclass(frozen=True)
class Compared:
    """How a comparison has ended. What it found, ``koala report`` tells of its folder."""

    folder: Path
    runs: int
    """Runs that have come to their end, those of earlier times among them."""
    ours: int
    """Those that were at work this time."""
    failed: list[Failed]
    """Those that failed by themselves; they count as infinitely bad, and are not tried again."""
    choices: list[Choice]
    """What tuning chose."""


def compare(
    train: Train,
    optimizers: Mapping[str, Factory],
    *,
    folder: str | os.PathLike[str],
    dataset: str,
    model: str,
    seeds: Sequence[int] = (0, 1, 2),
    tuning: Tuning | Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    config: Mapping[str, Any] | None = None,
    measure: Measure = "error",
    target: float | None = None,
    reference: str | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    train_samples: int | None = None,
    test_samples: int | None = None,
    log_every: int = 10,
    tensorboard: bool | None = None,
    retry_failed: bool = False,
    source: str | None = None,
) -> Compared:
    """Compares optimizers on your own data, network and loop, by the protocol of ``koala compare``.

    >>> def train(make, seed, run):
    ...     model = network()  # torch's random numbers are seeded by then
    ...     optimizer = make(model.named_parameters(), model)
    ...     for inputs, labels in batches(seed):
    ...         ...  # a step
    ...         run.step(loss)
    ...     run.evaluation(validation_loss=..., validation_error=...)
    ...     if run.test:
    ...         run.finish(test_loss=..., test_error=...)
    >>> lab.compare(
    ...     train,
    ...     {"adamw": lambda params, lr=1e-3: torch.optim.AdamW(params, lr=lr), "koala-a": koala_optim.KoalaA},
    ...     folder="comparisons/moons",
    ...     dataset="moons",
    ...     model="mlp",
    ...     seeds=[0, 1, 2, 3, 4],
    ...     tuning={"adamw": {"lr": [1e-4, 1e-3, 1e-2]}},
    ... )

    Trials of tuning come first: every combination of the values of each optimizer that is tuned, with seeds that are not
    reported, judged by the held-out samples with the last weights; test samples are left alone. Then every optimizer runs with
    each seed as it is and, if it was tuned, with what was chosen.

    A run that breaks off with an exception, or whose losses or last figures are not finite, has failed: that is remembered and
    reported, and the next one begins. What is no result of an optimizer ends the comparison instead: a full disk, no memory
    left, and mistakes in the program (``TypeError``, ``NameError`` and their like).

    The folder has a ``suite.json`` and, in ``runs/``, a run folder each, named by a hash of its configuration and of the
    versions of this package and of PyTorch. The same call goes on where an earlier one was stopped and does no finished run
    again (one that was stopped within begins anew); another comparison is refused. What ``train`` does is not in the hash:
    when you change it, change ``config`` or the folder. Several programs may be given the same call at the same time.

    Args:
        train: trains a network once. ``make(params)`` makes the optimizer, ``make(params, model)`` tells of the model too;
            ``seed`` decides the first weights and the order of samples; what is found is told to ``run``, a :class:`Run`. An
            evaluation of held-out samples has to be told after the last step, and where ``run.test`` is true the test samples,
            by ``run.finish``.
        optimizers: by name, functions of parameters and of hyperparameters by name that make an optimizer.
        folder: the comparison's folder.
        dataset: name of the data set.
        model: name of the network.
        seeds: those that are reported.
        tuning: how hyperparameters are tuned, or just the values that are tried; see :class:`Tuning`.
        config: what else decides the runs, for people to read and for the hash: ``batch_size``, sizes of the network.
        measure: by what the runs are judged.
        target: what has to be reached by the held-out samples; steps to it are counted. ``None``: the report sets it.
        reference: the optimizer that the others are held against, or ``"best"``: the best tuned one that is none of KOALA's.
        steps: steps of each run, if that is known.
        epochs: epochs of each run.
        train_samples: samples to train on.
        test_samples: samples to test on.
        log_every: every how many steps one is written.
        tensorboard: as :class:`Run` has it.
        retry_failed: does runs once more that failed before.
        source: how to repeat the comparison, for the report; left out, the script that is running.

    Raises:
        Misuse: if something that was asked for makes no sense; nothing was done then.
        FolderError: if the folder holds something else, :class:`OtherComparison` another comparison.
    """
    figures.check_measure(measure)
    tuning = tuning if tuning is None or isinstance(tuning, Tuning) else Tuning(tuning)
    arms = _arms(optimizers, seeds, tuning)
    if reference is not None and reference not in (*optimizers, "best"):
        raise Misuse(f"reference = {reference!r}: must be one of the optimizers ({', '.join(optimizers)}) or 'best'")
    common = {**(config or {}), "dataset": dataset, "model": model, "seed": 0}
    plan = Plan(configuration.checked(common), arms, seeds, tuning)
    root = Path(folder)
    options: dict[str, Any] = {
        "measure": measure,
        "steps": steps,
        "epochs": epochs,
        "train_samples": train_samples,
        "test_samples": test_samples,
        "log_every": log_every,
        "tensorboard": tensorboard,
    }
    suite.take(root)
    work = Work(train, root, options, retry_failed)
    trials = plan.trials()

    def listing(choices: Iterable[Choice]) -> suite.Listing:
        runs = [*trials, *plan.reported(choices)]
        workload = workload_of(plan, measure, target, test_samples)
        return listing_of(workload, runs, choices, plan, reference, source or _script(), 1 + work.company)

    # What tuning chose at an earlier time stays listed: this program may be killed.
    choices = plan.choose(root, measure) if all(map(work.is_settled, trials)) else []
    first = listing(choices)
    suite.keep_others(root, first)
    suite.write(root, first)
    if trials:
        work.do(trials)
        choices = plan.choose(root, measure)
        suite.write(root, listing(choices))
    work.do(plan.reported(choices))
    suite.write(root, listing(choices))
    return Compared(root, len(work.ended), work.ours, work.failed, choices)


def _arms(optimizers: Mapping[str, Factory], seeds: Sequence[int], tuning: Tuning | None) -> list[Arm]:
    """The optimizers with what is tried of them, checked."""
    check_names(optimizers)
    _check_seeds("seeds", seeds)
    space = {} if tuning is None else tuning.space
    if tuning is not None:
        _check_seeds("tuning.seeds", tuning.seeds)
        both = sorted(set(tuning.seeds) & set(seeds))
        if both:
            raise Misuse(
                f"tuning.seeds: {both[0]} is one of the reported seeds, for which hyperparameters would then have been "
                "chosen: give others"
            )
        unknown = [name for name in space if name not in optimizers]
        if unknown or not space:
            what = (
                f"{unknown[0]!r} is none of the optimizers ({', '.join(optimizers)})"
                if unknown
                else "holds no optimizer"
            )
            raise Misuse(f"tuning.space: {what}")
    arms = [
        Arm(name, factory, grid(name, space[name]) if name in space else []) for name, factory in optimizers.items()
    ]
    efforts = {arm.name: len(arm.trials) for arm in arms if arm.trials}
    if len(set(efforts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in efforts.items())
        raise Misuse(f"tuning.space: every optimizer that is tuned gets the same number of trials, and {told}")
    for arm in arms:
        arm.check()
    return arms


def _check_seeds(name: str, seeds: Sequence[int]) -> None:
    if not seeds:
        raise Misuse(f"{name} must hold at least one seed")
    for seed in seeds:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise Misuse(f"{name}: {seed!r} is no whole number from 0 on, below 2^63")
    again = repeated(seeds)
    if again is not None:
        raise Misuse(f"{name}: {again} is there twice: leave one out")


def _script() -> str:
    """The script that is running, as one would type it in its folder."""
    script = Path(sys.argv[0]).name if sys.argv else ""
    return f"python {script}" if script.endswith(".py") else "koala_optim.lab.compare"
