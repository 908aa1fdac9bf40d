"""Gathers the pages of the site: docs/*.md as they are, parts of READMEs, and examples; links are made the site's own.

python3 docs/site/gather.py FOLDER

Each page has one home; nothing is written twice for the site. A link to a page leads to that page, one to a file that the site
does not show to the repository, if `KOALA_REPOSITORY` says where that is (`https://.../blob/v1.2.3`), and is only its words
otherwise. A link to a file that is not there is a fault, and so is a function that a link names and its file does not have.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

QUICK_STARTS = [f"Quick start: {what}" for what in ("PyTorch", "Burn 0.22", "slices")]
# Pages that are not docs/NAME.md: title, then files, each with the sections that are taken of it (none: all but its title).
PARTS: dict[str, tuple[str, list[tuple[str, list[str]]]]] = {
    "start": (
        "Start",
        [
            (
                "README.md",
                [
                    "Two commands",
                    "The program",
                    "Quick start: PyTorch",
                    "Quick start: Burn 0.22",
                    "Quick start: slices",
                ],
            )
        ],
    ),
    "which": ("Which optimizer, and when not", [("README.md", ["", "When not to use it", "What it promises"])]),
    "own-data": ("Your own data", [("README.md", ["On your own problem", "Comparisons that one can believe"])]),
    "pytorch": ("KOALA for PyTorch", [("python/README.md", [])]),
    "distributed": ("Many processes", [("python/docs/distributed.md", [])]),
    "frameworks": ("Inside frameworks", [("python/docs/frameworks.md", [])]),
    "contributing": ("Contributing", [("CONTRIBUTING.md", [])]),
    "security": ("Security", [("SECURITY.md", [])]),
    "changes": ("Changes", [("CHANGELOG.md", [])]),
}
# Files and folders of docs/ that the site shows as they are.
SHOWN = ("examples", "format", "images")
LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|`[^`]*`)*)\]\((?P<target>[^)\s]+)\)")
FUNCTION = re.compile(r"`(?:\w+::)*(?P<name>[a-z]\w*)`")


@dataclass
class Site:
    """Where what stands, and what was found to be wrong."""

    pages: dict[Path, str] = field(default_factory=dict)
    # A heading of a file of which only sections are taken, and the page that has it.
    sections: dict[tuple[Path, str], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def link(self, page: str, origin: Path, text: str, target: str, image: bool) -> str:
        """A link of `origin`, as it is to stand on a page of the site."""
        if re.match(r"[a-z]+:|#", target):
            anchor = self.sections.get((origin, target.removeprefix("#")))
            return f"[{text}]({target if anchor in (None, page) else f'{anchor}.md{target}'})"
        path, _, anchor = target.partition("#")
        file = (origin.parent / path).resolve()
        behind = f"#{anchor}" if anchor else ""
        if not file.exists():
            self.faults.append(f"{origin.relative_to(ROOT)}: {target} is not there")
        elif (file, anchor) in self.sections:
            return f"[{text}]({self.sections[file, anchor]}.md{behind})"
        elif file in self.pages:
            # Named by its file it is named by its title.
            return f"[{'' if text in (target, path) else text}]({self.pages[file]}.md{behind})"
        elif file.is_relative_to(DOCS) and file.relative_to(DOCS).parts[0] in SHOWN:
            shown = file.relative_to(DOCS).as_posix()
            return f"![{text}]({shown})" if image else f"[{text}](site:{shown})"
        else:
            self.faults += [f"{origin.relative_to(ROOT)}: {fault}" for fault in missing_function(text, file)]
        where = os.environ.get("KOALA_REPOSITORY")
        return f"[{text}]({where}/{file.relative_to(ROOT).as_posix()}{behind})" if where and not image else text

    def text(self, page: str, origin: Path, text: str) -> str:
        """A text of `origin` with its links made the site's, those in blocks of code left alone."""

        def made(found: re.Match[str]) -> str:
            return self.link(page, origin, found["text"], found["target"], bool(found["image"]))

        parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
        return "".join(part if part.startswith("```") else LINK.sub(made, part) for part in parts)


def missing_function(text: str, file: Path) -> Iterator[str]:
    """What a link to source names and the source does not have."""
    named = FUNCTION.fullmatch(text)
    if named is None or file.suffix not in (".rs", ".py"):
        return
    if not re.search(rf"\b(fn|def|struct|enum|class) {named['name']}\b", file.read_text()):
        yield f"{file.relative_to(ROOT)} has no {named['name']}"


def sections(text: str) -> dict[str, str]:
    """The text below each heading of the second level; before the first one, below the title: "" ."""
    fences = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    # Headings in blocks of code are comments of shells.
    marked = "".join(
        part if part.startswith("```") else re.sub(r"^## ", "\0", part, flags=re.MULTILINE) for part in fences
    )
    first, *others = marked.split("\0")
    found = {"": re.sub(r"\A# .*\n", "", first)}
    for other in others:
        heading, _, body = other.partition("\n")
        found[heading.strip()] = body
    return found


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    site = Site()
    for file in DOCS.glob("*.md"):
        site.pages[file] = file.stem
    for page, (_, sources) in PARTS.items():
        for name, wanted in sources:
            file = ROOT / name
            if not wanted:
                site.pages[file] = page
            for heading in wanted:
                site.sections[file, slug(heading)] = page
    site.pages[ROOT / "README.md"] = "index"

    for file in DOCS.glob("*.md"):
        (out / file.name).write_text(site.text(file.stem, file, file.read_text()))
    for page, (title, sources) in PARTS.items():
        text = f"# {title}\n"
        for name, wanted in sources:
            file = ROOT / name
            found = sections(file.read_text())
            for heading in wanted or found:
                if heading not in found:
                    site.faults.append(f"{name} has no section {heading!r}, of which the site makes {page}")
                    continue
                text += (f"\n## {heading}\n" if heading else "") + site.text(page, file, found[heading])
        (out / f"{page}.md").write_text(text)
    for own in ("index.md", "python-api.md"):
        shutil.copy(DOCS / "site" / own, out / own)
    shutil.copytree(DOCS / "images", out / "images")
    for shown in ("examples", "format"):
        shutil.copytree(DOCS / shown, out / "shown" / shown)
    if site.faults:
        sys.exit("\n".join(site.faults))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
