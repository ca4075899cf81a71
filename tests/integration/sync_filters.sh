#!/bin/bash
# binlog_filter_rule: kinds of changes, statements, single clauses and expressions are left out, all else is equal at
# both ends; the full copy is not filtered.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

S=$T/tasks/f/sources/s1/sync
rows_of() { sql "$1" "SELECT GROUP_CONCAT(CONCAT_WS(':', $3) ORDER BY id) FROM f.$2"; }
has() { [ "$(rows_of dst "$1" "$2")" = "$3" ] || { task_trouble f; die "$flavor: $what: $1 is '$(rows_of dst "$1" "$2")', not '$3'"; }; }
columns() { sql dst "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='f' AND TABLE_NAME='$1'"; }
have_columns() { [ "$(columns "$1")" = "$2" ] || die "$flavor: $what: $1 has $(columns "$1"), not $2"; }
write() { sql src "USE f; $*" || die "$flavor: the source refused: $*"; }

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE f; USE f; CREATE TABLE keep (id INT PRIMARY KEY, v INT); CREATE TABLE log1 (id INT PRIMARY KEY, v INT);
        CREATE TABLE log2 LIKE log1; CREATE TABLE part LIKE log1; CREATE TABLE never LIKE log1;
        INSERT INTO keep VALUES (1,1); INSERT INTO log1 VALUES (1,1),(2,2); INSERT INTO part VALUES (1,1); INSERT INTO never VALUES (1,1)"
    start_sluice
    make_source s1 src || die "$(cat "$T/sources/last_error")"
    document() { cat <<END
name: f
task_mode: all
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
binlog_filter_rule:
  archive: { ignore_event: [ delete, truncate table, drop table ] }
  safe: { ignore_event: [ "incompatible ddl changes" ], ignore_sql: [ "add column \`secret\`", "comment 'no'" ] }
  none: { ignore_event: [ all dml ] }
  everywhere: { ignore_sql: [ "^(CREATE|DROP)\\\\s+(DEFINER.*)?PROCEDURE", "SLUICE_SKIP" ] }
table_migrate_rule:
  - { source: { source_name: s1, schema: f, table: "log*" }, binlog_filter_rule: [ archive ] }
  - { source: { source_name: s1, schema: f, table: part }, binlog_filter_rule: [ safe ] }
  - { source: { source_name: s1, schema: f, table: never }, binlog_filter_rule: [ none ] }
  - { source: { source_name: s1, schema: f, table: "*" }, binlog_filter_rule: [ everywhere${1:-} ] }
source_config: { source_conf: [ { source_name: s1 } ] }
END
    }
    what="a rule that is not there is refused at the start"
    document ", gone" >"$WORK/f.yaml"; cat "$WORK/f.yaml" >"$T/tasks/create"
    echo >"$T/tasks/f/start" 2>/dev/null && die "$flavor: $what"
    grep -q 'there is no rule gone' "$T/tasks/f/last_error" || die "$flavor: $what: $(cat "$T/tasks/f/last_error")"
    document >"$WORK/f.yaml"; cat "$WORK/f.yaml" >"$T/tasks/f/config" && echo >"$T/tasks/f/start" || die "$flavor: $(cat "$T/tasks/f/last_error")"
    wait_state f running; caught_up f src

    what="the copy has all rows"
    has log1 id,v 1:1,2:2; has never id,v 1:1

    what="deletes stay away, inserts and updates come, in one transaction with others"
    write "BEGIN; INSERT INTO keep VALUES (2,2); DELETE FROM log1 WHERE id = 1; UPDATE log1 SET v = 20 WHERE id = 2; INSERT INTO log1 VALUES (3,3); DELETE FROM keep WHERE id = 1; INSERT INTO never VALUES (2,2); COMMIT"
    write "INSERT INTO log2 VALUES (1,1); TRUNCATE TABLE log2; UPDATE never SET v = 9; DELETE FROM never"
    caught_up f src
    has log1 id,v 1:1,2:20,3:3; has log2 id,v 1:1; has keep id,v 2:2; has never id,v 1:1
    [ "$(cat "$S/events_ignored")" -ge 4 ] || die "$flavor: $what: $(cat "$S/events_ignored") events were ignored"

    what="clauses are judged one by one"
    write "ALTER TABLE part ADD COLUMN a INT, DROP COLUMN v, ADD b INT"
    caught_up f src; have_columns part id,v,a,b
    write "INSERT INTO part VALUES (2, 7, 8)"
    caught_up f src; has part id,v,a,b 1:1,2:7:8
    write "ALTER TABLE part ADD secret INT, ADD c INT; ALTER TABLE part COMMENT 'no'"
    caught_up f src; have_columns part id,v,a,b,c
    write "ALTER TABLE part DROP COLUMN secret; INSERT INTO part VALUES (3, 1, 2, 3)"
    caught_up f src; has part id,a,b,c 1,2:7:8,3:1:2:3

    what="one of several tables"
    write "CREATE TABLE x1 (id INT PRIMARY KEY); DROP TABLE log2, x1;"
    write "CREATE TABLE x3 (id INT) COMMENT 'SLUICE_SKIP'"
    caught_up f src
    [ "$(tables_of dst f | tr '\n' ' ')" = "keep log1 log2 never part " ] || die "$flavor: $what: $(tables_of dst f | tr '\n' ' ')"

    what="what was filtered is not run after a crash either, and the rest is equal"
    kill_sluice; restart_sluice; wait_state f running
    write "DELETE FROM log1 WHERE id = 3; INSERT INTO keep VALUES (3,3); ALTER TABLE keep ADD z INT DEFAULT 4"
    caught_up f src
    has log1 id,v 1:1,2:20,3:3
    [ "$(rows_of src keep id,v,z)" = "$(rows_of dst keep id,v,z)" ] || die "$flavor: $what: keep differs"
    note "$flavor: $(cat "$S/events_ignored") events and $(cat "$S/ddl_skipped") statements since the restart"
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
echo "sync_filters: what rules name is left out, and nothing else, on ${FLAVORS:-mariadb mysql}"
