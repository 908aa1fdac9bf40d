"""Steps within CUDA graphs and compiled programs: sections of ``gpu.py``."""

from __future__ import annotations

import math
from typing import Any

import torch
from gpu_cases import METHODS, Failures, engines
from gpu_speed import Setup
from support import VARIANTS, Variant, difference, values
from support import memory as vectors_of
from torch import nn

from koala_optim import Koala, KoalaA, KoalaM


def captured(setup: Setup) -> dict[str, Any]:
    """A step in a CUDA graph, replayed, is the step outside of it; with gains that a schedule moves on the device."""
    failures = Failures()
    if setup.device.type != "cuda":
        return failures.end(skipped="no CUDA")

    def one(variant: Variant, engine: dict[str, Any], **settings: Any) -> float:
        results = []
        for graph in (False, True):
            model = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 10))
            generator = torch.Generator().manual_seed(0)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
            model.to(setup.device)
            gain = torch.tensor(1.0, device=setup.device)
            optimizer = variant(model.parameters(), lr=gain, weight_decay=1e-3, **engine, **settings)
            assert optimizer.capturable
            inputs = torch.randn(64, 32, generator=generator).to(setup.device)
            labels = (inputs[:, :10]).argmax(1)

            def whole() -> None:
                optimizer.zero_grad(set_to_none=True)
                optimizer.predict()
                each = nn.functional.cross_entropy(model(inputs), labels, reduction="none")
                optimizer.observe(each)
                each.mean().backward()
                optimizer.step()

            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    whole()
            torch.cuda.current_stream().wait_stream(stream)
            replay = whole
            if graph:
                recorded = torch.cuda.CUDAGraph()
                with torch.cuda.graph(recorded):
                    whole()
                replay = recorded.replay
            for step in range(8):
                gain.fill_(1.0 / (1 + step))
                replay()
            torch.cuda.synchronize()
            results.append(([*values(model), *vectors_of(optimizer)], optimizer.filter_state(), optimizer.report()))
        (left, filter, report), (right, other, told) = results
        far = difference(left, right)
        assert far < 1e-5, far
        assert filter["step"] == other["step"] == 11, (filter["step"], other["step"])
        assert math.isclose(report["loss"], told["loss"], rel_tol=1e-5), (report["loss"], told["loss"])
        return far

    worst = {}
    for name, engine in engines(setup):
        for variant in VARIANTS:
            key = f"{variant.name}, {name}"
            worst[key] = failures.run(key, lambda v=variant, e=engine: one(v, e))
            if variant.method in (KoalaM, KoalaA):
                key += ", staying"
                worst[key] = failures.run(key, lambda v=variant, e=engine: one(v, e, stay_predicted=True))
    return failures.end(worst=worst)


def compiled(setup: Setup) -> dict[str, Any]:
    """Compiled models, and a training step that is compiled as a whole around the optimizer's calls."""
    failures = Failures()

    def one(kind: type[Koala], engine: dict[str, Any], whole: bool) -> float:
        torch.compiler.reset()
        results = []
        for compile in (False, True):
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 4)).to(setup.device)
            forward = torch.compile(model, backend=setup.compiler) if compile and not whole else model
            optimizer = kind(model.parameters(), **engine)
            inputs = torch.randn(32, 16, device=setup.device)

            def step() -> None:
                optimizer.zero_grad()
                optimizer.predict()
                losses = forward(inputs).square().mean(1)
                optimizer.observe(losses)
                losses.mean().backward()
                optimizer.step()

            run = torch.compile(step, backend=setup.compiler) if compile and whole else step
            for _ in range(4):
                run()
            results.append(values(model))
        far = difference(*results)
        assert far < 1e-3, far
        return far

    worst = {}
    # The optimizer is not traced, whatever its method and engine.
    name, engine = next(engines(setup))
    for kind in METHODS[:: 3 if setup.tiny else 1]:
        for whole in (False, True) if kind is KoalaM else (True,):
            key = f"{kind.__name__}, {name}, {'step' if whole else 'model'}"
            worst[key] = failures.run(key, lambda k=kind, e=engine, w=whole: one(k, e, w))
    return failures.end(worst=worst)
