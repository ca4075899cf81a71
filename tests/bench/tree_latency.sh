#!/bin/bash
# One reading of a state: open + read + close through the mount, next to /proc, tmpfs and HTTP.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh
latency=$SLUICE_BUILD/tree_latency
N=${N:-20000}
start_sluice
mkdir "$T/tasks/orders" || die mkdir
echo running >/dev/shm/sluice-latency; at_exit 'rm -f /dev/shm/sluice-latency'
of() { echo "${1%% *}"; }

# Alternated, so that what else the machine does hits all alike.
state="" status="" proc="" tmpfs="" http=""
for i in 1 2 3; do
    state="$state $(of "$($latency file "$T/tasks/orders/state" "$N")")"
    status="$status $(of "$($latency file "$T/tasks/orders/status" "$N")")"
    proc="$proc $(of "$($latency file /proc/self/status "$N")")"
    tmpfs="$tmpfs $(of "$($latency file /dev/shm/sluice-latency "$N")")"
    http="$http $(of "$($latency http "$sluice_port" /v1/tasks/orders/state "$N")")"
done
# shellcheck disable=SC2086
{
note "medians of 3 x $N, µs: state $(median $state), status $(median $status), /proc/self/status $(median $proc)," \
    "tmpfs $(median $tmpfs), HTTP on one connection $(median $http)"
note "99 of 100 are below, µs: state $($latency file "$T/tasks/orders/state" "$N" | cut -d' ' -f2), HTTP $($latency http "$sluice_port" /v1/tasks/orders/state "$N" | cut -d' ' -f2)"
most_goal "cat of an attribute (open+read+close), µs" 100 "$(median $state)"
}
