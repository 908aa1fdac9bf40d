"""What must hold on a device: the sections of ``gpu.py`` that find something right or wrong."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from gpu_cases import METHODS, SETTINGS, Failures, engines, gradients_of, made, one_step
from gpu_speed import Setup
from support import VARIANTS, Variant, difference, values
from support import memory as vectors_of
from torch import Tensor, nn

import koala_optim
from koala_optim import Koala, KoalaA, KoalaM, KoalaV
from koala_optim import conformance as suite


def recordings(setup: Setup) -> dict[str, Any]:
    """The recorded trajectories replay on the device."""
    from replaying import FILES, TOLERANCE, TYPES, read, replay

    failures, worst = Failures(), {}

    def one(path: Any, engine: dict[str, Any]) -> float:
        tolerance = TOLERANCE[TYPES[read(path)[0]["dtype"]]]
        found = replay(path, device=setup.device, **engine)
        assert max(found.values()) <= tolerance, found
        return max(found.values())

    for name, engine in engines(setup):
        for path in FILES[:: 4 if setup.tiny else 1]:
            key = f"{path.stem}, {name}"
            worst[key] = failures.run(key, lambda path=path, engine=engine: one(path, engine))
    return failures.end(worst=worst)


def conformance(setup: Setup) -> dict[str, Any]:
    """The runs of koala-filter's conformance suite, in every type."""
    failures, worst = Failures(), {}
    indices = range(0, suite.conformance_cases(), 20 if setup.tiny else 1)
    cases = [suite.case(index) for index in indices]
    for dtype in ("float32", "float64", "bfloat16", "float16")[: 1 if setup.tiny else 4]:
        for name, engine in engines(setup):
            kind = suite.DTYPES[dtype]
            for case in cases[:: 1 if dtype == "float32" else 3]:
                found = failures.run(
                    f"{case.name}, {dtype}, {name}",
                    lambda case=case, kind=kind, engine=engine: suite.check(
                        case, device=setup.device, dtype=kind, **engine
                    ),
                )
                worst[f"{dtype}, {name}"] = max(worst.get(f"{dtype}, {name}", 0.0), found or 0.0)
    return failures.end(worst=worst)


def nothing_waited(setup: Setup) -> dict[str, Any]:
    """Steps of every method and setting while a wait for the device is an error; then the same as the host's."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1)).to(setup.device)

    def one(variant: Variant, settings: dict[str, Any], engine: dict[str, Any]) -> None:
        parameters = made(setup)
        optimizer = variant(parameters, **settings, **engine)
        one_step(optimizer, parameters, losses, 0)
        optimizer.zero_grad()
        one_step(optimizer, parameters, losses, 1)
        if setup.device.type == "cuda":
            torch.cuda.set_sync_debug_mode("error")
        try:
            for step in range(2, 6):
                one_step(optimizer, parameters, losses, step)
        finally:
            if setup.device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
        twins = [nn.Parameter(x.detach().cpu()) for x in made(setup)]
        other = variant(twins, **settings, foreach=False)
        for step in range(6):
            one_step(other, twins, losses.cpu(), step)
        far = difference([x.cpu() for x in values(parameters)], values(twins))
        assert far < 1e-4, far
        expected, found = koala_optim.scalars(other), koala_optim.scalars(optimizer)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert math.isclose(found[name], value, rel_tol=1e-3, abs_tol=1e-5), (name, found[name], value)

    for name, engine in engines(setup):
        for variant in VARIANTS[:: 3 if setup.tiny else 1]:
            for settings in SETTINGS[:: 3 if setup.tiny else 1]:
                key = f"{variant.name}, {settings}, {name}"
                failures.run(key, lambda v=variant, s=settings, e=engine: one(v, s, e))
    return failures.end()


def one_pass(setup: Setup) -> dict[str, Any]:
    """Steps with the next prediction in them, while a wait for the device is an error: the two to the bit, by kernels."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1)).to(setup.device)

    def one(variant: Variant, settings: dict[str, Any], dtype: torch.dtype) -> None:
        found = []
        for stays in (True, False):
            parameters = made(setup, dtype)
            optimizer = variant(parameters, stay_predicted=stays, fused=True, **settings)
            for step in range(6):
                if step == 3 and setup.device.type == "cuda":
                    torch.cuda.set_sync_debug_mode("error")
                optimizer.predict()
                for parameter, gradient in zip(parameters, gradients_of(parameters, step)):
                    parameter.grad = gradient
                if step in (1, 4):
                    parameters[2].grad = None
                optimizer.observe(losses * math.nan if step == 4 else losses)
                optimizer.step()
            if setup.device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
            if not stays:
                optimizer.predict()
            found.append(([*values(parameters), *vectors_of(optimizer)], optimizer.filter_state()))
        assert all(torch.equal(x, y) for x, y in zip(found[0][0], found[1][0])), "tensors differ"
        assert found[0][1] == found[1][1], "filters differ"

    moving = [variant for variant in VARIANTS if variant.method in (KoalaM, KoalaA)] if setup.fuses else []
    for variant in moving[:: 3 if setup.tiny else 1]:
        for settings in SETTINGS[1 : 2 if setup.tiny else 3]:
            for dtype in (torch.float32, torch.bfloat16)[: 1 if setup.tiny else 2]:
                key = f"{variant.name}, {settings}, {dtype}"
                failures.run(key, lambda v=variant, s=settings, t=dtype: one(v, s, t))
    return failures.end()


