#!/bin/bash
# A copy and a sync with a DDL, a pause and a stop, while readers walk the whole tree on both fronts.
# labels: tsan asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src
start_mariadb dst
sql src "CREATE DATABASE m; USE m; CREATE TABLE u (id INT PRIMARY KEY, v INT);
    CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60), KEY (k));
    INSERT INTO u SELECT seq, seq FROM seq_1_to_5000;
    INSERT INTO t (k, c, pad) SELECT seq, RPAD(seq, 110, 'x'), RPAD(seq, 60, 'y') FROM seq_1_to_60000"
start_sluice
make_source s1 src || die "$(cat "$T/sources/last_error")"
make_task w s1 dst m </dev/null || die "$(cat "$T/tasks/last_error")"

read_all() {
    while [ -e "$WORK/read" ]; do
        cat "$T"/tasks/w/{status,progress,tables,README} "$T"/sources/s1/status "$T"/{metrics,schema,events} >/dev/null 2>&1
        ls -lR "$T" >/dev/null 2>&1
        curl -s -m 10 "$URL/v1/tasks?depth=3" >/dev/null
    done
}
touch "$WORK/read"
at_exit "rm -f $WORK/read"
read_all &
reader=$!
curl -sN -m 120 "$URL/v1/tasks?watch=1" >/dev/null &

echo >"$T/tasks/w/start" || die "$(cat "$T/tasks/w/last_error")"
synced() { [ "$(cat "$T/tasks/w/stage")" = sync ] && state_is w running; }
wait_for 120 synced || { task_trouble w; die "no sync"; }
for i in $(seq 20); do
    sql src "UPDATE m.u SET v = v + 1 WHERE id % 7 = $i % 7; INSERT INTO m.t (k) VALUES ($i); DELETE FROM m.t WHERE id = $i"
done
echo >"$T/tasks/w/pause" || die "$(cat "$T/tasks/w/last_error")"
wait_state w paused
sql src "ALTER TABLE m.u ADD x INT DEFAULT 3; UPDATE m.u SET v = v + 1"
echo >"$T/tasks/w/resume" || die "$(cat "$T/tasks/w/last_error")"
caught_up w src
same_rows src dst m || die "the ends differ"
echo >"$T/tasks/w/stop" || die "$(cat "$T/tasks/w/last_error")"
wait_state w stopped
rmdir "$T/tasks/w" || die "$(cat "$T/tasks/last_error")"
rm "$WORK/read"
wait $reader
stop_sluice; status=$?
[ $status -eq 0 ] || { grep -m3 -A12 'WARNING: Thread\|ERROR: ' "$SLUICE_LOG" >&2; die "exit code $status"; }
note "equal, and a clean end"
