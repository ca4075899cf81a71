#!/bin/bash
# Another server behind a source: followed by GTID when it has all that we have, errant transactions and
# gaps named, without GTIDs never read before the operator says where; RESET MASTER is noticed.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

replicate() { # replica source [by_file]
    local p; p=$(port_of "$2")
    if eval "[ \$${1}_kind = mariadb ]"; then
        sql "$1" "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$p, MASTER_USER='sluice', MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos; START SLAVE"
    else
        sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$p, SOURCE_USER='sluice', SOURCE_PASSWORD='sluice', GET_SOURCE_PUBLIC_KEY=1, ${3:-SOURCE_AUTO_POSITION=1}; START REPLICA"
    fi
}
halt() { eval "[ \$${1}_kind = mariadb ]" && sql "$1" "STOP SLAVE; RESET SLAVE ALL" || sql "$1" "STOP REPLICA; RESET REPLICA ALL"; }
rows() { sql "$1" "SELECT COUNT(*) FROM d.t"; }
as_many() { [ "$(rows "$1")" = "$2" ]; }
put() { sql "$1" "INSERT INTO d.t (v) VALUES ('$2')"; }
relay_state() { [ "$(cat "$T/sources/$1/relay/state")" = "$2" ]; }
relay_error() { # source pattern
    wait_for 30 relay_state "$1" error || { relay_trouble "$1"; die "$1: not in error"; }
    grep -qE "$2" "$T/sources/$1/relay/error" || die "$1: $(cat "$T/sources/$1/relay/error")"
    note "$(cut -c1-300 "$T/sources/$1/relay/error")"
}
accept() { echo "from=$2" >"$T/sources/$1/relay/accept" || die "$(cat "$T/sources/$1/relay/last_error")"; wait_for 20 relay_state "$1" running || die "$1: $(cat "$T/sources/$1/relay/error")"; }
purged() { # not while a dump that we have left is noticed to be so
    sql "$1" "PURGE BINARY LOGS TO '$(source_end "$1" | cut -d' ' -f1)'"
    [ "$(sql "$1" "SHOW BINARY LOGS" | wc -l)" = 1 ]
}
typed() { grep -oE 'from=[^ ]+' "$T/sources/$1/relay/error" | tail -1 | cut -d= -f2; }
incarnation() { cat "$T/sources/$1/relay/incarnation"; }

with_gtids() { # flavour
    local a=${1}a b=${1}b s=$1 i
    start_$1 $a; start_$1 $b --log-slave-updates
    replicate $b $a
    sql $a "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))"
    make_source $s $a; echo >"$T/sources/$s/relay/start" || die "$(cat "$T/sources/$s/relay/last_error")"
    make_task "t$s" $s dst d </dev/null && echo >"$T/tasks/t$s/start" || die "$(cat "$T/tasks/t$s/last_error")"
    wait_state "t$s" running
    for i in $(seq 50); do put $a "first $i"; done
    wait_for 30 as_many $b 50 || die "the replica has $(rows $b) rows"
    relay_caught_up $s $a
    kill_server $a; halt $b
    for i in $(seq 50); do put $b "second $i"; done
    echo "$(port_of $b)" >"$T/sources/$s/port" || die "$(cat "$T/sources/$s/last_error")"
    relay_caught_up $s $b
    [ "$(incarnation $s)" = 2 ] || die "incarnation $(incarnation $s)"
    caught_up "t$s" $b
    same_rows $b dst d || { task_trouble "t$s"; die "the ends differ after the failover"; }
    kill_sluice; restart_sluice
    put $b third; relay_caught_up $s $b; caught_up "t$s" $b
    same_rows $b dst d || die "the ends differ after a restart"

    note "$1: errant transactions"
    restart_server $a; replicate $a $b; wait_for 60 as_many $a 101 || die "the old one has $(rows $a) rows"
    halt $a
    put $b errant; relay_caught_up $s $b
    echo "$(port_of $a)" >"$T/sources/$s/port"
    put $a "on the other branch"
    relay_error $s "errant transactions: .*[0-9].* does not have it"
    kill_sluice; restart_sluice
    relay_error $s "errant transactions"
    echo "$(port_of $b)" >"$T/sources/$s/port" # back to the right one, without anybody's leave
    wait_for 30 relay_state $s running || die "$(cat "$T/sources/$s/relay/error")"
    put $b fourth; relay_caught_up $s $b

    note "$1: a gap"
    echo >"$T/sources/$s/relay/stop"; echo >"$T/tasks/t$s/stop"
    put $b unseen; sql $b "FLUSH BINARY LOGS"; put $b seen
    wait_for 30 purged $b || die "the source does not purge"
    echo >"$T/sources/$s/relay/start"
    relay_error $s "gap: .* not stored here: .*[0-9]; "
    accept $s "$(typed $s)"; relay_caught_up $s $b

    note "$1: RESET MASTER"
    echo >"$T/sources/$s/relay/pause"
    eval "[ \$${b}_kind = mariadb ]" && sql $b "RESET MASTER" || sql $b "RESET BINARY LOGS AND GTIDS"
    for i in $(seq 5); do put $b "anew $i"; done
    echo >"$T/sources/$s/relay/resume"
    relay_error $s "no longer the one stored here|has other events than we stored"
    accept $s "$(typed $s)"; relay_caught_up $s $b
}

without_gtids() {
    local off="--gtid-mode=OFF --enforce-gtid-consistency=OFF" place
    start_mysql a $off; start_mysql b $off --log-slave-updates
    replicate b a "SOURCE_AUTO_POSITION=0, SOURCE_LOG_FILE='bin.000001', SOURCE_LOG_POS=4"
    sql a "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))"
    enable_gtid=false make_source s a; echo >"$T/sources/s/relay/start" || die "$(cat "$T/sources/s/relay/last_error")"
    make_task "tf" s dst d </dev/null && echo >"$T/tasks/tf/start" || die "$(cat "$T/tasks/tf/last_error")"
    wait_state tf running
    for i in $(seq 30); do put a "first $i"; done
    wait_for 30 as_many b 30 || die "the replica has $(rows b) rows"
    relay_caught_up s a
    place=$(source_end b | tr ' ' ':')
    kill_server a; halt b
    for i in $(seq 5); do put b "second $i"; done
    echo "$(port_of b)" >"$T/sources/s/port"
    relay_error s "another server: .*end there at $place"
    curl -s "$URL/api/v1/sources/s/status" | grep -q 'code=30034:.*another server' || die "DM's API: $(curl -s "$URL/api/v1/sources/s/status")"
    [ "$(typed s)" = "$place" ] || die "told to type $(typed s), our transactions end at $place"
    accept s "$(typed s)"; relay_caught_up s b
    [ "$(incarnation s)" = 2 ] || die "incarnation $(incarnation s)"
    wait_for 60 as_many dst 35 || { task_trouble tf; die "the task has $(rows dst) rows of 35"; }
    kill_sluice; restart_sluice; put b third; relay_caught_up s b
    wait_for 60 as_many dst 36 || { task_trouble tf; die "the task has $(rows dst) rows of 36 after a restart"; }
    same_rows b dst d || die "the ends differ"
}

start_mariadb dst
start_sluice
[ -n "${ONLY_WITHOUT:-}" ] || with_gtids mariadb
sql dst "DROP DATABASE IF EXISTS d"
[ -n "${ONLY_WITHOUT:-}" ] || with_gtids mysql
sql dst "DROP DATABASE IF EXISTS d"
without_gtids