def rounding(setup: Setup) -> dict[str, Any]:
    """Stochastic rounding: kernels and foreach operations draw the same, steps repeat, and x is right in the mean."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1)).to(setup.device)

    def steps(variant: Variant, engine: dict[str, Any]) -> list[Tensor]:
        parameters = made(setup, torch.bfloat16)
        optimizer = variant(parameters, stochastic_rounding=True, **engine)
        for step in range(4):
            one_step(optimizer, parameters, losses, step)
        return values(parameters)

    def one(variant: Variant) -> int:
        foreach = steps(variant, {"foreach": True})
        assert all(torch.equal(x, y) for x, y in zip(foreach, steps(variant, {"foreach": True}))), "does not repeat"
        if not setup.fuses:
            return 0
        kernels = steps(variant, {"fused": True})
        assert all(torch.equal(x, y) for x, y in zip(kernels, steps(variant, {"fused": True}))), "does not repeat"
        # Sums in another order may let a number fall to another side; drawn otherwise, half of them would.
        differing = sum(int((x != y).sum()) for x, y in zip(foreach, kernels))
        assert differing <= sum(x.numel() for x in foreach) // 100, differing
        return differing

    def mean(engine: dict[str, Any]) -> float:
        """40 steps of a sixteenth of the distance between numbers each: see test_stochastic_rounding.py."""
        x = nn.Parameter(torch.full((256 if setup.tiny else 65_536,), 1.5, dtype=torch.bfloat16, device=setup.device))
        of_noise = {"measurement_noise": 1e6, "initial_covariance": 1e6, "process_noise": 0.0}
        optimizer = KoalaV([x], lr=2.0**-11, stochastic_rounding=True, **of_noise, **engine)
        for _ in range(40):
            optimizer.predict()
            x.grad = torch.full_like(x, 2.0**-12)
            optimizer.update(torch.full((), 2.0**12, device=setup.device))
        moved = float(1.5 - x.detach().float().mean())
        spread = math.sqrt(40 * 15) / 16 * 2.0**-7 / math.sqrt(x.numel())
        assert abs(moved - 40 * 2.0**-11) < 5 * spread, (moved, spread)
        return moved

    differing = {}
    for variant in VARIANTS[: 1 if setup.tiny else None]:
        differing[variant.name] = failures.run(variant.name, lambda v=variant: one(v))
    for name, engine in engines(setup):
        failures.run(f"mean, {name}", lambda e=engine: mean(e))
    return failures.end(differing=differing)


def in_backward(setup: Setup) -> dict[str, Any]:
    """Steps in backward, while a wait for the device is an error: the same as steps after it."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1)).to(setup.device)

    def steps(variant: Variant, engine: dict[str, Any], early: bool) -> tuple[list[Tensor], dict[str, float]]:
        parameters = made(setup)
        optimizer = variant([{"params": parameters[:3], "weight_decay": 0.01}, {"params": parameters[3:]}], **engine)
        if early:
            optimizer.step_in_backward()
        for step in range(6):
            if step == 2 and setup.device.type == "cuda":
                torch.cuda.set_sync_debug_mode("error")
            optimizer.zero_grad()
            optimizer.predict()
            optimizer.observe(losses)
            gradients = gradients_of(parameters, step)
            torch.stack([(x * g).sum() for x, g in zip(parameters, gradients)]).sum().backward()
            assert all((parameter.grad is None) is early for parameter in parameters)
            optimizer.step()
        if setup.device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
        return values(parameters), koala_optim.scalars(optimizer)

    def one(variant: Variant, engine: dict[str, Any]) -> float:
        found, numbers = steps(variant, engine, True)
        expected, others = steps(variant, engine, False)
        far = difference([x.cpu() for x in found], [x.cpu() for x in expected])
        # Foreach operations do both; kernels have sums of their own.
        assert far < (1e-5 if engine.get("fused") else 1e-12), far
        for name, value in others.items():
            assert math.isclose(numbers[name], value, rel_tol=1e-4, abs_tol=1e-7), (name, numbers[name], value)
        return far

    worst = 0.0
    for name, engine in engines(setup):
        for variant in VARIANTS:
            if not variant.whole_model:
                far = failures.run(f"{variant.name}, {name}", lambda v=variant, e=engine: one(v, e))
                worst = max(worst, far or 0.0)
    return failures.end(worst=worst)


