#!/bin/bash
# A DDL that the target refuses: passed over where it has the outcome already; skipped, replaced, injected before; by the
# error at hand or by position, each once through kill -9, reverted, forgotten when passed.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

S=$T/tasks/o/sources/s1/sync
write() { sql src "USE o; $*" || die "$flavor: the source refused: $*"; }
fails() { wait_state o error; grep -q "$1" "$S/error_sql" || die "$flavor: $what: error_sql is '$(cat "$S/error_sql")'"; }
order() { echo "$2" >"$S/$1" || die "$flavor: $what: $1: $(cat "$S/last_error")"; }
refused() { echo "$2" >"$S/$1" 2>/dev/null && die "$flavor: $what: not refused"; grep -q "$3" "$S/last_error" || die "$flavor: $what: $(cat "$S/last_error")"; }
columns() { sql "$1" "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='o' AND TABLE_NAME='$2'"; }
have() { [ "$(columns dst "$1")" = "$2" ] || die "$flavor: $what: $1 has $(columns dst "$1"), not $2"; }
goes_on() { wait_state o running; caught_up o src; [ -z "$(cat "$S/error_position")$(cat "$S/error_sql")" ] || die "$flavor: $what: an error is left: $(cat "$S/status")"; }

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE o; USE o; CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1); CREATE TABLE u LIKE t"
    start_sluice
    make_source s1 src && make_task o s1 dst "o*" </dev/null && echo >"$T/tasks/o/start" || die "$(cat "$T/tasks/o/last_error")"
    wait_state o running; caught_up o src

    what="nothing has failed"
    refused skip "" "only support to handle ddl error currently"; refused skip position=here "not FILE:OFFSET"; refused revert position=bin.000001:4 "nothing is to be done"

    what="what the target is as if it had run is passed over, as DM does"
    both="USE o; CREATE TABLE e (id INT AUTO_INCREMENT PRIMARY KEY, v INT, w VARCHAR(9)); CREATE TABLE e1 LIKE e; CREATE TABLE e2 (id INT); CREATE TABLE e3 (id INT);
        CREATE TABLE e4 LIKE e; CREATE TABLE pa (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN (30))"
    write "$both"; caught_up o src
    same="ALTER TABLE e ADD a INT DEFAULT 7 AFTER id; CREATE INDEX k ON e (v); ALTER TABLE e ADD UNIQUE KEY u (id, v), ADD b INT; ALTER TABLE e2 ADD PRIMARY KEY (id);
        CREATE TABLE made (id INT PRIMARY KEY, s VARCHAR(20)); CREATE TABLE alike LIKE made; CREATE DATABASE o2; ALTER TABLE e1 DROP COLUMN w, ADD c INT; DROP TABLE e3;
        ALTER TABLE e4 ADD COLUMN (y INT, z DECIMAL(5,2) DEFAULT 3, KEY yz (y, z)); ALTER TABLE pa DROP PARTITION p0, p1; ALTER TABLE pa ADD PARTITION (PARTITION p3 VALUES LESS THAN (40), PARTITION p4 VALUES LESS THAN (50))"
    sql dst "USE o; $same; INSERT INTO made VALUES (77, 'x')" || die "$flavor: $what: at the target"
    passed() { grep -c 'passed over, since the target has it so already' "$SLUICE_LOG"; }
    before=$(cat "$S/ddl"); over=$(passed)
    write "$same; INSERT INTO e VALUES (1, 1, 1, 'w', 1); INSERT INTO made VALUES (1, 's')"
    goes_on; [ "$(cat "$S/ddl")" = $((before + 12)) ] || die "$flavor: $what: $(cat "$S/ddl") statements after $before"
    [ "$(passed)" = $((over + 11)) ] || die "$flavor: $what: $(grep 'passed over' "$SLUICE_LOG")"
    sql dst "DELETE FROM o.made WHERE id = 77; USE o; DROP INDEX k ON e; DROP TABLE made; DROP DATABASE o2"
    write "DROP INDEX k ON e; DROP TABLE made, alike; DROP DATABASE o2"; goes_on
    sql dst "SHOW TABLES IN o LIKE 'alike'" | grep -q . && die "$flavor: $what: of two tables one is left"
    same_rows src dst o || die "$flavor: $what: rows differ"

    what="what it has otherwise is not"
    sql dst "ALTER TABLE o.e ADD r BIGINT"; write "ALTER TABLE e ADD r INT"
    fails "ADD r INT"; grep -q "otherwise, or only in part.*echo > skip" "$T/tasks/o/last_error" "$S/error" || die "$flavor: $what: $(cat "$S/error")"
    sql dst "ALTER TABLE o.e MODIFY r INT"; echo >"$T/tasks/o/resume"; goes_on
    sql dst "CREATE TABLE o.other (id INT PRIMARY KEY, a INT)"; write "CREATE TABLE other (id INT PRIMARY KEY)"
    fails "CREATE TABLE other"; sql dst "DROP TABLE o.other"; echo >"$T/tasks/o/resume"; goes_on
    sql dst "ALTER TABLE o.e1 ADD f INT"; write "ALTER TABLE e1 ADD f INT, ADD g INT"
    fails "ADD g INT"; order replace "sql='ALTER TABLE o.e1 ADD g INT'"; goes_on
    sql dst "ALTER TABLE o.e1 DROP COLUMN v"; write "ALTER TABLE e1 MODIFY v BIGINT"
    fails "MODIFY v"; grep -q "mend it at the target and resume, or 'echo > skip' (an action of sync): the target refused ALTER TABLE" "$S/error" || die "$flavor: $what: $(cat "$S/error")"
    sql dst "ALTER TABLE o.e1 ADD v INT AFTER id"; echo >"$T/tasks/o/resume"; goes_on
    sql dst "ALTER TABLE o.e2 DROP PRIMARY KEY, ADD x INT FIRST, ADD PRIMARY KEY (x, id)"; write "ALTER TABLE e2 ADD x INT FIRST"
    fails "ADD x INT"; order skip ""; goes_on
    sql dst "ALTER TABLE o.e4 ADD m INT"; write "ALTER TABLE e4 ADD (m INT, n INT)"
    fails "n INT"; order replace "sql='ALTER TABLE o.e4 ADD n INT'"; goes_on
    sql dst "ALTER TABLE o.pa DROP PARTITION p3"; write "ALTER TABLE pa DROP PARTITION p3, p4"
    fails "DROP PARTITION"; order replace "sql='ALTER TABLE o.pa DROP PARTITION p4'"; goes_on
    sql dst "ALTER TABLE o.pa ADD PARTITION (PARTITION p5 VALUES LESS THAN (55))"; write "ALTER TABLE pa ADD PARTITION (PARTITION p5 VALUES LESS THAN (50))"
    fails "ADD PARTITION"; sql dst "ALTER TABLE o.pa DROP PARTITION p5"; echo >"$T/tasks/o/resume"; goes_on
    sql dst "ALTER TABLE o.pa REORGANIZE PARTITION p5 INTO (PARTITION p6 VALUES LESS THAN (50))"; write "ALTER TABLE pa REORGANIZE PARTITION p5 INTO (PARTITION p7 VALUES LESS THAN (50))"
    fails "REORGANIZE PARTITION"; order replace "sql='ALTER TABLE o.pa REORGANIZE PARTITION p6 INTO (PARTITION p7 VALUES LESS THAN (50))'"; goes_on
    same_rows src dst o || die "$flavor: $what: rows differ"
    write "DROP TABLE e, e1, e2, e4, other, pa"; goes_on

    what="skip: the target has it already, of another type"
    sql dst "ALTER TABLE o.t ADD c BIGINT"
    write "ALTER TABLE t ADD c INT; INSERT INTO t VALUES (2, 2, 2)"
    fails "ADD c INT"
    order skip ""; goes_on
    have t id,v,c; same_rows src dst o || die "$flavor: $what: rows differ"

    what="replace: by several statements, of which one dies in between"
    sql dst "ALTER TABLE o.t ADD d VARCHAR(5)"
    write "ALTER TABLE t ADD d VARCHAR(5), ADD e INT, ADD f INT; INSERT INTO t VALUES (3, 3, 3, 'three', 3, 3)"
    fails "ADD e INT"
    refused replace "sql='ALTER TABLE t ADD e INT'" "say which schema"
    refused replace "sql='ALTER TABLE another.t ADD e INT'" "not migrated"
    refused replace "sql='DELETE FROM o.t'" "only DDL"
    order replace "sql='ALTER TABLE o.t ADD e INT; ALTER TABLE o.nowhere ADD f INT'"
    wait_state o error; have t id,v,c,d,e # the first has run, the second cannot
    kill_sluice; restart_sluice; wait_state o error; have t id,v,c,d,e
    order replace "sql='ALTER TABLE o.t ADD e INT; ALTER TABLE o.t ADD f INT'"
    goes_on; have t id,v,c,d,e,f; same_rows src dst o || die "$flavor: $what: rows differ"

    what="inject: what the statement needs"
    sql dst "DROP TABLE o.u"
    write "ALTER TABLE u ADD w INT; INSERT INTO u VALUES (1, 1, 1)"
    fails "ALTER TABLE u"
    order inject "sql='CREATE TABLE o.u (id INT PRIMARY KEY, v INT)'"; goes_on
    have u id,v,w; same_rows src dst o || die "$flavor: $what: rows differ"

    what="by position, before it comes; reverted; after a restart"
    echo >"$T/tasks/o/pause"; wait_state o paused
    at=$(source_end src | tr ' ' :); write "ALTER TABLE t ADD g INT"
    at2=$(source_end src | tr ' ' :); write "ALTER TABLE u ADD x INT"
    order skip "position=$at"; order replace "position=$at2 sql='ALTER TABLE o.u ADD y INT'"
    jq -e "length == 2 and .[0].op == \"skip\" and .[1].sqls == [\"ALTER TABLE o.u ADD y INT\"]" "$S/operators" >/dev/null || die "$flavor: $what: $(cat "$S/operators")"
    order revert "position=$at"
    kill_sluice; restart_sluice; wait_state o paused
    jq -e "length == 1" "$S/operators" >/dev/null || die "$flavor: $what: $(cat "$S/operators")"
    echo >"$T/tasks/o/resume"; goes_on
    have t id,v,c,d,e,f,g; have u id,v,w,y

    what="what is passed is forgotten"
    write "INSERT INTO t (id) VALUES (9)"; caught_up o src
    kill_sluice; restart_sluice; wait_state o running; caught_up o src
    forgotten() { [ "$(cat "$S/operators")" = "[]" ]; }
    wait_for 20 forgotten || die "$flavor: $what: $(cat "$S/operators")"

    what="a statement that is refused in itself, within a transaction"
    write "SET SESSION binlog_format=STATEMENT; INSERT INTO t (id) VALUES (10)" 2>/dev/null
    fails "INSERT INTO t"
    order skip ""; goes_on
    [ "$(sql dst 'SELECT COUNT(*) FROM o.t')" = 4 ] || die "$flavor: $what: $(sql dst 'SELECT id FROM o.t')"
    note "$flavor: skipped, replaced, injected"
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
echo "sync_operator: a DDL that fails is what the operator says, once, on ${FLAVORS:-mariadb mysql}"
