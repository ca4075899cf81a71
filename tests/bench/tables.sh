#!/bin/bash
# A task of TABLES (10,000) tables in ten schemas: how soon it runs, and what it costs in memory.
#
# Incremental, with the tables at the target: from start to sync at work, then a row into each table.
# Then a task that copies: from start to its snapshot, when the first table is made at the target.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh
TABLES=${TABLES:-10000}
RUNS=${RUNS:-3}

for s in src dst; do
    # shellcheck disable=SC2046
    start_mariadb $s $(mariadb_bench_options relaxed) --table-open-cache=$((TABLES + 2000)) --open-files-limit=$((3 * TABLES)) --innodb-file-per-table=0
done
show_settings src dst
schemas=$(seq -f 'd%g' 0 9)
for d in $schemas; do
    echo "CREATE DATABASE $d; USE $d;"
    seq -f "CREATE TABLE t%g (id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(100), c DATETIME, KEY (a));" $((TABLES / 10))
done >"$WORK/tables.sql"
for s in src dst; do sql_file $s "$WORK/tables.sql" || die "no tables at $s"; done
for d in $schemas; do seq -f "INSERT INTO $d.t%g (a, b, c) VALUES (1, 'x', NOW());" $((TABLES / 10)); done >"$WORK/rows.sql"
start_sluice
make_source s1 src || die "$(cat "$T/sources/last_error")"

start() { echo >"$T/tasks/$1/start" || die "$(cat "$T/tasks/$1/last_error")"; }
follows() { [ -n "$(cat "$T/tasks/$1/sources/s1/sync/gtid" 2>/dev/null)" ]; }
copies() { grep -qxE 'schema|rows|views|finished' "$T/tasks/$1/sources/s1/dump/phase"; }
until_it() { # follows|copies task
    until "$1" "$2"; do state_is "$2" error && { task_trouble "$2"; return 1; }; sleep 0.02; done
}
begin() { start "$2" && until_it "$1" "$2"; } # likewise

times=""
before=$(rss_mib "$sluiced_pid")
for i in $(seq "$RUNS"); do
    task_mode=incremental make_task "i$i" s1 dst "d?" </dev/null || die "$(cat "$T/tasks/last_error")"
    times="$times $(seconds begin follows "i$i")" || die "start"
    [ "$i" = "$RUNS" ] || echo >"$T/tasks/i$i/stop"
done
# shellcheck disable=SC2086
most_goal "start of a task of $TABLES tables, seconds until it follows" 5 "$(median $times)"
sql_file src "$WORK/rows.sql" || die "rows"
caught_up "i$RUNS" src 600
most_goal "memory of a task of $TABLES tables, all of them written to, MiB" 200 "$(($(rss_mib "$sluiced_pid") - before))"
count() { sql "$1" "SELECT COUNT(*) FROM (SELECT * FROM d0.t1 UNION ALL SELECT * FROM d4.t5 UNION ALL SELECT * FROM d9.t7) t"; }
[ "$(count src)" = "$(count dst)" ] || die "the ends differ"
echo >"$T/tasks/i$RUNS/stop"

for d in $schemas; do sql dst "DROP DATABASE $d"; done
make_task all s1 dst "d?" </dev/null || die "$(cat "$T/tasks/last_error")"
took=$(seconds begin copies all) || die "copy"
most_goal "start of a task that copies $TABLES tables, seconds to its snapshot" 5 "$took"
