"""What a step costs on a device: milliseconds beside PyTorch's optimizers, launches, and the host's share."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from step import resnet18
from torch.nn import Parameter
from torch.optim import SGD, AdamW, Optimizer

from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV
from koala_optim.device.reach import no_kernels


@dataclass
class Setup:
    """Where the sections run, and how much."""

    device: torch.device
    tiny: bool

    @property
    def fuses(self) -> bool:
        """Whether there are kernels for the device."""
        return no_kernels([torch.zeros(1, device=self.device)]) is None

    @property
    def compiler(self) -> str:
        return "inductor" if self.device.type == "cuda" else "aot_eager"


Make = Callable[[list[Parameter]], Optimizer]

# With the passes over memory that a step cannot do without: numbers read and written for each parameter.
CONTENDERS: dict[str, tuple[Make, int]] = {
    "SGD momentum, foreach": (lambda x: SGD(x, lr=1e-9, momentum=0.9, foreach=True), 5),
    "SGD momentum, fused": (lambda x: SGD(x, lr=1e-9, momentum=0.9, fused=True), 5),
    "AdamW, foreach": (lambda x: AdamW(x, lr=1e-9, foreach=True), 7),
    "AdamW, fused": (lambda x: AdamW(x, lr=1e-9, fused=True), 7),
    "AdamW, fused, capturable": (lambda x: AdamW(x, lr=1e-9, fused=True, capturable=True), 7),
    "KOALA-V": (lambda x: KoalaV(x, lr=1e-9), 4),
    "KOALA-M": (lambda x: KoalaM(x, lr=1e-9), 13),
    "KOALA-M, fixed position noise": (lambda x: KoalaM(x, lr=1e-9, position_noise=1e-3), 10),
    "KOALA++": (lambda x: KoalaPP(x, lr=1e-9), 10),
    "KOALA-A": (lambda x: KoalaA(x, lr=1e-9), 18),
    "KOALA-A, without mean": (lambda x: KoalaA(x, lr=1e-9, mean=None), 16),
    "KOALA-A, without metric": (lambda x: KoalaA(x, lr=1e-9, metric="none"), 13),
    "KOALA-M, staying": (lambda x: KoalaM(x, lr=1e-9, stay_predicted=True), 8),
    "KOALA-M, fixed, staying": (lambda x: KoalaM(x, lr=1e-9, position_noise=1e-3, stay_predicted=True), 6),
    "KOALA-A, staying": (lambda x: KoalaA(x, lr=1e-9, stay_predicted=True), 14),
    "KOALA-V, foreach": (lambda x: KoalaV(x, lr=1e-9, foreach=True), 4),
    "KOALA-M, foreach": (lambda x: KoalaM(x, lr=1e-9, foreach=True), 13),
    "KOALA++, foreach": (lambda x: KoalaPP(x, lr=1e-9, foreach=True), 10),
    "KOALA-A, foreach": (lambda x: KoalaA(x, lr=1e-9, foreach=True), 18),
    "KOALA-M, filter on the host": (lambda x: KoalaM(x, lr=1e-9, foreach=True, negative_residual="error"), 13),
}


def sizes(setup: Setup) -> dict[str, list[tuple[int, ...]]]:
    """Shapes of the models that are measured."""
    if setup.tiny:
        return {"tiny": [(40, 30), (30,), (7,)]}
    return {"resnet18": resnet18(), "100m": [(5_000_000,)] * 20}


def made(setup: Setup, shapes: list[tuple[int, ...]], dtype: torch.dtype = torch.float32) -> list[Parameter]:
    """Parameters with gradients."""
    torch.manual_seed(0)
    parameters = [Parameter((0.05 * torch.randn(shape, device=setup.device)).to(dtype)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = (1e-3 * torch.randn(parameter.shape, device=setup.device)).to(dtype)
    return parameters


def step_of(optimizer: Optimizer, losses: torch.Tensor) -> Callable[[], None]:
    """A whole step."""
    if not isinstance(optimizer, Koala):
        return lambda: optimizer.step()

    def step() -> None:
        optimizer.predict()
        optimizer.observe(losses)
        optimizer.step()

    return step


def milliseconds(setup: Setup, step: Callable[[], None], count: int) -> float:
    """The median time of a step on the device, of steps that follow each other."""
    if setup.device.type != "cuda":
        times = []
        for _ in range(2):
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)
    for _ in range(5):
        step()
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    torch.cuda.synchronize()
    marks[0].record()
    for mark in marks[1:]:
        step()
        mark.record()
    torch.cuda.synchronize()
    return statistics.median(left.elapsed_time(right) for left, right in zip(marks, marks[1:]))


def in_graph(setup: Setup, step: Callable[[], None], count: int) -> float | None:
    """The same in a CUDA graph, where the host does not count; ``None`` where it cannot be captured."""
    if setup.device.type != "cuda":
        return None
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return milliseconds(setup, graph.replay, count)


def bandwidth(setup: Setup) -> float:
    """Bytes a second of a copy, read and written, on the device."""
    source = torch.ones(1000 if setup.tiny else 256 * 1024 * 1024, device=setup.device)
    target = torch.empty_like(source)
    taken = milliseconds(setup, lambda: target.copy_(source), 20)
    return 2 * source.numel() * 4 / (taken * 1e-3)


def speed(setup: Setup) -> dict[str, Any]:
    """Milliseconds a step, beside fused AdamW and beside the time that its bytes take at the speed of a copy."""
    rate = bandwidth(setup)
    print(f"  a copy moves {rate / 1e12:.3f} TB/s")
    found: dict[str, Any] = {"bytes_a_second_of_a_copy": rate, "rows": []}
    losses = torch.rand(128, device=setup.device)
    for size, shapes in sizes(setup).items():
        for dtype in (torch.float32, torch.bfloat16):
            count = 30 if size == "100m" else 100
            rows = []
            for name, (make, passes) in CONTENDERS.items():
                if dtype is torch.bfloat16 and ("host" in name or "capturable" in name):
                    continue
                parameters = made(setup, shapes, dtype)
                row: dict[str, Any] = {"size": size, "dtype": str(dtype).removeprefix("torch."), "optimizer": name}
                try:
                    step = step_of(make(parameters), losses)
                    row["eager"] = milliseconds(setup, step, count)
                except Exception as error:
                    row["error"] = repr(error)[:500]
                    rows.append(row)
                    continue
                try:
                    graphed = isinstance(make(parameters), Koala) or "capturable" in name
                    row["graph"] = in_graph(setup, step, count) if graphed and "host" not in name else None
                except Exception as error:
                    row["graph"], row["graph_error"] = None, repr(error)[:500]
                elements = sum(parameter.numel() for parameter in parameters)
                least = 1e3 * passes * elements * parameters[0].element_size() / rate
                row["least"] = least
                row["times_least"] = min(x for x in (row["eager"], row["graph"]) if x is not None) / least
                rows.append(row)
                del parameters, step
            reference = next(
                (row["eager"] for row in rows if row["optimizer"] == "AdamW, fused" and "eager" in row), None
            )
            print(f"  {size}, {dtype}: ms eager, ms in a graph, eager x fused AdamW, best x bytes at a copy's speed")
            for row in rows:
                if reference is not None and "eager" in row:
                    row["times_fused_adamw"] = row["eager"] / reference
                print("    " + _line(row), flush=True)
            found["rows"] += rows
    return found


def _line(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['optimizer']:31s} {row['error'][:120]}"
    graph = "      --" if row["graph"] is None else f"{row['graph']:8.3f}"
    text = f"{row['optimizer']:31s} {row['eager']:8.3f} {graph} {row.get('times_fused_adamw', 0.0):7.2f}"
    text += f" {row['times_least']:7.2f}"
    return text + (f"  {row['graph_error'][:90]}" if "graph_error" in row else "")


def launches(setup: Setup) -> dict[str, Any]:
    """Kernels that a step launches, as the profiler counts them, on 200 tensors."""
    if setup.device.type != "cuda":
        return {"skipped": "no CUDA"}
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    rows = {}
    losses = torch.rand(16, device=setup.device)
    for name, (make, _) in CONTENDERS.items():
        step = step_of(make(made(setup, [(100, 10)] * 200)), losses)
        for _ in range(4):
            step()
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as seen:
            step()
            torch.cuda.synchronize()
        events = [event for event in seen.events() if event.device_type == DeviceType.CUDA]
        names = [event.name for event in events]
        rows[name] = {"kernels": len(names), "names": sorted(set(names))[:12]}
        print(f"  {name:31s} {len(names)} kernels")
    return {"kernels": rows}


def host(setup: Setup) -> dict[str, Any]:
    """Microseconds of the host for a step, where nobody waits for the device: on ResNet-18's tensors, tiny."""
    rows = {}
    losses = torch.rand(16, device=setup.device)
    for name, (make, _) in CONTENDERS.items():
        step = step_of(make(made(setup, [(16,)] * (3 if setup.tiny else 62))), losses)
        for _ in range(3):
            step()
        if setup.device.type == "cuda":
            torch.cuda.synchronize()
        times = []
        for _ in range(3 if setup.tiny else 40):
            start = time.perf_counter()
            step()
            times.append(1e6 * (time.perf_counter() - start))
        rows[name] = statistics.median(times)
        print(f"  {name:31s} {rows[name]:8.0f} us")
    return {"microseconds": rows}


