#!/bin/bash
# The source and the target are killed and restarted under a running task with a writer: it reconnects
# by itself, says so, and both ends are equal.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src
start_mariadb dst
"$SLUICE_BUILD/writer" "$src_port" wr 7 300 || die "writer"
"$SLUICE_BUILD/writer" "$src_port" wr 8 0 1000 >/dev/null &
writer=$!
at_exit 'kill $writer 2>/dev/null'
start_sluice
make_source s1 src && make_task r s1 dst wr </dev/null && echo >"$T/tasks/r/start" || die "$(cat "$T/tasks/r/last_error")"
wait_for 60 test "$(cat "$T/tasks/r/state")" = running || die "not running"

for round in 1 2 3; do
    for victim in src dst; do
        sleep 1
        kill_server $victim
        sleep "$((RANDOM % 3))"
        restart_server $victim
        wait_state r running 120
        note "round $round: $victim killed and restarted"
    done
done
kill $writer; wait $writer
caught_up r src 180
same_rows src dst wr || { task_trouble r; die "the ends differ"; }
grep -q '"event":' "$T/tasks/r/events" || die "the events say nothing of it"
