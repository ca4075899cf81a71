#!/bin/bash
# The disk of a store and of a journal fills up: they say so, keep all that they had, and go on when there is room again.
set -u
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
disk=$WORK/disk
trap 'kill "${pid:-}" 2>/dev/null; umount -l "$disk" 2>/dev/null; rm -rf "$WORK"' EXIT
bin=${SLUICE_BUILD:-build/release}
die() { echo "FAIL: $*" >&2; cat "$WORK/out" "$WORK/log" >&2; exit 1; }
said() { grep -q "^$1" "$WORK/out"; }
wait_said() { for _ in $(seq 300); do said "$1" && return; kill -0 "$pid" 2>/dev/null || return 1; sleep 0.1; done; return 1; }

# The journal stops before RocksDB fails, by the guard; the store alone runs into it, and is opened anew.
for program in journal_run store_crash; do
    mkdir -p "$disk"
    mount -t tmpfs -o size=300m tmpfs "$disk" || die "no tmpfs"
    head -c 100M /dev/zero >"$disk/filler"
    "$bin/$program" "$disk/data" full >"$WORK/out" 2>"$WORK/log" &
    pid=$!
    wait_said full || die "$program: it does not say that the disk is full"
    head -c 300M /dev/zero >"$disk/more" 2>/dev/null
    sleep 1
    said again && die "$program: it went on without room"
    rm "$disk/filler" "$disk/more"
    wait_said again || die "$program: it does not go on"
    wait $pid || die "$program: writing failed"
    left=$("$bin/$program" "$disk/data" check "$(tail -n 1 "$WORK/out")") || die "$program: check"
    echo "# $program: all $left are there; it said: $(grep -h 'full\|space' "$WORK/out" | head -n 1)"
    umount "$disk"
done
