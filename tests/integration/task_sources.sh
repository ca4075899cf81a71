#!/bin/bash
# Sources of a task alone: pause, resume, stop and start of one while the other runs, also over a restart;
# a source that is disabled; a start from a time, too late, too early, and again in safe mode.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src1; start_mysql src2; start_mariadb dst
for n in 1 2; do
    sql src$n "CREATE DATABASE d$n; CREATE TABLE d$n.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO d$n.t VALUES (1, 'one')" || die "no data"
done
start_sluice
make_source s1 src1 && make_source s2 src2 || die "$(cat "$T/sources/last_error")"
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: t
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
  - source: { source_name: s1, schema: d1, table: "*" }
  - source: { source_name: s2, schema: d2, table: "*" }
source_config: { source_conf: [ { source_name: s1 }, { source_name: s2 } ] }
END
t=$T/tasks/t
say() { echo "$1" >"$t/$2" || die "$2 $1: $(cat "$t/last_error")"; }
refused() { # sentence, argument, action
    echo "$2" 2>/dev/null >"$t/$3" && die "not refused: $3 $2"
    grep -qF "$1" "$t/last_error" || die "$3 $2: '$(cat "$t/last_error")' does not say '$1'"
}
states() { echo "$(cat "$t/sources/s1/state") $(cat "$t/sources/s2/state") $(cat "$t/state")"; }
states_are() { [ "$(states)" = "$1" ]; }
are() { wait_for 20 states_are "$1" || die "states: $(states), not $1"; }
has() { # source id: the target has this row
    [ "$(sql dst "SELECT COUNT(*) FROM d$1.t WHERE id = $2")" = 1 ]
}
next=10
goes() { # sources that run: a row of each comes, one of the others does not
    local n; next=$((next + 1))
    for n in 1 2; do sql src$n "INSERT INTO d$n.t VALUES ($next, 'x')"; done
    for n in $1; do wait_for 30 has "$n" $next || { task_trouble t; die "source $n does not run"; }; done
    case $1 in 1) has 2 $next && die "source 2 runs";; 2) has 1 $next && die "source 1 runs";; esac
    :
}

note "one source alone"
say "sources=s1" start; wait_for 30 grep -q running "$t/sources/s1/state"
are "running new running"; wait_for 30 has 1 1
[ -z "$(sql dst "SHOW DATABASES LIKE 'd2'")" ] || die "s2 was copied"
refused "source s9 is not of this task" "sources=s9" start
refused "the task is running already" "sources=[s1]" start
refused "cannot pause: the task is new" '{"sources": ["s2"]}' pause
say "" start; wait_for 30 has 2 1; goes "1 2"; are "running running running"
say "sources=s1" pause; are "paused running running"; goes 2
refused "pause or stop it first" 16 apply_batch
say "sources=s2 timeout_duration=3s" stop; are "paused stopped paused"
refused "is no duration" "timeout_duration=3x" stop
stop_sluice; restart_sluice; [ "$(cat "$t/state") $(cat "$t/stage") $(cat "$t/sources/s1/stage")" = "paused sync sync" ] || die "after a restart: $(cat "$t/status")"
refused "start it" "sources=s2" resume; say "sources=s2" start; are "paused running running"; goes 2
kill_sluice; restart_sluice; are "paused running running"; goes 2
say "sources=s1" resume; goes "1 2"; are "running running running"

note "a disabled source"
echo >"$T/sources/s1/disable"; are "stopped running running"; goes 2
refused "source s1 is disabled" "sources=s1" start
stop_sluice; restart_sluice; wait_for 20 grep -q running "$t/sources/s2/state"; are "stopped running running"; goes 2
echo >"$T/sources/s1/enable"; goes "1 2"; are "running running running"
for n in 1 2; do same_rows src$n dst d$n d$n || die "d$n differs"; done

