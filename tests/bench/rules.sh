#!/bin/bash
# The foundation's figures with ten filters and fifty routes: a backlog of TXNS (150,000) sysbench write-only transactions
# through a task with them, against MariaDB's own replica, and against the same task without; and the latency of a commit.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh; . tests/bench/lib_backlog.sh
RUNS=${RUNS:-3}
N=${N:-2000}
flavor=mariadb

# Filters apply to every table of the load, and let all of its changes pass.
filters() {
    local i
    for i in 1 2 3 4 5; do echo "  e$i: { ignore_event: [ truncate table, drop table, create index ] }"; done
    for i in 6 7 8 9 10; do echo "  e$i: { ignore_sql: [ '^DROP\s+(PROCEDURE|TRIGGER) .*$i', 'sluice_skip_$i' ] }"; done
}
routes() {
    local i
    for i in $(seq 50); do
        case $i in
        [1-8]) echo "  - { source: { source_name: s1, schema: sbtest, table: sbtest$i }, target: { schema: sbtest, table: sbtest$i },"
            echo "      binlog_filter_rule: [ e1, e2, e3, e4, e5, e6, e7, e8, e9, e10 ] }" ;;
        9) echo "  - { source: { source_name: s1, schema: lat, table: '*' }, binlog_filter_rule: [ e1, e6 ] }" ;;
        *) echo "  - { source: { source_name: s1, schema: 'other_${i}*', table: 't_*' }, target: { schema: gathered, table: t$i } }" ;;
        esac
    done
}
document() { # name with|without position
    cat <<END2
name: $1
task_mode: incremental
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
source_config: { source_conf: [ { source_name: s1, binlog_gtid: "$3" } ] }
END2
    if [ "$2" = with ]; then
        echo "binlog_filter_rule:"; filters; echo "table_migrate_rule:"; routes
    else
        echo "table_migrate_rule: [ { source: { source_name: s1, schema: 'sbtest', table: '*' } }, { source: { source_name: s1, schema: lat, table: '*' } } ]"
    fi
}
follow() { # name with|without position
    document "$@" >"$WORK/$1.yaml"
    cat "$WORK/$1.yaml" >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$1/start" || die "$(cat "$T/tasks/$1/last_error")"
}
until_applied() { # name gtid
    until [ "$(cat "$T/tasks/$1/sources/s1/sync/gtid" 2>/dev/null)" = "$2" ]; do
        state_is "$1" error && { task_trouble "$1"; return 1; }
        sleep 0.05
    done
}
apply() { follow "$1" "$2" "$from" && until_applied "$1" "$to"; }
apart() { echo >"$T/tasks/$1/stop"; } # the target goes: nothing of it is left

backlog() { # relaxed|durable goal
    local i a b c with="" without="" peer=""
    for i in $(seq "$RUNS"); do
        fresh_target "$1"; a=$(seconds apply "w$1$i" with) || die "with"; equal "with rules"; apart "w$1$i"
        fresh_target "$1"; b=$(seconds apply "o$1$i" without) || die "without"; equal "without"; apart "o$1$i"
        # shellcheck disable=SC2046
        fresh_target "$1" $(replica_options "$1"); c=$(seconds replica) || die "replica"; equal replica
        note "run $i, $1: with rules $a s, without $b s, replica $c s"
        with="$with $a" without="$without $b" peer="$peer $c"
    done
    # shellcheck disable=SC2086
    { ratio_goal "sync of $TXNS transactions, 10 filters, 50 routes, $1, against a replica" "$2" "$(median $peer)" "$(median $with)"
      note "with them it takes $(awk -v a="$(median $without)" -v b="$(median $with)" 'BEGIN { printf "%.2f", b / a }') times as long as without"; }
}
latency() { # on relaxed servers
    local i o p o50="" o99="" p50="" p99=""
    fresh_target relaxed --slave-parallel-threads=4 --slave-parallel-mode=optimistic
    # shellcheck disable=SC2046
    start_mariadb rep $(mariadb_bench_options relaxed) --log-slave-updates=1 --slave-parallel-threads=4 --slave-parallel-mode=optimistic
    for s in src dst rep; do sql $s "SET sql_log_bin=0; CREATE DATABASE lat; CREATE TABLE lat.t (id BIGINT PRIMARY KEY, v VARCHAR(100))"; done
    follow lat with "$to"; wait_state lat running
    sql rep "SET GLOBAL gtid_slave_pos='$to'; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$src_port, MASTER_USER='sluice',
        MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos; START SLAVE"
    for i in $(seq "$RUNS"); do
        o=$("$SLUICE_BUILD/latency_run" "$src_port" "$dst_port" "$N" 0) && p=$("$SLUICE_BUILD/latency_run" "$src_port" "$rep_port" "$N" 0) || die "latency_run"
        note "run $i: with rules p50 p99 $o ms, replica $p ms"
        o50="$o50 ${o% *}" o99="$o99 ${o#* }" p50="$p50 ${p% *}" p99="$p99 ${p#* }"
    done
    # shellcheck disable=SC2086
    { most_goal "latency p50 with 10 filters and 50 routes, times a replica's" 3 "$(of "$(median $p50)" "$(median $o50)")"
      most_goal "latency p99 with them, times a replica's" 4 "$(of "$(median $p99)" "$(median $o99)")"; }
}
of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", b / a }'; }

make_backlog
fresh_target relaxed
show_settings src dst
start_sluice
make_source s1 src || die "$(cat "$T/sources/last_error")"
backlog relaxed 1.2
backlog durable 2.5
latency
most_goal "resident memory with them, peak, MiB" 256 "$(peak_mib "$sluiced_pid")"
