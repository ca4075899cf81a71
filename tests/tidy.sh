#!/bin/bash
# clang-tidy over every source, one file at a time (version 14 misreports when given several).
cd "$(dirname "$0")/.." || exit 1
cmake --preset clang >tidy.log 2>&1 || { cat tidy.log; exit 1; } # how each is compiled
git ls-files 'daemon/*.c' 'fs/*.c' 'http/*.c' 'store/*.c' 'ctl/*.c' |
    xargs -r -P"$(nproc)" -n1 clang-tidy --quiet -p build/clang 2>&1 | grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >tidy.log
if grep -qE 'error:|warning:' tidy.log; then
    grep -E 'error:|warning:' tidy.log | sort -u | head -40
    exit 1
fi
rm -f tidy.log
