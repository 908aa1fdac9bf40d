#!/usr/bin/env bash
# Writes SHA256SUMS into a folder: what `sha256sum --check SHA256SUMS` there holds its files to.
#
#   scripts/checksums.sh FOLDER
set -euo pipefail
cd "$1"
rm -f SHA256SUMS
sums=$(sha256sum -- *)
printf '%s\n' "$sums" >SHA256SUMS
