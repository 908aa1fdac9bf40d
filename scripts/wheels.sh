#!/usr/bin/env bash
# Everything that pip installs, for this platform: the wheels of koala-optim and koala-lab and koala-optim's source distribution,
# built, checked, installed into a fresh environment without a compiler, and used there.
#
#   scripts/wheels.sh [FOLDER]      default: target/wheels; older wheels there are deleted
#
# TARGET=TRIPLE  for another target than this machine's, such as x86_64-unknown-linux-musl: built and checked, but not used here.
# SOURCE_DATE_EPOCH=SECONDS  is the time that bills of materials tell; not set here, as it has cargo compile C once more, and what uses it.
# VENV=PATH      makes the fresh environment there and keeps it; without it, in a temporary folder that is deleted.
# PYTHON=...     the interpreter (default: python3), 3.10 or newer. A Rust toolchain must be installed.
#
# A wheel of Linux promises glibc 2.28, as PyTorch's own do; what is linked here against this machine's glibc would promise less.
# So the last step, linking, is Zig's, against stubs of glibc 2.28: what needs more fails to link, maturin looks over the symbols, and
# check_wheels.py does. All before that is what `cargo build --release` has left in the workspace's target folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$here/target/wheels}
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/*.whl "$out"/*.tar.gz
glibc=2.28 musl=1_2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The folder of an environment's programs.
programs() { if [ -d "$1/Scripts" ]; then echo "$1/Scripts"; else echo "$1/bin"; fi; }
step() { printf '\n=== wheels: %s (%ss)\n' "$*" "$SECONDS"; }

step "tools"
[ -d "$here/target/tools/wheels" ] || "${PYTHON:-python3}" -m venv "$here/target/tools/wheels"
tools=$(programs "$here/target/tools/wheels")
"$tools/python" -m pip install --quiet --disable-pip-version-check --retries 5 maturin==1.16.0 ziglang==0.17.1 uv==0.13.9
export PATH="$tools:$PATH"

host=$(rustc -vV | sed -n 's/^host: //p')
target=${TARGET:-$host}
architecture=${target%%-*}
# Of each system: what maturin is told, what rustc is told of the last step, the platform that the tag must name.
build=() link=() platform=""
case $target in
  *-linux-gnu)
    printf '#!/bin/sh\nexec "%s/maturin" zig cc -- -g -target %s-linux-gnu.%s "$@"\n' "$tools" "$architecture" "$glibc" >"$tools/linker"
    chmod +x "$tools/linker"
    platform=manylinux_${glibc/./_}_$architecture
    build=(--compatibility "manylinux_${glibc/./_}" --auditwheel check)
    link=(-- -C "linker=$tools/linker")
    ;;
  *-linux-musl)
    platform=musllinux_${musl}_$architecture
    build=(--compatibility "musllinux_$musl" --auditwheel check --zig)
    ;;
esac
[ "$target" = "$host" ] || build+=(--target "$target")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}
# Empty arrays are unset variables to the bash of macOS.
wheel() { maturin build --release --locked --out "$out" ${build[@]+"${build[@]}"} ${link[@]+"${link[@]}"}; }

step "koala-optim: source distribution"
maturin sdist --manifest-path "$here/python/Cargo.toml" --out "$out"

# The wheel is made of the source distribution, which so is known to build. Unpacked in one place, it is built once.
step "koala-optim: wheel"
source=$CARGO_TARGET_DIR/sdist
rm -rf "$source"
mkdir -p "$source"
tar -xzf "$out"/koala_optim-*.tar.gz -C "$source" --strip-components 1
(cd "$source" && wheel)

step "koala-lab: wheel"
(cd "$here/crates/koala-lab" && wheel)

step "check"
"$tools/python" "$here/scripts/check_wheels.py" "$out" ${platform:+"$platform"}
ls -l "$out"

if [ "$target" != "$host" ]; then
  echo "for $target, which is not this machine: not installed here"
  exit
fi

step "install into a fresh environment"
venv=${VENV:-$scratch/venv}
"${PYTHON:-python3}" -m venv --clear "$venv"
bin=$(programs "$venv")
# Whatever runs from here on finds the environment's programs and nothing else: no cargo, no compiler, no shell.
alone() { env -u PYTHONPATH PATH="$bin" PYTHONSAFEPATH=1 "$@"; }
for tool in cargo rustc cc gcc clang; do
  if (PATH=$bin; command -v "$tool"); then echo "$tool is in the fresh environment" >&2; exit 1; fi
done
wheels=("$out"/*.whl)
# PyTorch has wheels for all others.
if [ "$target" = x86_64-apple-darwin ]; then wheels=("$out"/koala_lab-*.whl); fi
alone "$bin/python" -m pip install --quiet --disable-pip-version-check --retries 5 --only-binary :all: "${wheels[@]}"
cd "$scratch"

step "the program that was installed"
[ "$(alone koala --version)" = "koala $(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml")" ]
alone koala compare --optimizers koala-a,adam --seeds 0,1 --epochs 2 --out compared
alone koala report compared
alone koala check compared
"$tools/uvx" --no-index --from "$(echo "$out"/koala_lab-*.whl)" koala --version

if [ "$target" = x86_64-apple-darwin ]; then
  echo "PyTorch has no wheel for $target since 2.3: koala-optim is built and checked, but not used here"
  exit
fi

step "an example of PyTorch with what was installed"
cp "$here/python/examples/lab_comparison.py" "$here/crates/koala-data/assets/digits.csv.gz" .
alone python lab_comparison.py loop --data digits.csv.gz --epochs 2
alone koala report loop
alone koala check loop
