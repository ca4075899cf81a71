#!/bin/bash
# Values of every type and character set, copied, followed and copied again (resnapshot), are equal for verify, on and
# between both flavours; and a difference in any of them is seen.  PAIRS="mariadb:mariadb mysql:mysql mariadb:mysql mysql:mariadb".
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/types.sh

V=$T/tasks/t/verify
all_done_or_failed() { all_done || grep -q "\"state\": \"failed\"" "$T/tasks/t/sources/s1/sync/copied_again"; }
verify() { # what: nothing differs
    echo >"$V/start" || die "$pair: $(cat "$V/last_error")"
    done_is() { [ "$(cat "$V/state")" = finished ]; }
    wait_for 240 done_is || { cat "$V/status" >&2; die "$pair: $1: verify is $(cat "$V/state")"; }
    [ "$(cat "$V/tables_failed")" = 0 ] && [ "$(cat "$V/rows_differing")" = "${2:-0}" ] || {
        grep -B6 -A1 '"reason": ".' "$V/report" >&2; head -60 "$V/differing" >&2; die "$pair: $1: $(cat "$V/progress")"; }
    note "$pair: $1: $(cat "$V/progress")"
}
follows_or_error() { wait_for 60 follows_or_fails; }
follows_or_fails() { [ "$(state t)" = error ] || [ -n "$(cat "$T/tasks/t/sources/s1/sync/gtid")" ]; }
for pair in ${PAIRS:-mysql:mariadb mariadb:mysql}; do
    from=${pair%:*} to=${pair#*:}
    "start_$from" src; "start_$to" dst
    { echo "CREATE DATABASE types CHARACTER SET utf8mb4; USE types; $SESSION"
      make_tables "$from"; make_charsets src; } >"$WORK/types.sql"
    sql_file src "$WORK/types.sql" || die "$pair: a type or a value is not accepted"
    [ -n "$sluiced_pid" ] || start_sluice
    make_source s1 src && make_task t s1 dst types </dev/null || die "$(cat "$T/tasks/last_error")"
    left_out=""
    until echo >"$T/tasks/t/start" && follows_or_error && [ "$(state t)" != error ]; do # what the other has no place for is named
        [ "$from" != "$to" ] || { cat "$T/tasks/t/check_report" >&2; task_trouble t; die "$pair: no start"; }
        t=$({ cat "$T/tasks/t/error" "$T/tasks/t/last_error"; grep FAIL "$T/tasks/t/check_report"; } | grep -oE 'types\.[a-z0-9_]+' | sed 's/types.//' | sort -u)
        [ -n "$t" ] || { task_trouble t; die "$pair: an error names no table"; }
        for t in $t; do sql src "DROP TABLE IF EXISTS types.$t"; left_out="$left_out $t"; done
        echo >"$T/tasks/t/stop"
    done 2>/dev/null
    note "$pair: left out:$left_out"
    [ "$(wc -w <<<"$left_out")" -lt 40 ] || die "$pair: too much is left out"
    caught_up t src
    verify "the copy"
    for t in $(tables_of src types); do echo "$SESSION INSERT INTO $t (id, c) SELECT id + 1000, c FROM $t;"; done >"$WORK/more.sql"
    sql_file src "$WORK/more.sql" types || die "$pair: changes"
    caught_up t src
    verify "the stream"

    tables=$(tables_of src types)
    for t in $tables; do echo "schema=types table=$t" >"$T/tasks/t/resnapshot" || die "$pair: $t: $(cat "$T/tasks/t/last_error")"; done
    all_done() { [ "$(grep -c '"state": "done"' "$T/tasks/t/sources/s1/sync/copied_again")" = "$(wc -w <<<"$tables")" ]; }
    wait_for 240 all_done_or_failed && all_done || { grep -A6 -B2 '"state": "\(failed\|loading\|new\)"' "$T/tasks/t/sources/s1/sync/copied_again" | head -60 >&2; task_trouble t; die "$pair: not all are copied again"; }
    [ "$from" != "$to" ] || same_rows src dst types || die "$pair: what was copied again differs"
    verify "copied again"

    n=0
    for t in $tables; do # a row of each table loses its value, where that is not its key
        case $t in cs_*) continue ;; esac
        n=$((n + $(sql dst "$SESSION USE types; UPDATE $t a
            JOIN (SELECT MIN(id) id FROM $t WHERE c IS NOT NULL) x ON a.id = x.id SET a.c = NULL; SELECT ROW_COUNT()" 2>/dev/null || echo 0)))
    done
    verify "damaged" "$n"
    [ "$n" -gt 50 ] || die "$pair: only $n rows could be damaged"
    echo >"$T/tasks/t/stop"; rmdir "$T/tasks/t" "$T/sources/s1"
    stop_server src; stop_server dst; rm -rf "$src_dir" "$dst_dir"; unset src_port dst_port
done
