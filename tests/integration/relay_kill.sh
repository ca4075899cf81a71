#!/bin/bash
# kill -9 of sluiced and of the source at random moments under load: what the relay has is the source's
# binlog byte for byte, no record twice or missing, and a task that reads it has the source's rows.
#
#     RELAY_KILLS=50 tests/integration/relay_kill.sh      (5 a flavour by default)
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

start_mariadb mdb --binlog-checksum=CRC32 --max-binlog-size=1M
start_mysql my --max-binlog-size=1M --binlog-transaction-compression=ON
start_mariadb dst
start_sluice

go() { # source-server gtid
    local s=$1 i writer victim
    "$SLUICE_BUILD/writer" "$(port_of "$s")" "w$s" 7 100 >/dev/null || die "writer"
    enable_gtid=$2 make_source "$s" "$s" || die "$(cat "$T/sources/last_error")"
    echo >"$T/sources/$s/relay/start" || die "$(cat "$T/sources/$s/relay/last_error")"
    make_task "t$s" "$s" dst "w$s" </dev/null && echo >"$T/tasks/t$s/start" || die "$(cat "$T/tasks/t$s/last_error")"
    wait_state "t$s" running
    for i in $(seq "${RELAY_KILLS:-5}"); do
        "$SLUICE_BUILD/writer" "$(port_of "$s")" "w$s" $((i + 7)) 0 1500 >/dev/null 2>&1 &
        writer=$!
        sleep "0.$((RANDOM % 9 + 1))"
        victim=sluice
        [ $((i % 3)) = 0 ] && victim=$s
        if [ "$victim" = sluice ]; then
            kill_sluice; sleep "0.$((RANDOM % 5))"; restart_sluice
        else
            kill_server "$s"; restart_server "$s"
        fi
        sleep "0.$((RANDOM % 5))"
        kill $writer 2>/dev/null; wait $writer 2>/dev/null
    done
    sql "$s" "FLUSH BINARY LOGS"
    relay_caught_up "$s" "$s" 120
    wait_state "t$s" running 60
    caught_up "t$s" "$s"
    [ "$(cat "$T/tasks/t$s/sources/$s/sync/from_relay")" = true ] || die "the task does not read the relay"
    same_rows "$s" dst "w$s" || { task_trouble "t$s"; die "the ends differ"; }
    same_binlogs "$s" "$s" || die "the journal is not the binlog"
    echo >"$T/tasks/t$s/stop"
    note "$s: ${RELAY_KILLS:-5} kills, $(cat "$T/sources/$s/relay/last_seq") records"
}
go mdb true
go my false
