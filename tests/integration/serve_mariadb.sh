#!/bin/bash
# Real replicas, by GTID over TLS and by file and offset without, follow a binlog server while it, the source and they are killed and restarted at random: rows equal.
#
# ROUNDS (4) restarts per run; SEED repeats a run; FLAVOR is that of the source: mariadb, mariadb11 or mysql;
# REPLICAS that of the replicas, if another.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh
FLAVOR=${FLAVOR:-mariadb}
REPLICAS=${REPLICAS:-$FLAVOR}
ROUNDS=${ROUNDS:-4}
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
note "seed $SEED, $ROUNDS restarts"

start_"$FLAVOR" src
start_"$REPLICAS" by_gtid --skip-slave-start
start_"$REPLICAS" by_file --skip-slave-start
note "$(server_version src), replicas $(server_version by_gtid)"
"$SLUICE_BUILD/writer" "$src_port" wr "$SEED" 50 || die "writer"
start_sluice
make_source s1 src && make_server b1 s1 || die "no server: $(cat "$T/sources/last_error")"
relay_caught_up s1 src
echo >"$T/servers/b1/stop" || die "$(cat "$T/servers/b1/last_error")"
echo "127.0.0.1:$serve_port" >"$T/servers/b1/addr" && start_server b1 || die "a fixed port" # that replicas find again
attach by_gtid b1 gtid tls || die "attach"
attach by_file b1 bin.000001:4 || die "attach"
replica_has by_gtid src
sleep 4; sql src "CREATE DATABASE quiet"; replica_has by_gtid src # what comes after a quiet time is not late by it
lag=$(cat "$T"/servers/b1/replicas/*/lag_seconds | sort -g | tail -1)
[ "${lag%.*}" -lt 3 ] || die "it has all, and lags by $lag s"
"$SLUICE_BUILD/writer" "$src_port" wr "$SEED" 0 1000 ddl >"$WORK/writer.out" &
writer=$!
at_exit 'kill $writer 2>/dev/null'

listens() { [ "$(cat "$T/servers/b1/port")" = "$serve_port" ]; } # a loaded machine may take longer than who asks waits
# Nothing may come twice.  MariaDB itself does one thing twice: a statement that commits by itself (DDL) is done
# before the replica notes its GTID, so that killed in between it asks for that one again, and fails at it.  It is
# skipped if it is just that: after a kill of the replica, the first behind the place that it asked from.  Each
# error that a replica ever logged has to be one of these.
skipped=0
sql_errors() { grep -hE '\[ERROR\].*(Slave SQL: Error|Replica SQL for channel)' "$by_gtid_dir/log" "$by_file_dir/log" | grep -v MY-001756; } # which MySQL says when it is stopped
has_moved() { [ "$(executed_of "$1" slave)" != "$2" ] || ! replica_field "$1" Last_SQL_Errno | grep -qx 0; }
restart_replica() { # killed if it may be: what a replica by file knows of its own place is not crash-safe
    local from end=stop
    [ "$1" = by_gtid ] && [ $((RANDOM % 2)) = 0 ] && end=kill
    ${end}_server "$1"
    restart_server "$1" # and begins nothing yet
    from=$(executed_of "$1" slave)
    sql "$1" "START REPLICA"
    [ $end = kill ] && [ "$(kind_of "$1")" = mariadb ] || return 0
    wait_for 90 has_moved "$1" "$from" || die "$1 does not go on from $from"
    [ "$(executed_of "$1" slave)" != "$from" ] || skip_own "$1" "$from"
}
skip_own() { # replica, GTID that it asked from: it stands at the next
    local at
    at=$(sed -n 's/.*Slave SQL: Error .* Gtid \([0-9-]*\),.*/\1/p' "$by_gtid_dir/log" | tail -1)
    note "$1 asked from $2 and did $at before: $(replica_field "$1" Last_SQL_Error)"
    replica_field "$1" Last_SQL_Errno | grep -qE '^(1050|1051|1060|1061|1091)$' && [ "${at##*-}" = $((${2##*-} + 1)) ] ||
        { replica_trouble "$1"; die "$1 was given $at twice, seed $SEED"; }
    skipped=$((skipped + 1))
    sql "$1" "STOP SLAVE; SET GLOBAL sql_slave_skip_counter=1; START SLAVE"
}
no_lag() { [ "$(cat "$1/lag_bytes") $(cat "$1/lag_seconds")" = "0 0.0" ]; }
check_ends() {
    kill -STOP $writer
    for r in by_gtid by_file; do
        replica_has $r src 120
        same_rows src $r wr || { replica_trouble $r; die "$r differs, seed $SEED"; }
    done
    [ "$(sql_errors | wc -l)" = $skipped ] || { sql_errors; die "errors at the replicas, $skipped of them their own, seed $SEED"; }
    kill -CONT $writer
}

for round in $(seq "$ROUNDS"); do
    sleep "0.$((RANDOM % 90 + 10))"
    case $(((RANDOM + round) % 5)) in
    0 | 1) what="kill -9 of sluice"; kill_sluice; restart_sluice ;;
    2) what="kill -9 of the source"; kill_server src; restart_server src ;;
    3) what="restart of a replica"; restart_replica by_gtid; restart_replica by_file ;;
    4) what="restart of the server"; echo >"$T/servers/b1/stop"; start_server b1 || wait_for 60 listens || die "start" ;;
    esac
    note "round $round: $what"
    [ $((RANDOM % 3)) = 0 ] && sql src "FLUSH BINARY LOGS"
    [ $((round % 5)) = 0 ] && check_ends
done
check_ends
kill $writer; wait $writer 2>/dev/null
note "$(cat "$WORK/writer.out")"
for id in $by_gtid_id $by_file_id; do
    R=$T/servers/b1/replicas/$id
    wait_for 10 grep -qx true "$R/connected" || die "$id is not connected"
    wait_for 10 grep -qx waiting "$R/state" || die "$id is $(cat "$R/state")"
    wait_for 10 no_lag "$R" || die "$id lags: $(cat "$R/status")"
done
[ -n "$(cat "$T/servers/b1/replicas/$by_gtid_id/tls_cipher")" ] || die "no TLS"
[ "$(cat "$T/servers/b1/replicas/$by_gtid_id/mode")/$(cat "$T/servers/b1/replicas/$by_file_id/mode")" = gtid/file ] || die "modes"
grep -q '"event": *"connect"' "$T/events" || die "no event of a connect"

# kicked, it comes back; while it is there, it holds the journal
echo >"$T/servers/b1/replicas/$by_gtid_id/kick" || die "kick"
wait_for 10 grep -q '"event": *"disconnect"' "$T/events" || die "no event of the kick"
wait_for 20 grep -qx true "$T/servers/b1/replicas/$by_gtid_id/connected" || die "it does not come back"
grep -q "servers/b1/replicas/$by_gtid_id" "$T/sources/s1/relay/holds" || die "no hold: $(cat "$T/sources/s1/relay/holds")"
"$SLUICE_BUILD/writer" "$src_port" wr 5 50 || die "writer"
replica_has by_gtid src; same_rows src by_gtid wr || die "differs after the kick"
