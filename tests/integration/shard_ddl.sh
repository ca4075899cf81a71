#!/bin/bash
# Shards of two sources are merged into one table while their DDL comes one by one, pessimistic and optimistic: rows
# are equal, other tables go on, locks say who waits, and exec, skip, adopt, drop resolve them.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

L=$T/tasks/m/locks
lock() { ls "$L" | grep '^m-'; }
has_lock() { [ -n "$(lock)" ]; }
no_lock() { [ -z "$(lock)" ]; }
of() { cat "$L/$(lock)/$1"; }
trouble() { for f in "$L"/m-*/*; do echo "$f: $(cat "$f" 2>/dev/null)"; done; task_trouble m; sql dst "SHOW CREATE TABLE d.tb; SELECT name, version, state FROM dm_meta.sluice_shard WHERE db='d'"; } >&2
no_locks() { wait_for 60 no_lock || { trouble; die "$flavor $mode: $what: a lock stays: $(lock)"; }; }
wait_lock() { wait_for 30 has_lock || { trouble; die "$flavor $mode: $what: no lock"; }; }
order() { echo "$2" >"$L/$(lock)/$1" || die "$flavor $mode: $what: $1: $(cat "$L/$(lock)/last_error")"; }

on() { sql "$1" "USE d; $2" || die "$flavor $mode: $what: $1 refused: $2"; }
all() { for s in a b; do for t in t1 t2; do on $s "${1//TB/$t}"; done; done; }
rows() { all "INSERT INTO TB SET k = CONCAT('$1', @@server_id, 'TB')"; all "UPDATE TB SET v = v + 1 WHERE k LIKE '%1%'"; on a "INSERT INTO other (v) VALUES (1)"; }
union() { # columns: of all shards, in one order
    for s in a b; do for t in t1 t2; do sql "$s" "SELECT $1 FROM d.$t"; done; done | sort
}
# The merged rows have all columns that any shard has; what a shard lacks is NULL there.
equal() { [ "$(union "$1")" = "$(sql dst "SELECT $1 FROM d.tb" | sort)" ] && [ "$(sql a 'SELECT COUNT(*) FROM d.other')" = "$(sql dst 'SELECT COUNT(*) FROM d.other')" ]; }
same() { # columns
    wait_for 60 equal "$1" && return
    diff <(union "$1") <(sql dst "SELECT $1 FROM d.tb" | sort) | head -20 >&2; trouble; die "$flavor $mode: $what: the rows differ"
}
ends_well() { no_locks; same "$1"; state_is m running || { trouble; die "$flavor $mode: $what: the task is $(state m)"; }; }
document() {
    cat <<END
name: m
shard_mode: $mode
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
$(for s in a b; do echo "  - source: { source_name: $s, schema: d, table: \"t*\" }
    target: { schema: d, table: tb }
  - source: { source_name: $s, schema: d, table: other }"; done)
source_config: { source_conf: [ { source_name: a }, { source_name: b } ] }
$*
END
}
begin() {
    sql dst "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS dm_meta"
    for s in a b; do
        sql $s "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d;
            CREATE TABLE t1 (k VARCHAR(40) PRIMARY KEY, v INT DEFAULT 0); CREATE TABLE t2 LIKE t1; CREATE TABLE other (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"
        for t in t1 t2; do sql $s "INSERT INTO d.$t (k) VALUES ('start$s$t')"; done
    done
    sql b "DROP TABLE d.other"
    document "$@" >"$WORK/m.yaml"; cat "$WORK/m.yaml" >"$T/tasks/create" && wait_for 60 started || die "$flavor $mode: $(cat "$T/tasks/m/last_error" "$T/tasks/last_error")"
    wait_for 60 follows || { task_trouble m; die "$flavor $mode: the copy does not end"; }
}
follows() { for s in a b; do [ "$(cat "$T/tasks/m/sources/$s/stage")" = sync ] && [ -n "$(cat "$T/tasks/m/sources/$s/sync/position")" ] || return 1; done; }
started() { echo >"$T/tasks/m/start"; } 2>/dev/null # the checkpoints of the one before may still be being removed
finish() { echo >"$T/tasks/m/stop"; rmdir "$T/tasks/m" || die "$flavor $mode: the task stays: $(cat "$T/tasks/m/last_error")"; }

pessimistic() {
    begin
    what="the same column everywhere, one shard after the other"
    on a "ALTER TABLE t1 ADD COLUMN c INT DEFAULT 5"
    wait_lock
    on a "INSERT INTO t1 SET k='early', c=7; INSERT INTO other (v) VALUES (2)"
    on a "UPDATE t1 SET c=8 WHERE k LIKE 'start%'; INSERT INTO t2 SET k='before'"
    [ "$(of mode)" = pessimistic ] && [ "$(of target)" = '`d`.`tb`' ] && [ "$(of owner)" = a ] && [ -n "$(of since)" ] || { trouble; die "$flavor: $what: the lock is not shown"; }
    of ddls | grep -q 'ADD COLUMN c' || die "$flavor: $what: ddls: $(of ddls)"
    of unsynced | grep -q '"t2"' || die "$flavor: $what: unsynced: $(of unsynced)"
    [ "$(cat "$T/tasks/m/sources/a/unresolved_ddl_lock_id")" = 'm-`d`.`tb`' ] || die "$flavor: $what: $(cat "$T/tasks/m/sources/a/unresolved_ddl_lock_id")"
    grep -q 'ADD COLUMN c' "$T/tasks/m/sources/a/blocking_ddls" || die "$flavor: $what: blocking_ddls"
    others_go_on() { [ "$(sql dst "SELECT COUNT(*) FROM d.other")" = 1 ] && [ "$(sql dst "SELECT COUNT(*) FROM d.tb WHERE k='before'")" = 1 ]; }
    wait_for 30 others_go_on || { trouble; die "$flavor: $what: another table, or another shard, waits too"; }
    [ "$(sql dst "SELECT COUNT(*) FROM d.tb WHERE k='early'")" = 0 ] || die "$flavor: $what: a row came before its column"
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
    wait_for 30 conflict || { trouble; die "$flavor: $what: no conflict: $(of conflict)"; }
    on b "INSERT INTO t1 SET k='float', f=1"
    order skip "source=b database=d table=t1"
    ends_well "k,v,e"
    sql_is dst "SELECT f FROM d.tb WHERE k='float'" 1 || { trouble; die "$flavor: $what: the row behind it"; }

    what="exec does not wait for who is missing"
    on a "ALTER TABLE t1 ADD COLUMN g INT; INSERT INTO t1 SET k='g1', g=1"
    wait_lock; order exec ""
    no_locks
    wait_for 30 sql_is dst "SELECT g FROM d.tb WHERE k='g1'" 1 || { trouble; die "$flavor: $what: it was not run"; }
    on a "ALTER TABLE t2 ADD COLUMN g INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN g INT; INSERT INTO $t SET k='gb$t', g=2"; done
    ends_well "k,v,e,g"

    what="skip leaves it out"
    on a "ALTER TABLE t1 ADD INDEX skipped (g)"
    wait_lock; order skip ""
    on a "ALTER TABLE t2 ADD INDEX skipped (g)"; for t in t1 t2; do on b "ALTER TABLE $t ADD INDEX skipped (g); INSERT INTO $t SET k='sk$t'"; done
    ends_well "k,v,e,g"
    sql dst "SHOW CREATE TABLE d.tb" | grep -q skipped && die "$flavor: $what: it was run"

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
    wait_for 30 only_t2 || { trouble; die "$flavor: $what: unsynced: $(of unsynced)"; }
    order drop "source=b database=d table=t2"
    no_locks
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND COLUMN_NAME='w'" 1 || die "$flavor: $what: it was not run"

    what="shards come and go"
    on b "CREATE TABLE t2 LIKE t1; INSERT INTO t2 SET k='new', w=3; TRUNCATE TABLE t2; DROP TABLE t2; CREATE TABLE t9 LIKE t1; INSERT INTO t9 SET k='nine', w=9"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k IN ('new','nine')" 2 || { trouble; die "$flavor: $what: a new shard's row is not there"; }
    state_is m running || { trouble; die "$flavor: $what: $(state m)"; }
    finish
}
sql_is() { [ "$(sql "$1" "$2")" = "$3" ]; }

optimistic() {
    begin
    what="each shard has its columns; the target has all"
    on a "ALTER TABLE t1 ADD COLUMN c INT; INSERT INTO t1 SET k='c1', c=1"
    on b "INSERT INTO t1 SET k='without'; INSERT INTO t2 SET k='without too'"
    wait_for 30 sql_is dst "SELECT c FROM d.tb WHERE k='c1'" 1 || { trouble; die "$flavor: $what: the first shard waits"; }
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k LIKE 'without%'" 2 || { trouble; die "$flavor: $what: rows of shards without the column"; }
    on a "ALTER TABLE t2 ADD COLUMN c INT"; for t in t1 t2; do on b "ALTER TABLE $t ADD COLUMN c INT; INSERT INTO $t SET k='cb$t', c=4"; done
    ends_well "k,v,c"

    what="a column that goes, goes with the last"
    for t in t1 t2; do on a "ALTER TABLE $t DROP COLUMN v; INSERT INTO $t SET k='dv$t'"; done
    on b "ALTER TABLE t1 DROP COLUMN v; INSERT INTO t1 SET k='dvb1'; INSERT INTO t2 SET k='still', v=7"
    wait_for 30 sql_is dst "SELECT v FROM d.tb WHERE k='still'" 7 || { trouble; die "$flavor: $what: it went too early"; }
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
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND COLUMN_NAME='p'" 1 || { trouble; die "$flavor: $what: not run"; }
    on b "ALTER TABLE t1 ADD COLUMN p INT DEFAULT -1; INSERT INTO t1 SET k='p1', p=5"
    conflict() { of conflict | grep -q 'because schema conflict detected'; }
    wait_for 30 conflict || { trouble; die "$flavor: $what: no conflict"; }
    state_is m running || die "$flavor: $what: the task is $(state m)"
    order adopt "source=b database=d table=t1"
    wait_for 30 sql_is dst "SELECT p FROM d.tb WHERE k='p1'" 5 || { trouble; die "$flavor: $what: the row behind it is not there"; }
    finish
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" a --binlog-row-metadata=FULL; "start_$flavor" b; "start_$flavor" dst
    start_sluice
    make_source a a && make_source b b || die "no sources"
    for mode in ${MODES:-pessimistic optimistic}; do "$mode"; note "$flavor: $mode: rows equal, locks resolved"; done
    stop_sluice; rm -rf "$WORK/data"
    for s in a b dst; do kill_server $s; eval "rm -rf \$${s}_dir"; done; SERVERS=""
done
