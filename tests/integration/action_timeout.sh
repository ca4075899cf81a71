#!/bin/bash
# An action whose effect takes longer than ten seconds says ETIMEDOUT (504 over HTTP) and goes on; meanwhile
# nobody else waits.  The source lets everybody wait who logs in: init_connect.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src; start_mariadb dst
sql src "CREATE DATABASE a; CREATE TABLE a.t (id INT PRIMARY KEY); INSERT INTO a.t VALUES (1), (2); CREATE DATABASE b; CREATE TABLE b.t LIKE a.t;
    CREATE USER slow@'%' IDENTIFIED BY 'slow'; GRANT SELECT, RELOAD, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT, REFERENCES, REPLICATION SLAVE, REPLICATION CLIENT, SLAVE MONITOR, BINLOG MONITOR ON *.* TO slow@'%'"
start_sluice
make_source s1 src && make_task a s1 dst a </dev/null && make_task b s1 dst b </dev/null || die "$(cat "$T/tasks/last_error")"
echo slow >"$T/sources/s1/user"; echo slow >"$T/sources/s1/password"
sql src "SET GLOBAL init_connect = 'DO SLEEP(4); DO SLEEP(4); DO SLEEP(4); DO SLEEP(4); DO SLEEP(4)'" # there each is cut short at five

curl -s -X POST -w '\n%{http_code}' "$URL/v1/tasks/b/start" >"$WORK/http" & http=$!
(echo >"$T/tasks/a/start") 2>"$WORK/said" & file=$!
at_check() { [ "$(cat "$T/tasks/a/stage")$(state a)" = checkrunning ]; }
wait_for 5 at_check || die "task a is $(state a), at $(cat "$T/tasks/a/stage")"
alone=$(ms_of cat "$T/sources/s1/state")
not_held_up "$alone" ls -l "$T/tasks" "$T/tasks/a" "$T/sources/s1"
not_held_up "$alone" cat "$T/tasks/a/status" "$T/sources/s1/status"
wait $file && die "start says that it is done"
grep -q 'Connection timed out' "$WORK/said" || die "errno: $(cat "$WORK/said")"
grep -q 'the check still goes on' "$T/tasks/a/last_error" || die "last_error: $(cat "$T/tasks/a/last_error")"
at_check || die "after that task a is $(state a), at $(cat "$T/tasks/a/stage")"
wait $http
[ "$(tail -1 "$WORK/http")" = 504 ] || die "HTTP: $(cat "$WORK/http")"
head -n -1 "$WORK/http" | jq -e '.errno == "ETIMEDOUT" and (.error | test("still goes on"))' >/dev/null || die "HTTP: $(cat "$WORK/http")"
echo >"$T/sources/s1/check" 2>/dev/null && die "the source's check says that it is done"
note "start: $(cat "$WORK/said"); $(jq -r .error <(head -n -1 "$WORK/http"))"

sql src "SET GLOBAL init_connect = ''"
caught_up a src; caught_up b src
sql src "INSERT INTO a.t VALUES (3)"
caught_up a src
same_rows src dst a || die "the ends differ"