def states(setup: Setup) -> dict[str, Any]:
    """A state of the host goes on here, and back; a step with equal inputs gives equal bits."""
    failures = Failures()
    losses = torch.rand(16, generator=torch.Generator().manual_seed(1))

    def travel(variant: Variant, engine: dict[str, Any]) -> None:
        parameters = [nn.Parameter(x.detach().cpu()) for x in made(setup)]
        steady = [nn.Parameter(x.detach().clone()) for x in parameters]
        optimizer, other = variant(parameters, foreach=False), variant(steady, foreach=False)
        for step in range(9):
            if step in (3, 6):
                there = setup.device if step == 3 else torch.device("cpu")
                state = copy.deepcopy(optimizer.state_dict())
                parameters = [nn.Parameter(x.detach().to(there)) for x in parameters]
                optimizer = variant(parameters, **(engine if step == 3 else {"foreach": False}))
                optimizer.load_state_dict(state)
            one_step(optimizer, parameters, losses.to(parameters[0].device), step)
            one_step(other, steady, losses, step)
        far = difference([x.cpu() for x in values(parameters)], values(steady))
        assert far < 1e-4, far
        assert optimizer.filter_state()["step"] == 9

    def again(variant: Variant, engine: dict[str, Any]) -> None:
        found = []
        for _ in range(2):
            parameters = made(setup)
            optimizer = variant(parameters, weight_decay=0.01, **engine)
            for step in range(5):
                one_step(optimizer, parameters, losses.to(setup.device), step)
            found.append(([*values(parameters), *vectors_of(optimizer)], optimizer.filter_state()))
        assert all(torch.equal(x, y) for x, y in zip(found[0][0], found[1][0])), "tensors differ"
        assert found[0][1] == found[1][1], "filters differ"

    for name, engine in engines(setup):
        for variant in VARIANTS[:: 3 if setup.tiny else 1]:
            failures.run(f"{variant.name}, {name}, travel", lambda v=variant, e=engine: travel(v, e))
            failures.run(f"{variant.name}, {name}, again", lambda v=variant, e=engine: again(v, e))
    return failures.end()


def late_errors(setup: Setup) -> dict[str, Any]:
    """Missing measurements move nothing, and too many are an error some steps later, or at a look."""
    failures = Failures()
    losses = torch.ones(8, device=setup.device)

    def one(kind: type[Koala], engine: dict[str, Any]) -> int:
        parameters = made(setup)
        optimizer = kind(parameters, missing_limit=3, **engine)
        for step in range(3):
            one_step(optimizer, parameters, losses, step)
        for count in range(40):
            optimizer.predict()
            before = values(parameters)
            for parameter in parameters:
                parameter.grad = torch.full_like(parameter, math.nan)
            optimizer.observe(losses)
            try:
                optimizer.step()
            except koala_optim.TooManyMissing:
                assert count >= 2
                return count + 1
            assert all(torch.equal(x, y) for x, y in zip(values(parameters), before)), "something moved"
            assert all(torch.isfinite(x).all() for x in vectors_of(optimizer))
        raise AssertionError("no error")

    def scaled(kind: type[Koala], engine: dict[str, Any]) -> None:
        parameters = made(setup)
        optimizer = kind(parameters, **engine)
        scaler = torch.amp.GradScaler(setup.device.type, init_scale=2.0**8)
        for step in range(4):
            optimizer.zero_grad()
            optimizer.predict()
            each = sum(x.square().sum() for x in parameters).reshape(1)
            optimizer.observe(each)
            scaler.scale(each.mean()).backward()
            if step == 2:
                parameters[0].grad[0] = math.inf
            scaler.step(optimizer)
            scaler.update()
            missing = koala_optim.scalars(optimizer)["koala/missing"]
            assert missing == float(step == 2), (step, missing)

    steps = {}
    for name, engine in engines(setup):
        for kind in METHODS:
            key = f"{kind.__name__}, {name}"
            steps[key] = failures.run(key, lambda k=kind, e=engine: one(k, e))
            failures.run(f"{key}, scaler", lambda k=kind, e=engine: scaled(k, e))
    return failures.end(steps_until_the_error=steps)


