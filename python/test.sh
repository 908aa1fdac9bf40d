#!/usr/bin/env bash
# Installs koala-optim into a fresh virtual environment, as a user does, and tests what was installed.
#
#   python/test.sh [PYTEST ARGUMENTS]      paths among them are relative to this folder
#
# VENV=PATH   makes the environment there and keeps it; without it, in a temporary folder that is deleted.
# WHEEL=FILE  tests this wheel, into the environment of VENV as it stands, instead of building one from the tree.
# TORCH=2.6.0 installs this version of PyTorch; "newest", or nothing, the newest.
# EXTRAS=a,b  installs further extras of pyproject.toml beside "test".
# PYTHON=...  the interpreter (default: python3). A Rust toolchain must be installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
venv=${VENV:-$scratch/venv}

step() { printf '\n=== koala-optim: %s (%ss)\n' "$*" "$SECONDS"; }

step "install into $venv"
if [ -z "${WHEEL:-}" ] || ! [ -d "$venv" ]; then "${PYTHON:-python3}" -m venv --clear "$venv"; fi
python=$venv/bin/python
pinned=${TORCH:-newest}
pinned=${pinned#newest}
"$python" -m pip install --quiet --disable-pip-version-check --retries 5 "${WHEEL:-$here}[test${EXTRAS:+,$EXTRAS}]" \
  ${pinned:+"torch==$pinned"}

# What is tested is what was installed: the source tree is not importable.
export PYTHONSAFEPATH=1
unset PYTHONPATH
cd "$scratch"
installed=$("$python" -c 'import koala_optim; print(koala_optim.__file__)')
case $installed in
  "$venv"/*) ;;
  *) echo "koala_optim was imported from $installed, which is not in $venv" >&2; exit 1 ;;
esac

step "ruff"
"$venv/bin/ruff" check --no-cache "$here"
"$venv/bin/ruff" format --no-cache --check "$here"
# What goes with it and runs on Python 3.11.
beside=("$here"/../scripts/{archive,check_wheels,version}.py "$here/../docs/site")
"$venv/bin/ruff" check --no-cache --config "$here/pyproject.toml" --target-version py311 "${beside[@]}"
"$venv/bin/ruff" format --no-cache --config "$here/pyproject.toml" --check "${beside[@]}"

step "mypy"
"$venv/bin/mypy" --config-file "$here/pyproject.toml" --package koala_optim
"$venv/bin/mypy" --config-file "$here/pyproject.toml" "$here/tests/typed/program.py"

step "pytest"
cd "$here"
"$venv/bin/pytest" -p no:cacheprovider "$@"
