"""Checks a folder of wheels and source distributions: tags, licences, bill of materials, what is required, glibc, links.

python3 scripts/check_wheels.py FOLDER [TAG]      TAG: the platform that each wheel must be for, such as manylinux_2_28_x86_64
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")
# Of each package: interpreter and ABI of its tag, what it requires, a crate that must be in its bill of materials.
PACKAGES = {
    "koala-optim": ("cp310-abi3", {"torch", "typing-extensions"}, "koala-filter"),
    "koala-lab": ("py3-none", set(), "koala-compare"),
}
# What a wheel may be for: not the machine alone that built it (`linux_...`).
PLATFORMS = r"manylinux_\d+_\d+_|musllinux_\d+_\d+_|macosx_\d+_\d+_|win_amd64$|win_arm64$"
ELF = b"\x7fELF"


def faults(folder: Path, tag: str | None = None) -> Iterator[str]:
    """What is wrong, a line each. `tag`: the platform that is expected of each wheel."""
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if not wheels or not sources:
        yield f"{folder} has {len(wheels)} wheels and {len(sources)} source distributions; build them with scripts/wheels.sh"
    for wheel in wheels:
        yield from (f"{wheel.name}: {fault}" for fault in _of_wheel(wheel, tag))
    for source in sources:
        with tarfile.open(source) as archive:
            names = archive.getnames()
            found = next(name for name in names if name.endswith("/PKG-INFO"))
            file = archive.extractfile(found)
            metadata = Parser().parsestr(file.read().decode() if file is not None else "")
        yield from (f"{source.name}: {fault}" for fault in _of_all(names, metadata))


def _of_wheel(wheel: Path, tag: str | None) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(archive.read(_only(names, ".dist-info/METADATA")).decode())
        programs = {name: data for name in names if (data := archive.read(name)).startswith(ELF)}
        bills = {name: archive.read(name) for name in names if ".dist-info/sboms/" in name}
    yield from _of_all(names, metadata)

    name = str(metadata["Name"])
    interpreter = PACKAGES[name][0] if name in PACKAGES else ""
    # Name, version, interpreter, ABI, platforms.
    parts = wheel.name.removesuffix(".whl").split("-")
    if "-".join(parts[2:4]) != interpreter:
        yield f"is for {'-'.join(parts[2:4])}, not {interpreter}"
    platforms = parts[-1].split(".")
    if tag is not None and tag not in platforms:
        yield f"is for {parts[-1]}, not {tag}"
    for platform in platforms:
        if not re.match(PLATFORMS, platform):
            yield f"its tag {platform} is for the machine that built it alone"
    for program, data in programs.items():
        needed = newest_glibc(data)
        for platform in platforms:
            if needed > (allowed := glibc_of(platform)):
                has = f"of glibc {'.'.join(map(str, allowed))}" if allowed > (0,) else "without glibc"
                yield f"{program} needs glibc {'.'.join(map(str, needed))}, but is tagged for systems {has}"
    yield from _of_bills(bills, name, str(metadata["Version"]))


def _of_bills(bills: dict[str, bytes], name: str, version: str) -> Iterator[str]:
    if not bills:
        yield "has no bill of materials (SBOM)"
    for file, data in bills.items():
        bill = json.loads(data)
        if bill.get("bomFormat") != "CycloneDX":
            yield f"{file} is no CycloneDX"
        described = bill.get("metadata", {}).get("component", {})
        if (described.get("name"), described.get("version")) != (name, version):
            yield f"{file} describes {described.get('name')} {described.get('version')}, not {name} {version}"
        listed = {part.get("name") for part in bill.get("components", [])}
        if name in PACKAGES and PACKAGES[name][2] not in listed:
            yield f"{file} does not list {PACKAGES[name][2]}"


def _of_all(names: list[str], metadata: Message) -> Iterator[str]:
    name = str(metadata["Name"])
    if name not in PACKAGES:
        yield f"is of no package of ours, but of {name}"
        return
    for licence in LICENCES:
        if not any(name.endswith("/" + licence) for name in names):
            yield f"has no {licence}"
        if licence not in metadata.get_all("License-File", []):
            yield f"does not name {licence}"
    required = {
        re.split(r"[^\w-]", line)[0] for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line
    }
    if missing := PACKAGES[name][1] - required:
        yield f"does not require {', '.join(sorted(missing))}"
    if links := relative_links(str(metadata.get_payload())):
        yield f"its README links to {links[0]}, which is not there for who has the package alone"


def _only(names: list[str], ending: str) -> str:
    return next(name for name in names if name.endswith(ending))


def relative_links(text: str) -> list[str]:
    """Links of a page that lead to neither itself nor the network."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"(#|https?://)", link)]


def newest_glibc(program: bytes) -> tuple[int, ...]:
    """The newest version of glibc whose symbols a program or shared library asks for."""
    versions = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)", program)
    return max((tuple(int(part) for part in version.split(b".")) for version in versions), default=(0,))


def glibc_of(platform: str) -> tuple[int, ...]:
    """The glibc that a platform's tag promises to do with."""
    found = re.match(r"manylinux_(\d+)_(\d+)_", platform)
    return (int(found[1]), int(found[2])) if found else (0,)


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1]), *sys.argv[2:3]))
    print("\n".join(found) or "wheels and source distribution are as they should be")
    sys.exit(bool(found))
