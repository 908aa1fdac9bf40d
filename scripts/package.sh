#!/usr/bin/env bash
# Every crate as the registry would get it: packed, unpacked elsewhere, and compiled from nothing but what was packed.
#
# `cargo package` would verify each crate alone, with the features that it has alone, and so build Burn several times; here they
# are one workspace, which shares what clippy has checked.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo package --workspace --exclude koala-fuzz --locked --no-verify --quiet
packed=target/packaged
rm -rf "$packed"
mkdir -p "$packed"
for crate in target/package/koala-*.crate; do
  tar -xzf "$crate" -C "$packed"
  for licence in LICENSE-APACHE LICENSE-MIT; do
    cmp "$licence" "$packed/$(basename "$crate" .crate)/$licence"
  done
done
{
  printf '[workspace]\nresolver = "3"\nmembers = ["koala-*"]\n\n[patch.crates-io]\n'
  for folder in "$packed"/koala-*/; do
    name=$(basename "$folder")
    printf '%s = { path = "%s" }\n' "${name%-[0-9]*}" "$name"
  done
  printf '\n'
  sed -n '/^\[profile\.release/,$p' Cargo.toml
} > "$packed/Cargo.toml"
cp Cargo.lock "$packed/"
# What fuzz/ alone uses leaves it; no version changes.
cargo update --workspace --offline --quiet --manifest-path "$packed/Cargo.toml"
cargo check --release --locked --workspace --manifest-path "$packed/Cargo.toml" --target-dir target
ls -l target/package/koala-*.crate
