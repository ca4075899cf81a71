#!/bin/bash
# A full copy of ROWS (5,000,000) rows in 8 sysbench-shaped tables against mydumper+myloader -t4 and mariadb-dump | mariadb.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/bench/lib.sh
ROWS=${ROWS:-5000000}
RUNS=${RUNS:-3}
TABLES=8
each=$((ROWS / TABLES))

# shellcheck disable=SC2046
start_mariadb src $(mariadb_bench_options relaxed)
# shellcheck disable=SC2046
start_mariadb dst $(mariadb_bench_options relaxed) --skip-log-bin
show_settings src dst
sql src "CREATE DATABASE load1"
for i in $(seq $TABLES); do
    sql src "SET sql_log_bin=0, unique_checks=0, foreign_key_checks=0;
        CREATE TABLE load1.t$i (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT UNSIGNED NOT NULL,
            c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY k (k)) ENGINE=InnoDB CHARSET=latin1;
        USE load1;
        INSERT INTO t$i SELECT seq, (seq * 7919 + $i) % $each, CONCAT_WS('-', MD5(seq), MD5(seq + 1), MD5(seq + 2)),
            MD5(seq * 3) FROM seq_1_to_$each" || die "data"
done
sql src "ANALYZE TABLE $(seq -f 'load1.t%g' -s, $TABLES)" >/dev/null
note "$ROWS rows, $(sql src "SELECT ROUND(SUM(data_length + index_length) / 1e6) FROM information_schema.TABLES WHERE table_schema = 'load1'") MB"
start_sluice
make_source s1 src || die "source: $(cat "$T/sources/last_error")"

fresh() { sql dst "DROP DATABASE IF EXISTS load1"; }
client() { echo "-h127.0.0.1 -P$1 -usluice -psluice"; }
ours() {
    local task
    task=copy$(date +%s%N)
    fresh
    task_mode=full make_task "$task" s1 dst load1 </dev/null || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$task/start" || { task_trouble "$task"; die "no start"; }
    until state_is "$task" finished; do
        state_is "$task" error && { task_trouble "$task"; return 1; }
        sleep 0.05
    done
}
mydumper_myloader() {
    fresh
    rm -rf "$WORK/my"
    # shellcheck disable=SC2046
    mydumper -h 127.0.0.1 -P "$src_port" -u sluice -p sluice -B load1 -t 4 -r 250000 -o "$WORK/my" &&
        myloader -h 127.0.0.1 -P "$dst_port" -u sluice -p sluice -B load1 -t 4 -o -d "$WORK/my"
}
dump_pipe() {
    fresh
    sql dst "CREATE DATABASE load1"
    # shellcheck disable=SC2046
    mariadb-dump --no-defaults $(client "$src_port") --single-transaction --quick load1 |
        mariadb --no-defaults $(client "$dst_port") load1
}
all_there() { # every table, by the servers' own checksum
    local i
    for i in $(seq $TABLES); do
        [ "$(sql src "CHECKSUM TABLE load1.t$i")" = "$(sql dst "CHECKSUM TABLE load1.t$i")" ] || die "$1: load1.t$i differs"
    done
}

ours >/dev/null && all_there ours # warms the source's pages, too
alternate "$RUNS" ours mydumper_myloader
all_there mydumper
# shellcheck disable=SC2086
ratio_goal "full copy, against mydumper -t4 then myloader -t4" 1.4 "$(median $peer_times)" "$(median $ours_times)"
alternate "$RUNS" ours dump_pipe
# shellcheck disable=SC2086
ratio_goal "full copy, against mariadb-dump | mariadb" 3 "$(median $peer_times)" "$(median $ours_times)"
