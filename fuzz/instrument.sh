#!/usr/bin/env bash
# RUSTC_WRAPPER of scripts/fuzz.sh: gives libFuzzer's counters to what reads bytes, ours and the parsers below, and not to Burn, whose
# loops over numbers would only be slower. Cargo does not see what a wrapper does: its builds need a target folder of their own, and an
# empty one after a change here.
set -euo pipefail

name='' optimized=no previous=
for argument; do
  case "$previous $argument" in
    '--crate-name '*) name=$argument ;;
    '-C opt-level=3') optimized=yes ;;
  esac
  previous=$argument
done

own=no read=no
case $name in
  koala_*) own=yes read=yes ;;
  csv | csv_core | fdeflate | flate2 | image | image_webp | miniz_oxide | png | safetensors | serde | serde_core | serde_json | tar | toml | \
    toml_datetime | toml_parser | winnow | zip | zune_jpeg) read=yes ;;
esac

# Without optimisation: for a procedural macro or a build script, which is no part of the program.
if [ $read = yes ] && [ $optimized = yes ]; then
  set -- "$@" -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares -C llvm-args=-simplifycfg-branch-fold-threshold=0 -C codegen-units=1
  # What wraps around or fails an assertion silently in a release is a finding too.
  [ $own = no ] || set -- "$@" -C overflow-checks=on -C debug-assertions=on
fi
exec "$@"
