#!/usr/bin/env bash
# Licences, bans and sources of everything that Koala is built from, as deny.toml allows them. Installs cargo-deny into target/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tools=$PWD/target/tools
# Built without optimisation: it runs for seconds.
[ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $version" ] ||
  CARGO_TARGET_DIR=$tools/build cargo install --quiet --locked --debug --root "$tools" "cargo-deny@$version"
"$tools/bin/cargo-deny" check bans licenses sources