note "from a time"
say "" stop
for s in 1 2; do sql src$s "FLUSH BINARY LOGS"; done
later() { [ "$(date +%s)" -gt "$1" ]; }
wait_for 5 later "$(date +%s)"; at=$(date +%s); wait_for 5 later "$at"
for n in 1 2; do sql src$n "FLUSH BINARY LOGS; INSERT INTO d$n.t VALUES (100, 'late'); FLUSH BINARY LOGS; INSERT INTO d$n.t VALUES (101, 'late')"; done
refused "is too late" "start_time=2099-01-01T00:00:00Z" start
sql src1 "PURGE BINARY LOGS TO 'bin.000002'"
refused "begins later than that, and those before it are gone" "start_time=2001-01-01T00:00:00Z" start
refused "is no time" "start_time=yesterday" start
are "stopped stopped stopped"
say "" start; wait_for 30 has 1 101; wait_for 30 has 2 101; say "" stop
say "start_time='$(date -d @$at '+%F %T')'" start # the zone of the source; those rows are there already
wait_state t error 20; grep -q "Duplicate entry" "$t/error" || die "$(cat "$t/error")"
say "" stop
say "start_time=$(date -u -d @$at +%FT%TZ) safe_mode_time_duration=600s" start
goes "1 2"; for n in 1 2; do same_rows src$n dst d$n d$n || die "d$n differs"; done
sql dst "DELETE FROM d1.t WHERE id < 100; DELETE FROM d2.t"; say "sources=s1" stop
say "sources=s1 start_time=$(date -u -d @$at +%FT%TZ) safe_mode_time_duration=600s" start
kill_sluice; restart_sluice; goes "1 2"
[ "$(sql dst "SELECT GROUP_CONCAT(id ORDER BY id) FROM d1.t")" = "$((next - 1)),$next,100,101" ] || die "not from the time on: $(sql dst "SELECT id FROM d1.t")"
say "" stop; rmdir "$t"

note "migrate_targets: what there is now, by lists and routes"
sql src1 "CREATE TABLE d1.extra (id INT PRIMARY KEY); CREATE TABLE d1.no (id INT PRIMARY KEY); CREATE VIEW d1.v AS SELECT 1"
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: m
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
  - { source: { source_name: s1, schema: "d?", table: "" }, target: { schema: both } }
  - { source: { source_name: s1, schema: d1, table: "e*" }, target: { schema: other, table: more } }
  - { source: { source_name: s2, schema: d2, table: t } }
block_allow_list: { ignore_tables: [ { db_name: d1, tbl_name: no } ] }
source_config: { source_conf: [ { source_name: s1 }, { source_name: s2 } ] }
END
targets() { jq -r '.[] | "\(.source_name) \(.source_schema).\(.source_table) \(.target_schema).\(.target_table)"' "$T/tasks/m/migrate_targets" | tr '\n' ','; }
[ "$(targets)" = "s1 d1.extra other.more,s1 d1.t both.t,s2 d2.t d2.t," ] || die "targets: $(targets)"
echo '[{"source": {"source_name": "s1", "schema": "d1", "table": "e*"}, "target": {"schema": "a"}}, {"source": {"source_name": "s1", "schema": "d1", "table": "*a"}, "target": {"schema": "b"}}, {"source": {"source_name": "s2", "schema": "d2", "table": "t"}}]' >"$T/tasks/m/table_migrate_rule" || die "$(cat "$T/tasks/m/last_error")"
cat "$T/tasks/m/migrate_targets" 2>/dev/null && die "two routes for one table"
curl -s "$URL/v1/tasks/m/migrate_targets" | grep -q "source s1: table d1.extra: .*more than one\|two routes" || die "$(curl -s "$URL/v1/tasks/m/migrate_targets")"
rmdir "$T/tasks/m"; sql src1 "DROP TABLE d1.extra, d1.no; DROP VIEW d1.v"

