#!/bin/bash
# What a binlog server refuses, it refuses as the real one does: replicas stop with error 1236 and its text; a wrong password is 1045; unknown SQL leaves the connection open.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_mariadb mdb; start_mysql my; start_mariadb mdb_rep; start_mysql my_rep
start_sluice
for s in mdb my; do
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 7 100 || die "writer"
    sql $s "FLUSH BINARY LOGS"
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 8 100 || die "writer"
    sql $s "FLUSH BINARY LOGS"
    make_source $s $s && make_server $s $s || die "no server for $s"
    eval "${s}_serve=\$serve_port"; serve_port=0
    relay_caught_up $s $s
done

refused() { # replica text: its IO thread stops with 1236 and this text
    wait_for 30 replica_stopped "$1" || { replica_trouble "$1"; die "$1: no error 1236"; }
    replica_field "$1" Last_IO_Error | grep -qF "$2" || die "$1: $(replica_field "$1" Last_IO_Error), not: $2"
    note "$1: $2"
}
reset_of() { # replica [GTIDs that it says it has]
    if [ "$(kind_of "$1")" = mariadb ]; then
        sql "$1" "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos='${2:-}'"
    else
        sql "$1" "STOP REPLICA; RESET REPLICA ALL; RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged='${2:-}'"
    fi
}

