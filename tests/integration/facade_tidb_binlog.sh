#!/bin/bash
# labels: asan
# TiDB-Binlog's HTTP: each request of its page runs as printed (ports replaced) on the ports of three pumps and a drainer
# and below their prefix on the main one; answers are checked key by key; state changes with upstream's checks; binlogctl.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh; . tests/lib/relay.sh; . tests/lib/drainer.sh
[ "$(id -u)" -eq 0 ] || die "needs root, to be another user too"

start_mariadb src; start_mariadb idle; start_mariadb dst # two pumps are of one source
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20)); INSERT INTO d.t VALUES (1, 'x')"
start_sluice
pump_port=$(free_port)
for n in 71 74 75; do
    case $n in 71) s=s1 server=src port=$pump_port ;; 74) s=s1 port=$(free_port) ;; 75) s=s2 server=idle port=$(free_port) ;; esac
    [ -d "$T/sources/$s" ] || make_source $s $server || die "$(cat "$T/sources/last_error")"
    cat >"$T/pumps/create" <<END || die "$(cat "$T/pumps/last_error")"
name: p$n
source_name: $s
node_id: ip-172-16-5-$n:8250
addr: 127.0.0.1:$port
advertise_addr: 172.16.5.$n:8250
END
    echo >"$T/pumps/p$n/start" || die "$(cat "$T/pumps/p$n/last_error")"
done
PUMP=http://127.0.0.1:$pump_port
pump_listens() { curl -s "$PUMP/status" -o /dev/null; }
wait_for 10 pump_listens || die "no listener of p71: $(cat "$T/pumps/p71/last_error")"
BASE=$PUMP; expect 200 GET /drainers ''; is "[]"

drainer_port=$(free_port)
make_drainer d70 <<END
node_id: ip-172-16-5-70:8249
addr: 127.0.0.1:$drainer_port
advertise_addr: 172.16.5.70:8249
initial_commit_ts: 0
detect_interval: 1
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
END
start_drainer d70
DRAINER=http://127.0.0.1:$drainer_port
drainer_listens() { curl -s "$DRAINER/status" -o /dev/null; }
wait_for 10 drainer_listens || die "no listener of d70: $(cat "$T/drainers/d70/last_error")"
sql src "INSERT INTO d.t VALUES (2, 'y')"
drained d70 60 s1=src

# The page's command: the answer in $body.
page() {
    local command
    command=$(sed "s#{PumpIP}\|{DrainerIP}#127.0.0.1#; s#http://127.0.0.1:8250#$PUMP_AT#; s#http://127.0.0.1:8249#$DRAINER_AT#" <<<"$1")
    body=$(eval "${command/curl/curl -s}") || die "$command"
}
shows() { jq -e "$1" <<<"$body" >/dev/null || die "not $1: $body"; }
number() { grep -oE "\"$1\": ?[0-9]+" <<<"$body" | head -1 | grep -oE '[0-9]+$'; } # jq's are doubles

