#!/usr/bin/env bash
# Looks for bytes that a reader cannot bear, by libFuzzer: coverage-guided, on stable Rust with a C++ compiler.
#
#   scripts/fuzz.sh [SECONDS [READER..]]     each reader for so many seconds (60); all of them, or those named. Exits 1 with a finding
#   scripts/fuzz.sh list                     names of the readers
#   scripts/fuzz.sh sum                      what was tried so far
#   scripts/fuzz.sh keep                     the inputs of CORPUS that reach something no smaller one does, into fuzz/seeds/corpus.tar.gz
#
# CORPUS=FOLDER   where inputs that reach something new are kept, for the next time too (default: target/fuzz/corpus)
# TIMEOUT=N       seconds of the clock after which an input is a finding (default: 60)
#
# A finding lies below target/fuzz/findings; `KOALA_READER=NAME target/fuzz/release/coverage FILE` shows it again, with
# -minimize_crash=1 smaller.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/target/fuzz
program=$folder/release/coverage
findings=$folder/findings
log=$folder/log.tsv
corpus=${CORPUS:-$folder/corpus}
kept=$PWD/fuzz/seeds/corpus.tar.gz
# Longest input that is kept in the repository.
longest=2048
export RAYON_NUM_THREADS=1

# From tab-separated lines of reader, executions, seconds of processor, counters, inputs, findings.
sum() {
  awk -F '\t' '
    { runs[$1] += $2; seconds[$1] += $3; reached[$1] = $4; inputs[$1] = $5; found[$1] += $6 }
    { all_runs += $2; all_seconds += $3; all_found += $6 }
    END {
      printf "%-22s %12s %9s %8s %7s %9s\n", "reader", "executions", "seconds", "counters", "inputs", "findings"
      for (name in runs)
        printf "%-22s %12d %9d %8d %7d %9d\n", name, runs[name], seconds[name], reached[name], inputs[name], found[name] | "sort"
      close("sort")
      printf "%-22s %12d %9d %8s %7s %9d\n", "in all", all_runs, all_seconds, "", "", all_found
    }' "$@"
}

if [ "${1:-}" = sum ]; then
  sum "$log"
  exit
fi

# A folder of its own, since Cargo does not see what the wrapper does; koala-lab, so that features are those of everywhere.
CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$folder RUSTC_WRAPPER=$PWD/fuzz/instrument.sh cargo build --release --locked --quiet \
  -p koala-lab -p koala-fuzz --features koala-fuzz/coverage --bin coverage
if [ "${1:-}" = list ]; then
  exec "$program" list
fi

# In memory where that can be: most readers read files, and a disk is waited for.
if [ -w /dev/shm ]; then scratch=$(mktemp -d -p /dev/shm); else scratch=$(mktemp -d); fi
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$findings" "$corpus"
if [ -e "$kept" ]; then tar -xzf "$kept" -C "$scratch"; fi

# libFuzzer over one reader, with further flags and folders; beside the corpus it begins from the reader's seeds and what is kept.
fuzz() {
  local reader=$1
  shift
  rm -rf "$scratch/place"
  mkdir -p "$corpus/$reader" "$scratch/place" "$scratch/corpus/$reader" "$scratch/seeds/$reader"
  KOALA_READER=$reader KOALA_SEEDS=$scratch/seeds/$reader TMPDIR=$scratch/place "$program" -timeout="${TIMEOUT:-60}" \
    -rss_limit_mb=2048 -artifact_prefix="$findings/$reader-" "$@" "$corpus/$reader" "$scratch/seeds/$reader" \
    "$scratch/corpus/$reader"
}

if [ "${1:-}" = keep ]; then
  mkdir "$scratch/new"
  for reader in $("$program" list); do
    mkdir -p "$scratch/new/corpus/$reader"
    fuzz "$reader" -set_cover_merge=1 -use_counters=0 -max_len=$longest "$scratch/new/corpus/$reader" 2>"$scratch/log"
  done
  tar -C "$scratch/new" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u=rwX,go=rX -c corpus | gzip -9n >"$kept"
  ls -l "$kept"
  exit
fi

seconds=${1:-60}
shift || true
readers=("$@")
[ ${#readers[@]} -gt 0 ] || mapfile -t readers < <("$program" list)

TIMEFORMAT='%U %S'
found=0
for reader in "${readers[@]}"; do
  output=$scratch/output
  failed=0
  { time fuzz "$reader" -max_total_time="$seconds" -max_len=65536 -print_final_stats=1 >"$output" 2>&1 || failed=1; } 2>"$scratch/time"
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$output")
  if [ $failed = 1 ]; then
    found=1
    tail -n 40 "$output" | tee "$findings/$reader.txt"
  fi
  state=$(grep -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$output" | tail -n 1 || true)
  read -r _ reached _ _ _ inputs <<<"$state"
  row=$(printf '%s\t%s\t%s\t%s\t%s\t%s' "$reader" "${runs:-0}" "$(awk '{ print $1 + $2 }' "$scratch/time")" "${reached:-0}" "${inputs:-0}" $failed)
  # A line at once: others may write to the log too.
  echo "$row" >>"$log"
  echo "$row" >>"$scratch/table"
done
sum "$scratch/table"
exit $found