# --- MariaDB
last=$(sql mdb 'SELECT @@gtid_binlog_pos'); number=${last##*-}
attach mdb_rep mdb nosuch.000009:4
refused mdb_rep "Could not find first log file name in binary log index file"
attach mdb_rep mdb bin.000001:99999999
refused mdb_rep "Client requested master to start replication from impossible position; the first event 'bin.000001' at 99999999, the last event read from 'bin.000001' at 4, the last byte read from 'bin.000001' at 4."
attach mdb_rep mdb bin.000001:300
refused mdb_rep "binlog truncated in the middle of event; consider out of disk space on master; the first event 'bin.000001' at 300"
reset_of mdb_rep "0-${mdb_id}-$((number + 1000))"; attach mdb_rep mdb gtid
refused mdb_rep "Error: connecting slave requested to start from GTID 0-${mdb_id}-$((number + 1000)), which is not in the master's binlog"
reset_of mdb_rep "0-4000000-5"; attach mdb_rep mdb gtid
refused mdb_rep "which is not in the master's binlog. Since the master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave has diverged due to executing extra erroneous transactions"
# a replica that has the server's own identity
[ "$(cat "$T/servers/mdb/server_id")" != "$mdb_id" ] || die "the server has the source's server_id"

# --- MySQL
uuid=$(sql my 'SELECT @@server_uuid')
attach my_rep my nosuch.000009:4 tls
refused my_rep "Could not find first log file name in binary log index file"
attach my_rep my bin.000001:99999999
refused my_rep "Client requested source to start replication from position > file size"
attach my_rep my bin.000001:140
refused my_rep "bogus data in log event; the first event 'bin.000001' at 140"
reset_of my_rep "$uuid:1-100000"; attach my_rep my gtid
refused my_rep "Replica has more GTIDs than the source has, using the source's SERVER_UUID."

# --- of the other flavour
reset_of mdb_rep; attach mdb_rep my gtid
refused mdb_rep "This server has the binary log of a MySQL server"
reset_of my_rep; attach my_rep mdb gtid
refused my_rep "This server has the binary log of a MariaDB server"

# --- purged here: half of what is stored goes, and the source has it no more either
for s in mdb my; do
    echo >"$T/sources/$s/relay/pause" || die "$(cat "$T/sources/$s/relay/last_error")"
    echo "before=bin.000002 force=true" >"$T/sources/$s/relay/purge" || die "$(cat "$T/sources/$s/relay/last_error")"
    [ -n "$(cat "$T/servers/$s/gtid_purged")" ] || die "$s: nothing was purged"
done
reset_of mdb_rep; attach mdb_rep mdb gtid
refused mdb_rep "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged."
reset_of my_rep; attach my_rep my gtid
refused my_rep "Cannot replicate because the source purged required binary logs."
refused my_rep "The GTID set sent by the replica is '', and the missing transactions are '$(cat "$T/servers/my/gtid_purged")'"
stop_both() { sql mdb_rep "STOP SLAVE"; sql my_rep "STOP REPLICA"; }
stop_both

# --- logins
right=$serve_password
for s in mdb my; do
    kind=$(kind_of $s); eval "serve_port=\$${s}_serve"
    as_client "$kind" "SELECT 1" | grep -qx 1 || die "$s: the right password"
    serve_password=wrong
    as_client "$kind" "SELECT 1" | grep -q "1045.*Access denied for user 'rep'" || die "$s: the wrong password"
    serve_password=$right; serve_user=root
    as_client "$kind" "SELECT 1" | grep -q "1045" || die "$s: another user"
    serve_user=rep
done
serve_port=$mdb_serve
as_client mariadb "SELECT 2" --default-auth=client_ed25519 | grep -qx 2 || die "ed25519: $(as_client mariadb "SELECT 2" --default-auth=client_ed25519)"
as_client mariadb "SHOW STATUS LIKE 'x'; SELECT 3" --ssl | grep -qx 3 || die "MariaDB's client over TLS"
serve_port=$my_serve
as_client mysql "SELECT 3" --ssl-mode=DISABLED --get-server-public-key | grep -qx 3 || die "caching_sha2_password without TLS"
serve_password=wrong
as_client mysql "SELECT 3" --ssl-mode=DISABLED --get-server-public-key | grep -q 1045 || die "the RSA path lets a wrong password in"
serve_password=$right

# --- SQL that it does not know, and some that it does, on one connection
for s in mdb my; do
    kind=$(kind_of $s); eval "serve_port=\$${s}_serve"
    as_client "$kind" "SELECT * FROM t; DROP DATABASE x; SELECT nosuch(); SELECT @@nosuch; KILL 999999; SHOW NOTHING; select 'still', 'here'" --force >"$WORK/out"
    [ "$(grep -c ERROR "$WORK/out")" = 6 ] || { cat "$WORK/out"; die "$s: not six errors"; }
    tail -1 "$WORK/out" | grep -q "still.*here" || die "$s: the connection was closed"
    as_client "$kind" "SHOW VARIABLES LIKE 'server\_i_'" | grep -q "server_id.$(cat "$T/servers/$s/server_id")" || die "$s: SHOW VARIABLES"
done
serve_port=$mdb_serve
pos=$(sql mdb "SHOW BINLOG EVENTS IN 'bin.000002' LIMIT 12" | tail -1 | cut -f2)
[ "$(as_client mariadb "SELECT BINLOG_GTID_POS('bin.000002', $pos)")" = "$(sql mdb "SELECT BINLOG_GTID_POS('bin.000002', $pos)")" ] || die "BINLOG_GTID_POS"
[ "$(as_client mariadb "SHOW MASTER STATUS")" = "$(sql mdb "SHOW MASTER STATUS")" ] || die "SHOW MASTER STATUS"
serve_port=$my_serve
[ "$(as_client mysql "SHOW BINARY LOG STATUS")" = "$(sql my "SHOW BINARY LOG STATUS")" ] || die "SHOW BINARY LOG STATUS"
[ "$(as_client mysql "SELECT @@gtid_executed")" = "$(sql my "SELECT @@gtid_executed")" ] || die "gtid_executed"
note "logins, unknown SQL and positions are as the source's"

# --- what is no protocol at all
garbage() { timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$my_serve; cat >&3; cat <&3" >/dev/null 2>&1; }
printf 'GET / HTTP/1.1\r\n\r\n' | garbage
head -c 100000 /dev/urandom | garbage
printf '\xff\xff\xff\x01' | garbage
[ "$(cat "$T/servers/my/state")" = running ] || die "the server is $(cat "$T/servers/my/state")"
as_client mysql "SELECT 4" | grep -qx 4 || die "no login after what is no protocol"
