"""Comparisons of the tiny problem, and what they leave."""

import json

from lab_problem import adamw, train

import koala_optim
from koala_optim import lab

OPTIMIZERS = {"adamw": adamw, "koala-a": lambda params: koala_optim.KoalaA(params)}
RATES = {"adamw": {"lr": [1e-4, 1e-1, 1e-3]}}


def compared(folder, train=train, optimizers=OPTIMIZERS, seeds=(0, 1), **options):
    options = {"config": {"batch_size": 32}, "steps": 20, "epochs": 2, "tensorboard": False, **options}
    return lab.compare(
        train, optimizers, folder=folder, dataset="argmax", model="linear", seeds=seeds, source="a test", **options
    )


def listing(folder):
    return json.loads((folder / "suite.json").read_text())


def runs(folder, **wanted):
    """Folders of the runs of an optimizer, a seed or a role."""
    found = []
    for run in listing(folder)["runs"]:
        told = {**run, "role": run["role"]["role"], "trial": run["role"].get("trial")}
        if all(told[name] == value for name, value in wanted.items()):
            found.append(folder / run["folder"])
    return found


def counted(calls, train=train):
    """As ``train``, noting with which seed and values it is called."""

    def noted(make, seed, run):
        calls.append((run.path.name, seed, run.test))
        return train(make, seed, run)

    return noted
