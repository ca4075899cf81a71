#!/bin/sh
# symbols.sh BUILD: no function has the name of another.  The libraries are archives, of which the linker takes the first
# that it finds, without a word; and then one unit runs with the other's structures.
twice=$(find "$1" -name 'libsluice_*.a' -exec nm -g --defined-only {} + 2>/dev/null | awk '$2 ~ /[TDBR]/ { print $3 }' | sort | uniq -d)
[ -n "$(find "$1" -name 'libsluice_*.a' | head -1)" ] || { echo "FAIL: no libraries in $1"; exit 1; }
[ -z "$twice" ] || { echo "FAIL: defined twice: $twice"; exit 1; }
