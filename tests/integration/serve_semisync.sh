#!/bin/bash
# Semi-synchronous replicas of a binlog server acknowledge what they have, count as asynchronous when they do not in time, and come back.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

semi_sync_on() { # replica
    if [ "$(kind_of "$1")" = mariadb ]; then
        sql "$1" "SET GLOBAL rpl_semi_sync_slave_enabled=1"
    else
        sql "$1" "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'; SET GLOBAL rpl_semi_sync_replica_enabled=1"
    fi
}
status_on() { sql "$1" "SHOW STATUS LIKE 'Rpl_semi_sync_%_status'" | grep -E "slave|replica" | grep -q ON; }
acked() { echo "$(cat "$1/acked_file") $(cat "$1/acked_offset")"; }
acked_all() { [ "$(acked "$1")" = "$(source_end "$2")" ]; }

start_sluice
for kind in mariadb mysql; do
    start_$kind "src_$kind"; start_$kind "rep_$kind"; start_$kind "plain_$kind"
    semi_sync_on "rep_$kind"
    "$SLUICE_BUILD/writer" "$(port_of "src_$kind")" wr 7 50 || die "writer"
    serve_port=0
    make_source $kind "src_$kind" && make_server $kind $kind $'semi_sync: true\nsemi_sync_timeout: 1000' || die "no server"
    relay_caught_up $kind "src_$kind"
    attach "rep_$kind" $kind gtid tls || die "attach"
    attach "plain_$kind" $kind gtid tls || die "attach"
    eval "id=\$rep_${kind}_id plain=\$plain_${kind}_id pid=\$rep_${kind}_pid"
    R=$T/servers/$kind/replicas/$id
    "$SLUICE_BUILD/writer" "$(port_of "src_$kind")" wr 8 200 || die "writer"
    replica_has "rep_$kind" "src_$kind"; replica_has "plain_$kind" "src_$kind"
    status_on "rep_$kind" || { replica_trouble "rep_$kind"; die "$kind: the replica is not semi-synchronous"; }
    wait_for 10 acked_all "$R" "src_$kind" || { cat "$R/status"; die "$kind: acknowledged $(acked "$R"), the source is at $(source_end "src_$kind")"; }
    [ "$(cat "$R/semi_sync")" = true ] || die "$kind: it acknowledges, and is not semi_sync"
    [ "$(cat "$T/servers/$kind/replicas/$plain/semi_sync")" = false ] || die "$kind: a plain replica is semi_sync"

    kill -STOP "$pid"
    "$SLUICE_BUILD/writer" "$(port_of "src_$kind")" wr 9 20 || die "writer"
    wait_for 10 grep -qx false "$R/semi_sync" || die "$kind: silent, and still semi_sync"
    kill -CONT "$pid"
    wait_for 20 grep -qx true "$R/semi_sync" || { cat "$R/status"; die "$kind: it acknowledges again, and is not semi_sync"; }
    wait_for 10 acked_all "$R" "src_$kind" || die "$kind: acknowledged $(acked "$R")"
    for r in rep_$kind plain_$kind; do
        replica_has $r "src_$kind"; same_rows "src_$kind" $r wr || die "$r differs"
    done
done
