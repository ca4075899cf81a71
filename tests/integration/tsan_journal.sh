#!/bin/bash
# A journal with a writer, readers, finds and GC at once: each reader sees each record once, in order, as written.
# labels: tsan asan
set -u
run=${SLUICE_BUILD:-build/release}/journal_threads_run
export TSAN_OPTIONS="${TSAN_OPTIONS:-} exitcode=66"
"$run" "${RECORDS:-4000}" 8 || { echo "FAIL: exit code $?" >&2; exit 1; }
