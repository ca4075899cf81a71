#!/bin/bash
# clang-tidy over every source, one file at a time (version 14 misreports when given several),
# and cppcheck.  Needs build/clang/compile_commands.json (tests/run makes it).
cd "$(dirname "$0")/.." || exit 1
git ls-files 'daemon/*.c' 'fs/*.c' 'http/*.c' 'store/*.c' 'ctl/*.c' |
    xargs -r -P2 -n1 clang-tidy --quiet -p build/clang 2>&1 | grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >tidy.log
if grep -qE 'error:|warning:' tidy.log; then
    grep -E 'error:|warning:' tidy.log | sort -u | head -40
    exit 1
fi
rm -f tidy.log
