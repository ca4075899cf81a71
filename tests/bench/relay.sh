#!/bin/bash
# Storing a source's binlog: transactions a second of the relay, every group synced to the disk, against
# MariaDB's own relay through a replica with BLACKHOLE tables; memory with many tasks on one journal; and the
# latency of a task that reads the relay against one that reads the source.
#
#     TXNS=150000 DURABLE_TXNS=5000 RUNS=3 N=2000 tests/bench/relay.sh
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh; . tests/lib/relay.sh
TXNS=${TXNS:-150000}
DURABLE_TXNS=${DURABLE_TXNS:-5000}
RUNS=${RUNS:-3}
N=${N:-2000}

make_binlog() {
    # shellcheck disable=SC2046
    start_mariadb src $(mariadb_bench_options relaxed)
    sql src "CREATE DATABASE b; CREATE TABLE b.t (id INT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60), KEY (k))"
    from=$(sql src 'SELECT @@gtid_binlog_pos')
    cat >"$WORK/load.sql" <<'END'
DELIMITER //
CREATE PROCEDURE b.load(a INT, z INT) BEGIN FOR i IN a..z DO START TRANSACTION;
        INSERT INTO b.t VALUES (i * 4, i, REPEAT('c', 119), REPEAT('p', 59)), (i * 4 + 1, i, REPEAT('d', 119), REPEAT('p', 59));
        UPDATE b.t SET k = k + 1 WHERE id = i * 4; DELETE FROM b.t WHERE id = i * 4 + 1; COMMIT; END FOR; END//
END
    sql_file src "$WORK/load.sql" || die "no procedure"
    sql src "CALL b.load(1, $DURABLE_TXNS)"
    part=$(sql src 'SELECT @@gtid_binlog_pos')
    sql src "CALL b.load($DURABLE_TXNS + 1, $TXNS)"
    all=$(sql src 'SELECT @@gtid_binlog_pos')
}
blackhole() { # durable|relaxed set transactions: sets got, transactions a second
    [ -z "${rep_pid:-}" ] || { kill_server rep; rm -rf "$rep_dir"; SERVERS=${SERVERS/ rep/}; }
    # shellcheck disable=SC2046
    start_mariadb rep $(mariadb_bench_options "$1") --log-slave-updates=1 --plugin-load-add=ha_blackhole.so
    sql rep "SET sql_log_bin=0; CREATE DATABASE b; CREATE TABLE b.t (id INT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60), KEY (k)) ENGINE=BLACKHOLE;
        SET GLOBAL gtid_slave_pos='$from'; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$src_port, MASTER_USER='sluice',
        MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos"
    a=$(date +%s.%N)
    [ "$(sql rep "START SLAVE UNTIL master_gtid_pos='$2'; SELECT MASTER_GTID_WAIT('$2', 400)" | tail -1)" = 0 ] || die "the replica did not get there"
    rate "$a" "$3"
}
rate() { got=$(awk -v a="$1" -v b="$(date +%s.%N)" -v n="$2" 'BEGIN { printf "%.0f\n", n / (b - a) }'); }
ours() { # sets got: transactions a second, to the disk
    local a end
    stop_sluice_quietly; rm -rf "$WORK/data"
    restart_sluice
    make_source s src || die "$(cat "$T/sources/last_error")"
    end=$(source_end src)
    a=$(date +%s.%N)
    echo >"$T/sources/s/relay/start" || die "$(cat "$T/sources/s/relay/last_error")"
    until [ "$(relay_end s)" = "$end" ]; do sleep 0.02; done
    rate "$a" "$TXNS"
}
rates() { # relaxed|durable goal set transactions
    local i o="" p=""
    for i in $(seq "$RUNS"); do
        ours; o="$o $got"
        blackhole "$1" "$3" "$4"; p="$p $got"
        note "run $i, $1: ours ${o##* } transactions/s, BLACKHOLE replica ${p##* }"
    done
    # shellcheck disable=SC2086
    ratio_goal "relay, transactions/s, against a BLACKHOLE replica, $1" "$2" "$(median $o)" "$(median $p)"
}

memory() { # tasks that follow one journal while it grows
    local i one many
    for i in 1 2 3 4 5 6 7 8; do
        sql src "CREATE DATABASE m$i; CREATE TABLE m$i.t (id INT PRIMARY KEY)"
        make_task "m$i" s dst "m$i" </dev/null && echo >"$T/tasks/m$i/start" || die "$(cat "$T/tasks/m$i/last_error")"
        wait_state "m$i" running
        case $i in 1 | 8)
            sql src "CALL b.load($TXNS + $i * 40000, $TXNS + $i * 40000 + 20000)"; caught_up "m$i" src
            [ $i = 1 ] && one=$(rss_mib "$sluiced_pid") || many=$(rss_mib "$sluiced_pid") ;;
        esac
    done
    note "resident: $one MiB with one task, $many MiB with eight"
    most_goal "memory for each more task on one journal, MiB" 8 "$(((many - one) / 7))"
    [ "$(sql src "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")" = 1 ] || die "more than one dump connection"
    for i in 1 2 3 4 5 6 7 8; do echo >"$T/tasks/m$i/stop"; done
}

latency() {
    local i d50="" r50="" r99="" d99="" o
    sql src "CREATE DATABASE lat; CREATE TABLE lat.t (id BIGINT PRIMARY KEY, v VARCHAR(100))"
    make_task lat s dst lat </dev/null && echo >"$T/tasks/lat/start" || die "$(cat "$T/tasks/lat/last_error")"
    wait_state lat running
    for i in $(seq "$RUNS"); do
        echo >"$T/sources/s/relay/start"; wait_for 20 reads_relay true || die "the task does not read the relay"
        o=$("$SLUICE_BUILD/latency_run" "$src_port" "$dst_port" "$N" 0) || die "latency_run"
        r50="$r50 ${o% *}" r99="$r99 ${o#* }"
        echo >"$T/sources/s/relay/stop"; wait_for 20 reads_relay false || die "the task reads the relay"
        d=$("$SLUICE_BUILD/latency_run" "$src_port" "$dst_port" "$N" 0) || die "latency_run"
        d50="$d50 ${d% *}" d99="$d99 ${d#* }"
        note "run $i: from the relay p50 p99 $o ms, from the source $d ms"
    done
    # shellcheck disable=SC2086
    { most_goal "latency p50 from the relay, of that from the source" 1.1 "$(of "$(median $r50)" "$(median $d50)")"
      most_goal "latency p99 from the relay, of that from the source" 1.3 "$(of "$(median $r99)" "$(median $d99)")"; }
}
reads_relay() { [ "$(cat "$T"/tasks/lat/sources/s/sync/from_relay)" = "$1" ]; }
of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'; }

make_binlog
# shellcheck disable=SC2046
start_mariadb dst $(mariadb_bench_options relaxed)
start_sluice
show_settings src
rates relaxed 3 "$all" "$TXNS"
rates durable 5 "$part" "$DURABLE_TXNS"
memory
latency
