#!/bin/bash
# labels: asan
# The relay of DM's OpenAPI: the page's requests run as printed (port replaced) and in the spellings of 5.x and 6.x,
# against a real MySQL and a real MariaDB; status is what the servers say, errors have DM's codes.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh; . tests/lib/relay.sh; . tests/lib/drainer.sh
[ "$(id -u)" -eq 0 ] || die "needs root, to be another user too"

start_mysql my --log-bin=mysql-bin
start_mariadb mdb
dm=$(free_port)
start_sluice --facades "dm=127.0.0.1:$dm" --member-name worker-1
for s in my mdb; do
    sql $s "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT); INSERT INTO d.t VALUES (NULL); FLUSH BINARY LOGS; INSERT INTO d.t VALUES (NULL)"
done
make_source mysql-01 my || die "$(cat "$T/sources/last_error")"
make_source mdb mdb || die "$(cat "$T/sources/last_error")"

page() { # the page's command on standard input: 200, the answer in $body
    local command
    command=$(sed "s#http://127.0.0.1:8261#${BASE:-$URL}#")
    status=$(eval "${command/curl/curl -s -o \"\$WORK/body\" -w '%{http_code}'}"); body=$(cat "$WORK/body")
    [ "$status" = 200 ] || die "$command: $status $body"
}
shows() { jq -e "$1" <<<"$body" >/dev/null || die "not $1: $body"; }
dm_status() { expect 200 GET "/api/v1/sources/$1/status" ''; shows '.total == 1 and (.data | length) == 1'; }
stage_is() { dm_status "$1"; [ "$(jq -r '.data[0].relay_status.stage' <<<"$body")" = "$2" ] || die "the stage of $1 is not $2: $body"; }
no_relay() { dm_status "$1"; shows '.data[0] | has("relay_status") | not'; }

note "the page, on the main port"
no_relay mysql-01
shows '.data[0] | .source_name == "mysql-01" and .worker_name == "worker-1"'
page <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/start-relay' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "worker_name_list": [
    "worker-1"
  ],
  "relay_binlog_name": "mysql-bin.000002",
  "relay_binlog_gtid": "e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849",
  "relay_dir": "./relay_log"
}'
END
[ -z "$body" ] || die "a body: $body"
[ "$(cat "$T/sources/mysql-01/relay/relay_binlog_name")" = mysql-bin.000002 ] || die "relay_binlog_name"
relay_caught_up mysql-01 my
seen() { # what came from it counts, however long ago it was asked
    dm_status mysql-01
    [ "$(jq -r '.data[0].relay_status.master_binlog' <<<"$body")" = "($(source_end my | sed 's/ /, /'))" ]
}
seen || die "master_binlog: $body"
uuid=$(sql my 'SELECT @@server_uuid')
shows ".data[0].relay_status | .stage == \"Running\" and .relay_catch_up_master == true and .relay_dir == \"$uuid.000001\""
executed=$(sql my 'SELECT @@global.gtid_executed' | tr -d '\\n')
shows ".data[0].relay_status | .master_binlog_gtid == \"$executed\" and (.relay_binlog_gtid | contains(\"$executed\"))"
page <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/pause-relay' \
  -H 'accept: */*'
END
stage_is mysql-01 Paused
sql my "INSERT INTO d.t VALUES (NULL)"
page <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/resume-relay' \
  -H 'accept: */*'
END
stage_is mysql-01 Running
relay_caught_up mysql-01 my
page <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/stop-relay' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "worker_name_list": [
    "worker-1"
  ]
}'
END
no_relay mysql-01

