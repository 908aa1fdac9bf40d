"""A comparison that is killed within its third run; or, with ``shared``, one of several programs at it."""

import os
import signal
import sys
import time
from pathlib import Path

# A safe path has no folder of the script.
sys.path.append(str(Path(__file__).parent))

from lab_problem import adamw, network, train

import koala_optim
from koala_optim import lab

calls = []


def killed(make, seed, run):
    calls.append(run.path.name)
    if len(calls) == 3:
        make(network().parameters())
        run.step(1.0)
        os.kill(os.getpid(), signal.SIGKILL)
    train(make, seed, run)


def shared(make, seed, run):
    print(run.path.name)
    time.sleep(0.2)
    train(make, seed, run)


lab.compare(
    shared if sys.argv[2:] else killed,
    {"adamw": adamw, "koala-a": lambda params: koala_optim.KoalaA(params)},
    folder=sys.argv[1],
    dataset="argmax",
    model="linear",
    seeds=(0, 1),
    config={"batch_size": 32},
    steps=20,
    epochs=2,
    tensorboard=False,
    source="a test",
)
