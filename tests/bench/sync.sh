#!/bin/bash
# A backlog of TXNS (150,000) sysbench write-only transactions, against the target's own replica in its best settings.
#
# The target's binlog and the replica's log_slave_updates are on, unique_checks on, both durable or both relaxed.
# CASES="mariadb:relaxed mariadb:durable mysql:relaxed"; each run starts from a copy of the same data folder.
set -u
. tests/lib/servers.sh; . tests/bench/lib.sh; . tests/bench/lib_backlog.sh
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
RUNS=${RUNS:-3}

ours() { timeout 600 "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=sbtest start="$from" until="$to"; }
compare() { # durable|relaxed goal
    local i a b ours_times="" peer_times=""
    for i in $(seq "$RUNS"); do
        fresh_target "$1"
        [ "$i" = 1 ] && show_settings src dst
        a=$(seconds ours) || die "$flavor: ours"
        equal ours
        # shellcheck disable=SC2046
        fresh_target "$1" $(replica_options "$1")
        b=$(seconds replica) || die "$flavor: replica"
        equal replica
        note "run $i: ours $a s, replica $b s"
        ours_times="$ours_times $a" peer_times="$peer_times $b"
    done
    # shellcheck disable=SC2086
    ratio_goal "sync of $TXNS transactions, $flavor $1, against its replica" "$2" "$(median $peer_times)" "$(median $ours_times)"
}

flavor=""
for case in ${CASES:-mariadb:relaxed mariadb:durable mysql:relaxed}; do
    if [ "$flavor" != "${case%:*}" ]; then
        [ -z "$flavor" ] || { kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir" "$template"; SERVERS=""; unset dst_pid dst_port dst_dir; }
        flavor=${case%:*}
        make_backlog
        at_exit "rm -rf $template"
    fi
    case $case in
    mariadb:relaxed) compare relaxed 1.2 ;;
    mariadb:durable) compare durable 2.5 ;;
    mysql:*) compare "${case#*:}" 3 ;;
    esac
done