registered() { curl -s "$PUMP/drainers" | grep -q '"maxCommitTS":[1-9]'; } # with the next heartbeat
wait_for 10 registered || die "$(curl -s "$PUMP/drainers")"
for where in own main; do
    note "the page's reads, on the $where port"
    [ $where = own ] && PUMP_AT=$PUMP DRAINER_AT=$DRAINER || { PUMP_AT=$URL/pumps/p71; DRAINER_AT=$URL/drainers/d70; }

    page 'curl http://127.0.0.1:8250/status'
    shows '(keys_unsorted | join(" ")) == "status CommitTS Checkpoint ErrMsg" and .Checkpoint == {} and .ErrMsg == ""'
    shows '(.status | keys) == ["ip-172-16-5-71:8250", "ip-172-16-5-74:8250", "ip-172-16-5-75:8250"]'
    shows '.status | to_entries | all(.key == .value.nodeId and (.value | (keys_unsorted | join(" ")) == "nodeId host state isAlive score label maxCommitTS updateTS" and .state == "online" and .isAlive == false and .score == 0 and .label == null))'
    shows '.status["ip-172-16-5-71:8250"].host == "172.16.5.71:8250"'
    [ "$(wc -l <<<"$body")" = 1 ] || die "not one line: $body"
    first=$(number CommitTS); max=$(number maxCommitTS)
    now=$(date +%s%3N); [ $(((first >> 18) - now)) -lt 3000 ] && [ $((now - (first >> 18))) -lt 3000 ] || die "CommitTS $((first >> 18)) is not now, $now"
    [ "$first" -gt "$max" ] || die "CommitTS $first is not beyond maxCommitTS $max"
    page 'curl http://127.0.0.1:8250/status'
    [ "$(number CommitTS)" -gt "$first" ] || die "CommitTS does not grow: $first, then $(number CommitTS)"

    page 'curl http://{PumpIP}:8250/metrics'
    grep -qE '^binlog_pump_storage_max_commit_ts [0-9]{13}$' <<<"$body" && grep -qE '^binlog_pump_storage_storage_size_bytes\{type="available"\} [0-9]+$' <<<"$body" || die "$body"
    counts() { awk -v name="$1" '$1 == name && $2 > 0 { found = 1 } END { exit !found }' <<<"$body" || die "$1 is not above 0: $(grep "^${1%%{*}" <<<"$body")"; }
    counts 'binlog_pump_storage_write_binlog_duration_time_count{type="fsync"}'
    counts 'binlog_pump_storage_write_binlog_size_sum{type="single"}'
    counts 'binlog_pump_rpc_duration_seconds_count{method="WriteBinlog",label="succ"}'
    page 'curl http://{DrainerIP}:8249/metrics'
    counts 'binlog_drainer_execute_duration_time_count'
    counts 'binlog_drainer_query_duration_time_count{type="commit"}'
    counts 'binlog_drainer_read_binlog_size_sum{nodeID="ip-172-16-5-71:8250"}'
    counts 'binlog_drainer_binlog_reach_duration_time_count{nodeID="ip-172-16-5-71:8250"}'
    page 'curl http://{PumpIP}:8250/drainers'
    shows 'length == 1 and (.[0] | .nodeId == "ip-172-16-5-70:8249" and .host == "172.16.5.70:8249" and .state == "online" and .isAlive == false and .score == 0 and .label == null and .maxCommitTS > 0 and .updateTS > 0)'

    ts=$(cat "$T/sources/s1/relay/commit_ts")
    page "curl http://127.0.0.1:8250/debug/binlog/$ts"
    gtid=$(sql src 'SELECT @@gtid_binlog_pos')
    case $body in "tp:Commit start_ts:$ts commit_ts:$ts prewrite_key:\"$gtid bin.0"*"PrewriteValue: "*" GetMvccByEncodedKey: "*) ;; *) die "$body" ;; esac
    has y; has '`d`.`t`'
    BASE=$PUMP_AT
    expect 200 GET /debug/binlog/abc ''; is "invalid parameter ts: abc"
    expect 200 GET /debug/binlog/1 ''; has "fail read binlog by ts: 1: "; has "not found"
    page 'curl -X POST http://{PumpIP}:8250/debug/gc/trigger'
    case $body in "trigger gc success" | "gc is working") ;; *) die "$body" ;; esac

    page 'curl http://{DrainerIP}:8249/status'
    shows '(keys_unsorted | join(" ")) == "PumpPos Synced LastTS TsMap" and .Synced == false and .TsMap == ""'
    shows '(.PumpPos | keys) == ["ip-172-16-5-71:8250", "ip-172-16-5-74:8250", "ip-172-16-5-75:8250"] and (.PumpPos | all(. > 0))'
    last=$(number LastTS)
    page 'curl http://{DrainerIP}:8249/commit_ts'
    shows '.message == "get drainer'\''s latest ts success!" and .code == 200'
    [ "$(number ts)" -ge "$last" ] || die "commit_ts is behind LastTS $last: $body"
    page 'curl http://{DrainerIP}:8249/metrics'
    grep -qE '^binlog_drainer_checkpoint_tso [0-9]{13}$' <<<"$body" && grep -qE '^binlog_drainer_event\{type="Insert"\} 2$' <<<"$body" || die "$body"
    grep -qE '^binlog_drainer_pump_position\{nodeID="ip-172-16-5-74:8250"\} [0-9]{13}$' <<<"$body" || die "$body"
done

