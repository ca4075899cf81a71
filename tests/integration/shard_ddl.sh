#!/bin/bash
# Shards of two sources are merged into one table while their DDL comes one by one, pessimistic and optimistic: rows
# are equal, other tables go on, locks say who waits, and exec, skip, adopt, drop resolve them.  PAIRS="mariadb:pessimistic
# mysql:optimistic" (any of flavor:mode; shard_outcomes.sh has the other two).
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/shard.sh

place_of() { # source text: where it has that statement, as DM says it
    sql "$1" "SHOW BINLOG EVENTS IN '$(sql "$1" "SHOW BINARY LOGS" | tail -1 | cut -f1)'" | awk -F'\t' -v text="$2" 'index($6, text) { print "(" $1 ", " $2 ")"; exit }'
}
pessimistic() {
    begin_shards
    what="the same column everywhere, one shard after the other"
    on a "ALTER TABLE t1 ADD COLUMN c INT DEFAULT 5"
    wait_lock
    on a "INSERT INTO t1 SET k='early', c=7; INSERT INTO other (v) VALUES (2)"
    on a "UPDATE t1 SET c=8 WHERE k LIKE 'start%'; INSERT INTO t2 SET k='before'"
    [ "$(of mode)" = pessimistic ] && [ "$(of target)" = '`d`.`tb`' ] && [ "$(of owner)" = a ] && [ -n "$(of since)" ] || fail "the lock is not shown"
    of ddls | grep -q 'ADD COLUMN c' || fail "ddls: $(of ddls)"
    of unsynced | grep -q '"t2"' || fail "unsynced: $(of unsynced)"
    [ "$(cat "$T/tasks/m/sources/a/unresolved_ddl_lock_id")" = 'm-`d`.`tb`' ] || fail "$(cat "$T/tasks/m/sources/a/unresolved_ddl_lock_id")"
    grep -q 'ADD COLUMN c' "$T/tasks/m/sources/a/blocking_ddls" || fail "blocking_ddls"
    place=$(place_of a 'ADD COLUMN c'); [ -n "$place" ] && [ "$(of first_location)" = "$place" ] || fail "first_location is $(of first_location), not $place"
    [ "$(jq -r '.[].first_location' "$T/tasks/m/sources/a/unresolved_groups")" = "$place" ] || fail "$(cat "$T/tasks/m/sources/a/unresolved_groups")"
    others_go_on() { [ "$(sql dst "SELECT COUNT(*) FROM d.other")" = 1 ] && [ "$(sql dst "SELECT COUNT(*) FROM d.tb WHERE k='before'")" = 1 ]; }
    wait_for 30 others_go_on || fail "another table, or another shard, waits too"
    [ "$(sql dst "SELECT COUNT(*) FROM d.tb WHERE k='early'")" = 0 ] || fail "a row came before its column"
    on b "ALTER TABLE t1 ADD COLUMN c INT DEFAULT 5"; on b "alter  table t2 add column C int default 5"
    on b "INSERT INTO t2 SET k='late', c=9"
    on a "ALTER TABLE t2 ADD COLUMN c INT DEFAULT 5"
    all "INSERT INTO TB SET k=CONCAT('x', @@server_id, 'TB'), c=1"
    ends_well "k,v,c"

    what="several in a row, one shard far ahead"
    on a "ALTER TABLE t1 ADD COLUMN d INT; INSERT INTO t1 SET k='d1', d=1; CREATE INDEX i ON t1 (d); ALTER TABLE t1 CHANGE c e BIGINT DEFAULT 6, DROP COLUMN d; INSERT INTO t1 SET k='e1', e=1"
    on a "ALTER TABLE t2 ADD COLUMN d INT; INSERT INTO t2 SET k='d2', d=2"
    for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN d INT; INSERT INTO $t SET k='db$t', d=2; CREATE INDEX i ON $t (d)"; done
    on b "ALTER TABLE t1 CHANGE c e BIGINT DEFAULT 6, DROP COLUMN d; UPDATE t1 SET e=12 WHERE k LIKE 'd%'"
    on a "CREATE INDEX i ON t2 (d); ALTER TABLE t2 CHANGE c e BIGINT DEFAULT 6, DROP COLUMN d"
    on b "ALTER TABLE t2 CHANGE c e BIGINT DEFAULT 6, DROP COLUMN d; DELETE FROM t2 WHERE k='late'"
    ends_well "k,v,e"

    what="different DDL is a conflict; skip of the one that has it"
    on a "ALTER TABLE t1 ADD COLUMN f INT"; on a "ALTER TABLE t2 ADD COLUMN f INT"
    wait_lock
    on b "ALTER TABLE t1 ADD COLUMN f INT DEFAULT 1"; on b "ALTER TABLE t2 ADD COLUMN f INT"
    conflict() { of conflict | grep -q 'is different with'; }
    wait_for 30 conflict || fail "no conflict: $(of conflict)"
    on b "INSERT INTO t1 SET k='float', f=1"
    order skip "source=b database=d table=t1"
    ends_well "k,v,e"
    sql_is dst "SELECT f FROM d.tb WHERE k='float'" 1 || fail "the row behind it"

    what="exec does not wait for who is missing"
    on a "ALTER TABLE t1 ADD COLUMN g INT; INSERT INTO t1 SET k='g1', g=1"
    wait_lock; order exec ""
    no_locks
    wait_for 30 sql_is dst "SELECT g FROM d.tb WHERE k='g1'" 1 || fail "it was not run"
    on a "ALTER TABLE t2 ADD COLUMN g INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN g INT; INSERT INTO $t SET k='gb$t', g=2"; done
    ends_well "k,v,e,g"

    what="skip leaves it out"
    on a "ALTER TABLE t1 ADD INDEX skipped (g)"
    wait_lock; order skip ""
    on a "ALTER TABLE t2 ADD INDEX skipped (g)"; for t in t1 t2; do on b "ALTER TABLE $t ADD INDEX skipped (g); INSERT INTO $t SET k='sk$t'"; done
    ends_well "k,v,e,g"
    sql dst "SHOW CREATE TABLE d.tb" | grep -q skipped && fail "it was run"

    what="adopt: it was made by hand"
    on a "ALTER TABLE t1 ADD COLUMN h INT; INSERT INTO t1 SET k='h1', h=1"
    wait_lock; sql dst "ALTER TABLE d.tb ADD COLUMN h INT"; order adopt ""
    on a "ALTER TABLE t2 ADD COLUMN h INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN h INT"; done
    ends_well "k,v,e,h"

    what="drop: a table that never comes is no part of it any more"
    on b "SET sql_log_bin=0; DROP TABLE t2"
    sql dst "DELETE FROM d.tb WHERE k IN ('startbt2','x$(sql b 'SELECT @@server_id')t2','dbt2','gbt2','skt2','before')"
    on a "ALTER TABLE t1 ADD COLUMN w INT"; on a "ALTER TABLE t2 ADD COLUMN w INT"; on b "ALTER TABLE t1 ADD COLUMN w INT"
    wait_lock
    only_t2() { [ "$(of unsynced | tr -d ' \n')" = '[{"source":"b","schema":"d","table":"t2"}]' ]; }
    wait_for 30 only_t2 || fail "unsynced: $(of unsynced)"
    order drop "source=b database=d table=t2"
    no_locks
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND COLUMN_NAME='w'" 1 || fail "it was not run"

    what="shards come and go"
    on b "CREATE TABLE t2 LIKE t1; INSERT INTO t2 SET k='new', w=3; TRUNCATE TABLE t2; DROP TABLE t2; CREATE TABLE t9 LIKE t1; INSERT INTO t9 SET k='nine', w=9"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k IN ('new','nine')" 2 || fail "a new shard's row is not there"
    known() { ls "$T/tasks/m/sources/$1/schemas/d" | grep '[.]sql$' | tr '\n' ' '; }
    [ "$(known b)" = "t1.sql t9.sql " ] || fail "known of b: $(known b)"
    on b "CREATE TABLE like_t9 LIKE t9; INSERT INTO like_t9 SET k='out of sight'; RENAME TABLE t9 TO t10; INSERT INTO t10 SET k='ten', w=10"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k IN ('ten','out of sight')" 1 || fail "a table out of sight that is like a shard is in the way"
    [ "$(known b)" = "t1.sql t10.sql " ] || fail "known of b: $(known b)"
    state_is m running || fail "$(state m)"

    what="a table that becomes a shard by its name alone: its rows may be missing"
    on a "CREATE TABLE aside (k VARCHAR(40) PRIMARY KEY, v INT DEFAULT 0, e BIGINT DEFAULT 6); INSERT INTO aside SET k='aside'; RENAME TABLE aside TO t7; INSERT INTO t7 SET k='seven'"
    refused 'it was none before.*as=done'
    sql dst "INSERT INTO d.tb (k) VALUES ('aside')"
    say_done
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k IN ('aside','seven')" 2 || fail "the rows behind it"

    what="a shard that becomes one of another table: its rows are elsewhere"
    on a "DROP TABLE other; RENAME TABLE t7 TO other; INSERT INTO other SET k='moved'; INSERT INTO t2 SET k='behind'"
    refused 'it becomes a shard of another table of the target: move its rows there.*as=done'
    sql dst "DROP TABLE d.other; CREATE TABLE d.other LIKE d.tb; INSERT INTO d.other SELECT * FROM d.tb WHERE k IN ('aside','seven'); DELETE FROM d.tb WHERE k IN ('aside','seven')"
    say_done
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.other" 3 && wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k='behind'" 1 || fail "the rows behind it"

    what="a shard that is changed by the same statement"
    on a "ALTER TABLE t2 ADD COLUMN x INT, RENAME TO t8; INSERT INTO t8 SET k='eight', x=8"
    refused 'the same statement changes it.*as=done'
    sql dst "ALTER TABLE d.tb ADD COLUMN x INT"
    say_done
    wait_for 30 sql_is dst "SELECT x FROM d.tb WHERE k='eight'" 8 || fail "the row behind it"

    what="a shard that waits before a DDL: no word on the statement helps, one on the lock does"
    on a "ALTER TABLE t1 ADD COLUMN y INT; INSERT INTO t1 SET k='y1', y=1; RENAME TABLE t1 TO t0; INSERT INTO t0 SET k='y0', y=2"
    refused 'it waits before a DDL: resolve that in locks'
    say_done; refused 'it waits before a DDL: resolve that in locks'
    order exec ""; echo >"$T/tasks/m/resume" || fail "$(cat "$T/tasks/m/last_error")"
    wait_for 30 sql_is dst "SELECT SUM(y) FROM d.tb WHERE k IN ('y0','y1')" 3 || fail "the rows before and behind it"
    [ "$(known a)" = "other.sql t0.sql t8.sql " ] || fail "known of a: $(known a)"
    end_shards
}
refused() { wait_state m error; grep -q "statement not supported in $mode mode .*$1" "$T/tasks/m/error" || fail "$(cat "$T/tasks/m/error")"; }
say_done() { echo as=done >"$T/tasks/m/sources/a/sync/resolve_ddl" && echo >"$T/tasks/m/resume" || fail "$(cat "$T/tasks/m/last_error")"; }

