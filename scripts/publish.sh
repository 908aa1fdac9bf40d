#!/usr/bin/env bash
# Hands all crates to crates.io, each after those that it builds on; cargo waits until each can be found there.
#
#   CARGO_REGISTRY_TOKEN=... scripts/publish.sh
#   scripts/publish.sh --dry-run       packs them and asks the registry, and hands nothing on
#
# What was handed on cannot be taken back. They were built from their packages before: scripts/package.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 scripts/version.py --check
cargo publish --workspace --locked --no-verify "$@"
