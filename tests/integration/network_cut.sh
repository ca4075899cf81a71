#!/bin/bash
# The network between sluice and the source is cut for a minute (a veth pair goes down: no FIN, no RST).
# The task notices by missed heartbeats, lag grows meanwhile, and it goes on by itself when the link is back.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
CUT_SECONDS=${CUT_SECONDS:-60}

ns=sluice$$
ip netns add $ns && ip link add v$$ type veth peer name p$$ netns $ns || die "no network namespace"
at_exit "ip netns del $ns; ip link del v$$ 2>/dev/null"
ip addr add 10.213.77.1/30 dev v$$ && ip link set v$$ up
ip -n $ns addr add 10.213.77.2/30 dev p$$ && ip -n $ns link set p$$ up && ip -n $ns link set lo up || die "no veth pair"

src_prefix="ip netns exec $ns"
start_mariadb src --bind-address=0.0.0.0
start_mariadb dst
sql src "CREATE DATABASE n; CREATE TABLE n.t (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME(6))"
insert() { sql src "INSERT INTO n.t (at) VALUES (NOW(6))"; }
insert
start_sluice
cat >"$T/sources/create" <<END || die "$(cat "$T/sources/last_error")"
source_name: s1
host: 10.213.77.2
port: $src_port
user: sluice
password: sluice
enable_gtid: true
END
make_task cut s1 dst n </dev/null && echo >"$T/tasks/cut/start" || die "$(cat "$T/tasks/cut/last_error")"
caught_up cut src

ip link set v$$ down
end=$(($(date +%s) + CUT_SECONDS))
while [ "$(date +%s)" -lt $end ]; do insert; sleep 1; done
lag=$(cut -d. -f1 "$T/tasks/cut/lag_seconds")
note "lag after $CUT_SECONDS s without network: $lag s, state $(state cut)"
[ "$lag" -gt $((CUT_SECONDS / 3)) ] || die "lag_seconds says $lag"
ip link set v$$ up
caught_up cut src 120
same_rows src dst n || die "the ends differ"
[ "$(state cut)" = running ] || die "the task is $(state cut)"
