#!/usr/bin/env python3
"""Draws docs/images/architecture.svg: the crates on their floors, and an arrow from each to what it builds on.

    python3 scripts/architecture.py            # write the picture
    python3 scripts/architecture.py --check    # exit 1 if the picture in the tree is another one

Arrows are the dependencies in crates/*/Cargo.toml and python/Cargo.toml, without those of tests. Where each crate
stands and what is said of it is written below; a crate without a place, an arrow that does not go down, or one that
would run through a box is an error. Python 3.11 or newer, nothing else.
"""

import sys
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "architecture.svg"

# Name, floor, left and right edge, library of tensors, one line.
BOXES = [
    ("koala-lab", 5, 206, 1106, "burn", "the program koala: arguments, progress, exit codes"),
    ("koala-compare", 4, 206, 1106, "burn", "suites, tuning, sensitivity; every run once"),
    ("koala-train", 3, 586, 1106, "burn", "optimizers, the loop, runs on disk, recipes"),
    ("koala-report", 2, 206, 376, "none", "runs read, compared"),
    ("koala-optim", 2, 396, 566, "pytorch", "KOALA for PyTorch"),
    ("koala-burn", 2, 586, 756, "burn", "KOALA for Burn"),
    ("koala-models", 2, 776, 926, "burn", "networks, losses"),
    ("koala-filter", 1, 306, 756, "none", "the filter: sums in, steps out; the optimizers over slices"),
    ("koala-ops", 1, 776, 926, "burn", "fused operations"),
    ("koala-data", 1, 946, 1106, "none", "data sets as arrays"),
    ("koala-system", 0, 206, 1106, "none", "files that outlast a crash, files of others, memory that there is"),
]
FLOORS = {
    5: "the program",
    4: "comparisons",
    3: "training",
    2: "adapters, networks,\nreports",
    1: "the filter, data,\noperations",
    0: "the system",
}
# Where an arrow goes down that would not find its way in the middle of what both boxes have in common.
LANES = {
    ("koala-compare", "koala-report"): 291,
    ("koala-report", "koala-system"): 256,
    ("koala-train", "koala-data"): 1026,
}
LEGEND = {"none": "no tensor library", "burn": "Burn", "pytorch": "PyTorch (python/)"}
WIDTH, TOP, BOX, GAP, LEFT, RIGHT = 1130, 24, 76, 44, 24, 1106

STYLE = """
  .page { fill: #fbfaf7 } .floor { stroke: #dedad0; stroke-width: 1; stroke-dasharray: 2 5 }
  .name { font: 600 16px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #23282d }
  .line, .also, .label, .key { font: 13px system-ui, 'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif }
  .line { fill: #4a5258 } .also { font-size: 11.5px; fill: #5a6168 } .label, .key { fill: #6b7278 }
  .number { font: 600 13px system-ui, 'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif; fill: #23282d }
  .box { stroke-width: 1.5 } .none { fill: #e6efe9; stroke: #6f9a83 }
  .burn { fill: #f5ebdc; stroke: #bd955a } .pytorch { fill: #e9e6f2; stroke: #8a7fb3 }
  .arrow { stroke: #59636b; stroke-width: 1.6; fill: none } .head { fill: #59636b }
  @media (prefers-color-scheme: dark) {
    .page { fill: #16191c } .floor { stroke: #343a40 }
    .name, .number { fill: #e8eaec } .line { fill: #bcc3c9 } .also, .label, .key { fill: #959da5 }
    .none { fill: #1d2b24; stroke: #6f9a83 } .burn { fill: #30281b; stroke: #b08b54 }
    .pytorch { fill: #27243a; stroke: #8a7fb3 } .arrow { stroke: #9aa4ac } .head { fill: #9aa4ac }
  }
"""


def arrows() -> dict[str, set[str]]:
    """What each crate builds on, of the crates here."""
    found = {}
    for file in [*sorted(ROOT.glob("crates/*/Cargo.toml")), ROOT / "python" / "Cargo.toml"]:
        manifest = tomllib.loads(file.read_text(encoding="utf-8"))
        found[manifest["package"]["name"]] = set(manifest.get("dependencies", {}))
    return {name: known & found.keys() for name, known in found.items()}


def reached(graph: dict[str, set[str]], name: str) -> set[str]:
    """All that a crate builds on, by whatever way."""
    below = set(graph[name])
    for other in graph[name]:
        below |= reached(graph, other)
    return below


