#!/bin/bash
# XA into every target: what was prepared and committed much later comes at its commit, what was rolled back never; old files
# go by retention_time; a target that wants TLS gets it, and only of the name that is allowed; filters and routes on a live stream.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

pki() { # file common name [signer]
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$WORK/$1.key" -out "$WORK/$1.csr" 2>/dev/null || die openssl
    if [ -z "${3:-}" ]; then
        openssl x509 -req -in "$WORK/$1.csr" -days 3 -signkey "$WORK/$1.key" -out "$WORK/$1.pem" 2>/dev/null
    else
        openssl x509 -req -in "$WORK/$1.csr" -days 3 -CA "$WORK/$3.pem" -CAkey "$WORK/$3.key" -CAcreateserial -out "$WORK/$1.pem" 2>/dev/null
    fi || die openssl
    chmod 644 "$WORK/$1.key"
}
chmod 755 "$WORK"
pki ca "the signer"; pki db db.example ca; pki me drainer.example ca
start_mariadb m1 --binlog-row-metadata=FULL
start_mariadb dst --ssl-cert="$WORK/db.pem" --ssl-key="$WORK/db.key" --ssl-ca="$WORK/ca.pem"
sql dst "ALTER USER sluice@'%' REQUIRE X509"
start_sluice
"$SLUICE_BUILD/kafka_run" "$WORK/messages.sql" >"$WORK/kafka.out" 2>&1 &
kafka=$!
at_exit 'kill $kafka 2>/dev/null'
wait_for 20 grep -q ^brokers "$WORK/kafka.out" || die "no brokers: $(cat "$WORK/kafka.out")"
make_source m1 m1 || die "$(cat "$T/sources/last_error")"
make_pump p1 m1
mkdir "$WORK/files" "$WORK/sql"
make_drainer kafka <<END
initial_commit_ts: 0
to: { db_type: kafka, kafka_addrs: "$(sed -n 's/^brokers //p' "$WORK/kafka.out")", topic_name: drained }
END
make_drainer file <<END
initial_commit_ts: 0
to: { db_type: file, dir: $WORK/files, file_size: 4096, retention_time: 2 }
END
make_drainer text <<END
initial_commit_ts: 0
to: { db_type: sql, dir: $WORK/sql }
END
make_drainer tls <<END
initial_commit_ts: 0
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice,
      security: { ssl_ca_content: "file:$WORK/ca.pem", ssl_cert_content: "file:$WORK/me.pem", ssl_key_content: "file:$WORK/me.key", cert_allowed_cn: [ other.example ] } }
END

note "TLS: the certificate's name must be one of those allowed"
start_drainer tls
wait_for 30 drainer_is tls state error || die "a certificate of db.example passes for other.example"
grep -q "db.example" "$T/drainers/tls/error" || die "error: $(cat "$T/drainers/tls/error")"
echo '["db.example"]' >"$T/drainers/tls/to/security/cert_allowed_cn" || die "$(cat "$T/drainers/tls/last_error")"
for d in kafka file text tls; do start_drainer $d; done

note "XA"
sql m1 "CREATE DATABASE xa; CREATE TABLE xa.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO xa.t VALUES (1, 'plain')"
sql m1 "USE xa; XA START 'kept'; INSERT INTO t VALUES (2, 'kept'); UPDATE t SET v = 'seen' WHERE id = 1; XA END 'kept'; XA PREPARE 'kept'"
sql m1 "USE xa; XA START 'gone'; INSERT INTO t VALUES (3, 'gone'); XA END 'gone'; XA PREPARE 'gone'"
for i in $(seq 10 40); do sql m1 "INSERT INTO xa.t VALUES ($i, 'between')"; done
for d in kafka file text tls; do drained $d 60 m1=m1; done
[ "$(sql dst "SELECT COUNT(*) FROM xa.t WHERE id IN (2, 3)")" = 0 ] || die "prepared, and at the target already"
kill_sluice; restart_sluice
sql m1 "XA ROLLBACK 'gone'"; sql m1 "INSERT INTO xa.t VALUES (50, 'after')"; sql m1 "XA COMMIT 'kept'"
sql m1 "USE xa; XA START 'one'; INSERT INTO t VALUES (60, 'one phase'); XA END 'one'; XA COMMIT 'one' ONE PHASE"
sql m1 "CREATE TABLE xa.last (id INT PRIMARY KEY)"; sql m1 "INSERT INTO xa.last VALUES (1)"
for d in kafka file text tls; do drained $d 60 m1=m1; done
same_rows m1 dst xa || die "mysql: rows differ"
wait_for 30 grep -q 'INSERT INTO `xa`.`last`' "$WORK/messages.sql" || die "the last message did not come: $(tail -2 "$WORK/messages.sql")"
kill $kafka; wait $kafka
replayed() { # what: a file of SQL
    sql dst "DROP DATABASE xa"
    sql_file dst "$1" || die "$2: it is refused"
    same_rows m1 dst xa || die "$2: rows differ"
}
echo >"$T/drainers/tls/pause"
replayed "$WORK/messages.sql" kafka
{ echo "SET SESSION foreign_key_checks=0;"; cat "$WORK"/sql/text.sql; } >"$WORK/text.sql"
replayed "$WORK/text.sql" text
sql dst "DROP DATABASE xa"
make_drainer back <<END
data_dir: $WORK/files
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice,
      security: { ssl_ca_content: "file:$WORK/ca.pem", ssl_cert_content: "file:$WORK/me.pem", ssl_key_content: "file:$WORK/me.key", cert_allowed_cn: [ db.example ] } }
