"""Threads, forks, the interpreter's lock, and memory over many steps."""

import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support import Maker, Variant, memory, network, python, run_step, same, train, values
from torch import nn

from koala_optim import KoalaM


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_bit(variant: Variant, threads: int) -> None:
    """Tensors of several pieces of work; the sums are in the filter's numbers."""

    def run() -> tuple:
        generator = torch.Generator().manual_seed(7)
        parameters = [nn.Parameter(torch.randn(size, generator=generator)) for size in (150_000, 70_000, 9)]
        optimizer = variant(parameters, weight_decay=0.01)
        for _ in range(3):
            optimizer.predict()
            for parameter in parameters:
                parameter.grad = torch.randn(parameter.shape, generator=generator) * 1e-2
            optimizer.update(torch.rand(5, generator=generator))
        return values(parameters), memory(optimizer), optimizer.filter_state()

    one = run()
    torch.set_num_threads(threads)
    many = run()
    assert same(one[0], many[0])
    assert same(one[1], many[1])
    assert one[2] == many[2]


def test_optimizers_in_two_threads_do_not_disturb_each_other(variant: Variant) -> None:
    expected = network()
    train(variant(expected.parameters()), expected, range(20))
    results: list[list[torch.Tensor]] = []

    def work() -> None:
        torch.set_num_threads(1)
        model = network()
        train(variant(model.parameters()), model, range(20))
        results.append(values(model))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all(same(result, values(expected)) for result in results)


FORK = """
import os, signal, torch
from koala_optim import KoalaM
torch.set_num_threads(2)
parameter = torch.nn.Parameter(torch.ones(300_000))
optimizer = KoalaM([parameter])
parameter.grad = torch.ones(300_000)
def step():
    optimizer.predict()
    optimizer.update(1.0)
    return float(parameter.detach()[-1])
step()
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, repr([step(), step()]).encode())
    os._exit(0)
mine = repr([step(), step()])
os.close(write)
theirs = os.read(read, 1000).decode()
assert os.waitpid(child, 0)[1] == 0
assert mine == theirs, (mine, theirs)
print("both went on")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_after_the_pool_was_used(tmp_path: Path) -> None:
    assert python(FORK, folder=tmp_path, timeout=60.0) == "both went on\n"


def others_ran_during(work: Callable[[], object]) -> bool:
    """Whether another thread of Python ran in the middle half of ``work``."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(1e-4)

    ticker = threading.Thread(target=tick)
    ticker.start()
    while not ticks:
        time.sleep(1e-4)
    start = time.perf_counter()
    work()
    end = time.perf_counter()
    done.set()
    ticker.join()
    quarter = (end - start) / 4
    return any(start + quarter < at < end - quarter for at in ticks)


def test_the_interpreters_lock_is_released() -> None:
    size = 8_000_000
    parameter = nn.Parameter(torch.ones(size))
    optimizer = KoalaM([parameter])

    def attempt() -> bool:
        ran = others_ran_during(optimizer.predict)
        optimizer.update(1.0)
        return ran

    # On a busy machine the other thread may not be given a core at once.
    assert any(attempt() for _ in range(30))
    # A call that keeps the lock is told from one that does not.
    assert not any(others_ran_during(lambda: sum(range(2_000_000))) for _ in range(3))


def test_gradients_are_freed(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    gradients = [weakref.ref(parameter.grad) for parameter in model.parameters()]
    optimizer.zero_grad()
    assert all(gradient() is None for gradient in gradients)


def test_the_optimizer_is_freed(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    train(optimizer, model, range(2))
    optimizer.state_dict()
    vectors = [weakref.ref(vector) for state in optimizer.state.values() for vector in state.values()]
    gone = weakref.ref(optimizer)
    del optimizer
    gc.collect()
    assert gone() is None
    assert all(vector() is None for vector in vectors)


def test_no_python_object_is_left_over(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())

    def blocks(steps: int) -> int:
        train(optimizer, model, range(steps))
        gc.collect()
        return sys.getallocatedblocks()

    counts = [blocks(steps) for steps in (5, 5, 30, 30, 30)]
    # Caches fill now and then; a leak is there in every stretch.
    assert min(after - before for before, after in zip(counts[1:], counts[2:])) < 15, counts


def resident() -> float:
    """MB of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads the resident set")
def test_no_memory_of_tensors_is_left_over(variant: Variant, foreach: bool) -> None:
    size = 500_000
    parameter = nn.Parameter(torch.ones(size // 4, 4))
    optimizer = variant([parameter], foreach=foreach)

    def steps(count: int) -> float:
        for _ in range(count):
            optimizer.predict()
            # Other strides than the parameter's: Rust is lent a copy.
            parameter.grad = torch.ones(4, size // 4).t()
            optimizer.update(torch.ones(3))
            parameter.grad = None
        return resident()

    before = steps(3)
    grown = steps(30) - before
    assert grown < 30, f"{grown} MB; gradients of 30 steps are 60 MB"


def test_a_step_after_a_step_keeps_no_losses(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    optimizer.predict()
    losses = torch.ones(4)
    gone = weakref.ref(losses)
    optimizer.observe(losses)
    del losses
    assert gone() is None
    optimizer.step()
    run_step(optimizer, model, 0)
