#!/bin/bash
# A store whose writer is killed at random moments holds every acknowledged batch, each whole.
# labels: asan long
set -u
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
rounds=${ROUNDS:-40}
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
crash=${SLUICE_BUILD:-build/release}/store_crash
die() { echo "FAIL (SEED=$SEED): $*" >&2; exit 1; }

for round in $(seq "$rounds"); do
    "$crash" "$WORK/data" write >"$WORK/acknowledged" &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 300 + 20)))"
    kill -9 $pid
    wait $pid 2>/dev/null
    # The last line may be cut; the one before it is whole.
    n=$(tail -n 2 "$WORK/acknowledged" | head -n 1)
    left=$("$crash" "$WORK/data" check "${n:-0}") || die "round $round"
done
[ "$left" -gt "$rounds" ] || die "only $left batches written"
echo "# $rounds kills, $left batches, none lost (SEED=$SEED)"
