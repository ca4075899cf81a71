#!/bin/bash
# labels: asan
# Where an incremental task starts: by file and offset, by GTID, by time; followed by GTID when only file and offset
# were given, and by file and offset when only GTIDs were; switched from one to the other later; places that are not
# there, or are inside a transaction, are refused.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb md
start_mysql my --binlog-transaction-compression=ON
start_mariadb dst
start_sluice

file_of() { sql "$1" "SHOW MASTER STATUS" 2>/dev/null | cut -f1-2 | grep . || sql "$1" "SHOW BINARY LOG STATUS" | cut -f1-2; }
gtids_of() { { sql "$1" 'SELECT @@gtid_binlog_pos' 2>/dev/null || sql "$1" 'SELECT @@global.gtid_executed'; } | tr -d '\\n '; }
ids() { sql dst "SELECT GROUP_CONCAT(id ORDER BY id) FROM d$1.t"; }
ids_are() { [ "$(ids "$1")" = "$2" ]; }
begin() { # task, source, start, more
    sql dst "DROP DATABASE IF EXISTS d$2"
    [ -n "${bare:-}" ] || sql dst "CREATE DATABASE d$2; CREATE TABLE d$2.t (id INT PRIMARY KEY, b LONGBLOB)"
    task_mode=incremental task_document "$1" "$2" dst "d$2" </dev/null | sed "s|{ source_name: $2 } \]|{ source_name: $2, $3 } ]|" >"$T/tasks/create" ||
        die "$(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$1/start"
}
finish() { echo >"$T/tasks/$1/stop" 2>/dev/null; wait_for 20 rmdir "$T/tasks/$1" || die "$(cat "$T/tasks/$1/last_error")"
    gone() { [ "$(sql dst "SELECT COUNT(*) FROM dm_meta.sluice_checkpoint WHERE task = '$1'")" = 0 ]; }; wait_for 30 gone "$1"; }

for s in md my; do
    note "$s: $(server_version $s)"
    sql $s "CREATE DATABASE d$s; CREATE TABLE d$s.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d$s.t VALUES (1, 'x'); FLUSH BINARY LOGS;
        INSERT INTO d$s.t VALUES (2, REPEAT('y', 100000)), (3, 'z'); INSERT INTO d$s.t VALUES (4, REPEAT('abc', 1000))"
    read -r file pos <<<"$(file_of $s)"; gtids=$(gtids_of $s)
    sql $s "INSERT INTO d$s.t VALUES (5, 'after'); FLUSH BINARY LOGS; INSERT INTO d$s.t VALUES (6, 'after')"

    enable_gtid=true make_source $s $s
    begin t $s "binlog_name: $file, binlog_pos: $pos" || die "$(cat "$T/tasks/t/check_report")"
    caught_up t $s # a full GTID set
    ids_are $s 5,6 || die "$s: by file, followed by GTID: $(ids $s)"
    grep -q "goes on by GTID" "$SLUICE_LOG" || die "not by GTID"

    note "$s: switched to file and offset, and back"
    for how in false true; do
        echo >"$T/tasks/t/pause"; echo $how >"$T/sources/$s/enable_gtid"
        sql $s "INSERT INTO d$s.t SELECT MAX(id) + 1, '$how' FROM d$s.t"
        echo >"$T/tasks/t/resume" || die "$(cat "$T/tasks/t/last_error")"
        caught_up t $s
    done
    ids_are $s 5,6,7,8 || die "$s: $(ids $s)"
    finish t

    note "$s: by GTID, followed by file and offset"
    echo false >"$T/sources/$s/enable_gtid"
    begin t $s "binlog_gtid: \"$gtids\"" || die "$(cat "$T/tasks/t/check_report")"
    wait_for 60 ids_are $s 5,6,7,8 || { task_trouble t; die "$s: by GTID, followed by file: $(ids $s)"; }
    sql $s "INSERT INTO d$s.t VALUES (9, 'more')"; wait_for 30 ids_are $s 5,6,7,8,9 || die "$s: $(ids $s)"
    grep -q "goes on by file and offset" "$SLUICE_LOG" || die "not by file"
    finish t

    note "$s: from a time"
    sleep_until() { [ "$(date +%s)" -gt "$1" ]; }
    now=$(date +%s); wait_for 10 sleep_until "$now"
    wait_for 10 sleep_until $((now + 1)) # binlogs know whole seconds
    start=$(date -u -d @$((now + 2)) +%FT%TZ); wait_for 10 sleep_until $((now + 1))
    sql $s "INSERT INTO d$s.t VALUES (20, 'timed')"
    for how in true false; do
        echo $how >"$T/sources/$s/enable_gtid"
        begin t $s "start_time: \"$start\"" || die "$(cat "$T/tasks/t/last_error")"
        wait_for 60 ids_are $s 20 || { task_trouble t; die "$s: from $start: $(ids $s)"; }
        finish t
    done
    note "$s: from a time before all binlogs, of which none is gone"
    bare=1 begin t $s 'start_time: "2001-01-01T00:00:00Z"' || die "$(cat "$T/tasks/t/last_error")"
    caught_up t $s; same_rows $s dst d$s || die "$s: not all that there ever was"
    finish t

    note "$s: a table that the source made after the place to start"
    echo true >"$T/sources/$s/enable_gtid"
    sql $s "CREATE TABLE d$s.later (id INT PRIMARY KEY); INSERT INTO d$s.later VALUES (1), (2)"
    begin t $s "binlog_gtid: \"$gtids\"" || die "$(cat "$T/tasks/t/check_report")"
    grep -q "WARN  target_table: d$s.later is not at the target: fine if" "$T/tasks/t/check_report" || die "$(cat "$T/tasks/t/check_report")"
    caught_up t $s
    [ "$(sql dst "SELECT COUNT(*) FROM d$s.later")" = 2 ] || die "$s: the table that was made later is not there"
    finish t
    sql $s "DROP TABLE d$s.later"

    note "$s: places that are not there"
    for bad in "binlog_name: $file, binlog_pos: $((pos - 40))" "binlog_name: $file, binlog_pos: 99999999" "binlog_name: bin.000099"; do
        begin t $s "$bad" 2>/dev/null && wait_state t error
        [ -n "$(cat "$T/tasks/t/error" "$T/tasks/t/last_error")" ] || die "$bad"
        note "$(cat "$T/tasks/t/error")"
        [ -z "$(ids $s | grep -v NULL)" ] || die "$bad: something was applied: $(ids $s)"
        finish t
    done
done
echo "OK"
