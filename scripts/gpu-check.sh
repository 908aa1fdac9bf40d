#!/usr/bin/env bash
# Checks koala-optim on a device and measures it: see docs/gpu.md. Needs no network; at most eight minutes.
#
#   scripts/gpu-check.sh [--json FILE] [--device cuda|cpu] [--only SECTION ...] [--tiny]
#
# PYTHON=...  the interpreter (default: python3), with torch. koala_optim is that of this checkout if its native
#             module was built into it, else the installed one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if compgen -G "$here/python/koala_optim/_native*.so" >/dev/null; then
  export PYTHONPATH="$here/python${PYTHONPATH:+:$PYTHONPATH}"
fi
exec "${PYTHON:-python3}" "$here/python/benchmarks/gpu.py" "$@"
