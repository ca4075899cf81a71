#!/bin/bash
# An incremental start trusts that the target's tables are as the source's were at that position.  Where they are,
# DDL since then is followed; where the rows show that they are not, the task stops before it writes one of them.
# A start behind a copy of ours knows that they are.
# FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

gtids() { { sql src 'SELECT @@gtid_binlog_pos' 2>/dev/null || sql src 'SELECT @@global.gtid_executed'; } | tr -d '\\n '; }
begin() { # what, definition of t at the target
    what=$1
    sql dst "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t ($2)"
    task_mode=incremental task_document i s1 dst i </dev/null | sed "s|{ source_name: s1 } \]|{ source_name: s1, binlog_gtid: \"$start\" } ]|" >"$T/tasks/create" ||
        die "$(cat "$T/tasks/last_error")"
    echo >"$T/tasks/i/start" 2>/dev/null # the check may find it, too
}
finish() {
    echo >"$T/tasks/i/stop" 2>/dev/null; wait_for 20 rmdir "$T/tasks/i" || die "$(cat "$T/tasks/i/last_error")"
    forgotten() { [ "$(sql dst "SELECT COUNT(*) FROM dm_meta.sluice_checkpoint WHERE task = 'i'")" = 0 ]; }
    wait_for 30 forgotten || die "$flavor: $what: the checkpoint stays"
    note "$flavor: $what"
}
refused() { # sentence
    wait_state i error
    cat "$T/tasks/i/error" "$T/tasks/i/sources/s1/check_report" | grep -qE "$1" || { task_trouble i; die "$flavor: $what: it says: $(cat "$T/tasks/i/error")"; }
    [ "$(sql dst 'SELECT COUNT(*) FROM i.t')" = 0 ] || die "$flavor: $what: rows were written"
    finish
}
followed() {
    caught_up i src
    same_rows src dst i || die "$flavor: $what: the ends differ"
    finish
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    start_sluice
    make_source s1 src || die "no source"
    for names in MINIMAL FULL; do
        [ "$flavor $names" = "mariadb MINIMAL" ] && sql src "SET GLOBAL binlog_row_metadata = NO_LOG" || sql src "SET GLOBAL binlog_row_metadata = $names"
        sql src "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (id INT PRIMARY KEY, a INT, b VARCHAR(20))"
        start=$(gtids)
        sql src "USE i; INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'); ALTER TABLE t DROP COLUMN a, ADD COLUMN c INT AFTER id; INSERT INTO t VALUES (3, 30, 'three');
            ALTER TABLE t ADD COLUMN d DATETIME, MODIFY b VARCHAR(20) FIRST; INSERT INTO t (id, c, b) VALUES (4, 40, 'four'); UPDATE t SET c = 11 WHERE id = 1"

        begin "as the source was then ($names)" "id INT PRIMARY KEY, a INT, b VARCHAR(20)"
        followed
        begin "a column less ($names)" "id INT PRIMARY KEY, a INT"
        refused "column"
        begin "another type ($names)" "id INT PRIMARY KEY, a VARCHAR(20), b INT"
        refused "column.*\\b[ab]\\b"
        begin "as the source is now ($names)" "b VARCHAR(20), id INT PRIMARY KEY, c INT, d DATETIME"
        refused "column"
    done
    [ $flavor = mariadb ] && sql src "SET GLOBAL binlog_row_metadata = NO_LOG" || sql src "SET GLOBAL binlog_row_metadata = MINIMAL"
    sql src "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (id INT PRIMARY KEY, a INT, b INT); INSERT INTO i.t VALUES (1, 10, 100)"
    sql dst "DROP DATABASE IF EXISTS i"
    what="copied, and put in another order before sync saw a row"
    make_task i s1 dst i </dev/null && echo >"$T/tasks/i/start" || die "$(cat "$T/tasks/i/last_error")"
    caught_up i src
    echo >"$T/tasks/i/pause"; wait_state i paused
    sql src "USE i; INSERT INTO t VALUES (2, 20, 200); ALTER TABLE t MODIFY b INT FIRST; INSERT INTO t (id, a, b) VALUES (3, 30, 300)"
    echo >"$T/tasks/i/resume"
    followed

    sql src "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (id INT PRIMARY KEY, a INT); INSERT INTO i.t VALUES (1, 10)"
    sql dst "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (own VARCHAR(9), id INT PRIMARY KEY, a INT)"
    what="copied into a table that says where rows are from, and altered before sync saw one"
    task_document i s1 dst i </dev/null | sed 's|table: "\*" }|&\n    extract_source: { source_regexp: "(.*)", target_column: own }|' >"$T/tasks/create" && echo >"$T/tasks/i/start" || die "$(cat "$T/tasks/i/last_error")"
    caught_up i src
    echo >"$T/tasks/i/pause"; wait_state i paused
    [ "$(jq length "$T/tasks/i/tables")" = 1 ] || die "told twice: $(cat "$T/tasks/i/tables")"
    grep -q 'CREATE TABLE `t`' "$T/tasks/i/sources/s1/schemas/i/t.sql" && ! grep -q own "$T/tasks/i/sources/s1/schemas/i/t.sql" || die "known: $(cat "$T/tasks/i/sources/s1/schemas/i/t.sql")"
    sql src "USE i; INSERT INTO t VALUES (2, 20); ALTER TABLE t ADD COLUMN c INT; INSERT INTO t VALUES (3, 30, 300)"
    echo >"$T/tasks/i/resume"
    caught_up i src
    [ "$(sql dst "SELECT own, id, a, c FROM i.t ORDER BY id" | tr '\t\n' ' ;')" = "s1 1 10 NULL;s1 2 20 NULL;s1 3 30 300;" ] || die "$flavor: $what: $(sql dst "SELECT * FROM i.t")"
    finish

    # Only the source can tell an order that is the target's own, and only once the stream is where it was asked.
    [ "$flavor" = mariadb ] && sql src "SET GLOBAL binlog_row_metadata = NO_LOG" || sql src "SET GLOBAL binlog_row_metadata = MINIMAL"
    sql src "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (id INT PRIMARY KEY, a INT, b INT)"
    start=$(gtids)
    sql src "USE i; INSERT INTO t VALUES (1, 10, 100), (2, 20, 200); UPDATE t SET a = 11 WHERE id = 1"
    begin "columns in another order" "b INT, a INT, id INT PRIMARY KEY"
    followed
    sql src "ALTER TABLE i.t RENAME COLUMN a TO b, RENAME COLUMN b TO a"
    begin "columns in another order, whose names are swapped later" "b INT, a INT, id INT PRIMARY KEY"
    refused "comes before the source's can be told"

    sql src "SET GLOBAL binlog_row_metadata = FULL"
    sql src "DROP DATABASE IF EXISTS i; CREATE DATABASE i; CREATE TABLE i.t (id INT PRIMARY KEY, a INT)"
    start=$(gtids)
    sql src "USE i; INSERT INTO t VALUES (1, 10); ALTER TABLE t DROP COLUMN a, ADD COLUMN c INT; INSERT INTO t VALUES (2, 20)"
    begin "of the same shape, with another name (FULL)" "id INT PRIMARY KEY, c INT"
    refused "column.*\\ba\\b"

    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
