#!/bin/bash
# sluiced starts, mounts, serves, stops and is told to stop twice, again and again: no lock or thread is left over.
# labels: tsan asan
set -u
sluiced=${SLUICE_BUILD:-build/release}/sluiced
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'umount -lq "$WORK/tree" 2>/dev/null; rm -rf "$WORK"' EXIT
die() { echo "FAIL: $*" >&2; tail -20 "$WORK/log" >&2; exit 1; }
export TSAN_OPTIONS="${TSAN_OPTIONS:-} exitcode=66"

ready() { grep -q 'msg="ready"' "$WORK/log"; }
for round in $(seq 12); do
    : >"$WORK/log"
    "$sluiced" --data "$WORK/data" --mount "$WORK/tree" --listen "unix:$WORK/http" >>"$WORK/log" 2>&1 &
    pid=$!
    for _ in $(seq 200); do ready && break; sleep 0.05; done
    ready || die "round $round: not ready"
    curl="" # and all else that runs beside
    for path in status schema metrics events README "?watch=1"; do
        curl -s -m 2 --unix-socket "$WORK/http" "http://localhost/v1/$path" >/dev/null &
        curl="$curl $!"
    done
    for what in "mkdir sources/s$round" "cat status" "cat sources/create" "ls -lR" "rmdir sources/s$round"; do
        # shellcheck disable=SC2086
        (cd "$WORK/tree" && timeout 10 $what) >/dev/null 2>&1 &
        curl="$curl $!"
    done
    [ $((round % 3)) -eq 0 ] || sleep 0.1
    kill -HUP $pid
    case $((round % 4)) in
    0) kill -INT $pid ;;
    1) kill -TERM $pid ;;
    2) curl -s -X POST --unix-socket "$WORK/http" http://localhost/v1/shutdown >/dev/null ;;
    3) kill -TERM $pid; kill -TERM $pid ;;
    esac
    wait $pid
    status=$?
    # shellcheck disable=SC2086
    wait $curl
    [ $status -eq 0 ] || { [ $((round % 4)) -eq 3 ] && [ $status -eq 1 ]; } || die "round $round: exit code $status"
    ! grep -E 'Sanitizer|runtime error:' "$WORK/log" || die "round $round"
done
echo "# $round starts and stops"