optimistic() {
    begin_shards
    what="each shard has its columns; the target has all"
    on a "ALTER TABLE t1 ADD COLUMN c INT; INSERT INTO t1 SET k='c1', c=1"
    on b "INSERT INTO t1 SET k='without'; INSERT INTO t2 SET k='without too'"
    wait_for 30 sql_is dst "SELECT c FROM d.tb WHERE k='c1'" 1 || fail "the first shard waits"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k LIKE 'without%'" 2 || fail "rows of shards without the column"
    on a "ALTER TABLE t2 ADD COLUMN c INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN c INT; INSERT INTO $t SET k='cb$t', c=4"; done
    ends_well "k,v,c"

    what="a column that goes, goes with the last"
    for t in t1 t2; do on a "ALTER TABLE $t DROP COLUMN v; INSERT INTO $t SET k='dv$t'"; done
    on b "ALTER TABLE t1 DROP COLUMN v; INSERT INTO t1 SET k='dvb1'; INSERT INTO t2 SET k='still', v=7"
    wait_for 30 sql_is dst "SELECT v FROM d.tb WHERE k='still'" 7 || fail "it went too early"
    on b "ALTER TABLE t2 DROP COLUMN v; INSERT INTO t2 SET k='dvb2'"
    ends_well "k,c"

    what="a rename waits for all"
    on a "ALTER TABLE t1 CHANGE c n INT; INSERT INTO t1 SET k='r1', n=1; ALTER TABLE t1 ADD COLUMN z INT; INSERT INTO t1 SET k='r1z', z=2"
    wait_lock
    on a "ALTER TABLE t2 CHANGE c n INT; INSERT INTO t2 SET k='r2', n=1; INSERT INTO other (v) VALUES (5)"
    on b "ALTER TABLE t1 CHANGE c n INT; UPDATE t1 SET n = 77 WHERE k LIKE 'c%'"
    on b "INSERT INTO t2 SET k='old', c=3; ALTER TABLE t2 CHANGE c n INT; INSERT INTO t2 SET k='r4', n=4"
    on a "ALTER TABLE t2 ADD COLUMN z INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN z INT"; done
    ends_well "k,n,z"

    what="a conflict waits for a word: skip"
    on a "ALTER TABLE t1 ADD COLUMN p INT DEFAULT 0"; on b "INSERT INTO t2 SET k='free'"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND COLUMN_NAME='p'" 1 || fail "not run"
    on b "ALTER TABLE t1 ADD COLUMN p INT DEFAULT -1; INSERT INTO t1 SET k='p1', p=5"
    conflict() { of conflict | grep -q 'because schema conflict detected'; }
    wait_for 30 conflict || fail "no conflict"
    state_is m running || fail "the task is $(state m)"
    order adopt "source=b database=d table=t1"
    wait_for 30 sql_is dst "SELECT p FROM d.tb WHERE k='p1'" 5 || fail "the row behind it is not there"
    end_shards

    what="shards that have other columns to begin with"
    prepare=unlike begin_shards
    on b "INSERT INTO t1 SET k='b1', v=5, w=9; INSERT INTO t2 SET k='b2'; UPDATE t1 SET w=10 WHERE k='b1'"
    wait_for 30 sql_is dst "SELECT CONCAT(SUM(v), ' ', SUM(w)) FROM d.tb WHERE k IN ('b1','b2','startat1')" "5 24" || fail "rows: $(sql dst "SELECT * FROM d.tb")"
    for t in t1 t2; do on a "ALTER TABLE $t DROP COLUMN v; INSERT INTO $t SET k='no v $t'"; done
    on a "ALTER TABLE t1 ADD COLUMN w INT DEFAULT 7; INSERT INTO t1 SET k='a1', w=3"
    wait_for 30 sql_is dst "SELECT w FROM d.tb WHERE k='a1'" 3 || fail "the first waits"
    sql_is dst "SELECT v FROM d.tb WHERE k='b1'" 5 || fail "a column that one has was dropped"
    on b "ALTER TABLE t1 DROP COLUMN v; INSERT INTO t1 SET k='b3', w=4"; on b "ALTER TABLE t2 ADD COLUMN w INT DEFAULT 7"; on a "ALTER TABLE t2 ADD COLUMN w INT DEFAULT 7"
    ends_well "k,w"
    sql dst "SHOW CREATE TABLE d.tb" | grep -q '`v`' && fail "v stays"
    end_shards

    what="strict: what would wait is an error"
    begin_shards "strict_optimistic_shard_mode: true"
    on a "ALTER TABLE t1 ADD COLUMN c INT"; on b "ALTER TABLE t1 CHANGE v w INT"
    wait_state m error
    grep -q 'fail to handle shard ddl .*because schema conflict detected' "$T/tasks/m/error" || fail "$(cat "$T/tasks/m/error")"
    [ "$(cat "$T/tasks/m/error_reason")" = shard_conflict ] || fail "its reason is '$(cat "$T/tasks/m/error_reason")'"
    end_shards
}

