#!/bin/bash
# Routes that say in columns of the target where a row is from (extract_table, extract_schema, extract_source): by the
# full copy, the binlog, a reload from files; rows of all shards compared.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

table="id INT, v VARCHAR(20), PRIMARY KEY (id)"
target="id INT, v VARCHAR(20), c_source VARCHAR(20), c_schema VARCHAR(20), c_table INT, PRIMARY KEY (id, c_source, c_schema, c_table)"
want() { # what the target is to have, as the source says
    local s t q=""
    for s in 1 2; do for t in 01 02; do q+="${q:+UNION ALL }SELECT id, v, 'one' c_source, '$s' c_schema, CAST('$t' AS SIGNED) c_table FROM shard_$s.t_$t "; done; done
    sql src "SELECT CONCAT_WS('|', id, v, c_source, c_schema, c_table) FROM ($q) x" | LC_ALL=C sort
}
got() { sql dst "SELECT CONCAT_WS('|', id, v, c_source, c_schema, c_table) FROM $1" | LC_ALL=C sort; }
same() { diff <(want) <(got "$1") >"$WORK/diff" || { head "$WORK/diff" >&2; task_trouble c; die "$flavor: $what: rows differ"; }; [ "$(got "$1" | wc -l)" -gt 0 ] || die "$flavor: $what: no rows"; }
document() { # name mode target-table
    cat <<END
name: $1
task_mode: $2
apply_mode: ${4:-merged}
ignore_checking_items: [ merge ]
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
  - source: { source_name: source-one, schema: "shard_*", table: "t_*" }
    target: { schema: merged, table: $3 }
    extract_source: { source_regexp: "source-(.*)", target_column: c_source }
    extract_schema: { schema_regexp: "_(.*)", target_column: c_schema }
    extract_table: { table_regexp: "t_(.*)", target_column: c_table }
source_config: { full_migrate_conf: { data_dir: $WORK/files }, source_conf: [ { source_name: source-one } ] }
END
}
start() { document "$@" >"$WORK/$1.yaml"; cat "$WORK/$1.yaml" >"$T/tasks/create" && echo >"$T/tasks/$1/start" || die "$flavor: $what: $(cat "$T/tasks/last_error" "$T/tasks/$1/last_error")"; }

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    for s in 1 2; do for t in 01 02; do
        sql src "CREATE DATABASE IF NOT EXISTS shard_$s; CREATE TABLE shard_$s.t_$t ($table); INSERT INTO shard_$s.t_$t VALUES (1, 's$s t$t'), (2, 'same'), (3, 'gone')"
    done; done
    start_sluice
    make_source source-one src || die "$(cat "$T/sources/last_error")"

    what="without the table there it is said what is needed"
    document c all t >"$WORK/c.yaml"; cat "$WORK/c.yaml" >"$T/tasks/create"; echo >"$T/tasks/c/start" 2>/dev/null
    wait_state c error; grep -q "merged.t.*c_source\|make it first" "$T/tasks/c/error" || die "$flavor: $what: $(cat "$T/tasks/c/error")"
    echo >"$T/tasks/c/stop"; rmdir "$T/tasks/c"

    what="the copy, then changes"
    sql dst "CREATE DATABASE IF NOT EXISTS merged; CREATE TABLE merged.t ($target); CREATE TABLE merged.p LIKE merged.t; CREATE TABLE merged.f LIKE merged.t"
    start c all t; wait_state c running; caught_up c src; same merged.t
    start p all p parallel; wait_state p running
    sql src "UPDATE shard_1.t_01 SET v = 'new' WHERE id = 1; DELETE FROM shard_2.t_02 WHERE id = 3; UPDATE shard_1.t_02 SET id = 4 WHERE id = 2; INSERT INTO shard_2.t_01 VALUES (5, 'five'), (4, 'x')"
    sql src "BEGIN; DELETE FROM shard_1.t_01 WHERE id = 2; INSERT INTO shard_2.t_01 VALUES (6, 'six'); INSERT INTO shard_1.t_01 VALUES (2, 'back'); UPDATE shard_2.t_02 SET v = 'all'; COMMIT"
    caught_up c src; same merged.t; caught_up p src; same merged.p

    what="after a crash"
    kill_sluice; sql src "UPDATE shard_1.t_01 SET v = CONCAT(v, '!'); INSERT INTO shard_1.t_02 VALUES (9, 'nine')"; restart_sluice
    wait_state c running; caught_up c src; same merged.t; caught_up p src; same merged.p

    what="by way of files"
    start d dump f; wait_state d finished; start f load f; wait_state f finished; same merged.f
    note "$flavor: $(got merged.t | wc -l) rows know where they are from"
    stop_sluice; rm -rf "$WORK/data" "$WORK/files"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
echo "sync_columns: rows say where they are from, on ${FLAVORS:-mariadb mysql}"
