#!/bin/bash
# What a full copy must not believe: each way in which LOAD DATA loses rows in silence is provoked, and
# ends with the row in the error, or with all rows there.  Both flavours.
set -u
[ $# -gt 0 ] || { bash "$0" mariadb && exec bash "$0" mysql; }
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
flavour=$1
"start_$flavour" src
"start_$flavour" dst
note "$flavour $(server_version src)"
digits="(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
for i in 0 1 2 3; do names="${names:-}${names:+, }$digits d$i"; sum="${sum:-0} + POW(10, $i) * d$i.n"; done
rows="SELECT $sum AS seq FROM $names" # 0 to 9999
start_sluice
make_source src src || die "source: $(cat "$T/sources/last_error")"

run() { # name db: a full copy that ends somehow; further lines of its document from standard input
    local more; more=$(cat)
    task_mode=full make_task "$1" src dst "$2" <<<"$more" || die "$1: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$1/start" || { cat "$T/tasks/$1/check_report"; die "$1: $(cat "$T/tasks/$1/last_error")"; }
    wait_for 120 ended "$1" || die "$1 does not end: $(state "$1")"
}
ended() { state "$1" | grep -qE '^(finished|error)$'; }
way() { tr -d '\n ' <"$T/tasks/$1/sources/src/load/tables" | grep -o "\"table\":\"$2\"[^}]*" | grep -o '"way":"[a-z]*"' | cut -d'"' -f4; }
fails_with() { # name text
    state_is "$1" error || die "$1 is $(state "$1"), and should have failed"
    grep -q "$2" "$T/tasks/$1/error" || die "$1: not '$2' but: $(cat "$T/tasks/$1/error")"
    note "$1: $(cut -c1-200 "$T/tasks/$1/error")"
}

# 17: an empty table goes by LOAD DATA in one transaction, one that the binlog cache cannot hold by INSERT in chunks.
sql src "CREATE DATABASE ways; CREATE TABLE ways.t (id INT PRIMARY KEY, c CHAR(200)); INSERT INTO ways.t SELECT seq, REPEAT('x', 200) FROM ($rows) r; ANALYZE TABLE ways.t" >/dev/null
run bulk ways </dev/null
[ "$(way bulk ways.t)" = bulk ] && same_rows src dst ways || die "bulk: $(cat "$T/tasks/bulk/status")"
sql dst "DROP DATABASE ways; SET GLOBAL max_binlog_cache_size = 1048576"
run small ways </dev/null
[ "$(way small ways.t)" = ranges ] || die "one transaction is larger than the binlog cache: $(way small ways.t)"
state_is small finished && same_rows src dst ways || die "small: $(cat "$T/tasks/small/error")"
sql dst "DROP DATABASE ways; SET GLOBAL max_binlog_cache_size = 4294967296"

# 19: LOCAL is off.
sql dst "SET GLOBAL local_infile = 0"
run nolocal ways </dev/null
[ "$(way nolocal ways.t)" = ranges ] && same_rows src dst ways || die "local_infile=0: $(way nolocal ways.t)"
grep -q 'WARN  local_infile: .*SET GLOBAL local_infile=ON' "$T/tasks/nolocal/check_report" || die "not in the report"
sql dst "SET GLOBAL local_infile = 1"

# 18: LOAD DATA LOCAL leaves out with a warning what a constraint refuses.
sql src "CREATE DATABASE strict1; CREATE TABLE strict1.t (id INT PRIMARY KEY, n INT); INSERT INTO strict1.t SELECT seq, seq FROM ($rows) r"
sql dst "CREATE DATABASE strict1; CREATE TABLE strict1.t (id INT PRIMARY KEY, n INT CHECK (n <> 4711))"
run strict1 strict1 </dev/null
fails_with strict1 "the row: (4711,4711)"
[ "$(sql dst 'SELECT COUNT(*) FROM strict1.t')" -lt 10000 ] || die "what was refused is there"

# 18: what LOAD DATA LOCAL makes of bytes that are no characters, with a warning and all rows there.
sql src "CREATE DATABASE strict3; CREATE TABLE strict3.t (id INT PRIMARY KEY, n VARCHAR(10) CHARACTER SET latin1); INSERT INTO strict3.t SELECT seq, seq FROM ($rows) r; UPDATE strict3.t SET n = 'é' WHERE id = 4711"
sql dst "CREATE DATABASE strict3; CREATE TABLE strict3.t (id INT PRIMARY KEY, n VARCHAR(10) CHARACTER SET utf8mb4)"
run strict3 strict3 <<<'ignore_checking_items: [ all ]'
fails_with strict3 "the row: (4711,"

# 18: rows that the target takes and does not have.
[ "$flavour" = mysql ] || sql dst "INSTALL SONAME 'ha_blackhole'"
sql dst "CREATE DATABASE hole; CREATE TABLE hole.t (id INT PRIMARY KEY) ENGINE=BLACKHOLE"
sql src "CREATE DATABASE hole; CREATE TABLE hole.t (id INT PRIMARY KEY); INSERT INTO hole.t VALUES (1), (2)"
run hole hole </dev/null
fails_with hole "2 rows were copied, the target has 0"

# 18: two keys that the target's collation takes for one.
sql src "CREATE DATABASE strict2; CREATE TABLE strict2.t (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY); INSERT INTO strict2.t SELECT CONCAT('key ', seq) FROM ($rows) r; INSERT INTO strict2.t VALUES ('KEY 77')"
sql dst "CREATE DATABASE strict2; CREATE TABLE strict2.t (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY)"
run strict2 strict2 <<<'ignore_checking_items: [ all ]'
fails_with strict2 "Duplicate entry 'key 77'.*the row: ("
[ "$(way strict2 strict2.t)" = ranges ] || die "another collation in the key, and LOAD DATA"

# 18: two tables that become one are never loaded in bulk, and a key of both is an error.
sql src "CREATE DATABASE shard_a; CREATE TABLE shard_a.t (id INT PRIMARY KEY); INSERT INTO shard_a.t VALUES (1), (2), (3);
    CREATE DATABASE shard_b; CREATE TABLE shard_b.t (id INT PRIMARY KEY); INSERT INTO shard_b.t VALUES (3), (4)"
sed 's|^table_migrate_rule:.*|&\n  - { source: { source_name: src, schema: "shard_*", table: "t" }, target: { schema: shards, table: t } }|; /schema: "shard_a"/d' \
    <(task_mode=full task_document shards src dst shard_a <<<'ignore_checking_items: [ merge ]') >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
echo >"$T/tasks/shards/start" || die "shards: $(cat "$T/tasks/shards/last_error")"
wait_for 60 ended shards
fails_with shards "Duplicate entry '3'"
[ "$(way shards shard_a.t)$(way shards shard_b.t)" = rangesranges ] || die "shards in bulk"

# 18: rows are counted before the copy is left: one that is gone means that the table is copied again.
sql dst "DROP DATABASE ways"
again() { "$SLUICE_BUILD/copy_run" -s ways "$src_port" "$dst_port" >"$WORK/out" 2>&1 || { cat "$WORK/out"; die "copy_run"; }; }
again
sql dst "DELETE FROM ways.t WHERE id = 5; UPDATE dm_meta.sluice_copy SET finished = 0; UPDATE dm_meta.sluice_copy_table SET state = 'loaded'"
again
grep -q 'copying it again' "$WORK/out" || { cat "$WORK/out"; die "the row that is gone was not missed"; }
same_rows src dst ways || die "count"

# A table whose definition is of another moment than the columns that are written to it is read again, not an error:
# here it loses a column while it waits for a larger one.
sql src "CREATE DATABASE moved; CREATE TABLE moved.large (id INT AUTO_INCREMENT PRIMARY KEY, c CHAR(200));
    CREATE TABLE moved.small (id INT PRIMARY KEY, c CHAR(20)); INSERT INTO moved.small SELECT seq, seq FROM ($rows) r;
    INSERT INTO moved.large (c) SELECT REPEAT('x', 200) FROM ($rows) r, $digits x; ANALYZE TABLE moved.large, moved.small" >/dev/null
for try in 1 2 3 4 5; do
    sql dst "DROP DATABASE IF EXISTS moved"
    task_mode=full make_task moved$try src dst moved <<<"  full_migrate_conf: { import_threads: 1, export_threads: 1 }" || die "moved: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/moved$try/start" || die "moved: $(cat "$T/tasks/moved$try/last_error")"
    until sql dst "ALTER TABLE moved.small DROP COLUMN c" 2>/dev/null || ended moved$try; do sleep 0.02; done
    wait_for 120 ended moved$try
    state_is moved$try finished && same_rows src dst moved || die "moved: $(cat "$T/tasks/moved$try/error")"
    grep -q "moved.small changed while it was read" "$SLUICE_LOG" && break
done
[ "$try" -lt 5 ] || die "the table never lost its column in time"