def layouts(setup: Setup) -> dict[str, Any]:
    """Other orders of elements, gaps, several types at once, and gradients of another layout."""
    failures = Failures()
    losses = torch.rand(8, generator=torch.Generator().manual_seed(1))

    def laid(device: torch.device) -> list[nn.Parameter]:
        generator = torch.Generator().manual_seed(4)
        image = torch.randn(8, 4, 3, 3, generator=generator).to(device).contiguous(memory_format=torch.channels_last)
        turned = torch.randn(6, 40, generator=generator).to(device).t()
        shifted = torch.randn(103, generator=generator).to(device)[3:]
        half = torch.randn(50, generator=generator).to(device, torch.bfloat16)
        double = torch.randn(5, 5, generator=generator).to(device, torch.float64)
        return [nn.Parameter(x) for x in (image, turned, shifted, half, double)]

    def one(kind: type[Koala], settings: dict[str, Any], gap: bool) -> None:
        found = []
        for device in (setup.device, torch.device("cpu")):
            parameters = laid(device)
            if gap:
                parameters.append(nn.Parameter(torch.ones(6, 8, device=device)[:, ::2]))
            here = settings if device is setup.device else {}
            optimizer = kind(parameters, weight_decay=0.01, **here)
            for step in range(4):
                optimizer.predict()
                for parameter, gradient in zip(parameters, gradients_of(parameters, step)):
                    parameter.grad = gradient.contiguous() if step % 2 else gradient
                optimizer.update(losses.to(device))
            found.append([x.cpu() for x in values(parameters)])
        for x, y in zip(*found):
            far = difference([x], [y])
            # What half precision rounds away is in the filter of all.
            assert far < (5e-2 if x.dtype is torch.bfloat16 else 1e-2), (x.dtype, far)

    for kind in METHODS:
        for name, settings in engines(setup):
            failures.run(f"{kind.__name__}, {name}", lambda k=kind, s=settings: one(k, s, False))
        failures.run(f"{kind.__name__}, gaps", lambda k=kind: one(k, {}, True))
    return failures.end()


def memory(setup: Setup) -> dict[str, Any]:
    """Bytes a parameter beside parameters and gradients: kept between steps, and at most within one."""
    if setup.device.type != "cuda":
        return {"skipped": "no CUDA"}
    rows = {}
    for name, engine in engines(setup):
        for variant in VARIANTS:
            torch.cuda.empty_cache()
            parameters = [nn.Parameter(torch.zeros(1_000_000, device=setup.device)) for _ in range(16)]
            for parameter in parameters:
                parameter.grad = torch.ones_like(parameter)
            torch.cuda.synchronize()
            start = torch.cuda.memory_allocated()
            optimizer = variant(parameters, **engine)
            losses = torch.ones(4, device=setup.device)
            for _ in range(2):
                optimizer.predict()
                optimizer.update(losses)
            torch.cuda.reset_peak_memory_stats()
            optimizer.predict()
            optimizer.update(losses)
            torch.cuda.synchronize()
            kept, peak = torch.cuda.memory_allocated() - start, torch.cuda.max_memory_allocated() - start
            rows[f"{variant.name}, {name}"] = {"kept": kept / 16e6, "peak": peak / 16e6}
            print(f"  {variant.name:16s} {name:8s} kept {kept / 16e6:6.2f} B, peak {peak / 16e6:6.2f} B a parameter")
            del optimizer, parameters
    return {"bytes_a_parameter": rows}
