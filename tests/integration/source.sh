#!/bin/bash
# labels: asan long
# A source by file operations: a draft, its settings, the check and its report, what is known of the server, a wrong
# password and a stopped server, TLS, how long until the server purges what a task needs, removal while it is used.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh
start_mysql my --binlog-expire-logs-seconds=3600
start_mariadb md
sql my "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); CREATE VIEW shop.v AS SELECT 1;
    CREATE USER poor@'%' IDENTIFIED BY 'hush-hush'"
start_sluice
s=$T/sources/s1
is() { local got; got=$(cat "$s/$1"); [ "$got" = "$2" ] || die "$1 is '$got', not '$2'"; }
value_is() { [ "$(cat "$s/$1")" = "$2" ]; }
becomes() { wait_for 30 value_is "$1" "$2" || die "$1 is '$(cat "$s/$1")', not '$2': $(cat "$s/error")"; }
# A check that finds something fails, as a task's does, and last_error has the first line of it.
check() {
    if echo 2>/dev/null >"$s/check"; then ! grep '^FAIL' "$s/check_report" || die "a check that failed was a success"; return; fi
    cut -d: -f5- "$s/last_error" | cut -c2- | cut -c1-40 >"$WORK/first"
    grep '^FAIL' "$s/check_report" | head -1 | cut -c7- | grep -qF -f "$WORK/first" || die "last_error: $(cat "$s/last_error"); report: $(cat "$s/check_report")"
}
report_has() { check; grep -qE "$1" "$s/check_report" || die "no /$1/ in the report: $(cat "$s/check_report")"; }

mkdir "$s"; is state new
report_has '^FAIL .*no host yet: echo HOST > host'
echo 127.0.0.1 >"$s/host"; echo "$my_port" >"$s/port"; echo poor >"$s/user"; echo hush-hush >"$s/password"; echo true >"$s/enable_gtid"
becomes state error # it may not read positions
report_has '^FAIL .*GRANT REPLICATION SLAVE, REPLICATION CLIENT ON \*\.\* TO .poor.@.%.'
report_has '^FAIL .*GRANT XA_RECOVER_ADMIN ON \*\.\* TO .poor.@.%.'
type_fixes() { eval "$(sed -n 's/^FAIL .*type at the source: \(GRANT .*\)$/sql my "\1"/p' "$s/check_report")" || die "a fix does not work"; }
type_fixes
report_has '^OK .*the binlog can be read'
! grep -q '^FAIL' "$s/check_report" || die "$(cat "$s/check_report")"
becomes state running
is server_version "$(server_version my)"
is server_uuid "$(sql my 'SELECT @@server_uuid')"
is server_id "$my_id"
is earliest_binlog bin.000001
echo sluice >"$s/user"; echo sluice >"$s/password"
[ "$(stat -c %a "$s/password")" = 200 ] || die "the password's mode is $(stat -c %a "$s/password")"
! grep -rqE "hush|password: sluice" "$s/config" "$s/status" "$T/audit" 2>/dev/null || die "a password shows: $(grep -rnE "hush|password: sluice" "$s/config" "$s/status" "$T/audit")"
becomes state running
[ "$(cat "$s/schemas")" = shop ] || die "schemas: $(cat "$s/schemas")"
[ "$(cut -f1-3 "$s/tables" | tr '\t\n' '. ')" = "shop.orders.table shop.v.view " ] || die "tables: $(cat "$s/tables")"
[ "$(jq -c . "$s/schema_list")" = '["information_schema","mysql","performance_schema","shop","sys"]' ] || die "schema_list: $(cat "$s/schema_list")"
[ "$(jq -c . "$s/tables_of/shop")" = '["orders"]' ] || die "tables_of/shop: $(cat "$s/tables_of/shop")"
cat "$s/tables_of/none" 2>"$WORK/err" && die "tables of a schema that is not there"
grep -q "No such file" "$WORK/err" || die "$(cat "$WORK/err")"
[ "$(curl -s "$URL/v1/sources/s1/tables_of/mysql" | jq -r 'index("user") > 0')" = true ] || die "HTTP: $(curl -s "$URL/v1/sources/s1/tables_of/mysql")"
[ "$(curl -s "$URL/v1/sources/s1/server_id")" = "$my_id" ] || die "HTTP: $(curl -s "$URL/v1/sources/s1/server_id")"

echo wrong >"$s/password"; becomes state error
grep -q 'Access denied' "$s/error" || die "error: $(cat "$s/error")"
report_has "^FAIL  connection: .*; echo PASSWORD > password; or at the source: ALTER USER 'sluice' IDENTIFIED BY"
echo 1 >"$s/port"; report_has '^FAIL  connection: .*; start the server; or .* echo PORT > port'; echo "$my_port" >"$s/port"
echo file:"$WORK/pw" >"$s/password"; echo sluice >"$WORK/pw"; becomes state running
echo true >"$s/security/required"; becomes state running
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout "$WORK/x.key" -out "$WORK/x.pem" 2>/dev/null
echo file:"$WORK/x.pem" >"$s/security/ssl_ca_content"; becomes state error
report_has '^FAIL  connection: .*; echo file:/PATH/ca.pem > security/ssl_ca_content'
echo false >"$s/security/required"; becomes state running
echo mariadb >"$s/flavor"; becomes state error
: >"$s/flavor"; echo >"$s/flavor" 2>/dev/null; echo mysql >"$s/flavor"; becomes state running
echo >"$s/disable"; becomes state stopped; is enabled false
echo >"$s/enable"; becomes state running
# A server that hangs holds up nobody but who asks it.
kill -STOP "$my_pid"; quick() { timeout 10 "$@" >/dev/null || die "held up by a hanging server: $*"; }
quick ls -lR "$s"; quick cat "$s/status" "$s/config"; quick curl -s "$URL/v1/sources/s1"
cat "$s/tables" 2>"$WORK/err" && die "tables of a server that hangs"
grep -q 'Connection timed out' "$WORK/err" || die "tables: $(cat "$WORK/err")"
report_has '^FAIL  connection: source: .*Lost connection'
kill -CONT "$my_pid"; becomes state running
stop_server my; becomes state error
restart_server my; becomes state running

make_task t s1 md shop </dev/null || die "$(cat "$T/tasks/last_error")"
! rmdir "$s" 2>/dev/null || die "a source in use was removed"
grep -q 'task t' "$s/last_error" || die "last_error: $(cat "$s/last_error")"
echo >"$T/tasks/t/start" || die "$(cat "$T/tasks/t/last_error")"
wait_state t running
caught_up t my
runway() { r=$(cut -d. -f1 "$s/runway_seconds"); [ -n "$r" ] && [ "$r" -gt 3400 ] && [ "$r" -le 3600 ]; }
wait_for 30 runway || die "runway_seconds is '$(cat "$s/runway_seconds")'"
is tasks '[
  "t"
]'
echo >"$T/tasks/t/stop"; wait_state t stopped; rmdir "$T/tasks/t" || die "$(cat "$T/tasks/t/last_error")"
wait_for 20 rmdir "$s" || die "$(cat "$s/last_error")"
[ ! -e "$s" ] || die "it is still there"
cp -r "$T/sources/README" "$WORK/r" && grep -q mkdir "$WORK/r" || die "README"
echo "OK"
