#!/bin/sh
# Runs a fuzzer once over its corpus, without fuzzing.  usage: replay.sh FUZZER
corpus=$(dirname "$0")/corpus/$(basename "$1")
[ -d "$corpus" ] || { echo "no corpus: $corpus" >&2; exit 1; }
exec "$1" "$corpus" -runs=0
