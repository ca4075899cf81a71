#!/bin/bash
# The network to one end is cut for a minute (a veth pair goes down: no FIN, no RST), first to the source and, at the
# same time, to the target of a second task.  It is noticed, lag grows meanwhile, and all goes on by itself when the
# link is back; rows equal at both ends.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
CUT_SECONDS=${CUT_SECONDS:-60}

ns=sluice$$
ip netns add $ns && ip link add v$$ type veth peer name p$$ netns $ns || die "no network namespace"
at_exit "ip netns del $ns; ip link del v$$ 2>/dev/null"
ip addr add 10.213.77.1/30 dev v$$ && ip link set v$$ up
ip -n $ns addr add 10.213.77.2/30 dev p$$ && ip -n $ns link set p$$ up && ip -n $ns link set lo up || die "no veth pair"

far_prefix="ip netns exec $ns"
start_mariadb far --bind-address=0.0.0.0
start_mariadb near
start_mariadb other
for s in far other; do sql $s "CREATE DATABASE from_$s; CREATE TABLE from_$s.t (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME(6), v TEXT)"; done
insert() { for s in far other; do sql $s "INSERT INTO from_$s.t (at, v) VALUES (NOW(6), REPEAT('x', 2000)), (NOW(6), 'y')"; done; }
insert
start_sluice
host() { if [ "$1" = far ]; then echo 10.213.77.2; else echo 127.0.0.1; fi; }
for s in far other; do
    make_source $s $s && host $s >"$T/sources/$s/host" || die "$(cat "$T/sources/last_error")"
done
follow() { # source target: a task of the source's name
    task_document "$1" "$1" "$2" "from_$1" </dev/null | sed "/^target_config/s/127.0.0.1/$(host "$2")/" >"$T/tasks/create" &&
        echo >"$T/tasks/$1/start" || die "$(cat "$T/tasks/$1/last_error" "$T/tasks/$1/check_report")"
    caught_up "$1" "$1"
}
follow far near; follow other far

ip link set v$$ down
end=$(($(date +%s) + CUT_SECONDS))
while [ "$(date +%s)" -lt $end ]; do insert; sleep 1; done
for s in far other; do
    lag=$(cut -d. -f1 "$T/tasks/$s/lag_seconds")
    note "$s: lag after $CUT_SECONDS s without network: $lag s, state $(state $s), $(cat "$T/tasks/$s/sources/$s/sync/error")"
    [ "$lag" -gt $((CUT_SECONDS / 3)) ] || die "$s: lag_seconds says $lag"
done
wait_for 60 grep -q target: "$T/tasks/other/sources/other/sync/error" || die "nobody says that the target is away"
ip link set v$$ up
goes_on() { # it may be in error once more before it finds that the link is back
    wait_for 120 at_gtid "$1" "$(sql "$1" 'SELECT @@gtid_binlog_pos')" || { task_trouble "$1"; die "$1 did not go on"; }
    wait_for 30 state_is "$1" running || die "task $1 is $(state "$1")"
}
goes_on other
echo >"$T/tasks/other/pause" || die "$(cat "$T/tasks/other/last_error")" # or it writes on in far's binlog
goes_on far
same_rows far near from_far || die "the ends differ"
same_rows other far from_other || die "the ends differ (the target was away)"
