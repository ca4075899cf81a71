#!/bin/bash
# clang-tidy over every source, or over those that are named, one file at a time (version 14 misreports when given several).
#
#     tests/tidy.sh [--deep] [FILE...]
#
# The analyzer (clang-analyzer-*) takes nearly all of the time.  So it looks at each function with the small ones that it
# calls first, and follows every call (--deep), ten times as long, only in a file in which it suspects something then:
# the first look does not know what longer functions promise.  --deep: at once, for files that one has changed.
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
deep=0
[ "${1:-}" != --deep ] || { deep=1; shift; }
cmake --preset clang >"$log" 2>&1 || { cat "$log"; exit 1; } # how each is compiled
look() { # deep file
    local shallow="--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=mode=shallow"
    # shellcheck disable=SC2086
    [ "$1" = 1 ] || clang-tidy --quiet -p build/clang $shallow "$2" 2>&1 | grep -qE 'error:|warning:' || return 0
    clang-tidy --quiet -p build/clang "$2" 2>&1
}
export -f look
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else git ls-files 'daemon/*.c' 'fs/*.c' 'http/*.c' 'store/*.c' 'ctl/*.c'; fi |
    xargs -r -P"$(nproc)" -n1 bash -c 'look "$@"' look $deep >"$log"
if grep -qE 'error:|warning:' "$log"; then
    grep -E 'error:|warning:' "$log" | sort -u | head -40
    exit 1
fi