note "what may change once the target has something of the task, and how it is deleted"
sql dst "DROP DATABASE d1"; sql src1 "DELETE FROM d1.t"
make_task kept s1 dst d1 </dev/null || die "$(cat "$T/tasks/last_error")"
t=$T/tasks/kept; say "" start; wait_state kept running; caught_up kept src1
say "" stop; say 64 apply_batch
refused "can not update because task_mode" full task_mode
refused "can not update because meta_schema" other meta_schema
say "" start; sql src1 "INSERT INTO d1.t VALUES (1, 'a')"; caught_up kept src1
rmdir "$t" 2>/dev/null && die "a running task was deleted"
echo "name=kept" 2>/dev/null >"$T/tasks/delete" && die "a running task was deleted"
grep -q "stop it first" "$T/tasks/last_error" || die "$(cat "$T/tasks/last_error")"
echo "name=none" 2>/dev/null >"$T/tasks/delete" && die "what is not there was deleted"
echo "name=kept force=true keep_meta=true" >"$T/tasks/delete" || die "$(cat "$T/tasks/last_error")"
[ ! -e "$t" ] || die "still there"
sql src1 "INSERT INTO d1.t VALUES (2, 'b')"
make_task kept s1 dst d1 </dev/null; say '["all"]' ignore_checking_items
say "" start; caught_up kept src1; same_rows src1 dst d1 || die "it did not go on where it was"
echo "name=kept force=true" >"$T/tasks/delete" || die "$(cat "$T/tasks/last_error")"
gone() { [ "$(sql dst "SELECT COUNT(*) FROM dm_meta.sluice_checkpoint WHERE task = 'kept'")" = 0 ]; }
wait_for 30 gone || die "its checkpoints stay"

note "a deleted task whose target is gone is in nobody's way"
start_mariadb gone; task_mode=full make_task lost s1 gone d1 </dev/null || die "$(cat "$T/tasks/last_error")"
echo >"$T/tasks/lost/start"; wait_state lost finished; kill_server gone; rmdir "$T/tasks/lost" || die "$(cat "$T/tasks/last_error")"
task_mode=full make_task kept s1 dst d1 </dev/null; say '["all"]' ignore_checking_items; sql dst "DROP DATABASE d1"
say "" start; wait_state kept finished; rmdir "$t"; wait_for 3 gone || die "its checkpoints wait for those of the lost one"

note "DM's own files, as they are"
cat >"$WORK/source.yaml" <<END
source-id: dm1
enable-gtid: true
from: { host: 127.0.0.1, port: $src1_port, user: sluice, password: sluice }
checker: { check-enable: true, backoff-max: 5m0s }
END
cat "$WORK/source.yaml" >"$T/sources/create" && cp "$WORK/source.yaml" "$T/sources/dm1/config" || die "$(cat "$T/sources/last_error")"
[ "$(cd "$T/sources/dm1/checker" && echo $(cat check_enable backoff_max backoff_rollback))" = "true 300 300" ] || die "$(cat "$T/sources/dm1/config")"
cat >"$WORK/task.yaml" <<END
name: dm
task-mode: all
target-database: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
routes: { r1: { schema-pattern: d1, target-schema: routed } }
filters: { f1: { schema-pattern: d1, table-pattern: t, events: [delete], action: Ignore } }
block-allow-list: { b1: { do-dbs: [ d1 ], ignore-tables: [ { db-name: d1, tbl-name: "x*" } ] } }
mydumpers: { g: { threads: 2, extra-args: "--consistency flush" } }
mysql-instances: [ { source-id: dm1, route-rules: [ r1 ], filter-rules: [ f1 ], block-allow-list: b1, mydumper-config-name: g } ]
END
sql src1 "CREATE TABLE d1.xx (id INT PRIMARY KEY)"
cat "$WORK/task.yaml" >"$T/tasks/create" && cp "$WORK/task.yaml" "$T/tasks/dm/config" || die "$(cat "$T/tasks/last_error")"
t=$T/tasks/dm; say "" start; caught_up dm src1; sql src1 "DELETE FROM d1.t WHERE id = 1; INSERT INTO d1.t VALUES (3, 'c')"; caught_up dm src1
[ "$(sql dst "SELECT GROUP_CONCAT(id ORDER BY id) FROM routed.t")" = 1,2,3 ] || die "$(sql dst "SELECT * FROM routed.t")"
[ "$(sql dst "SHOW TABLES IN routed" | tr '\n' ' ')" = "t " ] || die "$(sql dst "SHOW TABLES IN routed")"
say "" stop
echo OK
