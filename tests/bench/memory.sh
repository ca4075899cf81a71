#!/bin/bash
# Resident memory: idle, after a copy, and through a single transaction of GIGABYTES (5).
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/bench/lib.sh
GIGABYTES=${GIGABYTES:-5}

# shellcheck disable=SC2046
start_mariadb src $(mariadb_bench_options relaxed) --max-binlog-cache-size=16G
# shellcheck disable=SC2046
start_mariadb dst $(mariadb_bench_options relaxed) --max-binlog-cache-size=16G
show_settings src dst
start_sluice
sleep 5
most_goal "resident memory idle, MiB" 64 "$(rss_mib "$sluiced_pid")"

sql src "CREATE DATABASE m; CREATE TABLE m.t (id INT PRIMARY KEY, c VARCHAR(1000) CHARACTER SET latin1);
    CREATE TABLE m.big (id INT PRIMARY KEY, c VARCHAR(1000) CHARACTER SET latin1)"
sql src "USE m; INSERT INTO t SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_1000000" || die "insert"
make_source s1 src && make_task m s1 dst m </dev/null && echo >"$T/tasks/m/start" || die "$(cat "$T/tasks/m/last_error")"
caught_up m src 600
most_goal "resident memory, peak while copying 1 GB, MiB" 256 "$(peak_mib "$sluiced_pid")"

echo 5 >"/proc/$sluiced_pid/clear_refs"
sql src "USE m; INSERT INTO big SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_$((GIGABYTES * 1050000))" || die "insert"
note "a transaction of $GIGABYTES GB is committed at the source"
caught_up m src 3600
most_goal "resident memory, peak with one ${GIGABYTES} GB transaction, MiB" 256 "$(peak_mib "$sluiced_pid")"
rows() { sql "$1" "SELECT COUNT(*), SUM(CRC32(c)) FROM m.t; SELECT COUNT(*), SUM(CRC32(c)) FROM m.big"; }
a=$(rows src); b=$(rows dst)
[ "$a" = "$b" ] && grep -q "^$((GIGABYTES * 1050000))\b" <<<"$a" || die "the ends differ: $a and $b"
