"""Checks the optimizers on a device and measures them: ``scripts/gpu-check.sh``, see docs/gpu.md.

Every section stands for itself: one that fails is told with its traceback, and the others go on. What was found is printed
and, as JSON, written to a file after each section.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from gpu_checks import (
    conformance,
    in_backward,
    late_errors,
    layouts,
    memory,
    nothing_waited,
    one_pass,
    recordings,
    rounding,
    states,
)
from gpu_graphs import captured, compiled
from gpu_shards import shards
from gpu_speed import Setup, host, kernels, launches, speed, tuning

SECTIONS: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "recordings": recordings,
    "nothing waited for": nothing_waited,
    "one pass": one_pass,
    "rounding": rounding,
    "in backward": in_backward,
    "shards": shards,
    "capture": captured,
    "speed": speed,
    "conformance": conformance,
    "kernels": kernels,
    "tuning": tuning,
    "launches": launches,
    "host": host,
    "states": states,
    "late errors": late_errors,
    "layouts": layouts,
    "compile": compiled,
    "memory": memory,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the sections; returns the number that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="where to run (default: cuda)")
    parser.add_argument("--json", type=Path, help="file for what was found")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="sections (default: all)")
    parser.add_argument("--tiny", action="store_true", help="sizes for a dry run")
    given = parser.parse_args(arguments)
    setup = Setup(torch.device(given.device), given.tiny)
    found: dict[str, Any] = {"about": about(setup.device), "sections": {}}
    print(json.dumps(found["about"]), flush=True)
    failed = 0
    for name in given.only or SECTIONS:
        began = time.perf_counter()
        try:
            result = {"passed": True, **SECTIONS[name](setup)}
        except Exception as error:
            failed += 1
            text = traceback.format_exc()
            print(text, flush=True)
            result = {"passed": False, "error": repr(error)[:2000], "traceback": text[-4000:]}
        finally:
            if setup.device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
        result["seconds"] = round(time.perf_counter() - began, 1)
        found["sections"][name] = result
        print(f"=== {name}: {'passed' if result['passed'] else 'FAILED'} ({result['seconds']} s)", flush=True)
        if given.json is not None:
            given.json.write_text(json.dumps(found, indent=1))
    print(f"{failed} of {len(found['sections'])} sections failed")
    return failed


def about(device: torch.device) -> dict[str, Any]:
    """What was checked where."""
    told = {"python": platform.python_version(), "torch": torch.__version__, "device": str(device)}
    if device.type == "cuda":
        told["name"] = torch.cuda.get_device_name()
    try:
        import triton

        told["triton"] = triton.__version__
    except ImportError:
        told["triton"] = None
    return told


if __name__ == "__main__":
    sys.exit(min(main(), 100))
