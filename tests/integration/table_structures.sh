#!/bin/bash
# Definitions of tables as files: what sync knows is listed and read; one that was set tells the columns of rows
# whose table the source has dropped since, over a restart, until the next DDL; refused while it runs; removed.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mysql my; start_mariadb dst
sql my "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(10), u INT UNSIGNED);
    CREATE TABLE d.\`o/dd\` (id INT PRIMARY KEY, x TEXT); INSERT INTO d.t VALUES (1, 'one', 4000000000)" || die "no data"
start_sluice; make_source s1 my || die "$(cat "$T/sources/last_error")"
read -r file pos _ <<<"$(sql my "SHOW BINARY LOG STATUS")"
sql dst "CREATE DATABASE d; CREATE TABLE d.t (u BIGINT, extra INT DEFAULT 5, id INT PRIMARY KEY, a VARCHAR(10)); CREATE TABLE d.\`o/dd\` (id INT PRIMARY KEY, x TEXT)"
sql my "INSERT INTO d.t VALUES (2, 'two', 4000000001); RENAME TABLE d.t TO d.away; INSERT INTO d.away VALUES (3, 'three', 3); INSERT INTO d.\`o/dd\` VALUES (1, 'x')"
task_mode=incremental task_document t s1 dst d </dev/null |
    sed "s/{ source_name: s1 } \]/{ source_name: s1, binlog_name: $file, binlog_pos: $pos } ]/" >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
t=$T/tasks/t; s=$t/sources/s1/schemas
say() { echo "$1" >"$t/$2" || die "$2 $1: $(cat "$t/last_error")"; }
set_by() { echo "$1" >"$s/set"; }
fails() { # sentence, where last_error is, command...
    local want=$1 at=$2; shift 2
    "$@" 2>/dev/null && die "not refused: $*"
    grep -qF "$want" "$at/last_error" || die "$*: '$(cat "$at/last_error")' does not say '$want'"
}

note "without a definition the rows of before cannot be read"
say '["all"]' ignore_checking_items; say "" start; wait_state t error 30
grep -q "dropped or renamed it since" "$t/error" || die "$(cat "$t/error")"
[ "$(sql dst "SELECT COUNT(*) FROM d.t")" = 0 ] || die "rows came anyway"
[ -z "$(ls -d "$s"/*/ 2>/dev/null)" ] || die "something is known: $(ls "$s")"

note "set by cp; what is none is refused"
printf 'CREATE TABLE t (\n  id INTEGER NOT NULL,\n  a CHARACTER VARYING(10),\n  u INT UNSIGNED,\n  PRIMARY KEY (id)\n)\n' >"$WORK/t.sql"
mkdir "$s/d" || die "$(cat "$s/last_error")"
cat "$s/d/t.sql" 2>/dev/null && die "a definition that nobody gave"
echo "DROP TABLE t" >"$WORK/bad.sql"; cp "$WORK/bad.sql" "$s/d/t.sql" 2>/dev/null && die "no CREATE TABLE was taken"
curl -s -X PUT --data-binary "SELECT 1" "$URL/v1/tasks/t/sources/s1/schemas/d/t.sql" | grep -q "no CREATE TABLE" || die "HTTP takes anything"
cp "$WORK/t.sql" "$s/d/other.sql" 2>/dev/null || die "a table that the task covers is refused"
rm "$s/d/other.sql" || die "rm"
fails "does not cover" "$s" set_by "schema=mysql table=user sql='CREATE TABLE user (a INT)'"
cp "$WORK/t.sql" "$s/d/t.sql" || die "$(cat "$t/last_error")"
cmp <(cat "$s/d/t.sql") "$WORK/t.sql" || die "it reads: $(cat "$s/d/t.sql")"
[ "$(ls "$s/d" | grep '\.sql$')" = t.sql ] && [ "$(curl -s "$URL/v1/tasks/t/sources/s1/schemas/d/t.sql")" != "" ] || die "listed: $(ls "$s/d")"
say "" pause
kill_sluice; restart_sluice; state_is t paused || die "$(state t)"
cmp <(cat "$s/d/t.sql") "$WORK/t.sql" || die "after a restart: $(cat "$s/d/t.sql")"
say "" resume; caught_up t my
[ "$(sql dst "SELECT u, extra, id, a FROM d.away ORDER BY id" | tr '\t\n' ' ;')" = "4000000001 5 2 two;3 5 3 three;" ] || die "rows: $(sql dst "SELECT * FROM d.away")"

note "what sync has met is listed; refused while it runs; from a server; removed"
ls "$s/d" | grep '\.sql$' | tr '\n' ' ' | grep -qxF "away.sql o%2Fdd.sql " || die "known: $(ls "$s/d")"
grep -q '^CREATE TABLE `o/dd`' "$s/d/o%2Fdd.sql" && grep -q '`extra` int' "$s/d/away.sql" || die "$(cat "$s/d/o%2Fdd.sql" "$s/d/away.sql")"
fails "current stage is running but not paused" "$s" set_by "schema=d table=away schema_source=upstream"
cp "$WORK/t.sql" "$s/d/t.sql" 2>/dev/null && die "set while it runs"
say "" pause
echo 'schema=d table=away schema_source=upstream' >"$s/set" || die "$(cat "$s/last_error")"
grep -q "ENGINE=InnoDB.*utf8mb4_0900_ai_ci" "$s/d/away.sql" || die "not the source's: $(cat "$s/d/away.sql")"
echo 'schema=d table=away schema_source=downstream flush=true sync=true' >"$s/set" || die "$(cat "$s/last_error")"
grep -q '`extra` int' "$s/d/away.sql" || die "not the target's: $(cat "$s/d/away.sql")"
fails "sql goes with schema_source=sql alone" "$s" set_by "schema=d table=away schema_source=upstream sql=x"
rm "$s/d/away.sql" || die "rm"
cp "$WORK/t.sql" "$s/d/t.sql" || die "$(cat "$t/last_error")"
ls "$s/d" | grep -q away && die "still listed"
[ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$URL/v1/tasks/t/sources/s1/schemas/d/t.sql")" = 204 ] || die "DELETE"
ls "$s/d" | grep -qx "t.sql" && die "still listed"
rm "$s/d/t.sql" 2>/dev/null && die "removed twice"
rm "$s/README" 2>/dev/null && die "a row was removed"
say "" resume; sql my "INSERT INTO d.away VALUES (4, 'four', 4)"; caught_up t my
[ "$(sql dst "SELECT u FROM d.away WHERE id = 4")" = 4 ] || die "it does not find out anew"
ls "$s/d" | grep -qx away.sql || die "not known again"

note "a renamed table keeps what is known of it: columns in another order stay so"
sql dst "CREATE TABLE d.p (b VARCHAR(9), a VARCHAR(9), id INT PRIMARY KEY)"
sql my "CREATE TABLE d.p2 (id INT PRIMARY KEY)"; caught_up t my
sql my "SET sql_log_bin = 0; CREATE TABLE d.p (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9)); SET sql_log_bin = 1; INSERT INTO d.p VALUES (1, 'a', 'b')"; caught_up t my
sql my "RENAME TABLE d.p TO d.q"; caught_up t my
knows_q() { ls "$s/d" | grep -qx q.sql && ! ls "$s/d" | grep -qx p.sql && cat "$s/d/q.sql" >/dev/null && ! cat "$s/d/p.sql" 2>/dev/null; }
knows_q || die "known: $(ls "$s/d")"
kill_sluice; restart_sluice; knows_q || die "known after a restart: $(ls "$s/d")"
sql my "INSERT INTO d.q VALUES (2, 'a', 'b')"; caught_up t my
[ "$(sql dst "SELECT id, a, b FROM d.q ORDER BY id" | tr '\t\n' ' ;')" = "1 a b;2 a b;" ] || die "columns are mixed up: $(sql dst "SELECT id, a, b FROM d.q")"

note "a table that is dropped is not told any more"
ls "$s/d" | grep -qx q.sql || die "not known: $(ls "$s/d")"
sql my "DROP TABLE d.q"; caught_up t my
ls "$s/d" | grep -qx q.sql && die "still listed: $(ls "$s/d")"
sql my "CREATE TABLE d.q (id INT PRIMARY KEY, z INT); INSERT INTO d.q VALUES (1, 2)"; caught_up t my
[ "$(sql dst "SELECT id, z FROM d.q" | tr '\t' ' ')" = "1 2" ] && grep -q z "$s/d/q.sql" || die "not known again"
sql my "DROP DATABASE d; CREATE DATABASE d; CREATE TABLE d.new (id INT PRIMARY KEY)"; caught_up t my
[ "$(ls "$s/d" | grep '[.]sql$')" = new.sql ] || die "still listed: $(ls "$s/d")"
say "" stop; rmdir "$t" || die "$(cat "$T/tasks/last_error")"
echo OK