def top(floor: int) -> int:
    """Upper edge of the boxes of a floor."""
    return TOP + (max(FLOORS) - floor) * (BOX + GAP)


def lane(upper: tuple, lower: tuple) -> int:
    """Where the arrow between two boxes goes down."""
    left, right = max(upper[2], lower[2]), min(upper[3], lower[3])
    x = LANES.get((upper[0], lower[0]), (left + right) // 2)
    if not left < x < right:
        sys.exit(f"{upper[0]} and {lower[0]} do not stand above each other: move one in BOXES")
    for name, floor, begin, end, *_ in BOXES:
        if lower[1] < floor < upper[1] and begin <= x <= end:
            sys.exit(f"the arrow from {upper[0]} to {lower[0]} runs through {name}: give it a lane in LANES")
    return x


def picture() -> str:
    """The picture as SVG."""
    graph = arrows()
    boxes = {box[0]: box for box in BOXES}
    if graph.keys() != boxes.keys():
        sys.exit(f"without a place in BOXES, or without a Cargo.toml: {', '.join(sorted(graph.keys() ^ boxes.keys()))}")
    for name, below in graph.items():
        for other in below:
            if boxes[other][1] >= boxes[name][1]:
                sys.exit(f"{name} builds on {other}, which is not below it")

    height = top(min(FLOORS)) + BOX + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title description">',
        '<title id="title">The crates of Koala, by floors</title>',
        '<desc id="description">'
        + " ".join(f"{name} builds on {', '.join(sorted(graph[name])) or 'none of them'}." for name in boxes)
        + "</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="10"/>',
    ]
    for floor, words in FLOORS.items():
        y = top(floor)
        if floor > min(FLOORS):
            line = y + BOX + GAP // 2
            parts.append(f'<path class="floor" d="M{LEFT} {line}H{RIGHT}"/>')
        lines = words.split("\n")
        base = y + BOX // 2 + 5 - 9 * (len(lines) - 1)
        parts.append(f'<text class="number" x="{LEFT}" y="{base}">{floor}</text>')
        for number, text in enumerate(lines):
            parts.append(f'<text class="label" x="{LEFT + 22}" y="{base + 18 * number}">{escape(text)}</text>')

    left_out = {}
    for name, below in graph.items():
        by_others = set().union(*(reached(graph, other) for other in below)) if below else set()
        left_out[name] = sorted(below & by_others)
        for other in sorted(below - by_others):
            x = lane(boxes[name], boxes[other])
            start, end = top(boxes[name][1]) + BOX, top(boxes[other][1])
            parts.append(f'<path class="arrow" d="M{x} {start}V{end - 8}"/>')
            parts.append(f'<path class="head" d="M{x} {end - 1}l-5 -10h10z"/>')

    for name, floor, left, right, library, text in BOXES:
        y, middle = top(floor), (left + right) // 2
        lines = [("name", name), ("line", text)]
        if left_out[name]:
            short = ", ".join(other.removeprefix("koala-") for other in left_out[name])
            lines.append(("also", f"also on {short}"))
        parts.append(
            f'<rect class="box {library}" x="{left}" y="{y}" width="{right - left}" height="{BOX}" rx="7"/>'
        )
        base = y + BOX // 2 + 5 - 19 * (len(lines) - 1) // 2
        for number, (kind, words) in enumerate(lines):
            parts.append(
                f'<text class="{kind}" x="{middle}" y="{base + 19 * number}" text-anchor="middle">{escape(words)}</text>'
            )

    y = height - 34
    x = min(box[2] for box in BOXES)
    for library, words in LEGEND.items():
        parts.append(f'<rect class="box {library}" x="{x}" y="{y}" width="16" height="16" rx="3"/>')
        parts.append(f'<text class="key" x="{x + 24}" y="{y + 13}">{escape(words)}</text>')
        x += 62 + round(6.4 * len(words))
    parts.append(f'<path class="arrow" d="M{x + 8} {y - 1}V{y + 10}"/>')
    parts.append(f'<path class="head" d="M{x + 8} {y + 17}l-5 -10h10z"/>')
    parts.append(f'<text class="key" x="{x + 22}" y="{y + 13}">builds on</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main() -> None:
    """Writes the picture, or looks whether it is there."""
    new = picture()
    if sys.argv[1:] == ["--check"]:
        if not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != new:
            sys.exit(f"{PICTURE.relative_to(ROOT)} is another one: run python3 scripts/architecture.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        PICTURE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
