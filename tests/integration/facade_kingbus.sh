#!/bin/bash
# kingbus's admin API: each request of its page runs as printed (addresses replaced), on a port of its own and on the
# main one, against a real master; answers are checked key by key, refusals by status and text, rights by another uid.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh; . tests/lib/relay.sh
[ "$(id -u)" -eq 0 ] || die "needs root, to be another user too"

start_mysql src
sql src "CREATE USER kb@'%' IDENTIFIED BY 'kb'; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO kb@'%';
    CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
admin=$(free_port); serve=$(free_port)
start_sluice --facades "kingbus=127.0.0.1:$admin" --member-name kingbus_149
ADMIN=http://127.0.0.1:$admin

# The page's command on standard input, with its addresses replaced: the answer in $body.
page() {
    local command
    command=$(sed "s#http://192.168.1.1\(49\|50\):9595#${BASE:-$ADMIN}#; s#192.168.1.150:3415#127.0.0.1:$src_port#; s#192.168.1.149:3390#127.0.0.1:$serve#")
    body=$(eval "${command/curl/curl -s}")
}
shows() { # jq's condition
    jq -e "$1" <<<"$body" >/dev/null || die "not $1: $body"
}
known_to_master() { sql src "SHOW REPLICAS" | cut -f1 | grep -qx 1001; }
not() { ! "$@"; }
# A real replica: what the page shows as an empty list.
slave_listed() {
    body=$(curl -s "$BASE/binlog/server/status")
    jq -e ".data.slaves | length == 1 and .[0].server_id == $rep_id and .[0].replication_state == 1" <<<"$body" >/dev/null
}
attached_replica() {
    [ -z "${rep_port:-}" ] || return 0
    start_mysql rep
    sql rep "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$serve, SOURCE_USER='kb', SOURCE_PASSWORD='kb',
        SOURCE_AUTO_POSITION=1, SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=1, SOURCE_HEARTBEAT_PERIOD=2; START REPLICA"
    wait_for 60 slave_listed || die "no slave: $body; $(sql rep 'SHOW REPLICA STATUS\G' | grep -E 'State|Error')"
    wait_for 30 replica_has_all || die "the replica has $(sql rep 'SELECT COUNT(*) FROM d.t') rows"
    slave_listed || die "$body"
    shows ".data.slaves[0] | .server_uuid == \"$(sql rep 'SELECT @@server_uuid')\" and .user == \"kb\" and .heartbeat == 2000000000 and .password == \"\""
    shows '.data.slaves[0] | (.connect_time | test("^20..-..-..T")) and .last_error == "" and (.bytes_sent > 0) and .stats == {}'
}
replica_has_all() { [ "$(sql rep 'SELECT COUNT(*) FROM d.t' 2>/dev/null)" = "$(sql src 'SELECT COUNT(*) FROM d.t')" ]; }
success='.message == "success" and .data == ""'

for BASE in "$ADMIN" "$URL"; do
    note "members, at $BASE"
    page <<<'curl http://192.168.1.150:9595/cluster'
    shows '.message == "success" and (.data | length) == 1'
    shows '.data[0] | .name == "kingbus_149" and .isLeader == true and (.Id | test("^[1-9a-f][0-9a-f]*$")) and (.peerURLs | type) == "array"'
    shows ".data[0].adminURLs == [\"$ADMIN\"]"
    id=$(jq -r '.data[0].Id' <<<"$body")
    page <<'END'
curl -H "Content-Type:application/json" \
-X POST \
--data '{"name":"kingbus_148","peer_url":"http://192.168.1.148:9696"}' \
http://192.168.1.149:9595/members
END
    shows '(has("data") | not) and (.message | test("not enough started members: kingbus_148 cannot join"))'
    page <<'END'
curl -H "Content-Type:application/json" \
-X DELETE \
--data '{"name":"kingbus_148","peer_url":"http://192.168.1.148:9696"}' \
http://192.168.1.149:9595/members
END
    shows '.message == "No such member: kingbus_148" and (has("data") | not)'
    page <<'END'
curl -H "Content-Type:application/json" \
-X PUT \
--data '{"name":"kingbus_149","new_peer_url":"http://192.168.1.149:9699"}' \
http://192.168.1.150:9595/members
END
    grep -qF "\"Id\":$((16#$id))," <<<"$body" || die "not $((16#$id)): $body"
    shows ".data[0] | .name == \"kingbus_149\" and .peerURLs == [\"http://192.168.1.149:9699\"] and (has(\"isLeader\") | not)"
    [ "$(cat "$T/cluster/members/kingbus_149/peer_url")" = http://192.168.1.149:9699 ] || die "the tree does not show it"

    note "syncer"
    page <<'END'
curl -H "Content-Type:application/json" -X PUT --data '{"syncer_id":1001,"syncer_uuid":"f7e30637-f15a-11e8-accc-244427b6b60e","mysql_addr":
"192.168.1.150:3415","mysql_user":"kb","mysql_password":"kb","semi_sync":false}' http://192.168.1.149:9595/binlog/syncer/start
END
    shows "$success"
    relay_caught_up kingbus src
    sql src "INSERT INTO d.t SELECT MAX(id) + 1 FROM d.t"
    relay_caught_up kingbus src
    page <<<'curl -H "Content-Type:application/json" -X GET http://192.168.1.149:9595/binlog/syncer/status'
    shows '.data | .status == "running" and .syncer_id == 1001 and .syncer_uuid == "f7e30637-f15a-11e8-accc-244427b6b60e" and .mysql_user == "kb"'
    shows ".data | .mysql_addr == \"127.0.0.1:$src_port\" and .mysql_password == \"******\" and .semi_sync == false and .last_error == \"\""
    uuid=$(sql src 'SELECT @@server_uuid'); executed=$(sql src 'SELECT @@global.gtid_executed' | tr -d '\\n')
    read -r file position <<<"$(sql src 'SHOW BINARY LOG STATUS' | cut -f1,2)"
    shows ".data | .executed_gtid_set == \"$executed\" and .purged_gtid_set == \"\" and .current_gtid == \"$uuid:${executed##*-}\""
    shows ".data | .last_binlog_file == \"$file\" and .last_file_position == $position"
    known_to_master || die "the master does not know replica 1001: $(sql src 'SHOW REPLICAS')"
    expect 500 PUT /binlog/syncer/start "{\"syncer_id\":1001,\"syncer_uuid\":\"u\",\"mysql_addr\":\"127.0.0.1:$src_port\",\"mysql_user\":\"kb\",\"mysql_password\":\"kb\"}"
    shows '.message == "kingbus: server already started"'

    note "server"
    page <<'END'
