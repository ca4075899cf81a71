# lib_backlog.sh - a backlog of TXNS (150,000) sysbench write-only transactions, and the target's own replica as the peer.
# Source me after tests/bench/lib.sh; 'flavor' is set by who calls.
#
#     make_backlog            # src with its data and TXNS transactions behind it: from, to, template
#     fresh_target relaxed    # dst, as src was at 'from'
#     seconds replica         # dst follows to 'to'
TXNS=${TXNS:-150000}

gtids() { sql "$1" "SELECT $([ "$flavor" = mysql ] && echo @@gtid_executed || echo @@gtid_binlog_pos)" | tr -d '\n'; }
options() { "${flavor}_bench_options" "$1"; [ "$flavor" = mysql ] || echo --log-slave-updates=1; }
load() { sysbench oltp_write_only --db-driver=mysql --mysql-host=127.0.0.1 --mysql-port="$src_port" --mysql-user=sluice \
    --mysql-password=sluice --mysql-db=sbtest --tables=8 --table-size=50000 --mysql-ignore-errors=1062,1213,1205,1020 "$@" >"$WORK/sysbench" 2>&1 ||
    { tail -5 "$WORK/sysbench"; die "sysbench"; }; }

make_backlog() { # a source with its data, the same data as a template, and TXNS transactions more
    # shellcheck disable=SC2046
    "start_$flavor" src $(options relaxed)
    sql src "CREATE DATABASE sbtest"
    load --threads=2 prepare
    from=$(gtids src)
    stop_server src
    template=$src_dir.template
    cp -a --sparse=always "$src_dir" "$template"
    rm -f "$template"/bin.* "$template"/pid "$template"/s.sock* "$template"/auto.cnf
    restart_server src
    load --threads=8 --events="$TXNS" --time=0 run
    to=$(gtids src)
}
fresh_target() { # durable|relaxed [option...]
    local wanted=$1; shift
    [ -z "${dst_pid:-}" ] || kill_server dst
    rm -rf "${dst_dir:-$WORK/none}"
    dst_dir=$(dirname "$src_dir")/$(basename "$src_dir")-dst
    cp -a --sparse=always "$template" "$dst_dir"
    dst_kind=$flavor dst_port=${dst_port:-$(free_port)} dst_id=$((src_id + 1000)) dst_options="$(options "$wanted" | tr '\n' ' ') $*"
    [[ " $SERVERS " == *" dst "* ]] || SERVERS="$SERVERS dst"
    restart_server dst
    sync
}
checksums() { sql "$1" "CHECKSUM TABLE $(seq -f 'sbtest.sbtest%g' -s, 8)"; }
equal() { [ "$(checksums src)" = "$(checksums dst)" ] || die "$flavor: $1: the ends differ"; }

replica() {
    if [ "$flavor" = mysql ]; then
        sql dst "RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged='$from'; CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1',
            SOURCE_PORT=$src_port, SOURCE_USER='sluice', SOURCE_PASSWORD='sluice', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1;
            START REPLICA; SELECT WAIT_FOR_EXECUTED_GTID_SET('$to', 600)"
    else
        sql dst "SET GLOBAL gtid_slave_pos='$from'; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$src_port,
            MASTER_USER='sluice', MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos;
            START SLAVE UNTIL master_gtid_pos='$to'; SELECT MASTER_GTID_WAIT('$to', 600)"
    fi
}
replica_options() { # the peer's best of baselines: relaxed alone, durable in parallel
    case $flavor:$1 in
    mariadb:relaxed) echo --slave-parallel-threads=0 ;;
    mariadb:durable) echo --slave-parallel-threads=8 --slave-parallel-mode=optimistic ;;
    mysql:*) echo --replica-parallel-workers=4 --replica-preserve-commit-order=ON --skip-replica-start ;;
    esac
}
