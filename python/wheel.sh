#!/usr/bin/env bash
# Builds the wheel and the source distribution that are handed on, and checks them.
#
#   python/wheel.sh [FOLDER]      default: python/dist
#
# Zig links against an old glibc, so that the wheel (manylinux_2_17) runs on any Linux of the last ten years; what pip builds
# from the source by itself is for the machine that builds it (tag linux_x86_64). PYTHON=... the interpreter; a Rust toolchain
# must be installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(realpath -m "${1:-$here/dist}")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
python=$scratch/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check --retries 5 "maturin>=1.9,<2" ziglang
export PATH="$scratch/venv/bin:$PATH"

cd "$here"
maturin sdist --out "$out"
maturin build --release --zig --compatibility manylinux_2_17 --out "$out"
"$python" "$here/check_wheel.py" "$out"
