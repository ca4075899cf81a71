#!/bin/bash
# tasks/<t>/verify/continuous/: of the rows that sync writes, those that the target then has otherwise are told, by their
# keys, and no others, under load; they can be ignored, resolved and cleared, and are known after kill -9,
# as is what was not looked at then.  What changed while it was paused, or since start_time, is looked at, too; a cutover
# says when all before it was.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

C=$T/tasks/q/verify/continuous
order() { echo "${2:-}" >"$C/$1" || die "$flavor: $what: $1: $(cat "$C/last_error")"; }
errors() { python3 -c 'import json, sys
for r in json.load(open(sys.argv[1])): print(r["table"], r["kind"], r["key"], r["state"])' "$C/errors" | LC_ALL=C sort; }
errors_are() { [ "$(errors)" = "$(printf '%s' "$1" | LC_ALL=C sort)" ]; }
expect() { wait_for "${2:-120}" errors_are "$1" || { { cat "$C/status"; echo "wanted:"; echo "$1"; echo "are:"; errors; task_trouble q; } >&2 && die "$flavor: $what: not the error rows that there should be"; }; }
looked_at() { [ "$(cat "$C/pending_rows")" = 0 ] && [ "$(cat "$C/suspects")" = "${1:-0}" ]; }
write_load() { # until $WORK/load goes; rows up to 100 of each table are left alone
    local i=0
    while [ -e "$WORK/load" ]; do
        i=$((i + 1))
        echo "UPDATE q.t SET v = v + 1 WHERE id = 101 + $i % 50; INSERT INTO q.t VALUES (1000 + $i, $i); DELETE FROM q.t WHERE id = 900 + $i; UPDATE q.t SET v = v + 1 WHERE id = 101;
            UPDATE q.t SET id = id + 500000 WHERE id = 950 + $i; INSERT INTO q.w VALUES (CONCAT('New ', $i), $i); UPDATE q.w SET v = v + 1 WHERE w LIKE 'NEW 1%' LIMIT 3; INSERT INTO q.keyless VALUES ($i);"
        sleep 0.01
    done | sql_file src /dev/stdin >/dev/null 2>"$WORK/load.err"
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE q; USE q; CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE w (w VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v INT); CREATE TABLE keyless (a INT)"
    sql src "INSERT INTO q.t VALUES $(seq -s, -f '(%g,0)' 1 160)"
    [ -n "$sluiced_pid" ] || start_sluice
    make_source s1 src && make_task q s1 dst q </dev/null && echo >"$T/tasks/q/start" || die "$(cat "$T/tasks/q/last_error")"
    caught_up q src
    echo 1 >"$C/row_error_delay_seconds"
    what="nothing is told of rows in flight"
    order start mode=full
    : >"$WORK/load"; write_load & load_pid=$!
    many() { [ "$(cat "$C/checked")" -gt 500 ]; }
    wait_for 120 many || { cat "$C/status" >&2; die "$flavor: $what: nothing is looked at"; }
    expect ""

    what="rows that the target has otherwise"
    # somebody's triggers spoil what sync writes
    sql dst "USE q; CREATE TRIGGER spoil BEFORE INSERT ON t FOR EACH ROW SET NEW.v = IF(NEW.id BETWEEN 600000 AND 600009, -1, NEW.v);
        CREATE TRIGGER spoil_too BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = IF(NEW.id = 12, -1, NEW.v);
        CREATE TRIGGER loses BEFORE INSERT ON w FOR EACH ROW SET NEW.w = IF(NEW.w LIKE 'lost%', CONCAT('elsewhere ', NEW.w), NEW.w)" || die "no triggers"
    sql src "USE q; INSERT INTO t VALUES (600000, 1); UPDATE t SET v = 5 WHERE id IN (12, 13); INSERT INTO w VALUES ('lost', 1)"
    three="q.t different id=600000 new
q.t different id=12 new
q.w missing w=lost new"
    expect "$three"
    grep -q 'new/ignored/resolved: 3/0/0' "$C/error_rows_status" || die "$flavor: $what: $(cat "$C/error_rows_status")"
    grep -q keyless "$C/stopped_tables" || die "$flavor: $what: a table without a key is not named: $(cat "$C/stopped_tables")"

    what="they are known after kill -9, and it goes on"
    rm "$WORK/load"; wait "$load_pid"
    [ ! -s "$WORK/load.err" ] || die "$flavor: the load failed: $(head -3 "$WORK/load.err")"
    sql dst "DELETE FROM q.w WHERE w LIKE 'elsewhere%'" # which a comparison of the whole table would tell
    kill_sluice; restart_sluice
    expect "$three"
    sql src "UPDATE q.t SET v = 6 WHERE id IN (12, 15)"
    caught_up q src
    wait_for 120 looked_at
    expect "$three"

    what="what was not looked at, or only suspected, at kill -9 is found"
    echo 3600 >"$C/row_error_delay_seconds"
    sql src "INSERT INTO q.t VALUES (600001, 1)"
    suspected() { [ "$(cat "$C/suspects")" -ge 1 ]; } # after a kill the known error rows of the table, too
    wait_for 120 suspected || die "$flavor: $what: $(cat "$C/status")"
    kill_sluice; restart_sluice
    wait_for 120 suspected || die "$flavor: $what: it is not compared again: $(cat "$C/status")"
    sql src "INSERT INTO q.t VALUES (600002, 1)"; caught_up q src
    kill_sluice; restart_sluice; echo 1 >"$C/row_error_delay_seconds"
    expect "$three
q.t different id=600001 new
q.t different id=600002 new"
    unlooked() { [ "$(cat "$C/catching_up")" = false ] && [ "$(cat "$C/unlooked_tables")" = 0 ] && looked_at; }
    wait_for 120 unlooked || die "$flavor: $what: $(cat "$C/status")"
    sql dst "UPDATE q.t SET v = -2 WHERE id = 101" # nobody asked to look at what did not change
    kill_sluice; restart_sluice; wait_for 120 unlooked
    for id in 600001 600002; do order clear_error "id=$(python3 -c 'import json, sys
print([r["id"] for r in json.load(open(sys.argv[1])) if r["key"] == "id=" + sys.argv[2]][0])' "$C/errors" $id)"; done
    expect "$three"

    what="what somebody says about them"
    id_of() { python3 -c 'import json, sys
print([r["id"] for r in json.load(open(sys.argv[1])) if r["key"] == sys.argv[2]][0])' "$C/errors" "$1"; }
    order ignore_error "id=$(id_of id=12)"
    order resolve_error "id=$(id_of w=lost)"
    order clear_error "id=$(id_of id=600000)"
    echo id=999999 >"$C/clear_error" 2>/dev/null && die "$flavor: $what: an error row that is not there was cleared"
    expect "q.t different id=12 ignored
q.w missing w=lost resolved"
    sql src "UPDATE q.t SET v = 7 WHERE id = 12" # it stays ignored
    caught_up q src; wait_for 120 looked_at
    expect "q.t different id=12 ignored
q.w missing w=lost resolved"

    what="fast looks only whether rows are there"
    order clear_error; order stop
    order start mode=fast
    sql src "UPDATE q.t SET v = 8 WHERE id = 12; INSERT INTO q.w VALUES ('lost 2', 1)"
    expect "q.w missing w=lost 2 new"
    order stop

    what="what changed since a time"
    order clear_error; sleep 1.1
    echo start_time=yesterday >"$C/start" 2>/dev/null && die "$flavor: $what: yesterday is a time"
    echo start_time=2100-01-01T00:00:00Z >"$C/start" 2>/dev/null && die "$flavor: $what: there is nothing so late"
    grep -q 'too late' "$C/last_error" || die "$flavor: $what: $(cat "$C/last_error")"
    since=$(date -u +%FT%TZ)
    sql src "INSERT INTO q.t VALUES (600003, 1)"; caught_up q src
    order start "mode=full start_time=$since"
    expect "q.t different id=600003 new"

    what="what changed while it was paused"
    order pause
    sql src "INSERT INTO q.t VALUES (600004, 1); ALTER TABLE q.w ADD c INT; INSERT INTO q.w (w, v) VALUES ('lost 4', 1)"; caught_up q src
    kill_sluice; restart_sluice
    was_paused() { [ "$(cat "$C/state")" = paused ]; }; wait_for 30 was_paused || die "$flavor: $what: it is $(cat "$C/state")"
    sql src "FLUSH BINARY LOGS" # MariaDB: what ends the binlog then is of no transaction
    order resume
    paused="q.t different id=600003 new
q.t different id=600004 new
q.w missing w=lost 4 new"
    expect "$paused"

    what="a cutover"
    echo 3600 >"$C/row_error_delay_seconds"
    echo pos=nowhere >"$C/cutover" 2>/dev/null && die "$flavor: $what: nowhere is a place"
    sql src "INSERT INTO q.t VALUES (600005, 1)"
    order cutover
    cutover_is() { grep -q "\"state\": \"$1\"" "$C/cutovers"; }
    wait_for 120 cutover_is validated || { cat "$C/status" >&2; die "$flavor: $what: $(cat "$C/cutovers")"; }
    expect "$paused
q.t different id=600005 new" 1
    grep -q '"s1": "bin.[0-9]*:[0-9]*"' "$C/looked_at" || die "$flavor: $what: $(cat "$C/looked_at")"
    grep -q '"errors": 4' "$C/cutovers" || die "$flavor: $what: $(cat "$C/cutovers")"
    gtid=$(cat "$T/tasks/q/sources/s1/sync/gtid")
    order cutover "gtid=$gtid"
    wait_for 120 cutover_is validated || die "$flavor: $what: $(cat "$C/cutovers") of $gtid"
    order clear_cutover
    [ "$(cat "$C/cutovers")" = "[]" ] || die "$flavor: $what: $(cat "$C/cutovers")"
    order stop
    echo >"$T/tasks/q/stop"; rmdir "$T/tasks/q" || die "$(cat "$T/tasks/last_error")"; rmdir "$T/sources/s1"
    stop_server src; stop_server dst; rm -rf "$src_dir" "$dst_dir"; unset src_port dst_port
done
