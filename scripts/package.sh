#!/usr/bin/env bash
# Every crate as the registry would get it: packed, unpacked in a folder of its own and built there.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo package --workspace --locked "$@"
