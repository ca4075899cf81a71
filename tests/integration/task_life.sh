#!/bin/bash
# The life of a task by files and by HTTP: draft, refusals, start, pause, resume, stop, restarts of the
# daemon, deletion, modes, routes, start positions.  Both ends are compared after each.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src
start_mariadb dst
sql src "CREATE DATABASE shop; USE shop;
    CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(99), t TIMESTAMP DEFAULT NOW());
    INSERT INTO orders (a) SELECT CONCAT('row ', seq) FROM seq_1_to_20000;
    CREATE TABLE items (id INT PRIMARY KEY, b BLOB); INSERT INTO items SELECT seq, REPEAT('x', seq % 100) FROM seq_1_to_5000;
    CREATE TABLE tmp_x (id INT PRIMARY KEY); INSERT INTO tmp_x VALUES (1)" || die "no data"
start_sluice
make_source s1 src || die "$(cat "$T/sources/last_error")"

refused() { # what the sentence says, command...: the write fails with it
    local want=$1; shift
    if "$@" 2>/dev/null; then die "not refused: $*"; fi
    cat "$t/last_error" | grep -qF "$want" || die "$*: '$(cat "$t/last_error")' does not say '$want'"
}
say() { echo "$1" >"$t/$2"; }
put() { echo "$1" | cat >"$t/$2"; } # a document is refused at close(), which a builtin does not look at
post() { curl -s -o "$WORK/body" -w '%{http_code}' -X POST "$URL/v1/tasks/$1/$2"; }
equal() { caught_up "${1:-orders}" src && same_rows src dst shop "${2:-shop}" || { task_trouble "${1:-orders}"; die "the ends differ"; }; }

note "a draft is filled in by its files"
t=$T/tasks/orders
mkdir "$t" && state_is orders new || die "no draft"
refused "target_config.host is not set" say "" start
say 127.0.0.1 target/host && say "$dst_port" target/port && say sluice target/user && say sluice target/password || die "target"
refused "the task has no source" say "" start
refused "there is no source s9" say '[{"source_name": "s9"}]' source_conf
say '[{"source_name": "s1"}]' source_conf
say '[{"source": {"source_name": "s1", "schema": "shop", "table": "*"}}]' table_migrate_rule || die rule
refused "merged, one-to-one or parallel expected" say turbo apply_mode
refused "did you mean port?" put '{target_config: {prot: 1}}' config
grep -q "prot" "$t/config" && die "a refused document left traces"
[ -r "$t/target/password" ] && cat "$t/target/password" 2>/dev/null && die "the password can be read"
grep -qF "password: '******'" "$t/config" || die "the password is not masked: $(cat "$t/config")"
cp "$t/config" "$WORK/config" && cp "$WORK/config" "$t/config" || die "what it shows is not what it takes"

note "start, follow, pause, resume, stop"
say "" start || die "$(cat "$t/last_error" "$t/check_report")"
equal
[ -z "$(cat "$t/error")" ] && grep -q "^sync" "$t/progress" || die "$(cat "$t/status")"
refused "the task is running already" say "" start
refused "pause or stop it first" say quarantine on_error
rmdir "$t" 2>/dev/null && die "a running task was deleted"
say "" pause && state_is orders paused || die pause
[ "$(post orders pause)" = 409 ] && grep -q "the task is paused" "$WORK/body" || die "HTTP: $(cat "$WORK/body")"
sql src "INSERT INTO shop.items VALUES (100001, 'while paused')"
[ "$(sql dst "SELECT COUNT(*) FROM shop.items WHERE id = 100001")" = 0 ] || die "a paused task applies"
say 32 apply_batch || die "a setting cannot change while paused"
say "" resume && state_is orders running || die resume
until grep -q '^sync' "$t/progress"; do # a copy that was done before does not look as if it began again
    ! grep '^copy 0 %' "$t/progress" || die "progress of a finished copy"
    state_is orders running || die "resumed, and it is $(state orders)"
done
equal

note "the daemon restarts: what ran runs, what was paused is paused"
stop_sluice; sql src "DELETE FROM shop.items WHERE id % 7 = 0"; restart_sluice
equal
[ "$(cat "$t/apply_batch")" = 32 ] || die "a setting is lost"
kill_sluice; sql src "UPDATE shop.orders SET a = 'while dead' WHERE id % 100 = 3"; restart_sluice
equal
say "" pause; kill_sluice; restart_sluice
state_is orders paused || die "it was paused and is $(state orders)"
[ "$(post orders resume)" = 204 ] || die "HTTP: $(cat "$WORK/body")"
equal
say "" stop && state_is orders stopped || die stop
stop_sluice; restart_sluice
state_is orders stopped || die "it was stopped and is $(state orders)"

note "deleted, its checkpoints go; a new task of the name copies anew"
rmdir "$t" || die "$(cat "$t/last_error")"
none_left() { [ "$(sql dst "SELECT COUNT(*) FROM dm_meta.sluice_checkpoint WHERE task = 'orders'")" = 0 ]; }
wait_for 30 none_left || die "checkpoints stay"
sql dst "DROP DATABASE shop"
make_task orders s1 dst shop </dev/null && say "" start || die "$(cat "$t/last_error")"
equal
say "" stop; rmdir "$t"

