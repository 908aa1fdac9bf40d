"""What is handed on: the checks of check_wheel.py find what they are for, and what pip installed has its licences."""

import importlib.metadata
import importlib.util
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import koala_optim

ROOT = Path(__file__).parents[1]


def load_checks():
    specification = importlib.util.spec_from_file_location("check_wheel", ROOT / "check_wheel.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


check_wheel = load_checks()
METADATA = """Metadata-Version: 2.4
Name: koala-optim
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
Requires-Dist: torch>=2.6
Requires-Dist: typing-extensions>=4.10
Requires-Dist: pytest>=8 ; extra == 'test'

A page with [a link](#below).
"""


def packages(
    folder: Path, metadata: str = METADATA, licences=("MIT", "APACHE"), tag="manylinux_2_17", glibc=b"2.14"
) -> None:
    """A wheel and a source distribution."""
    with zipfile.ZipFile(folder / f"koala_optim-0.1.0-cp310-abi3-{tag}_x86_64.whl", "w") as wheel:
        wheel.writestr("koala_optim-0.1.0.dist-info/METADATA", metadata)
        wheel.writestr("koala_optim/_native.abi3.so", b"\x7fELF GLIBC_2.2.5\0GLIBC_" + glibc + b"\0")
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
    assert list(check_wheel.faults(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"licences": ["MIT"]}, "has no LICENSE-APACHE"),
        ({"metadata": METADATA.replace("License-File: LICENSE-MIT\n", "")}, "does not name LICENSE-MIT"),
        ({"metadata": METADATA.replace("Requires-Dist: typing-ex", "Dist: ")}, "does not require typing-extensions"),
        ({"metadata": METADATA.replace("#below", "docs/page.md")}, "links to docs/page.md"),
        ({"tag": "linux"}, "its tag is for the machine that built it alone"),
        ({"glibc": b"2.34"}, "needs glibc 2.34, more than its tag says"),
    ],
    ids=["licence", "unnamed", "requirement", "link", "tag", "glibc"],
)
def test_faults_are_found(tmp_path, change: dict, fault: str) -> None:
    packages(tmp_path, **change)
    found = list(check_wheel.faults(tmp_path))
    assert found and all(fault in line for line in found), found


def test_an_empty_folder_is_a_fault(tmp_path) -> None:
    assert "has 0 wheels" in next(check_wheel.faults(tmp_path))


def test_the_licences_are_the_repositorys() -> None:
    for licence in check_wheel.LICENCES:
        assert (ROOT / licence).read_bytes() == (ROOT.parent / licence).read_bytes()


def test_the_readme_stands_alone() -> None:
    assert check_wheel.relative_links((ROOT / "README.md").read_text()) == []


def test_what_is_installed_has_its_licences() -> None:
    try:
        installed = importlib.metadata.distribution("koala-optim")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package was not installed by pip")
    assert set(installed.metadata.get_all("License-File")) == set(check_wheel.LICENCES)
    assert {path.name for path in installed.files or [] if path.name.startswith("LICENSE")} == set(check_wheel.LICENCES)
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