note "changes of state, in upstream's order"
PUMP_AT=$PUMP DRAINER_AT=$DRAINER BASE=$PUMP
envelope() { # code message: of the last answer
    jq -e --argjson c "$1" --arg m "$2" '.code == $c and .message == $m and .data == null' <<<"$body" >/dev/null || die "not $1 $2: $body"
}
ID=ip-172-16-5-71:8250
put() { expect 200 PUT "/state/$1" ''; }
put ip-172-16-5-74:8250/bad; envelope 3 "invalide nodeID ip-172-16-5-74:8250, this pump's nodeID is $ID"
put $ID/bad; envelope 3 "invalide action bad"
page 'curl -X PUT http://127.0.0.1:8250/state/ip-172-16-5-71:8250/stop'; envelope 200 "apply action stop success!"
grep -qi '^Content-Type: application/json; charset=UTF-8' <<<"$(curl -si -X PUT "$PUMP/state/$ID/stop" | tr -d '\r')" || die "content type"
wait_for 20 pump_is p71 node_state paused || die "it is $(cat "$T/pumps/p71/node_state")"
put $ID/pause; envelope 3 "this pump's state is paused, apply pause failed!"
expect 200 GET /status ''; shows ".status[\"$ID\"].state == \"paused\""
put ip-172-16-5-71%3A8250/resume; envelope 200 "apply action resume success!"
pump_is p71 node_state online || die "resumed it is $(cat "$T/pumps/p71/node_state")"
BASE=$DRAINER
put x/pause; envelope 3 "invalid nodeID x, this pump's nodeID is ip-172-16-5-70:8249"
page 'curl -X PUT http://127.0.0.1:8249/state/ip-172-16-5-70:8249/stop'; envelope 200 "apply action stop success!"
wait_for 20 drainer_is d70 node_state paused || die "it is $(cat "$T/drainers/d70/node_state")"
put ip-172-16-5-70:8249/bad; envelope 3 "this pump's state is paused, apply bad failed!"

note "a pump closes when the paused drainer has all"
sql src "INSERT INTO d.t VALUES (3, 'z')"; relay_caught_up s1 src
BASE=$PUMP; put $ID/close; envelope 200 "apply action close success!"
put $ID/close; envelope 3 "this pump's state is closing, apply close failed!"
sleep 2; pump_is p71 node_state closing || die "not drained it is $(cat "$T/pumps/p71/node_state")"
BASE=$DRAINER; put ip-172-16-5-70:8249/start; envelope 200 "apply action start success!"
wait_for 40 pump_is p71 node_state offline || die "drained it is $(cat "$T/pumps/p71/node_state")"
[ "$(sql dst 'SELECT COUNT(*) FROM d.t')" = 3 ] || die "not drained"
BASE=$PUMP; expect 200 GET /status ''; shows ".status | length == 3 and .[\"$ID\"].state == \"offline\""

