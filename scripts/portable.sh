#!/usr/bin/env bash
# The tests of the core and of the program, as they run on every system; all of them, and everything else, are in .ci/run.
#
# On Windows what is about Unix itself is left out, and said: signals (`kill`), pipes (`mkfifo`), limits of the shell (`ulimit`), of
# which the folders `resume` and `safety`, `data.rs` and `compare` of crates/koala-lab/tests make use.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0

cargo test --release --locked -p koala-system -p koala-filter -p koala-report -p koala-data --no-default-features \
  --features koala-filter/conformance,koala-filter/replay
cargo test --release --locked -p koala-lab -p koala-burn -p koala-models -p koala-ops -p koala-train -p koala-compare --lib
case $(uname -s) in
  MINGW* | MSYS* | CYGWIN*)
    echo "left out here, as of Unix alone: --test resume --test safety --test data --test compare --test shell"
    tests=(check doctor early own recipes replay report suites train watch)
    cargo test --release --locked -p koala-lab "${tests[@]/#/--test=}"
    ;;
  *) cargo test --release --locked -p koala-lab ;;
esac
cargo run --release --locked -p koala-lab -- compare --optimizers koala-a,adam --seeds 0,1 --epochs 2 --out target/portable
cargo run --release --locked -p koala-lab -- check target/portable
