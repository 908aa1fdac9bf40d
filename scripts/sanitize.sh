#!/usr/bin/env bash
# AddressSanitizer over the unsafe code: memory that is read or written outside of what was lent, or after it was given back, ends the
# tests with a report. On Linux, with stable Rust.
#
#   scripts/sanitize.sh kernels [TEST ARGUMENTS]             koala-ops, with Burn and all below it; builds Burn once more
#   scripts/sanitize.sh python PYTHON [PYTEST ARGUMENTS]     python/src under the tests that hand it tensors; PYTHON has PyTorch and
#                                                            what extra `test` of python/pyproject.toml names; gcc's libasan
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-}
shift || true
host=$(rustc -vV | sed -n 's/^host: //p')
folder=$PWD/target/sanitize
# With --target, what is built for Cargo itself is left alone. `-Zsanitizer` is not stable; its runtime comes with stable Rust.
export CARGO_INCREMENTAL=0 RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
# Reports name lines. Assertions of the libraries below stay out, which would end what they guard before the sanitizer sees it.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false
symbolizer=$(command -v llvm-symbolizer || command -v addr2line || true)
options=abort_on_error=1${symbolizer:+:external_symbolizer_path=$symbolizer}

case $what in
  kernels)
    # Pools and statics live until the end, which is no leak.
    ASAN_OPTIONS=$options:detect_leaks=0 cargo test --locked --target "$host" --target-dir "$folder" \
      --config "profile.dev.package.gemm-f32.opt-level=2" --config "profile.dev.package.gemm-common.opt-level=2" \
      -p koala-ops --lib --tests "$@"
    ;;
  python)
    python=$1
    shift
    cargo build --locked --target "$host" --target-dir "$folder" --manifest-path python/Cargo.toml
    package=$folder/python
    rm -rf "$package"
    mkdir -p "$package"
    cp -r python/koala_optim "$package/"
    cp "$folder/$host/debug/lib_native.so" "$package/koala_optim/_native.abi3.so"
    # The program is Python, which has no runtime in it: it is there before all else, with the C++ library whose exceptions it follows.
    runtime="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so.6)"
    tests=("$@")
    [ ${#tests[@]} -gt 0 ] || tests=(
      tests/test_{stored_values,trajectories,step,engines,conformance}.py
    )
    cd python
    PYTHONSAFEPATH=1 PYTHONPATH=$package PYTHONMALLOC=malloc ASAN_OPTIONS=$options:detect_leaks=0 LD_PRELOAD=$runtime \
      "$python" -m pytest -p no:cacheprovider --capture=sys -q "${tests[@]}"
    ;;
  *)
    echo "scripts/sanitize.sh kernels|python, not '$what'" >&2
    exit 2
    ;;
esac
