#!/bin/bash
# labels: asan
# One vocabulary: a document with every field of DM's OpenAPI, in YAML and JSON, through each of the ways in, is shown
# back, and each field acts: TLS names, duplicates, consistency, batches, foreign keys, time zones, online schema changes.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$WORK/ca.key" -out "$WORK/ca.pem" 2>/dev/null &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=db7 -keyout "$WORK/db.key" -out "$WORK/db.csr" 2>/dev/null &&
    openssl x509 -req -days 2 -in "$WORK/db.csr" -CA "$WORK/ca.pem" -CAkey "$WORK/ca.key" -CAcreateserial -out "$WORK/db.pem" 2>/dev/null || die openssl
src_prefix='env TZ=Etc/GMT-5' # its SYSTEM zone is five hours ahead
start_mariadb src
start_mariadb dst --ssl-ca="$WORK/ca.pem" --ssl-cert="$WORK/db.pem" --ssl-key="$WORK/db.key" --default-time-zone=+00:00
sql src "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, a VARCHAR(20)); INSERT INTO orders SELECT seq, 'source' FROM seq_1_to_1000;
    CREATE DATABASE w; CREATE TABLE w.t (id INT PRIMARY KEY); INSERT INTO w.t VALUES (1)"
start_sluice

note "every field, by every way in"
pem() { sed "s/^/$1/" "$WORK/ca.pem"; }
source_yaml() {
    cat <<END
source_name: $1
host: 127.0.0.1
port: $src_port
user: sluice
password: sluice
enable_gtid: true
enable: true
flavor: mariadb
purge: { interval: 3600, expires: 0, remain_space: 15 }
relay_config: { enable_relay: false, relay_binlog_name: "", relay_binlog_gtid: "", relay_dir: ./relay_log }
task_name_list: [ x ]
status_list: [ { source_name: $1 } ]
END
}
task_yaml() {
    cat <<END
name: $1
task_mode: all
shard_mode: null
strict_optimistic_shard_mode: false
meta_schema: meta_$1
timezone: "+05:00"
enhance_online_schema_change: true
on_duplicate: replace
target_config:
  host: 127.0.0.1
  port: $dst_port
  user: sluice
  password: sluice
  security:
    ssl_ca_content: |
$(pem '      ')
    ssl_cert_content: ""
    ssl_key_content: ""
    cert_allowed_cn: [ other, ${CN:-db7} ]
  session: { foreign_key_checks: "1" }
binlog_filter_rule: {}
table_migrate_rule:
  - source: { source_name: y1, schema: shop, table: orders }
    target: { schema: $1, table: sales }
    binlog_filter_rule: []
source_config:
  full_migrate_conf:
    export_threads: 2
    import_threads: 3
    consistency: lock
    import_mode: logical
    on_duplicate_logical: ${LOGICAL:-replace}
    on_duplicate_physical: none
    checksum: required
    analyze: optional
    range_concurrency: 0
    sorting_dir: ""
  incr_migrate_conf: { repl_threads: 2, repl_batch: ${BATCH:-100}, safe_mode: false }
  source_conf: [ { source_name: y1, binlog_name: "", binlog_pos: 0, binlog_gtid: "" } ]
ignore_checking_items: [ version, table_schema, free_space ]
status_list: []
END
}
source_yaml y1 >"$T/sources/create" || die "$(cat "$T/sources/last_error")"
source_yaml y2 >"$WORK/y2.yaml"; "$sluicectl" create -f "$WORK/y2.yaml" sources 2>"$WORK/err" || die "sluicectl: $(cat "$WORK/err")"
curl -sf -H 'Accept: application/json' "$URL/v1/sources/y1/config" | grep -v '"source_name"' >"$WORK/y3.json"
code=$(sed 's/"password": *"[*]*"/"password": "sluice"/' "$WORK/y3.json" | curl -s -o "$WORK/body" -w '%{http_code}' -X PUT --data-binary @- "$URL/v1/sources/y3")
[ "$code" = 201 ] || die "PUT of JSON: $code $(cat "$WORK/body")"
for s in y1 y2 y3; do [ "$(cat "$T/sources/$s/enable_gtid" "$T/sources/$s/port" | tr '\n' ' ')" = "true $src_port " ] || die "$s: $(cat "$T/sources/$s/config")"; done
task_yaml t_1 >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
mkdir "$T/tasks/t_2" && task_yaml t_2 | cp /dev/stdin "$T/tasks/t_2/config" || die "$(cat "$T/tasks/t_2/last_error")"
curl -sf -H 'Accept: application/json' "$URL/v1/tasks/t_1/config" | sed 's/"t_1"/"t_3"/; s/"password": *"[*]*"/"password": "sluice"/' |
    curl -s -o "$WORK/body" -w '%{http_code}' -X PUT --data-binary @- "$URL/v1/tasks/t_3" | grep -q 201 || die "PUT: $(cat "$WORK/body")"
