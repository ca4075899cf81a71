#!/bin/bash
# A journal whose writer is killed at random moments has every acknowledged record, none twice, and no gap.
# labels: asan
set -u
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
rounds=${ROUNDS:-8}
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
run=${SLUICE_BUILD:-build/release}/journal_run
die() { echo "FAIL (SEED=$SEED): $*" >&2; exit 1; }

for round in $(seq "$rounds"); do
    "$run" "$WORK/data" write $RANDOM >"$WORK/acknowledged" &
    pid=$!
    sleep "$((RANDOM % 2)).$(printf %03d $((RANDOM % 900 + 50)))"
    kill -9 $pid 2>/dev/null || die "round $round: the writer ended: $(tail -n 1 "$WORK/acknowledged")"
    wait $pid 2>/dev/null
    # The last line may be cut; the one before it is whole.
    n=$(tail -n 2 "$WORK/acknowledged" | head -n 1)
    left=$("$run" "$WORK/data" check "${n:-0}") || die "round $round"
done
[ "$left" -gt "$rounds" ] || die "only $left records written"
echo "# $rounds kills, $left records, none lost (SEED=$SEED)"
