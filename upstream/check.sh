#!/usr/bin/env bash
# The patches against the crates of Burn that Cargo.lock names.
#
#   upstream/check.sh          applies them, tests the patched crate, and compares with the published ones
#   upstream/check.sh apply    applies them only: seconds, and nothing is compiled
#   upstream/check.sh test     applies them and runs burn-flex's own tests
#   upstream/check.sh bench    applies them and lets both take turns
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0

work=target/upstream

# A patched crate, which is left as it is if nothing has changed, so that it is not built again.
apply_to() {
  local crate=$1 published fresh=$work/$1.new
  published=$(cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
packages = json.load(sys.stdin)["packages"]
print(*(os.path.dirname(package["manifest_path"]) for package in packages if package["name"] == sys.argv[1]))' "$crate")
  rm -rf "$fresh"
  cp -r "$published" "$fresh"
  for patch in upstream/*-"$crate"-*.patch; do
    patch --directory "$fresh" --strip 1 --fuzz 0 --force --quiet < "$patch"
    echo "$(basename "$published"): $(basename "$patch")"
  done
  # A package of its own, though it lies within another workspace.
  printf '\n[workspace]\n' >> "$fresh/Cargo.toml"
  if [ -d "$work/$crate" ] && diff --recursive --brief "$fresh" "$work/$crate" > /dev/null; then
    rm -rf "$fresh"
  else
    rm -rf "${work:?}/$crate"
    mv "$fresh" "$work/$crate"
  fi
}

apply() {
  mkdir -p "$work"
  apply_to burn-flex
  apply_to burn-autodiff
}

# burn-autodiff has no tests of its own; that its gradients are those of the published one is asserted by the benchmark.
tests() {
  cargo test --lib --locked --manifest-path "$work/burn-flex/Cargo.toml" --target-dir "$work/build"
}

bench() {
  cargo run --release --locked --manifest-path upstream/bench/Cargo.toml --target-dir "$work/build"
}

# One after the other and not joined by &&, which would let a function go on after a command of it failed.
case "${1:-all}" in
  all)
    apply
    tests
    bench
    ;;
  apply) apply ;;
  test)
    apply
    tests
    ;;
  bench)
    apply
    bench
    ;;
  *)
    echo "upstream/check.sh: '$1' is none of apply, test, bench" >&2
    exit 2
    ;;
esac