task_yaml t_4 >"$WORK/t_4.yaml"; "$sluicectl" create -f "$WORK/t_4.yaml" tasks 2>"$WORK/err" || die "sluicectl: $(cat "$WORK/err")"
for t in t_2 t_3 t_4; do
    diff <(sed "s/$t/t_1/" "$T/tasks/$t/config" | grep -v "meta_\|schema:") <(grep -v "meta_\|schema:" "$T/tasks/t_1/config") || die "$t is not t_1"
    [ "$(cat "$T/tasks/$t/ignored_settings" | tr -d ' \n')" = "{}" ] || die "ignored: $(cat "$T/tasks/$t/ignored_settings")"
done
shown() { grep -qE "$1" "$T/tasks/t_1/config" || die "config does not show $1: $(cat "$T/tasks/t_1/config")"; }
for f in "timezone: .?[+]05:00" "on_duplicate: replace" "consistency: lock" "repl_batch: 100" "[-] db7" "foreign_key_checks: .1" "on_duplicate_logical" "enhance_online_schema_change: true" "[-] free_space"; do shown "$f"; done

note "what makes no sense is refused by name, and so is what only TiDB has"
refused() { # word in the sentence, edit of the document
    task_yaml bad | sed "$2" | cat >"$T/tasks/create" 2>/dev/null && die "accepted: $2"
    grep -q "$1" "$T/tasks/last_error" || die "$2: $(cat "$T/tasks/last_error")"
}
refused "shard_mode" 's/shard_mode: null/shard_mode: hopeful/'
refused "ignore_event" 's/binlog_filter_rule: {}/binlog_filter_rule: { r: { ignore_event: [ x ] } }/'
refused "import_mode" 's/import_mode: logical/import_mode: physical/'
refused "checksum" 's/checksum: required/checksum: "off"/'
source_yaml bad | sed 's/enable_relay: false/enable_relay: perhaps/' | cat >"$T/sources/create" 2>/dev/null && die "no boolean was accepted"
grep -q "relay_config.enable_relay" "$T/sources/last_error" || die "$(cat "$T/sources/last_error")"
[ ! -e "$T/tasks/bad" ] && [ ! -e "$T/sources/bad" ] || die "what was refused is there"
for t in t_2 t_3 t_4; do rmdir "$T/tasks/$t" || die "$(cat "$T/tasks/$t/last_error")"; done

note "target names by certificate; rows that are there are replaced"
t=$T/tasks/t_1
start() { echo >"$T/tasks/$1/start" || die "$1: $(cat "$T/tasks/$1/last_error" "$T/tasks/$1/check_report")"; }
echo '["other"]' >"$t/target/security/cert_allowed_cn" || die "$(cat "$t/target/security/last_error")"
echo >"$t/start" 2>/dev/null && die "a certificate of another name was taken"
grep -q "db7\|certificate" "$t/last_error" || die "$(cat "$t/last_error")"
echo '["db7"]' >"$t/target/security/cert_allowed_cn"
sql dst "CREATE DATABASE t_1; CREATE TABLE t_1.sales (id INT PRIMARY KEY, a VARCHAR(20)); INSERT INTO t_1.sales VALUES (5, 'target'), (5000, 'target')"
start t_1; caught_up t_1 src
[ "$(sql dst "SELECT COUNT(*), SUM(a = 'target') FROM t_1.sales")" = "1001	1" ] || die "replace: $(sql dst "SELECT COUNT(*), SUM(a = 'target') FROM t_1.sales")"
[ "$(sql dst "SELECT COUNT(*) FROM meta_t_1.sluice_checkpoint WHERE task = 't_1'")" -gt 0 ] || die "no checkpoint in meta_t_1"
[ "$(sql dst "SHOW STATUS LIKE 'Ssl_accepts'" | cut -f2)" -gt 0 ] || die "no TLS"