note "paths, methods, rights"
for what in "POST /status" "GET /debug/gc/trigger" "DELETE /state/$ID/pause" "POST /debug/binlog/1"; do expect 405 ${what% *} ${what#* } ''; is ""; done
expect 404 GET /nope ''; is "404 page not found"; expect 404 GET /commit_ts ''; expect 200 POST /metrics ''
expect 404 GET /v1/pumps ''
BASE=$URL; expect 404 GET /pumps/none/status ''
chmod 755 "$WORK"
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' "$@"; }
[ "$(nobody "$PUMP/status")" = 200 ] || die "nobody cannot read"
[ "$(nobody -X PUT "$PUMP/state/$ID/start")" = 403 ] && [ "$(nobody -X POST "$PUMP/debug/gc/trigger")" = 403 ] || die "nobody acts"
pump_is p71 node_state offline || die "nobody started it"

note "binlogctl"
ctl() { "$sluicectl" binlogctl "$@" 2>"$WORK/err"; }
[ "$(ctl pumps | cut -f1,2,3 | tr '\t\n' ' |')" = "ip-172-16-5-74:8250 172.16.5.74:8250 online|ip-172-16-5-75:8250 172.16.5.75:8250 online|" ] || die "$(ctl pumps)"
[ "$(ctl -cmd pumps -show-offline-nodes | wc -l)" = 3 ] || die "offline nodes: $(ctl -cmd pumps -show-offline-nodes)"
ctl -cmd pause-pump -node-id ip-172-16-5-74:8250 || die "$(cat "$WORK/err")"
pump_is p74 node_state paused || die "it is $(cat "$T/pumps/p74/node_state")"
ctl -cmd pause-pump -node-id ip-172-16-5-74:8250 && die "paused twice"
ctl resume-pump -node-id p74 || die "$(cat "$WORK/err")"; pump_is p74 node_state online || die "not resumed"
ctl update-pump -node-id p71 -state nonsense && die "a state that is none"; grep -q "state nonsense is illegal" "$WORK/err" || die "$(cat "$WORK/err")"
ctl update-pump -node-id p71 -state paused || die "$(cat "$WORK/err")"; pump_is p71 node_state paused || die "not updated"
ctl offline-drainer -node-id ip-172-16-5-70:8249 || die "$(cat "$WORK/err")"
wait_for 20 drainer_is d70 node_state offline || die "closed it is $(cat "$T/drainers/d70/node_state")"
[ -z "$(ctl drainers)" ] || die "$(ctl drainers)"
# Before a proxy that asks for a certificate.
for who in localhost operator; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=$who -addext "subjectAltName=DNS:localhost" -keyout "$WORK/$who.key" -out "$WORK/$who.pem" 2>/dev/null || die "openssl"
done
tls_port=$(free_port)
openssl s_server -WWW -accept "$tls_port" -cert "$WORK/localhost.pem" -key "$WORK/localhost.key" -Verify 1 -verify_return_error -CAfile "$WORK/operator.pem" >"$WORK/tls.out" 2>&1 </dev/null &
tls=$!; at_exit 'kill $tls 2>/dev/null'
wait_for 10 grep -q ACCEPT "$WORK/tls.out" || die "no TLS server: $(cat "$WORK/tls.out")"
! timeout 30 "$sluicectl" binlogctl -pd-urls="https://localhost:$tls_port" -ssl-ca "$WORK/localhost.pem" -cmd pumps 2>/dev/null || die "let in without a certificate"
! grep -q "CN = operator" "$WORK/tls.out" || die "a certificate nobody gave"
timeout 30 "$sluicectl" binlogctl -pd-urls="https://localhost:$tls_port" -ssl-ca "$WORK/localhost.pem" -ssl-cert "$WORK/operator.pem" -ssl-key "$WORK/operator.key" -cmd pumps >/dev/null 2>&1
grep -q "CN = operator" "$WORK/tls.out" || die "no certificate: $(cat "$WORK/tls.out")"
kill $tls
ln -sf "$(realpath "$sluicectl")" "$WORK/binlogctl"
"$WORK/binlogctl" -pd-urls="$URL" -cmd generate_meta -data-dir "$WORK/meta" -time-zone Asia/Shanghai >/dev/null || die "generate_meta"
ts=$(sed -n 's/^commitTS = //p' "$WORK/meta/savepoint"); [ "$ts" -gt "$(cat "$T/sources/s1/relay/commit_ts")" ] || die "$(cat "$WORK/meta/savepoint")"
openssl rand -hex 32 >"$WORK/key"
[ "$(ctl encrypt -text sluice -key "$WORK/key" | ctl decrypt -key "$WORK/key")" = sluice ] || die "$(cat "$WORK/err")"

note "ports follow addr; a password may be encrypted"
other=$(free_port); echo "127.0.0.1:$other" >"$T/pumps/p71/addr" || die "$(cat "$T/pumps/p71/last_error")"
moved() { curl -s "http://127.0.0.1:$other/status" | grep -q ip-172 && ! curl -s "$PUMP/status" -o /dev/null; }
wait_for 10 moved || die "the listener did not move: $(cat "$T/pumps/p71/last_error")"
ctl pause-pump -node-id p74 >/dev/null; echo "127.0.0.1:$other" >"$T/pumps/p74/addr" || die "$(cat "$T/pumps/p74/last_error")"
refused() { grep -q "127.0.0.1 port $other: Address already in use" "$T/pumps/p74/last_error"; }
wait_for 10 refused || die "no reason in $(cat "$T/pumps/p74/last_error")"
sealed=$(ctl encrypt -text sluice -key "$WORK/key")
stop_sluice; sluice_options="--secret-key-path $WORK/key"; restart_sluice
curl -s "http://127.0.0.1:$other/status" | grep -q ip-172 || die "no listener after a restart"
mkdir "$T/sources/s4" && echo 127.0.0.1 >"$T/sources/s4/host" && echo "$src_port" >"$T/sources/s4/port" && echo sluice >"$T/sources/s4/user" &&
    echo "$sealed" >"$T/sources/s4/password" && echo >"$T/sources/s4/check" || die "$(cat "$T/sources/s4/last_error")"
grep -q "OK *connection" "$T/sources/s4/check_report" || die "the encrypted password: $(cat "$T/sources/s4/check_report")"
echo PASS
