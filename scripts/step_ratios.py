#!/usr/bin/env python3
"""A training step here beside one of PyTorch on the same processor, as ratios: scripts/step_ratios.py --python PYTHON.

Builds `cargo bench --workspace --bench training_step`, then runs it and `python/benchmarks/training_step.py` in turns, one
network at a time, each in a process of its own, so that memory counts from nothing and what else the machine does meets both. Ratios
below 1 are faster, or less, than PyTorch. KOALA-A stands against fused AdamW, Burn's SGD with momentum against the fused one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = ("mlp", "cnn", "lstm", "transformer", "gpt", "resnet20", "resnet18")
PAIRS = (("koala-a", "adamw"), ("sgd", "sgd"))
# Steps of a network in a turn: as many as take some seconds.
STEPS = {"mlp": 400, "cnn": 40, "lstm": 15, "transformer": 15, "gpt": 15, "resnet20": 8, "resnet18": 6}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--python", default=sys.executable, help="an interpreter that has torch")
    arguments.add_argument("--networks", default=",".join(NETWORKS), help="with commas between")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true", help="every figure of every round, a line each")
    options = arguments.parse_args()
    names = options.networks.split(",")
    unknown = [name for name in names if name not in NETWORKS]
    if unknown or options.rounds < 1:
        arguments.error(f"no network {unknown[0]!r}: {', '.join(NETWORKS)}" if unknown else "at least one round")

    rust = executable()
    python = [options.python, str(ROOT / "python/benchmarks/training_step.py")]
    found: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    for turn in range(options.rounds):
        for name in names:
            for ours, theirs in PAIRS:
                for command, optimizer in (([rust, "--json"], ours), (python, theirs)):
                    what = ["--networks", name, "--optimizers", optimizer, "--steps", str(STEPS[name])]
                    figures = json.loads(output([*command, *what]))
                    found[figures["side"], name, optimizer].append(figures)
                    if options.json:
                        print(json.dumps({"round": turn, **figures}), flush=True)
                    else:
                        print(f"\rround {turn + 1} of {options.rounds}: {name:12}", end="", file=sys.stderr, flush=True)
    if options.json:
        return
    print(file=sys.stderr)
    print("| network | step by | ms | PyTorch ms | ratio | of CPU seconds | of memory |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        for ours, theirs in PAIRS:
            a, b = found["koala", name, ours], found["pytorch", name, theirs]
            if a[0]["parameters"] != b[0]["parameters"]:
                sys.exit(f"{name}: {a[0]['parameters']} parameters here, {b[0]['parameters']} in PyTorch")
            keys = ("milliseconds", "processor_milliseconds", "bytes")
            pairs = [(middle(a, key), middle(b, key)) for key in keys]
            cells = [f"{milliseconds:.1f}" for milliseconds in pairs[0]] + [f"{x / y:.2f}" for x, y in pairs]
            print("|", " | ".join([name, f"{ours}, {theirs}" if ours != theirs else ours, *cells]), "|")


def executable() -> str:
    """Builds the benchmark and says where it is."""
    build = ["cargo", "bench", "--workspace", "--bench", "training_step", "--no-run", "--message-format=json"]
    for line in output(build).splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "training_step" and message.get("executable"):
            return message["executable"]
    sys.exit("cargo built no training_step")


def output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}")
    return done.stdout


def middle(rounds: list[dict[str, float]], key: str) -> float:
    return statistics.median(figures[key] for figures in rounds)


if __name__ == "__main__":
    main()