note "gh-ost's and pt-online-schema-change's steps on a table that is in scope by name, and has another name there"
sql src "USE shop; CREATE TABLE _orders_ghc (id BIGINT PRIMARY KEY, v VARCHAR(99)); CREATE TABLE _orders_gho LIKE orders;
    ALTER TABLE _orders_gho ADD c INT DEFAULT 3; INSERT INTO _orders_ghc VALUES (1, 'x');
    INSERT INTO _orders_gho (id, a) SELECT id, a FROM orders; REPLACE INTO _orders_gho (id, a) VALUES (1, 'later');
    RENAME TABLE orders TO _orders_del, _orders_gho TO orders; DROP TABLE _orders_ghc; DROP TABLE _orders_del;
    INSERT INTO orders VALUES (2000, 'new', 4)"
sql src "USE shop; CREATE TABLE _orders_new LIKE orders; ALTER TABLE _orders_new ADD d INT;
    INSERT LOW_PRIORITY IGNORE INTO _orders_new (id, a, c) SELECT id, a, c FROM orders;
    RENAME TABLE orders TO _orders_old, _orders_new TO orders; DROP TABLE _orders_old; UPDATE orders SET d = 9 WHERE id = 7"
caught_up t_1 src
sum() { sql "$1" "SELECT COUNT(*), SUM(c), SUM(d), SUM(CRC32(a)) FROM $2 WHERE id < 5000"; }
[ "$(sum src shop.orders)" = "$(sum dst t_1.sales)" ] || { task_trouble t_1; die "$(sum src shop.orders) is not $(sum dst t_1.sales)"; }
[ "$(sql dst "SHOW TABLES IN t_1")" = sales ] || die "left over: $(sql dst "SHOW TABLES IN t_1")"

note "timezone: what SYSTEM at the source means, in DDL"
sql src "SET time_zone = '+05:00'; ALTER TABLE shop.orders ADD ts TIMESTAMP NOT NULL DEFAULT '2020-06-01 12:00:00'"
sql src "SET time_zone = 'SYSTEM'; ALTER TABLE shop.orders ADD ts2 TIMESTAMP NOT NULL DEFAULT '2020-06-01 12:00:00'"
caught_up t_1 src
utc() { sql "$1" "SET time_zone = '+00:00'; SELECT MIN(ts), MIN(ts2) FROM $2 WHERE id < 5000"; }
note "$(utc dst t_1.sales)"
[ "$(utc src shop.orders)" = "$(utc dst t_1.sales)" ] || die "$(utc src shop.orders) is not $(utc dst t_1.sales)"

note "repl_batch: no merging beyond so many rows"
echo >"$t/pause"; echo 1 >"$t/incr_migrate_conf/repl_batch" || die "$(cat "$t/incr_migrate_conf/last_error")"
sql src "$(for i in $(seq 3001 3060); do echo "INSERT INTO shop.orders (id, a) VALUES ($i, 'b');"; done)"
echo >"$t/resume" || die "$(cat "$t/last_error")"
caught_up t_1 src
[ "$(cat "$t/sources/y1/sync/groups")" -ge 60 ] || die "60 transactions became $(cat "$t/sources/y1/sync/groups")"
echo >"$t/stop"; rmdir "$t" || die "$(cat "$t/last_error")"

note "on_duplicate: ignore keeps the target's rows; error wants empty tables, and says so"
sql dst "CREATE DATABASE t_5; CREATE TABLE t_5.sales LIKE t_1.sales; INSERT INTO t_5.sales (id, a) VALUES (5, 'target'), (9000, 'target')"
LOGICAL=ignore task_yaml t_5 >"$T/tasks/create" && start t_5; caught_up t_5 src
[ "$(sql dst "SELECT COUNT(*) - (SELECT COUNT(*) FROM t_5.sales WHERE id = 9000), SUM(a = 'target') FROM t_5.sales")" = "$(sql src "SELECT COUNT(*) FROM shop.orders")	2" ] ||
    die "ignore: $(sql dst "SELECT COUNT(*), SUM(a = 'target') FROM t_5.sales")"
echo >"$T/tasks/t_5/stop"; rmdir "$T/tasks/t_5"
sql dst "CREATE DATABASE t_6; CREATE TABLE t_6.sales LIKE t_5.sales; INSERT INTO t_6.sales (id) VALUES (5)"
LOGICAL=error task_yaml t_6 >"$T/tasks/create"; echo >"$T/tasks/t_6/start" 2>/dev/null && die "t_6 starts over rows"
grep -q "has rows at the target already; .*TRUNCATE TABLE .t_6.\..sales." "$T/tasks/t_6/last_error" || die "$(cat "$T/tasks/t_6/last_error")"
rmdir "$T/tasks/t_6"

