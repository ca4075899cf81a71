#!/bin/bash
# A commit at the source to its row seen at the target, against MariaDB's own asynchronous replica; N (2,000) rows a run.
set -u
. tests/lib/servers.sh; . tests/bench/lib.sh
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
N=${N:-2000}
RUNS=${RUNS:-3}

follow_by_replica() {
    sql rep "SET GLOBAL gtid_slave_pos='$(sql src 'SELECT @@gtid_binlog_pos')'; CHANGE MASTER TO MASTER_HOST='127.0.0.1',
        MASTER_PORT=$src_port, MASTER_USER='sluice', MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos; START SLAVE"
}
durability() { # durable|relaxed, on all three
    local s
    for s in src dst rep; do
        sql $s "SET GLOBAL sync_binlog=$([ "$1" = durable ] && echo 1 || echo 0), innodb_flush_log_at_trx_commit=$([ "$1" = durable ] && echo 1 || echo 2)"
    done
}
measure() { "$SLUICE_BUILD/latency_run" "$src_port" "$1" "$N" 0 || die "latency_run"; }
one_way() { # durable|relaxed
    local i o p o50="" o99="" p50="" p99=""
    durability "$1"
    show_settings src dst rep
    for i in $(seq "$RUNS"); do
        o=$(measure "$dst_port"); p=$(measure "$rep_port")
        note "run $i, $1: ours p50 p99 $o ms, replica $p ms"
        o50="$o50 ${o% *}" o99="$o99 ${o#* }" p50="$p50 ${p% *}" p99="$p99 ${p#* }"
    done
    # shellcheck disable=SC2086
    slower "latency p50, $1, against the replica" 3 "$(median $p50)" "$(median $o50)"
    # shellcheck disable=SC2086
    slower "latency p99, $1, against the replica" 4 "$(median $p99)" "$(median $o99)"
}
slower() { # name goal peer ours: at most 'goal' times as long
    local got
    got=$(awk -v p="$3" -v o="$4" 'BEGIN { printf "%.2f", o / p }')
    result "$1" "<= ${2}x" "${got}x" "$(awk -v g="$2" -v r="$got" 'BEGIN { print r <= g ? "met" : "MISSED" }')" "ours $4 ms, replica $3 ms"
}

# shellcheck disable=SC2046
{ start_mariadb src $(mariadb_bench_options relaxed); start_mariadb dst $(mariadb_bench_options relaxed)
  start_mariadb rep $(mariadb_bench_options relaxed) --log-slave-updates=1 --slave-parallel-threads=4 --slave-parallel-mode=optimistic; }
for s in src dst rep; do sql $s "CREATE DATABASE lat; CREATE TABLE lat.t (id BIGINT PRIMARY KEY, v VARCHAR(100))"; done
follow_by_replica
"$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=lat start="$(sql src 'SELECT @@gtid_binlog_pos')" >"$WORK/out" 2>&1 &
driver=$!
at_exit 'kill $driver 2>/dev/null'
for way in relaxed durable; do one_way $way; done
