#!/bin/bash
# clang-tidy over every source, or over those that are named, one file at a time (version 14 misreports when given several).
#
#     tests/tidy.sh [--deep] [FILE...]
#
# The analyzer (clang-analyzer-*) takes nearly all of the time.  By default it looks at each function with the small ones that
# it calls; --deep follows every call, which takes five times as long: for files that one has changed.
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
depth="--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=mode=shallow"
[ "${1:-}" != --deep ] || { depth=""; shift; }
cmake --preset clang >"$log" 2>&1 || { cat "$log"; exit 1; } # how each is compiled
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else git ls-files 'daemon/*.c' 'fs/*.c' 'http/*.c' 'store/*.c' 'ctl/*.c'; fi |
    # shellcheck disable=SC2086
    xargs -r -P"$(nproc)" -n1 clang-tidy --quiet -p build/clang $depth 2>&1 | grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >"$log"
if grep -qE 'error:|warning:' "$log"; then
    grep -E 'error:|warning:' "$log" | sort -u | head -40
    exit 1
fi
