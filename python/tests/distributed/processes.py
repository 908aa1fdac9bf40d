"""Processes that tests share: started once, in a process group of their own for every run."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

# How long a process waits for another in a collective; and how long a run may take, the start of its processes included.
COLLECTIVE = timedelta(seconds=60)
RUN = 240.0


class Failed(AssertionError):
    """A process raised; the message is its traceback."""


class Processes:
    """A pool that runs a function of the rank in 1 to ``limit`` processes at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._started: list[tuple[Any, Connection]] = []

    def run(self, count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """What ``function(*arguments)`` returns in each of ``count`` processes that form a group (gloo).

        Raises:
            Failed: with the tracebacks of the processes that raised, or the ranks of those that did not answer.
        """
        if not self._started:
            self._start()
        pipes = [pipe for _, pipe in self._started[:count]]
        with tempfile.TemporaryDirectory() as directory:
            for rank, pipe in enumerate(pipes):
                pipe.send((rank, count, os.path.join(directory, "store"), function, arguments))
            answers: dict[int, tuple[bool, Any]] = {}
            deadline = time.monotonic() + RUN
            while len(answers) < count and (left := deadline - time.monotonic()) > 0.0:
                for pipe in wait([pipe for rank, pipe in enumerate(pipes) if rank not in answers], left):
                    rank = pipes.index(pipe)
                    try:
                        answers[rank] = pipe.recv()
                    except EOFError:
                        answers[rank] = False, "the process ended"
                    if not answers[rank][0]:
                        # The others may wait for this one: give them a moment for tracebacks of their own.
                        deadline = min(deadline, time.monotonic() + 2.0)
        failures = [f"rank {rank}:\n{text}" for rank, (well, text) in sorted(answers.items()) if not well]
        silent = [rank for rank in range(count) if rank not in answers]
        if failures or silent:
            self.close()
            raise Failed("\n".join([*failures, *(f"rank {rank} did not answer" for rank in silent)]))
        return [answers[rank][1] for rank in range(count)]

    def close(self) -> None:
        """Ends the processes."""
        for process, pipe in self._started:
            pipe.close()
            process.kill()
            process.join()
        self._started = []

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for _ in range(self._limit):
            mine, its = context.Pipe()
            process = context.Process(target=_serve, args=(its,), daemon=True)
            process.start()
            its.close()
            self._started.append((process, mine))


def _serve(pipe: Connection) -> None:
    torch.set_num_threads(1)
    while True:
        try:
            rank, count, store, function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            dist.init_process_group(
                "gloo", init_method=f"file://{store}", rank=rank, world_size=count, timeout=COLLECTIVE
            )
            torch.manual_seed(0)
            result = function(*arguments)
            dist.barrier()
            dist.destroy_process_group()
            pipe.send((True, result))
        except BaseException:
            pipe.send((False, traceback.format_exc()))
