#!/bin/bash
# MariaDB 11.8 with its defaults as a source that is read over its journal, as a target, and as a replica of a binlog
# server whose certificate it verifies (by the password: nobody it knows has signed it), with types and collations
# that 10.11 has not; sluice is killed in between: rows equal.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_mariadb11 src
start_mariadb11 rep
start_mariadb11 dst
note "$(server_version src)"
sql src "CREATE DATABASE own; CREATE TABLE own.t (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, at TIMESTAMP(6) NULL,
    s VARCHAR(40) COLLATE utf8mb4_uca1400_swedish_ai_ci, u UUID, j JSON, VECTOR KEY (v), UNIQUE KEY (s))"
own() { # number: rows of all that
    sql src "INSERT INTO own.t VALUES ($1, VEC_FromText('[1,-2.5,$1]'), '2106-02-07 06:28:15.$1', CONCAT('Zoë å ', $1), UUID(), JSON_OBJECT('n', $1)),
        ($1 + 1, VEC_FromText('[0,0,$1]'), NULL, NULL, NULL, NULL);
        UPDATE own.t SET v = VEC_FromText('[-0.125,$1,0]'), s = CONCAT(s, '!') WHERE id < $1; DELETE FROM own.t WHERE id = $1 - 5"
}
write() { "$SLUICE_BUILD/writer" "$src_port" wr "$1" 100 0 ddl || die "writer"; own "$1"; }
write 100000
start_sluice
serve_port=$(free_port) # that the replica finds again
make_source s1 src && make_server b1 s1 || die "no server: $(cat "$T/sources/last_error")"
make_task all s1 dst '~^(wr|own)$' </dev/null && echo >"$T/tasks/all/start" || die "$(cat "$T/tasks/last_error")"
serve_host=localhost attach rep b1 gtid || die "attach" # of 127.0.0.1 it believes anything
wait_state all running
write 200000
kill_sluice; restart_sluice
write 300000
caught_up all src
replica_has rep src
for db in wr own; do
    same_rows src dst $db || { task_trouble all; die "the target differs"; }
    same_rows src rep $db || { replica_trouble rep; die "the replica differs"; }
done
replica_field rep Master_SSL_Verify_Server_Cert | grep -qx Yes || die "the replica verifies nothing"
grep -q . "$T"/servers/b1/replicas/*/tls_cipher || die "the replica came without TLS"
