#!/bin/bash
# Several tasks of one source read its relay: one dump connection; they go on after the source has purged;
# from the relay, from the server and over a kill -9 the target's rows are the same.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

start_mariadb mdb
start_mysql my
start_mariadb dst
start_sluice

dumps() { sql "$1" "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"; }
has_dumps() { [ "$(dumps "$1")" = "$2" ]; }
from_relay() { [ "$(cat "$T/tasks/$1"/sources/*/sync/from_relay)" = "$2" ]; }
write() { "$SLUICE_BUILD/writer" "$(port_of "$1")" "$2" "$3" "${4:-100}" >/dev/null || die "writer"; }
all_caught_up() { local t; for t in $tasks; do caught_up "$t" "$1"; done; }
all_from() { local t; for t in $tasks; do wait_for 20 from_relay "$t" "$1" || die "$t: from_relay is not $1"; done; }
all_same() { local t; for t in $tasks; do same_rows "$1" dst "$t" || { task_trouble "$t"; die "$t: the ends differ"; }; done; }

go() { # source-server gtid
    local s=$1 t; tasks="${s}a ${s}b ${s}c"
    enable_gtid=$2 make_source "$s" "$s" || die "$(cat "$T/sources/last_error")"
    for t in $tasks; do write "$s" "$t" 7; done
    echo >"$T/sources/$s/relay/start" || die "$(cat "$T/sources/$s/relay/last_error")"
    for t in $tasks; do
        make_task "$t" "$s" dst "$t" </dev/null && echo >"$T/tasks/$t/start" || die "$(cat "$T/tasks/$t/last_error")"
    done
    for t in $tasks; do wait_state "$t" running; done
    all_caught_up "$s"; all_from true
    wait_for 20 has_dumps "$s" 1 || die "$(dumps "$s") dump connections for three tasks and a relay"

    echo >"$T/tasks/${s}c/pause"
    wait_state "${s}c" paused
    for t in $tasks; do write "$s" "$t" 8; done
    sql "$s" "FLUSH BINARY LOGS"
    relay_caught_up "$s" "$s"
    sql "$s" "PURGE BINARY LOGS TO '$(source_end "$s" | cut -d' ' -f1)'"
    echo >"$T/tasks/${s}c/resume" || die "$(cat "$T/tasks/${s}c/last_error")"
    all_caught_up "$s"; all_from true; all_same "$s"
    [ "$(dumps "$s")" = 1 ] || die "$(dumps "$s") dump connections after the purge"
    for t in $tasks; do
        [ "$(cut -d. -f1 <"$T/tasks/$t/lag_seconds")" = 0 ] || die "idle, and $t lags $(cat "$T/tasks/$t/lag_seconds") s"
    done

    echo >"$T/sources/$s/relay/stop" || die "$(cat "$T/sources/$s/relay/last_error")"
    all_from false
    for t in $tasks; do write "$s" "$t" 9; done
    all_caught_up "$s"; all_same "$s"
    echo >"$T/sources/$s/relay/start" || die "$(cat "$T/sources/$s/relay/last_error")"
    all_from true
    wait_for 20 has_dumps "$s" 1 || die "$(dumps "$s") dump connections after the relay came back"

    write "$s" "${s}a" 10 400 & writer=$!
    sleep 0.5
    kill_sluice; restart_sluice
    wait $writer
    for t in $tasks; do wait_state "$t" running 60; done
    all_caught_up "$s"; all_same "$s"
    grep -q "tasks/${s}a" "$T/sources/$s/relay/holds" || wait_for 10 grep -q "tasks/${s}a" "$T/sources/$s/relay/holds" || die "no hold: $(cat "$T/sources/$s/relay/holds")"
    for t in $tasks; do echo >"$T/tasks/$t/stop"; rmdir "$T/tasks/$t" || die "$(cat "$T/tasks/last_error")"; done
    holds_gone() { ! grep -q tasks "$T/sources/$s/relay/holds"; }
    wait_for 20 holds_gone || die "holds of tasks that are gone: $(cat "$T/sources/$s/relay/holds")"
}
[ "${1:-}" = my ] || go mdb true
go my false
