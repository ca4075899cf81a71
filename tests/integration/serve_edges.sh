#!/bin/bash
# A binlog server's edges: a certificate of one's own, IPv6, max_replicas, a change of user on an open connection, replicas too old for GTIDs, UNTIL, domains of other masters, checksums that change in the middle.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_mariadb src; start_mariadb rep; start_mysql my
start_sluice
"$SLUICE_BUILD/writer" "$(port_of src)" wr 7 60 || die "writer"
"$SLUICE_BUILD/writer" "$(port_of my)" wr 7 20 || die "writer"
openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=binlog.example -keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null || die "openssl"
chmod 600 "$WORK/key.pem"
make_source src src && serve_port=$(free_port) && make_server src src "tls_cert: file:$WORK/cert.pem
tls_key: file:$WORK/key.pem" || die "no server"
relay_caught_up src src
S=$T/servers/src

# --- its own certificate
shown() { openssl s_client -starttls mysql -connect "127.0.0.1:$serve_port" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint; }
[ "$(shown)" = "$(openssl x509 -noout -fingerprint -in "$WORK/cert.pem")" ] || die "another certificate: $(shown)"
as_client mariadb "SELECT 1" --ssl-ca="$WORK/cert.pem" --ssl-verify-server-cert=0 | grep -qx 1 || die "TLS with it"
echo >"$S/stop"; echo "file:$WORK/none.pem" >"$S/tls_cert"
! echo 2>/dev/null >"$S/start" && grep -q "none.pem" "$S/last_error" || die "a certificate that is not there: $(cat "$S/last_error")"
echo >"$S/stop"; echo >"$S/tls_cert"; echo >"$S/tls_key"

# --- IPv6
echo "[::1]:$serve_port" >"$S/addr"; start_server src || die "IPv6"
echo "SELECT 6" | mariadb --no-defaults -h::1 -P"$serve_port" -u"$serve_user" -p"$serve_password" -N | grep -qx 6 || die "no login over IPv6"
! echo 2>/dev/null "::1:$serve_port" >"$S/addr" || die "an address that is none was taken"
sql rep "CHANGE MASTER TO MASTER_HOST='::1', MASTER_PORT=$serve_port, MASTER_USER='$serve_user', MASTER_PASSWORD='$serve_password', MASTER_USE_GTID=slave_pos; START SLAVE"
replica_has rep src; same_rows src rep wr || die "rows differ over IPv6"
[ "$(cat "$S/replicas/$rep_id/host")" = ::1 ] || die "host $(cat "$S/replicas/$rep_id/host")"
sql rep "STOP SLAVE"
echo >"$S/stop"; echo "127.0.0.1:$serve_port" >"$S/addr"

# --- no more than max_replicas connections
echo 2 >"$S/max_replicas"; start_server src || die "no server"
attach rep src gtid; replica_has rep src
(sleep 30 | mariadb --no-defaults -h127.0.0.1 -P"$serve_port" -u"$serve_user" -p"$serve_password") & idle=$!
full() { as_client mariadb "SELECT 1" | grep -q "1040.*Too many connections"; }
wait_for 10 full || die "a third connection: $(as_client mariadb "SELECT 1")"
pkill -P $idle 2>/dev/null; kill $idle; wait $idle 2>/dev/null
free() { as_client mariadb "SELECT 1" | grep -qx 1; }
wait_for 10 free || die "the room is not given back"
sql rep "STOP SLAVE"; echo >"$S/stop"; echo 100 >"$S/max_replicas"; start_server src || die "no server"

# --- COM_CHANGE_USER, of both flavours
make_source my my && { src_serve=$serve_port; serve_port=0; make_server my my; } || die "no server"
relay_caught_up my my
for p in "$src_serve" "$serve_port"; do
    said=$("$SLUICE_BUILD/serve_client" change_user "$p" "$serve_user" "$serve_password" | tr '\n' ' ')
    [ "$said" = "before NULL good again 1045 " ] || die "change of user: $said"
done
serve_port=$src_serve

# --- too old for GTIDs: refused with 1236, and no byte of the binlog comes
for capability in "" 0 1 2 3; do
    said=$("$SLUICE_BUILD/serve_client" dump "$serve_port" "$serve_user" "$serve_password" "$capability" 2>&1)
    echo "$said" | grep -q "^1236 .*mariadb_slave_capability=4" || die "capability '$capability': $said"
done
[ "$("$SLUICE_BUILD/serve_client" dump "$serve_port" "$serve_user" "$serve_password" 4)" = event ] || die "capability 4"

# --- UNTIL: up to there, not beyond, and the replica stops by itself
half=$(sql src "SELECT @@gtid_binlog_pos"); half=${half%-*}-$((${half##*-} / 2))
sql rep "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos=''; DROP DATABASE wr"
sql rep "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$serve_port, MASTER_USER='$serve_user', MASTER_PASSWORD='$serve_password', MASTER_USE_GTID=slave_pos; START SLAVE UNTIL master_gtid_pos='$half'"
stopped() { [ "$(replica_field rep Slave_SQL_Running)" = No ] && [ "$(replica_field rep Slave_IO_Running)" = No ]; }
wait_for 30 stopped || { replica_trouble rep; die "it does not stop at $half"; }
[ "$(executed_of rep slave)" = "$half" ] || die "until $half, it has $(executed_of rep slave)"
sql rep "START SLAVE"; replica_has rep src; same_rows src rep wr || die "rows differ after UNTIL"

# --- domains that this source has nothing of: those of another master
sql rep "STOP SLAVE; SET GLOBAL gtid_slave_pos='$(executed_of rep slave),77-9-5'; START SLAVE"
wait_for 60 replica_stopped rep || { replica_trouble rep; die "domain 77 is not refused"; }
replica_field rep Last_IO_Error | grep -q "77-9-5.*allow_unknown_domains" || die "$(replica_field rep Last_IO_Error)"
echo >"$S/stop"; echo true >"$S/allow_unknown_domains"; start_server src || die "no server"
sql src "CREATE TABLE wr.after (id INT PRIMARY KEY)"
sql rep "STOP SLAVE; START SLAVE"
applied_new() { sql rep "SHOW TABLES FROM wr LIKE 'after'" | grep -q after; }
wait_for 30 applied_new || { replica_trouble rep; die "with allow_unknown_domains"; }

# --- binlog_checksum changes while the replica is attached, and its file is read again from the start
for alg in NONE CRC32 NONE; do
    sql src "SET GLOBAL binlog_checksum=$alg; INSERT INTO wr.after VALUES ($((RANDOM)))"
    "$SLUICE_BUILD/writer" "$(port_of src)" wr 9 20 || die "writer"
done
relay_caught_up src src
sql rep "STOP SLAVE; SET GLOBAL gtid_slave_pos='$(sql rep 'SELECT @@gtid_slave_pos' | sed 's/,\?77-9-5//')'; START SLAVE"
replica_has rep src; same_rows src rep wr || die "rows differ after the checksums changed"
sql rep "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos=''; DROP DATABASE wr"
attach rep src gtid; replica_has rep src; same_rows src rep wr || die "rows differ when all is read again"
same_binlogs src src || die "stored files differ"
