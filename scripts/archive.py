"""Makes of the wheel of koala-lab an archive of the program alone, as `cargo binstall` and people without Python take it.

python3 scripts/archive.py FOLDER_OF_WHEELS FOLDER TARGET      TARGET: Rust's name of the system, such as aarch64-apple-darwin

It holds a folder `koala-lab-VERSION-TARGET` with the program, its licences, its README and its bill of materials: .zip for
Windows, .tar.gz for all others. The same wheel gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath


def files_of(wheel: Path) -> tuple[str, dict[str, bytes]]:
    """The version, and the files to be archived with their names."""
    with zipfile.ZipFile(wheel) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    metadata = next(data.decode() for name, data in contents.items() if name.endswith(".dist-info/METADATA"))
    parsed = Parser().parsestr(metadata)
    files = {"README.md": str(parsed.get_payload()).encode()}
    for name, data in contents.items():
        folder, file = PurePosixPath(name).parent, PurePosixPath(name).name
        if folder.name in ("scripts", "licenses", "sboms"):
            files[file] = data
    return str(parsed["Version"]), files


def write(path: Path, top: str, files: dict[str, bytes]) -> None:
    named = {
        f"{top}/{name}": (data, 0o755 if name.startswith("koala") and "." not in name else 0o644)
        for name, data in files.items()
    }
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (data, mode) in sorted(named.items()):
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = mode << 16
                archive.writestr(entry, data)
        return
    with gzip.GzipFile(path, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, (data, mode) in sorted(named.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))


def main(wheels: Path, out: Path, target: str) -> None:
    found = sorted(wheels.glob("koala_lab-*.whl"))
    if len(found) != 1:
        sys.exit(f"{wheels} has {len(found)} wheels of koala-lab, not one")
    version, files = files_of(found[0])
    windows = "windows" in target
    if (
        wanting := {"koala.exe" if windows else "koala", "LICENSE-MIT", "LICENSE-APACHE", "koala-lab.cyclonedx.json"}
        - files.keys()
    ):
        sys.exit(f"{found[0]} lacks {', '.join(sorted(wanting))}")
    top = f"koala-lab-{version}-{target}"
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{top}{'.zip' if windows else '.tar.gz'}"
    write(path, top, files)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
