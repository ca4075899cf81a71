#!/bin/bash
# Bits of a journal's files on disk flip, one at a time: what is read is as it was written, what is damaged is named.
set -u
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
rounds=${ROUNDS:-40}
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
run=${SLUICE_BUILD:-build/release}/journal_run
die() { echo "FAIL (SEED=$SEED): $*" >&2; cat "$WORK/out" 2>/dev/null >&2; exit 1; }

"$run" "$WORK/data" write "$SEED" >"$WORK/acknowledged" &
pid=$!
until [ "$(tail -n 2 "$WORK/acknowledged" | head -n 1)" -gt 5000 ] 2>/dev/null; do
    kill -0 $pid 2>/dev/null || die "the writer ended"
    sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null
"$run" "$WORK/data" check 1 >"$WORK/out" || die "nothing to damage" # opening it makes files of the log
"$run" "$WORK/data" around >"$WORK/out" && grep -q ' 0 bad' "$WORK/out" || die "damaged from the start"
mapfile -t files < <(find "$WORK/data/store" -name '*.sst' -size +3k)
named=0 refused=0
for round in $(seq "$rounds"); do
    file=${files[RANDOM % ${#files[@]}]}
    at=$(((RANDOM * 32768 + RANDOM) % $(stat -c %s "$file")))
    cp "$file" "$WORK/whole"
    byte=$(od -An -tu1 -j "$at" -N 1 "$file")
    printf "\\x$(printf %x $((byte ^ (1 << RANDOM % 8))))" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    if "$run" "$WORK/data" around >"$WORK/out" 2>&1; then
        grep -q ' 0 bad' "$WORK/out" || { named=$((named + 1)); place=$(sed 's/.*bad: //' "$WORK/out"); }
    else
        # Refused as a whole: what lists the files, or the index, is damaged.
        grep -qE 'store: Corruption|store: IO error|damaged' "$WORK/out" || die "round $round: byte $at of $file"
        refused=$((refused + 1))
    fi
    cp "$WORK/whole" "$file"
done
"$run" "$WORK/data" around >"$WORK/out" && grep -q ' 0 bad' "$WORK/out" || die "damaged after all was put back"
[ "$named" -gt 0 ] || die "no flip was found"
echo "# $rounds flips: $named named, $refused refused at open, the others in bytes that nobody reads (SEED=$SEED)"
echo "# the last: $place"
