#!/usr/bin/env bash
# Runs what README.md says of one's own problems, word by word, on data that nobody prepared for it.
#
#   scripts/own-data.sh FOLDER      made anew there: the data, and a comparison and a report of each
#
# `koala` and `python` are those of PATH; python must have koala_optim, scikit-learn and pillow.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir "$1"
cd "$1"

python "$here/examples/your-own-data/prepare.py" .
cp "$here/examples/your-own-data/loop.py" .
# The first block of commands under its heading.
awk '/^## /{inside = /On your own problem/} inside && /^```/{if (open++) exit; next} inside && open' "$here/README.md" >commands.sh
test -s commands.sh
bash -euxo pipefail commands.sh

for compared in photos tumours loop; do
  koala check "$compared-compared"
  test -s "$compared-compared/report/report.html"
done