begun() { started || state_is m error; }
# t1 of b has one more, t2 of b one less.
unlike() {
    on b "ALTER TABLE t1 ADD COLUMN w INT DEFAULT 7; ALTER TABLE t2 DROP COLUMN v"
    document | cat >"$T/tasks/create"; wait_for 60 begun; wait_state m error
    grep -rqF 'make `d`.`tb` at the target first, with the columns of all its shards' "$T/tasks/m/sources"/*/check_report || fail "the check says: $(cat "$T/tasks/m/sources"/*/check_report)"
    end_shards
    sql dst "DROP DATABASE IF EXISTS d; CREATE DATABASE d; CREATE TABLE d.tb (k VARCHAR(40) PRIMARY KEY, v INT DEFAULT 0, w INT DEFAULT 7)"
}

for pair in ${PAIRS:-mariadb:pessimistic mysql:optimistic}; do
    flavor=${pair%:*} mode=${pair#*:}
    "start_$flavor" a --binlog-row-metadata=FULL; "start_$flavor" b; "start_$flavor" dst
    start_sluice
    make_source a a && make_source b b || die "no sources"
    "$mode"; note "$flavor: $mode: rows equal, locks resolved"
    stop_sluice; rm -rf "$WORK/data"
    for s in a b dst; do kill_server $s; eval "rm -rf \$${s}_dir"; done; SERVERS=""
done