note "5.x and 6.x, on a port of its own"
BASE=http://127.0.0.1:$dm
post() { expect 200 POST "/api/v1/sources/mdb/$1" "${2:-}"; }
post relay/enable; stage_is mdb Running; relay_caught_up mdb mdb
post relay/enable '{"worker_name_list": []}'
post pause-relay; stage_is mdb Paused
stop_sluice; restart_sluice; stage_is mdb Paused
post resume-relay; stage_is mdb Running
sql mdb "FLUSH BINARY LOGS; INSERT INTO d.t VALUES (NULL)"; relay_caught_up mdb mdb
dm_status mdb; shows ".data[0].relay_status | .relay_dir == \"0-$mdb_id.000001\" and .master_binlog == \"($(source_end mdb | sed 's/ /, /'))\""
first=$(cat "$T/sources/mdb/relay/first_seq")
not_purged() { expect 400 POST /api/v1/sources/mdb/relay/purge "{\"relay_binlog_name\": \"$(source_end mdb | cut -d' ' -f1)\", \"relay_dir\": \"$1\"}"; has "$2"; }
not_purged "0-$mdb_id.000007" "of incarnation 7 is stored"; has "code=30040:"; not_purged ./relay_log "is no sub-directory"
expect 400 POST /api/v1/sources/mdb/relay/purge '{"relay_binlog_name": "nothing.000001"}'; has "code=30039:"
[ "$(cat "$T/sources/mdb/relay/first_seq")" = "$first" ] || die "a purge of another server's file took this one's"
post relay/purge "{\"relay_binlog_name\": \"$(source_end mdb | cut -d' ' -f1)\", \"relay_dir\": \"0-$mdb_id.000001\"}"
[ "$(cat "$T/sources/mdb/relay/first_seq")" -gt "$first" ] || die "nothing was purged"
note "a purge that is forbidden: somebody reads on from there"
mkdir "$WORK/sql"; make_pump p mdb
make_drainer d <<END
to: { db_type: sql, dir: $WORK/sql }
END
start_drainer d; drained d 60 mdb=mdb; echo >"$T/drainers/d/pause"
purge_to() { echo "{\"relay_binlog_name\": \"$(source_end mdb | cut -d' ' -f1)\"}"; }
for _ in 1 2; do sql mdb "INSERT INTO d.t VALUES (NULL); FLUSH BINARY LOGS"; done; relay_caught_up mdb mdb
curl -s -X POST -d "$(purge_to)" "$BASE/api/v1/sources/mdb/relay/purge" >/dev/null # what the drainer has read
expect 400 POST /api/v1/sources/mdb/relay/purge "$(purge_to)"
jq -e '.error_code == 30037 and (.error_msg | contains("relay log purge is forbidden temporarily, RawCause: drainers/d still needs it"))' <<<"$body" >/dev/null || die "$body"
for n in drainers/d pumps/p; do echo >"$T/$n/resume" 2>/dev/null; echo >"$T/$n/close" || die "$(cat "$T/$n/last_error")"; done
offline() { [ "$(cat "$T/drainers/d/node_state" "$T/pumps/p/node_state" | sort -u)" = offline ]; }
wait_for 30 offline || die "$(cat "$T/drainers/d/node_state" "$T/pumps/p/node_state")"
rmdir "$T/drainers/d" "$T/pumps/p" || die "$(cat "$T/pumps/last_error")"
kill_server mdb
gone() { dm_status mdb; jq -e '.data[0].error_msg | length > 0' <<<"$body" >/dev/null; }
wait_for 60 gone || die "no error_msg: $body"
post relay/disable; no_relay mdb
post start-relay; post stop-relay '{"worker_name_list": ["worker-1"]}'

note "errors"
code() { # error_code part-of-the-text method path body
    local want=$1 part=$2; shift 2
    expect 400 "$@"
    jq -e --argjson c "$want" --arg p "$part" '.error_code == $c and (.error_msg | contains($p))' <<<"$body" >/dev/null || die "$*: $body"
}
code 46008 "[code=46008:class=scheduler:scope=internal:level=medium], Message: source config with ID none not exists" GET /api/v1/sources/none/status ''
code 46012 "none" POST /api/v1/sources/none/pause-relay ''
code 46004 "dm-worker with name w9 not exists" PATCH /api/v1/sources/mdb/start-relay '{"worker_name_list": ["w9"]}'
code 0 "relay_binlog_name" POST /api/v1/sources/mdb/relay/purge '{}'
code 49001 "no relay worker" POST /api/v1/sources/mdb/relay/purge '{"relay_binlog_name": "x"}'
mkdir "$T/sources/away" && { echo 127.0.0.1 >"$T/sources/away/host"; echo 1 >"$T/sources/away/port"; echo x >"$T/sources/away/user"; echo x >"$T/sources/away/password"; } || die "away"
expect 200 POST /api/v1/sources/away/relay/enable ''
code 30038 "no active relay log file found" POST /api/v1/sources/away/relay/purge '{"relay_binlog_name": "x"}'
expect 200 POST /api/v1/sources/away/relay/disable ''
expect 404 GET /api/v1/nope ''; expect 405 DELETE /api/v1/sources/mdb/status ''
chmod 755 "$WORK"
out=$(setpriv --reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' -X POST "$BASE/api/v1/sources/mdb/relay/enable")
[ "$out" = 403 ] || die "nobody enables a relay: $out"
no_relay mdb
echo PASS
