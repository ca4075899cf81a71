#!/bin/bash
# Shards of two sources in one table of the target: verify sums them up, finds what is damaged and whose it is; repair and
# a re-snapshot of one shard leave the rows of the others alone.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

V=$T/tasks/q/verify
differing() { python3 -c 'import json, sys
for r in sorted((r["table"], r["kind"], r["key"] if "hash" not in r["key"] else "a row", r["source"]) for r in json.load(open(sys.argv[1]))): print(*r)' "$V/differing"; }
finished() { [ "$(cat "$V/state")" = finished ]; }
verify() { # lines that differ
    echo >"$V/start" || die "$what: $(cat "$V/last_error")"
    wait_for 120 finished || { cat "$V/status" >&2; die "$what: verify is $(cat "$V/state")"; }
    diff <(printf '%s' "$1") <(differing) || die "$what: what differs (>) is not what was damaged (<)"
    note "$what: $(cat "$V/progress")"
}
start_mariadb a; start_mysql b; start_mariadb dst
for s in a b; do
    sql $s "CREATE DATABASE q; USE q; CREATE TABLE t1 (id INT PRIMARY KEY, v INT); CREATE TABLE t2 (id INT PRIMARY KEY, v INT); CREATE TABLE k1 (a INT); CREATE TABLE k2 (a INT)"
    n=0; [ $s = a ] || n=100000
    sql $s "USE q; INSERT INTO t1 VALUES $(seq -s, -f "(%.0f,1)" $((n + 1)) $((n + 3000))); INSERT INTO t2 VALUES $(seq -s, -f "(%.0f,1)" $((n + 10001)) $((n + 13000)));
        INSERT INTO k1 VALUES $(seq -s, -f '(%g)' 1 500); INSERT INTO k2 VALUES $(seq -s, -f '(%g)' 1 500)"
done
start_sluice
make_source a a; make_source b b
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: q
task_mode: all
shard_mode: pessimistic
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
  - { source: { source_name: a, schema: q, table: "t*" }, target: { schema: m, table: t } }
  - { source: { source_name: b, schema: q, table: "t*" }, target: { schema: m, table: t } }
  - { source: { source_name: a, schema: q, table: "k*" }, target: { schema: m, table: k } }
  - { source: { source_name: b, schema: q, table: "k*" }, target: { schema: m, table: k } }
source_config: { source_conf: [ { source_name: a }, { source_name: b } ] }
END
echo >"$T/tasks/q/start" || { task_trouble q; die "no start"; }
follows() { [ -n "$(cat "$T/tasks/q/sources/a/sync/position")" ] && [ -n "$(cat "$T/tasks/q/sources/b/sync/position")" ]; }
wait_for 120 follows || { task_trouble q; die "it does not follow"; }
echo 1000 >"$V/chunk_rows"
what="the sums of all shards are the target's"
verify ""

what="damaged rows and whose they are"
sql dst "DELETE FROM m.t WHERE id IN (5, 100007); UPDATE m.t SET v = -1 WHERE id = 10009; INSERT INTO m.t VALUES (777777, 1); DELETE FROM m.k WHERE a = 7 LIMIT 1"
verify "m.k missing a row a
m.t different id=10009 a
m.t extra id=777777 a
m.t missing id=100007 b
m.t missing id=5 a
"
what="repair"
echo >"$V/repair" 2>/dev/null && die "$what: it is said to be done, and rows cannot be told apart"
said() { grep -q 'm.k is merged' "$V/error"; }
wait_for 120 said || { cat "$V/status" >&2; die "$what: nothing is said of rows that cannot be told apart"; }
grep -qE 'm.k is merged|still being repaired' "$V/last_error" && [ "$(differing)" = "m.k missing a row a" ] || die "$what: $(cat "$V/last_error" "$V/differing")"
verify "m.k missing a row a
"
what="one shard is copied again"
sql dst "DELETE FROM m.t WHERE id IN (6, 10006, 100006); INSERT INTO m.k VALUES (7)"
echo source=a schema=q table=t1 >"$T/tasks/q/resnapshot" || die "$what: $(cat "$T/tasks/q/last_error")"
one_done() { grep -q '"state": "done"' "$T/tasks/q/sources/a/sync/copied_again" && python3 -c 'import json, sys
sys.exit(any(t["state"] != "done" for t in json.load(open(sys.argv[1]))))' "$T/tasks/q/sources/a/sync/copied_again"; }
wait_for 120 one_done || die "$what: $(cat "$T/tasks/q/sources/a/sync/copied_again")"
verify "m.t missing id=100006 b
m.t missing id=10006 a
"