note "paused within a table: what was undone is not counted"
sql src "CREATE DATABASE half; USE half; CREATE TABLE t (id INT PRIMARY KEY, x TEXT); INSERT INTO t SELECT seq, REPEAT('x', 300) FROM seq_1_to_150000"
task_mode=full make_task half s1 dst half </dev/null || die "$(cat "$T/tasks/last_error")"
t=$T/tasks/half; say "" start || die "$(cat "$t/last_error")"
copying() { [ "$(cat "$t/bytes")" -gt 0 ]; }
wait_for 20 copying && say "" pause || die "no copy to pause: $(cat "$t/status")"
[ "$(cat "$t/rows") $(cat "$t/bytes")" = "0 0" ] || state_is half finished || die "paused with $(cat "$t/rows") rows, $(cat "$t/bytes") bytes"
state_is half finished || say "" resume; wait_state half finished 60
[ "$(cat "$t/rows")" = 150000 ] && grep -q '^finished: 150,000 rows' "$t/progress" && same_rows src dst half || die "$(cat "$t/status")"
rmdir "$t"

note "by HTTP: PUT, start, GET, DELETE; mode full finishes and stays so"
sql dst "DROP DATABASE shop"
t=$T/tasks/web
task_mode=full task_document web s1 dst shop </dev/null >"$WORK/web.yaml"
code=$(curl -s -o "$WORK/body" -w '%{http_code}' -X PUT -H 'Content-Type: application/yaml' --data-binary "@$WORK/web.yaml" "$URL/v1/tasks/web")
[ "$code" = 201 ] || [ "$code" = 200 ] || die "PUT: $code $(cat "$WORK/body")"
[ "$(post web start)" = 204 ] || die "HTTP: $(cat "$WORK/body")"
wait_state web finished 60
same_rows src dst shop || die "the ends differ"
[ "$(curl -s "$URL/v1/tasks/web" | grep -c '"state": *"finished"')" = 1 ] || die "$(curl -s "$URL/v1/tasks/web")"
stop_sluice; restart_sluice
state_is web finished || die "it was finished and is $(state web)"
[ "$(curl -s -o "$WORK/body" -w '%{http_code}' -X DELETE "$URL/v1/tasks/web")" -lt 300 ] || die "DELETE: $(cat "$WORK/body")"
[ ! -e "$t" ] || die "still there"

note "routes and lists: shop.* goes to store, orders is called sales, tmp_* is left out"
t=$T/tasks/routed
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: routed
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
  - { source: { source_name: s1, schema: "sh?p", table: "" }, target: { schema: store } }
  - { source: { source_name: s1, schema: shop, table: "~^order" }, target: { schema: store, table: sales } }
block_allow_list: { ignore_tables: [ { db_name: shop, tbl_name: "tmp_*" } ] }
source_config: { source_conf: [ { source_name: s1 } ] }
END
say "" start || die "$(cat "$t/last_error")"
sql src "ALTER TABLE shop.orders ADD c INT DEFAULT 7; INSERT INTO shop.orders (a, c) VALUES ('after', 8);
    CREATE TABLE shop.fresh (id INT PRIMARY KEY); INSERT INTO shop.fresh VALUES (1); INSERT INTO shop.tmp_x VALUES (2)"
caught_up routed src
[ "$(sql dst "SHOW TABLES IN store" | sort | tr '\n' ' ')" = "fresh items sales " ] || die "tables: $(sql dst "SHOW TABLES IN store")"
[ "$(sql src "SELECT COUNT(*), SUM(c) FROM shop.orders")" = "$(sql dst "SELECT COUNT(*), SUM(c) FROM store.sales")" ] || die "rows differ"
say "" stop; rmdir "$t"

note "incremental from a position, and from one that is gone"
sql src "CREATE DATABASE inc; CREATE TABLE inc.t (id INT PRIMARY KEY); INSERT INTO inc.t VALUES (1)"
sql dst "CREATE DATABASE inc; CREATE TABLE inc.t (id INT PRIMARY KEY)"
read -r file pos _ <<<"$(sql src "SHOW MASTER STATUS")"
sql src "INSERT INTO inc.t VALUES (2), (3)"
t=$T/tasks/inc
task_mode=incremental task_document inc s1 dst inc </dev/null |
    sed "s/{ source_name: s1 } \]/{ source_name: s1, binlog_name: $file, binlog_pos: $pos } ]/" >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
say "" start || die "$(cat "$t/last_error" "$t/check_report")"
has_two() { [ "$(sql dst "SELECT GROUP_CONCAT(id ORDER BY id) FROM inc.t")" = 2,3 ]; }
wait_for 30 has_two || die "rows: $(sql dst "SELECT * FROM inc.t")"
say "" stop && rmdir "$t"
sql src "FLUSH BINARY LOGS; FLUSH BINARY LOGS"
newest=$(sql src "SHOW MASTER STATUS" | cut -f1)
purged() { sql src "PURGE BINARY LOGS TO '$newest'"; ! sql src "SHOW BINARY LOGS" | grep -q "$file"; }
wait_for 60 purged || die "the source keeps $file" # as long as it thinks that somebody reads it
task_mode=incremental task_document inc s1 dst inc </dev/null |
    sed "s/{ source_name: s1 } \]/{ source_name: s1, binlog_name: $file, binlog_pos: $pos } ]/" >"$T/tasks/create"
say "" start 2>/dev/null
wait_state inc error
grep -q "no longer has $file" "$t/error" || die "the error does not say what happened: $(cat "$t/error")"
note "$(cat "$t/error")"
rmdir "$t" || die "$(cat "$t/last_error")"
