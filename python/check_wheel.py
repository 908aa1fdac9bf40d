"""Checks a folder with a wheel and a source distribution: licences, what is required, glibc, links of the README.

python check_wheel.py FOLDER
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")
GLIBC = (2, 17)


def faults(folder: Path) -> Iterator[str]:
    """What is wrong, a line each."""
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if not wheels or not sources:
        yield f"{folder} has {len(wheels)} wheels and {len(sources)} source distributions; build them with wheel.sh"
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
            libraries = {name: archive.read(name) for name in names if name.endswith(".so")}
        yield from (f"{wheel.name}: {fault}" for fault in _of_all(names, metadata))
        if "manylinux" not in wheel.name:
            yield f"{wheel.name}: its tag is for the machine that built it alone"
        for name, library in libraries.items():
            needed = newest_glibc(library)
            if needed > GLIBC:
                yield f"{wheel.name}: {name} needs glibc {'.'.join(map(str, needed))}, more than its tag says"
    for source in sources:
        with tarfile.open(source) as archive:
            names = archive.getnames()
            found = next(name for name in names if name.endswith("/PKG-INFO"))
            file = archive.extractfile(found)
            metadata = file.read().decode() if file is not None else ""
        yield from (f"{source.name}: {fault}" for fault in _of_all(names, metadata))


def _of_all(names: list[str], metadata: str) -> Iterator[str]:
    parsed = Parser().parsestr(metadata)
    for licence in LICENCES:
        if not any(name.endswith("/" + licence) for name in names):
            yield f"has no {licence}"
        if licence not in parsed.get_all("License-File", []):
            yield f"does not name {licence}"
    required = {re.split(r"[^\w-]", line)[0] for line in parsed.get_all("Requires-Dist", [])}
    if missing := {"torch", "typing-extensions"} - required:
        yield f"does not require {', '.join(sorted(missing))}"
    if links := relative_links(str(parsed.get_payload())):
        yield f"its README links to {links[0]}, which is not there for who has the package alone"


def relative_links(text: str) -> list[str]:
    """Links of a page that lead to neither itself nor the network."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"(#|https?://)", link)]


def newest_glibc(library: bytes) -> tuple[int, ...]:
    """The newest version of glibc whose symbols a shared library asks for."""
    versions = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)", library)
    return max((tuple(int(part) for part in version.split(b".")) for version in versions), default=(0,))


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found) or "the wheel and the source distribution are as they should be")
    sys.exit(bool(found))
