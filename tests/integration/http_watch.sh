#!/bin/bash
# Event streams: what changes arrives, a reader resumes, many readers cost nothing, a stop ends all.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/http.sh
start_http_treed 100
K=/v1/kinds
watch() { # path file [curl options...]
    local path=$1 file=$2; shift 2
    curl -sN "$@" "$URL$path" >"$WORK/$file" & watchers="${watchers:-} $!"
    wait_for 5 grep -q '^retry' "$WORK/$file" || die "no stream of $path"
}
seen() { wait_for 5 grep -q -- "$2" "$WORK/$1" || die "$1 has no $2: $(cat "$WORK/$1")"; }

watch "$K?watch=1" node
watch "$K/state" state -H 'Accept: text/event-stream'
watch '/v1?watch=1' root
seen node '"changed":{.*"count":7'; seen state '"changed":{"state":"new"}'
expect 204 POST $K/pause ''
seen node '"path":"kinds","seq":[0-9]*,"changed":{.*"state":"paused"'
seen state '{"state":"paused"}'; seen root '"path":"kinds"'
expect 201 PUT /v1/items/one ''; seen root '^event: create'; seen root '"path":"items/one"'
expect 204 DELETE /v1/items/one ''; seen root '^event: remove'
grep -q items "$WORK/node" && die "a stream of kinds has items"
# each event: has a name, a number that grows, and one line of JSON
grep '^data:' "$WORK/root" | sed 's/^data: //' | jq -es 'all(.path != null)' >/dev/null || die "data is not JSON"
ids=$(sed -n 's/^id: //p' "$WORK/root"); [ "$ids" = "$(sort -nu <<<"$ids")" ] || die "numbers: $ids"

# Resumed, with what was missed; a number of long ago says to read everything again.
last=$(sed -n 's/^id: //p' "$WORK/state" | tail -1)
expect 204 POST $K/resume ''; seen state running
watch "$K/state?watch=1" again -H "Last-Event-ID: $last"; seen again '"state":"running"'
grep -q '"paused"\|"new"' "$WORK/again" && die "what was seen came again"
watch "$K?watch=1" long -H 'Last-Event-ID: 17'; seen long '^event: reset'
expect 404 GET '/v1/nothing?watch=1' ''; expect 405 GET "$K/pause?watch=1" ''

# A file of lines: each new one, after the last few; resumed by offset.
watch '/v1/events?watch=1' lines; seen lines '^event: line'; seen lines '"to":"paused"'
expect 204 POST $K/pause ''; wait_for 5 eval '[ "$(grep -c "^data: .*paused" "$WORK/lines")" = 2 ]' || die "lines: $(cat "$WORK/lines")"
grep '^data:' "$WORK/lines" | sed 's/^data: //' | jq -es 'all(.path == "kinds")' >/dev/null || die "lines are not JSON"
[ "$(sed -n 's/^id: //p' "$WORK/lines" | tail -1)" = "$(curl -s -H 'Accept: text/plain' "$URL/v1/events" | wc -c)" ] || die "the offset of the last line"
watch '/v1/events' older -H 'Accept: text/event-stream' -H "Last-Event-ID: $(sed -n 's/^id: //p' "$WORK/lines" | tail -2 | head -1)"
seen older paused; [ "$(grep -c '^event: line' "$WORK/older")" = 1 ] || die "resumed lines: $(cat "$WORK/older")"

# Stirred 2,000 times a second: ten events a second at most, the last state is right, reading goes on.
expect 204 POST $K/stir ''
: >"$WORK/state"; began=$(date +%s%N); sleep 2
ten() { n=$(grep -c '^event' "$WORK/state"); [ "$n" -ge 10 ]; }
wait_for 20 ten; took=$(ms "$began")
[ "$n" -ge 10 ] && [ "$n" -le $((took / 100 + 5)) ] || die "$n events in $took ms"
for i in $(seq 100); do watch "$K?watch=1" "many$i"; done
from=$(date +%s%N); for _ in $(seq 20); do expect 200 GET $K/count ''; done
note "20 requests beside 100 streams of a busy node: $((($(date +%s%N) - from) / 1000000)) ms; $n events in $took ms"
seen many100 '^event: change'

# Readers that leave are forgotten; a stop ends the others at once.
for pid in $(echo "$watchers" | tr ' ' '\n' | tail -60); do kill "$pid"; done 2>/dev/null
sleep 0.5; expect 200 GET $K/count ''
from=$(date +%s%N); kill "$treed_pid"; wait "$treed_pid" || die "treed ended with $?"
took=$(ms "$from"); [ "$took" -lt 15000 ] || die "stopping took $took ms"
for pid in $watchers; do wait "$pid" 2>/dev/null; done
note "stopped with 50 open streams in $took ms"
grep -i 'panic\|abort' "$WORK/treed.log" && die "a panic"
echo PASS
