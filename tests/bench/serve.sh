#!/bin/bash
# A binlog server against the server itself: one raw reader of small and of wide events, MB/s and CPU per GB; 100 replicas at the tip.
#
# TXNS (60,000) sysbench write-only transactions and WIDE (150) transactions of 1,000 wide rows, each in a file of its own.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/serve.sh; . tests/bench/lib.sh
TXNS=${TXNS:-60000}
WIDE=${WIDE:-150}
RUNS=${RUNS:-5}
TIMES=${TIMES:-4} # reads a run, so that one takes long enough

# shellcheck disable=SC2046
start_mariadb src $(mariadb_bench_options relaxed)
show_settings src
load() { sysbench oltp_write_only --db-driver=mysql --mysql-host=127.0.0.1 --mysql-port="$src_port" --mysql-user=sluice \
    --mysql-password=sluice --mysql-db=sbtest --tables=8 --table-size=20000 "$@" >"$WORK/sysbench" 2>&1 || { tail -5 "$WORK/sysbench"; die "sysbench"; }; }
sql src "CREATE DATABASE sbtest; CREATE DATABASE w"
load --threads=2 prepare
sql src "FLUSH BINARY LOGS"
load --threads=4 --mysql-ignore-errors=1062,1213,1205,1020 --events="$TXNS" --time=0 run
sql src "FLUSH BINARY LOGS; USE w; CREATE TABLE wide (id BIGINT AUTO_INCREMENT PRIMARY KEY, a BIGINT, b DECIMAL(18,4), c DATETIME(6),
    v1 VARCHAR(255), v2 VARCHAR(255), v3 VARCHAR(255), bl BLOB, tx TEXT)"
echo "USE w;" >"$WORK/wide.sql"
for _ in $(seq "$WIDE"); do
    echo "INSERT INTO wide (a, b, c, v1, v2, v3, bl, tx) SELECT seq, seq / 7, NOW(6), SHA2(seq, 512), SHA2(seq + 1, 512), SHA2(seq + 2, 512), REPEAT(MD5(seq), 6), REPEAT(SHA1(seq), 5) FROM seq_1_to_1000;"
done >>"$WORK/wide.sql"
sql_file src "$WORK/wide.sql" || die "no wide rows"
small=$(sql src "SHOW BINARY LOGS" | sed -n 2p | cut -f1); wide=$(sql src "SHOW BINARY LOGS" | sed -n 3p | cut -f1)
start_sluice
make_source s1 src && make_server b1 s1 || die "no server"
relay_caught_up s1 src 300

cpu_of() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$1/stat"; }
read_of() { # ours|peer file: MB/s, and CPU seconds a GB of the server
    local port=$serve_port user=$serve_user password=$serve_password pid=$sluiced_pid line
    [ "$1" = ours ] || port=$src_port user=sluice password=sluice pid=$src_pid
    line=$("$SLUICE_BUILD/serve_read" raw "$port" $user $password "$2" "$TIMES" "$pid") || die "$1: $line"
    echo "$line" | awk '{ print $7, $9, $1 }'
}
compare() { # name file goal: from the file to the end
    local i o p ours_speed="" peer_speed="" ours_cpu="" peer_cpu=""
    for i in $(seq "$RUNS"); do
        o=$(read_of ours "$2"); p=$(read_of peer "$2")
        note "run $i: ours $o, peer $p (MB/s, CPU s/GB, bytes)"
        ours_speed="$ours_speed $(echo "$o" | cut -d' ' -f1)"; peer_speed="$peer_speed $(echo "$p" | cut -d' ' -f1)"
        ours_cpu="$ours_cpu $(echo "$o" | cut -d' ' -f2)"; peer_cpu="$peer_cpu $(echo "$p" | cut -d' ' -f2)"
    done
    # shellcheck disable=SC2086
    ratio_goal "serve $1 to one raw reader, MB/s against MariaDB" "$3" "$(median $ours_speed)" "$(median $peer_speed)"
    # shellcheck disable=SC2086
    ratio_goal "serve $1, CPU a GB against MariaDB" 1.0 "$(median $peer_cpu)" "$(median $ours_cpu)"
}
idle() { # what was stored has been merged
    local before; before=$(cpu_of "$sluiced_pid"); sleep 2
    awk -v a="$before" -v b="$(cpu_of "$sluiced_pid")" 'BEGIN { exit b - a > 0.04 }'
}
wait_for 120 idle || die "sluiced does not come to rest"
compare "wide events" "$wide" 1.0
sql src "FLUSH BINARY LOGS"
relay_caught_up s1 src
compare "small events" "$small" 0.8

end=$(source_end src)
rss=$(rss_mib "$sluiced_pid")
"$SLUICE_BUILD/serve_read" tip "$serve_port" $serve_user $serve_password "${end% *}" "${end#* }" 100 "$src_port" 10 >"$WORK/tip" || die "tip"
note "100 readers at the tip of ours: $(cat "$WORK/tip")"
note "resident memory with them: $(rss_mib "$sluiced_pid") MiB, before $rss"
end=$(source_end src)
note "of MariaDB: $("$SLUICE_BUILD/serve_read" tip "$src_port" sluice sluice "${end% *}" "${end#* }" 50 "$src_port" 10) (50 readers: max_connections)"
most_goal "100 replicas at the tip, p99 from statement to delivery, ms" 20 "$(awk '{ print $6 }' "$WORK/tip")"
