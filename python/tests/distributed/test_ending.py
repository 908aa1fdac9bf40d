"""A process may end at once after a step: no thread of a collective is the last one to hold its tensors."""

import re
import weakref
from pathlib import Path

import torch
import torch.distributed as dist

import koala_optim
from koala_optim import collectives

PACKAGE = Path(koala_optim.__file__).parent


def _held() -> list[bool]:
    works = []

    def kept(collective):
        def call(*arguments, **options):
            work = collective(*arguments, **options)
            works.append(weakref.ref(work))
            return work

        return call

    reduce, gather = dist.all_reduce, dist.all_gather
    dist.all_reduce, dist.all_gather = kept(reduce), kept(gather)
    try:
        group = dist.group.WORLD
        numbers = torch.arange(3.0)
        collectives.all_reduce(numbers, group)
        parts = [torch.empty(3) for _ in range(2)]
        collectives.all_gather(parts, torch.ones(3), group)
    finally:
        dist.all_reduce, dist.all_gather = reduce, gather
    assert numbers.tolist() == [0.0, 2.0, 4.0]
    assert [part.tolist() for part in parts] == [[1.0] * 3] * 2
    return [work() is not None for work in works]


def test_collectives_are_held_after_they_are_over(processes):
    assert processes.run(2, _held) == [[True, True]] * 2


def test_all_collectives_are_such():
    called = re.compile(r"\bdist\.(all_reduce|all_gather\w*|reduce\w*|broadcast\w*|gather\w*|scatter\w*|barrier)\(")
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if called.search(path.read_text())}
    assert found == {"collectives.py"}