curl -H "Content-Type:application/json" -X PUT --data '{"addr":"192.168.1.149:3390","user":"kb","password":"kb"}' http://192.168.1.149:9595/binlog/server/start
END
    shows "$success"
    page <<<'curl http://192.168.1.149:9595/binlog/server/status'
    shows ".data | .addr == \"127.0.0.1:$serve\" and .user == \"kb\" and .password == \"******\" and .status == \"running\""
    [ -n "${rep_port:-}" ] || shows '.data.slaves == []'
    shows ".data | .executed_gtid_set == \"$executed\" and .purged_gtid_set == \"\" and .last_binlog_file == \"$file\" and .last_file_position == $position"
    attached_replica
    page <<'END'
curl -H "Content-Type:application/json" -X PUT http://192.168.1.149:9595/binlog/server/stop
END
    shows "$success"
    page <<<'curl http://192.168.1.149:9595/binlog/server/status'
    shows '.data.status == "stopped"'
    page <<'END'
curl -H "Content-Type:application/json" -X PUT http://192.168.1.149:9595/binlog/syncer/stop
END
    shows "$success"
    page <<<'curl -H "Content-Type:application/json" -X GET http://192.168.1.149:9595/binlog/syncer/status'
    shows ".data | .status == \"stopped\" and .executed_gtid_set == \"$executed\" and .mysql_addr == \"127.0.0.1:$src_port\""
    wait_for 20 not known_to_master || die "the master still has replica 1001"
done

note "metrics, under kingbus's names, on its own port"
curl -s "$ADMIN/metrics" >"$WORK/metrics"
grep -qE '^kingbus_metrics_write_latency_p95 [0-9.]*[1-9]' "$WORK/metrics" && grep -qE "^kingbus_metrics_slave_eps_$rep_id [0-9]+$" "$WORK/metrics" || die "$(cat "$WORK/metrics")"
[ "$(grep -c '^kingbus_metrics_' "$WORK/metrics")" = 15 ] || die "$(cat "$WORK/metrics")"
curl -s "$URL/metrics" | grep -q '^sluice_' || die "the main port's metrics are the tree's"

note "refusals, in kingbus's envelope"
BASE=$ADMIN
refused() { # status text method path body
    local want=$1 text=$2; shift 2
    expect "$want" "$@"
    [ "$(jq -r '.message' <<<"$body")" = "$text" ] && jq -e 'has("data") | not' <<<"$body" >/dev/null || die "$*: $body"
}
refused 404 "Not Found" GET /nope ''
refused 404 "Not Found" GET /v1/sources ''
refused 405 "Method Not Allowed" POST /cluster ''
grep -qx 'Allow: GET' <<<"$head" || die "$head"
refused 400 "the body is not JSON: line 1, column 1: '[' or '{' expected near 'x'" PUT /binlog/syncer/start 'x'
refused 500 "args illegal" PUT /binlog/syncer/start '{"syncer_id":0,"syncer_uuid":"u","mysql_addr":"127.0.0.1:1","mysql_user":"kb"}'
refused 500 "args illegal" PUT /binlog/server/start '{"addr":"127.0.0.1:1","user":"kb","password":""}'
refused 500 "re-configuration failed due to not enough started members: kingbus_149 is the only member" DELETE /members '{"name":"kingbus_149"}'
refused 404 "no such member: x" PUT /members '{"name":"x","new_peer_url":"http://h:1"}'
refused 409 "peerURL exists: http://192.168.1.149:9699" POST /members '{"name":"x","peer_url":"http://192.168.1.149:9699"}'
grep -q "kb\b.*password\|\"password\":\"kb\"" "$SLUICE_LOG" "$T/audit" && die "a password is in the log"

note "another user reads and changes nothing"
chmod 755 "$WORK"
for what in "PUT /binlog/syncer/start" "PUT /binlog/syncer/stop" "PUT /members" "DELETE /members" "PUT /binlog/server/start"; do
    out=$(setpriv --reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' -X "${what% *}" -d '{"syncer_id":1,"syncer_uuid":"u","mysql_addr":"127.0.0.1:1","mysql_user":"kb","mysql_password":"x","name":"kingbus_149","new_peer_url":"http://h:1","addr":"127.0.0.1:1","user":"u","password":"p"}' "$ADMIN${what#* }")
    case $what in *stop) want=200 ;; *) want=403 ;; esac # there is nothing to stop
    [ "$out" = "$want" ] || die "nobody: $what: $out"
done
[ "$(setpriv --reuid=65534 --regid=65534 --clear-groups curl -s "$ADMIN/binlog/syncer/status" | jq -r .data.status)" = stopped ] || die "nobody cannot read"
[ "$(cat "$T/cluster/members/kingbus_149/peer_url")" = http://192.168.1.149:9699 ] || die "nobody wrote"
echo PASS
