"""What is handed on: the checks of check_wheels.py find what they are for, and what pip installed has its licences."""

import importlib.metadata
import importlib.util
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import koala_optim

ROOT = Path(__file__).parents[1]


def load_checks():
    specification = importlib.util.spec_from_file_location("check_wheels", ROOT.parent / "scripts" / "check_wheels.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


check_wheels = load_checks()
METADATA = """Metadata-Version: 2.4
Name: koala-optim
Version: 0.1.0
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
Requires-Dist: torch>=2.6
Requires-Dist: typing-extensions>=4.10
Requires-Dist: pytest>=8 ; extra == 'test'

A page with [a link](#below).
"""
BILL = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"name": "koala-optim", "version": "0.1.0"}},
    "components": [{"name": "koala-filter"}],
}


def packages(
    folder: Path,
    metadata: str = METADATA,
    licences=("MIT", "APACHE"),
    abi="cp310-abi3",
    platform="manylinux_2_28_x86_64",
    glibc=b"2.14",
    bill: dict | None = BILL,
) -> None:
    """A wheel and a source distribution."""
    with zipfile.ZipFile(folder / f"koala_optim-0.1.0-{abi}-{platform}.whl", "w") as wheel:
        wheel.writestr("koala_optim-0.1.0.dist-info/METADATA", metadata)
        wheel.writestr("koala_optim/_native.abi3.so", b"\x7fELF GLIBC_2.2.5\0GLIBC_" + glibc + b"\0")
        if bill is not None:
            wheel.writestr("koala_optim-0.1.0.dist-info/sboms/koala-optim.cyclonedx.json", json.dumps(bill))
        for licence in licences:
            wheel.writestr(f"koala_optim-0.1.0.dist-info/licenses/LICENSE-{licence}", "text")
    with tarfile.open(folder / "koala_optim-0.1.0.tar.gz", "w:gz") as source:
        named = {"PKG-INFO": metadata, **{f"LICENSE-{licence}": "text" for licence in licences}}
        for name, text in named.items():
            entry = tarfile.TarInfo(f"koala_optim-0.1.0/{name}")
            entry.size = len(text.encode())
            source.addfile(entry, io.BytesIO(text.encode()))


def test_what_is_right_has_no_fault(tmp_path) -> None:
    packages(tmp_path)
    assert list(check_wheels.faults(tmp_path, "manylinux_2_28_x86_64")) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"licences": ["MIT"]}, "has no LICENSE-APACHE"),
        ({"metadata": METADATA.replace("License-File: LICENSE-MIT\n", "")}, "does not name LICENSE-MIT"),
        ({"metadata": METADATA.replace("Requires-Dist: typing-ex", "Dist: ")}, "does not require typing-extensions"),
        ({"metadata": METADATA.replace(">=4.10", "; extra == 'test'")}, "does not require typing-extensions"),
        ({"metadata": METADATA.replace("Name: koala-", "Name: ")}, "is of no package of ours"),
        ({"metadata": METADATA.replace("#below", "docs/page.md")}, "links to docs/page.md"),
        ({"platform": "linux_x86_64"}, "its tag linux_x86_64 is for the machine that built it alone"),
        ({"platform": "manylinux_2_28_x86_64.linux_x86_64"}, "its tag linux_x86_64 is for the machine"),
        ({"platform": "manylinux_2_34_x86_64"}, "is for manylinux_2_34_x86_64, not manylinux_2_28_x86_64"),
        ({"abi": "cp311-cp311"}, "is for cp311-cp311, not cp310-abi3"),
        ({"glibc": b"2.34"}, "needs glibc 2.34, but is tagged for systems of glibc 2.28"),
        ({"platform": "musllinux_1_2_x86_64"}, "needs glibc 2.14, but is tagged for systems without glibc"),
        ({"bill": None}, "has no bill of materials"),
        ({"bill": {**BILL, "bomFormat": "SPDX"}}, "is no CycloneDX"),
        ({"bill": {**BILL, "components": []}}, "does not list koala-filter"),
        ({"bill": {**BILL, "metadata": {}}}, "describes None None, not koala-optim 0.1.0"),
    ],
    ids=[
        "licence",
        "unnamed",
        "requirement",
        "extra",
        "package",
        "link",
        "tag",
        "one-tag",
        "newer-tag",
        "abi",
        "glibc",
        "musl",
        "bill",
        "bill-format",
        "bill-parts",
        "bill-package",
    ],
)
def test_faults_are_found(tmp_path, change: dict, fault: str) -> None:
    packages(tmp_path, **change)
    tag = None if "glibc" in fault or "machine" in fault else "manylinux_2_28_x86_64"
    found = list(check_wheels.faults(tmp_path, tag))
    assert found and any(fault in line for line in found), found


def test_an_empty_folder_is_a_fault(tmp_path) -> None:
    assert "has 0 wheels" in next(check_wheels.faults(tmp_path))


def test_the_licences_are_the_repositorys() -> None:
    for licence in check_wheels.LICENCES:
        assert (ROOT / licence).read_bytes() == (ROOT.parent / licence).read_bytes()


@pytest.mark.parametrize("folder", [ROOT, ROOT.parent / "crates" / "koala-lab"], ids=["koala-optim", "koala-lab"])
def test_the_readme_stands_alone(folder: Path) -> None:
    assert check_wheels.relative_links((folder / "README.md").read_text()) == []


def test_what_is_installed_has_its_licences() -> None:
    try:
        installed = importlib.metadata.distribution("koala-optim")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package was not installed by pip")
    assert set(installed.metadata.get_all("License-File")) == set(check_wheels.LICENCES)
    assert {path.name for path in installed.files or [] if path.name.startswith("LICENSE")} == set(
        check_wheels.LICENCES
    )
    assert installed.version == koala_optim.__version__


def test_every_module_that_is_imported_is_required() -> None:
    """typing_extensions came along with PyTorch by chance."""
    tomllib = pytest.importorskip("tomllib", reason="of Python 3.11")

    required = {
        line.split(">")[0].replace("-", "_")
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    imported = set()
    for file in (ROOT / "koala_optim").glob("*.py"):
        for line in file.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and not words[1].startswith(("_", ".", "koala_optim")):
                imported.add(words[1].split(".")[0])
    assert imported - set(sys.stdlib_module_names) == required