def kernels(setup: Setup) -> dict[str, Any]:
    """Microseconds of each kernel of a step, on ResNet-18's parameters."""
    if setup.device.type != "cuda":
        return {"skipped": "no CUDA"}
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    rows: dict[str, dict[str, float]] = {}
    losses = torch.rand(128, device=setup.device)
    for name in ("AdamW, fused", "KOALA-V", "KOALA-M", "KOALA++", "KOALA-A", "KOALA-M, foreach"):
        step = step_of(CONTENDERS[name][0](made(setup, resnet18())), losses)
        for _ in range(4):
            step()
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as seen:
            for _ in range(10):
                step()
            torch.cuda.synchronize()
        taken: dict[str, float] = {}
        for event in seen.events():
            if event.device_type == DeviceType.CUDA:
                taken[event.name] = taken.get(event.name, 0.0) + event.time_range.elapsed_us() / 10
        rows[name] = dict(sorted(taken.items(), key=lambda item: -item[1])[:12])
        print(
            f"  {name}: " + ", ".join(f"{kernel[:40]} {micro:.1f}" for kernel, micro in rows[name].items()), flush=True
        )
    return {"microseconds": rows}


def tuning(setup: Setup) -> dict[str, Any]:
    """Blocks and warps of the kernels over tensors: milliseconds of a step in a graph."""
    if not setup.fuses or setup.device.type != "cuda":
        return {"skipped": "no kernels on CUDA"}
    from koala_optim.device.fused import passes, tables

    rows = {}
    losses = torch.rand(128, device=setup.device)
    before = tables.BLOCK, passes.WARPS
    try:
        for size, shapes in sizes(setup).items():
            for block in (1024, 2048, 4096):
                for warps in (4, 8):
                    tables.BLOCK = passes.BLOCK = block
                    passes.WARPS = warps
                    for name in ("KOALA-M", "KOALA-A"):
                        step = step_of(CONTENDERS[name][0](made(setup, shapes)), losses)
                        taken = in_graph(setup, step, 30)
                        rows[f"{size}, {name}, {block}, {warps}"] = taken
                        print(f"  {size:9s} {name} block {block}, warps {warps}: {taken:.3f} ms", flush=True)
    finally:
        tables.BLOCK, passes.WARPS = before
        passes.BLOCK = tables.BLOCK
    return {"milliseconds": rows}
