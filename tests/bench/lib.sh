# lib.sh - what the benches share.  Source me after tests/lib/servers.sh.
#
#     alternate 3 ours_command peer_command     # A B A B A B: fills ours_times and peer_times (seconds)
#     ratio_goal  "full copy, against mydumper+myloader" 1.4 "$(median $peer_times)" "$(median $ours_times)"
#     most_goal   "resident memory idle, MiB" 64 "$got"
#     show_settings src dst                     # what the servers run with, once per bench
#
# Every goal is one line: name, goal, got, met or MISSED; tests/bench/run gathers them.

BENCH_RESULTS=${BENCH_RESULTS:-/dev/null}

# Servers as the peers were measured: durable or relaxed.
bench_options() { # durable|relaxed
    local sync="--sync-binlog=1 --innodb-flush-log-at-trx-commit=1"
    [ "$1" = relaxed ] && sync="--sync-binlog=0 --innodb-flush-log-at-trx-commit=2"
    echo "$sync --innodb-buffer-pool-size=3G --innodb-flush-method=O_DIRECT --innodb-io-capacity=4000
        --innodb-io-capacity-max=8000 --max-binlog-size=1G --max-connections=100"
}
mariadb_bench_options() { echo "$(bench_options "$1") --innodb-log-file-size=1G --binlog-row-image=FULL"; }
mysql_bench_options() { echo "$(bench_options "$1") --innodb-redo-log-capacity=1G --binlog-row-image=FULL"; }

seconds() { # command...: wall seconds of it on standard output, its output on standard error
    local a b
    a=$(date +%s.%N); "$@" >&2 || return 1; b=$(date +%s.%N)
    awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f\n", b - a }'
}

median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

alternate() { # runs ours peer
    local i
    ours_times="" peer_times=""
    for i in $(seq "$1"); do
        ours_times="$ours_times $(seconds "$2")" || die "$2 failed"
        peer_times="$peer_times $(seconds "$3")" || die "$3 failed"
        note "run $i: ours ${ours_times##* } s, peer ${peer_times##* } s"
    done
}

result() { # name goal got met|MISSED [what holds it]
    printf '%-64s goal %-10s got %-10s %s %s\n' "$1" "$2" "$3" "$4" "${5:-}" | tee -a "$BENCH_RESULTS"
}
ratio_goal() { # name goal slower faster: at least 'goal' times as fast
    local got
    got=$(awk -v p="$3" -v o="$4" 'BEGIN { printf "%.2f", p / o }')
    result "$1" ">= ${2}x" "${got}x" "$(awk -v g="$2" -v r="$got" 'BEGIN { print r >= g ? "met" : "MISSED" }')"
}
most_goal() { # name most got
    result "$1" "<= $2" "$3" "$(awk -v g="$2" -v r="$3" 'BEGIN { print r <= g ? "met" : "MISSED" }')"
}

show_settings() {
    local s
    for s; do
        note "$s: $(server_version "$s"); $(sql "$s" "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('sync_binlog',
            'innodb_flush_log_at_trx_commit','log_bin','unique_checks','innodb_buffer_pool_size','binlog_row_image',
            'log_slave_updates','log_replica_updates')" | tr '\t\n' '= ')"
    done
}
rss_mib() { awk '/^VmRSS/ { printf "%d\n", $2 / 1024 }' "/proc/$1/status"; }
peak_mib() { awk '/^VmHWM/ { printf "%d\n", $2 / 1024 }' "/proc/$1/status"; }

# TRANSACTIONS of the sysbench write-only shape (4 row changes each) and WIDE x 100 wide rows, a binlog file each.
make_binlogs() { # server: sets oltp_file and wide_file
    local s=$1 dir port sb
    eval "dir=\$${s}_dir port=\$${s}_port"
    sql "$s" "CREATE DATABASE sbtest"
    sb="sysbench oltp_write_only --db-driver=mysql --mysql-host=127.0.0.1 --mysql-port=$port --mysql-user=sluice
        --mysql-password=sluice --mysql-db=sbtest --tables=8 --table-size=50000 --mysql-ignore-errors=1062,1213,1205,1020"
    $sb --threads=2 prepare >/dev/null || die "sysbench prepare failed"
    sql_file "$s" tests/bench/wide.sql sbtest || die "wide.sql failed"
    sql "$s" "FLUSH BINARY LOGS"
    $sb --threads=4 --events="$TRANSACTIONS" --time=0 run >/dev/null || die "sysbench run failed"
    oltp_file=$(ls "$dir"/bin.0* | tail -1)
    sql "$s" "FLUSH BINARY LOGS; SET SESSION sql_mode = ''; CALL sbtest.fill($WIDE, 100)" || die "fill failed"
    wide_file=$(ls "$dir"/bin.0* | tail -1)
    sql "$s" "FLUSH BINARY LOGS"
    cat "$oltp_file" "$wide_file" >/dev/null # into the page cache
}