END
start_drainer back
wait_for 60 drainer_is back state finished || die "back: $(cat "$T/drainers/back/error")"
same_rows m1 dst xa || die "files: rows differ"

note "retention_time: two days"
sql m1 "CREATE TABLE xa.big (t TEXT)"; for i in 1 2 3 4; do sql m1 "INSERT INTO xa.big VALUES (REPEAT('b', 5000))"; done
drained file 60 m1=m1
all=$(ls "$WORK/files" | grep -c ^binlog-); [ "$all" -gt 2 ] || die "only $all files"
ls -d "$WORK"/files/binlog-* | head -2 | xargs touch -d '3 days ago'
ls -d "$WORK"/files/binlog-* | sed -n 3p | xargs touch -d '1 day ago'
echo >"$T/drainers/file/pause" && echo >"$T/drainers/file/resume" || die "$(cat "$T/drainers/file/last_error")"
sql m1 "INSERT INTO xa.last VALUES (2)"
left() { [ "$(ls "$WORK/files" | grep -c ^binlog-)" = $((all - 2)) ]; }
wait_for 20 left || die "$(ls -l "$WORK/files")"

note "filters and routes, while rows come"
sql m1 "CREATE DATABASE f1; CREATE DATABASE f2; CREATE DATABASE other"
make_drainer some <<END
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice,
      security: { ssl_ca_content: "file:$WORK/ca.pem", ssl_cert_content: "file:$WORK/me.pem", ssl_key_content: "file:$WORK/me.key", cert_allowed_cn: [ db.example ] } }
syncer:
  replicate_do_db: [ "~^f[0-9]" ]
  ignore_table: [ { db_name: f1, tbl_name: secret } ]
  binlog_filter_rule: { keep: { ignore_event: [ delete ], ignore_sql: [ "^DROP TABLE" ] } }
  table_migrate_rule:
    - { source: { schema: f2, table: "*" }, target: { schema: all2 }, binlog_filter_rule: [ keep ] }
END
sql dst "CREATE DATABASE f1; CREATE DATABASE all2"
start_drainer some
wait_for 20 drainer_is some state running || die "some: $(cat "$T/drainers/some/error")"
begun() { grep -q 'drainers/some.*pump p1: from' "$SLUICE_LOG"; }
wait_for 20 begun || die "it did not begin"
for s in f1 f2 other; do
    sql m1 "USE $s; CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE secret (id INT PRIMARY KEY); CREATE TABLE tmp (id INT PRIMARY KEY);
        INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO secret VALUES (9); UPDATE t SET v = 7 WHERE id = 1; DELETE FROM t WHERE id = 2; DROP TABLE tmp"
done
drained some 60 m1=m1
tables() { sql dst "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA='$1'"; }
[ "$(tables f1)" = t ] || die "f1 has $(tables f1): secret is ignored, tmp was dropped"
[ "$(tables all2)" = secret,t,tmp ] || die "all2 has $(tables all2): DROP TABLE is ignored there"
[ "$(sql dst "SHOW DATABASES" | grep -cxE 'other|f2')" = 0 ] || die "schemas that are not to come"
[ "$(sql dst "SELECT GROUP_CONCAT(id, ':', v ORDER BY id) FROM f1.t")" = 1:7 ] || die "f1.t"
[ "$(sql dst "SELECT GROUP_CONCAT(id, ':', v ORDER BY id) FROM all2.t")" = 1:7,2:2 ] || die "all2.t: deletes are ignored there"
