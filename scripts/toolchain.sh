#!/usr/bin/env bash
# Makes a version of Rust the default, and installs what the scripts need of it.
#
#   scripts/toolchain.sh oldest|newest [TARGET]      oldest: rust-version in Cargo.toml
set -euo pipefail
cd "$(dirname "$0")/.."

case $1 in
  oldest) rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml) ;;
  newest) rust=stable ;;
  *) echo "oldest or newest, not $1" >&2; exit 2 ;;
esac
rustup toolchain install "$rust" --profile minimal --component rustfmt,clippy ${2:+--target "$2"}
rustup default "$rust"
rustc -vV
