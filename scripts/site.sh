#!/usr/bin/env bash
# The documentation as a site: docs/*.md, parts of the READMEs, the example reports, the APIs of both languages. Nothing of it asks a
# network. A link that leads nowhere is an error, within the pages (Sphinx) and to files beside them (linkchecker).
#
#   scripts/site.sh      makes target/site
#
# PYTHON=...  an interpreter with koala_optim, for its API (default: python3).
# RUST=no     leaves Rust's API out, for a quick look at the pages; links to it are not checked then.
#
# Sphinx, for it reads both Markdown and Python's docstrings and installs in seconds; mdBook would have to be compiled and shows no Python.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$here/target/site
python=${PYTHON:-python3}

"$python" -c 'import koala_optim' || { echo "PYTHON=$python has no koala_optim: pip install ./python" >&2; exit 1; }
"$python" -m pip install --quiet --disable-pip-version-check --retries 5 \
  sphinx==9.0.4 myst-parser==5.2.0 furo==2025.12.19 latex2mathml==3.81.1 ziamath==0.13 linkchecker==10.6.0
cd "$here"
"$python" docs/site/gather.py target/site-source
rm -rf "$out"
"$python" -m sphinx -q -W --keep-going -c docs/site target/site-source "$out"

outside=()
if [ "${RUST:-yes}" = no ]; then
  outside=(--ignore-url '/rust/')
else
  RUSTDOCFLAGS="-D warnings" CARGO_INCREMENTAL=0 cargo doc --quiet --release --locked --workspace --no-deps
  cp -r target/doc "$out/rust"
  # That its pages are there is looked at; what rustdoc links within them is rustdoc's.
  outside=(--ignore-url '/rust/.*\.(js|css|svg|woff2)' --no-follow-url '/rust/')
fi
# Reports hold their pages as one script and link to nothing.
"$(dirname "$(command -v "$python")")/linkchecker" --no-status --no-warnings --no-follow-url '/examples/' "${outside[@]}" "$out/index.html"
printf 'the site: %s\n' "$out/index.html"