note "consistency: each way copies the same; flush without the right to it is refused"
sql src "CREATE USER few@'%' IDENTIFIED BY 'few'; GRANT SELECT, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO few@'%'"
echo few >"$T/sources/y2/user"; echo few >"$T/sources/y2/password"
for how in auto lock snapshot none flush; do
    sql dst "DROP DATABASE IF EXISTS shop"
    make_task c y2 dst shop < <(echo "block_allow_list: { do_dbs: [ shop ] }") || die "$(cat "$T/tasks/last_error")"
    echo $how >"$T/tasks/c/full_migrate_conf/consistency" || die "$(cat "$T/tasks/c/full_migrate_conf/last_error")"
    if [ $how = flush ]; then
        echo >"$T/tasks/c/start" 2>/dev/null && die "flush without RELOAD"
        grep -q "GRANT RELOAD" "$T/tasks/c/last_error" || die "$(cat "$T/tasks/c/last_error")"
    else
        start c; caught_up c src; same_rows src dst shop || die "consistency $how"
        echo >"$T/tasks/c/stop"
    fi
    rmdir "$T/tasks/c" || die "$(cat "$T/tasks/c/last_error")"
    gone() { [ "$(sql dst "SELECT COUNT(*) FROM dm_meta.sluice_checkpoint WHERE task = 'c'")" = 0 ]; }
    [ $how = flush ] || wait_for 30 gone || die "checkpoints stay"
done

note "foreign_key_checks: 1 checks what the source did not; 0 is refused where the target must cascade"
sql src "CREATE DATABASE fk; USE fk; CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id));
    INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)"
make_task f y1 dst fk </dev/null; start f; caught_up f src
echo >"$T/tasks/f/pause"; echo 1 >"$T/tasks/f/target/session/foreign_key_checks" || die "$(cat "$T/tasks/f/target/session/last_error")"
echo >"$T/tasks/f/resume"
sql src "SET foreign_key_checks = 0; INSERT INTO fk.c VALUES (2, 77)"
wait_state f error; grep -q "foreign key" "$T/tasks/f/error" || die "$(cat "$T/tasks/f/error")"
echo 0 >"$T/tasks/f/target/session/foreign_key_checks"; echo >"$T/tasks/f/resume" || die "$(cat "$T/tasks/f/last_error")"
caught_up f src; same_rows src dst fk || die "0"
note "other variables of the target's sessions: what they do is seen, what rows hang on is refused, what it lacks is told"
v=$T/tasks/f/target/session/variables
echo >"$T/tasks/f/pause"; ! echo '{"sql_mode": "ANSI"}' >"$v" 2>/dev/null || die "sql_mode"
grep -q "sql_mode cannot be given" "$T/tasks/f/target/session/last_error" || die "$(cat "$T/tasks/f/target/session/last_error")"
echo '{"no_such_one": 1}' >"$v"; ! echo >"$T/tasks/f/check" 2>/dev/null; grep -q "FAIL  connection: target: .*no_such_one.*; without it: echo" "$T/tasks/f/check_report" || die "$(cat "$T/tasks/f/check_report")"
echo '{"sql_log_bin": 0}' >"$v" && echo >"$T/tasks/f/resume" || die "$(cat "$T/tasks/f/last_error")"
logged=$(sql dst "SELECT @@gtid_binlog_pos"); sql src "INSERT INTO fk.p VALUES (9)"; caught_up f src; same_rows src dst fk || die "sql_log_bin"
[ "$logged" = "$(sql dst "SELECT @@gtid_binlog_pos")" ] || die "the sessions write the target's binlog: sql_log_bin is not theirs"
echo >"$T/tasks/f/stop"; rmdir "$T/tasks/f"
sql src "DROP TABLE fk.c; CREATE TABLE fk.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE CASCADE)"
sql dst "DROP DATABASE fk"
make_task f y1 dst fk </dev/null; echo 0 >"$T/tasks/f/target/session/foreign_key_checks"
echo >"$T/tasks/f/start" 2>/dev/null && die "a cascade that nobody does"
grep -q "foreign_keys: fk.c" "$T/tasks/f/last_error" || die "$(cat "$T/tasks/f/last_error")"

note "routes that contradict each other, in the document and in the tables"
cat >"$T/tasks/create" 2>/dev/null <<END && die "two routes for one table"
name: two
table_migrate_rule:
  - { source: { source_name: y1, schema: shop, table: orders }, target: { schema: a } }
  - { source: { source_name: y1, schema: shop, table: "ord*" }, target: { schema: b } }
source_config: { source_conf: [ { source_name: y1 } ] }
END
grep -q "table shop.orders matches two routes: shop.orders -> a, and shop.ord\* -> b" "$T/tasks/last_error" || die "$(cat "$T/tasks/last_error")"
echo "OK"
