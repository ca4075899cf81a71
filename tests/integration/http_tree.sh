#!/bin/bash
# The tree over HTTP: every verb, format, refusal and limit; what waits holds up nobody else.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/http.sh
start_http_treed 100000
K=/v1/kinds
text=(-H 'Accept: text/plain')

# Reading: JSON unless asked otherwise; text is the file's bytes; directories have children, in pages.
expect 200 GET $K/state ''; is '"new"'
expect 200 GET $K/state '' "${text[@]}"; is new
expect 200 GET $K/config '' -H 'Accept: application/yaml'; is 'name: "0123"'
expect 200 GET $K/config ''; jq -e '.name == "0123"' "$WORK/body" >/dev/null || die "config: $body"
expect 200 GET $K ''; jq -e '.count == 7 and .children == [] and (has("config") or has("password") | not)' "$WORK/body" >/dev/null || die "$body"
expect 200 GET /v1 ''; jq -e '.children == ["items", "kinds", "link", "many"]' "$WORK/body" >/dev/null || die "$body"
expect 200 GET /v1/link/state ''; is '"new"'
expect 200 GET /v1/link ''; has '"count": 7'
expect 200 GET $K '' "${text[@]}"; has pause
expect 200 GET /v1/many ''; jq -e '(.children | length) == 1000 and .children_next == "item000999"' "$WORK/body" >/dev/null || die "a page"
expect 200 GET '/v1/many?after=item099997&limit=10' ''; jq -e '.children == ["item099998", "item099999"]' "$WORK/body" >/dev/null || die "$body"
expect 200 GET '/v1/items?depth=1' ''; jq -e '.children.item000001.rows == 0' "$WORK/body" >/dev/null || die "$body"
expect 413 GET '/v1/many?depth=1&limit=100000' ''; has E2BIG
expect 400 GET '/v1/many?limit=many' ''; has 'limit=many'
expect 400 GET '/v1/many?like=x' ''; has "'like'"
expect 200 GET /metrics ''; has 'sluice_'; grep -qi '^content-type: text/plain' <<<"$head" || die "$head"
expect 200 GET /schema ''; jq -e '.paths["items/NAME"] == "item"' "$WORK/body" >/dev/null || die schema
expect 200 HEAD $K/state '' -I; grep -q 'Content-Length: 6' <<<"$head" || die "$head"

# Writing: text as echo, JSON, what curl -d sends; the same again is the same.
for value in 8 '9'; do expect 204 PUT $K/count $value; done
expect 204 PUT $K/count '10' -H 'Content-Type: application/json'
expect 204 PUT $K/count '11' -H 'Content-Type: text/plain'
expect 200 GET $K/count ''; is 11
expect 204 PUT $K/text '"quoted"'; expect 200 GET $K/text ''; is '"quoted"'
expect 204 PUT $K/text '"quoted"' -H 'Content-Type: text/plain'; expect 200 GET $K/text '' "${text[@]}"; is '"quoted"'
expect 204 PUT $K/config 'name: x' ; expect 200 GET $K/config '' "${text[@]}"; is 'name: x'
expect 204 PUT $K/config '{"name": "y"}' -H 'Content-Type: application/json'
expect 204 PUT $K/password secret; expect 405 GET $K/password ''; has EOPNOTSUPP
expect 201 PUT /v1/items/one ''; grep -q '^Location: /v1/items/one' <<<"$head" || die "$head"
expect 204 PUT /v1/items/one ''
expect 201 PUT /v1/items/two '{"rows": 5}'; expect 200 GET /v1/items/two/rows ''; is 5
expect 204 POST /v1/items/create 'name: three'$'\n''rows: 3'; expect 200 GET /v1/items/three/rows ''; is 3
expect 400 PUT /v1/items/four '{"rows": "x"}'; has 'rows: a number'; expect 404 GET /v1/items/four ''
expect 204 DELETE /v1/items/one ''; expect 404 GET /v1/items/one ''; expect 404 DELETE /v1/items/one ''
expect 204 POST $K/pause ''; expect 409 POST $K/pause ''; has EBUSY; has 'paused already'
expect 204 POST $K/echo 'text="two words" times=2'; expect 200 GET $K/text ''; is '"two words"'
expect 204 POST $K/echo '{"text": "json"}'; expect 200 GET $K/text ''; is '"json"'

# A slash in a name stays in it, in any spelling; nobody climbs.
expect 201 PUT '/v1/items/a%2Fb' ''; expect 200 GET '/v1/items/a%2fb/rows' ''; expect 200 GET '/v1/items/a%252Fb/rows' ''
expect 404 GET /v1/items/a/b/rows ''; expect 204 DELETE '/v1/items/a%2Fb' ''
expect 201 PUT '/v1/items/gr%C3%BCn%20%25' ''; expect 204 DELETE '/v1/items/gr%C3%BCn%20%25' ''
expect 404 GET '/v1/items/..' '' --path-as-is; expect 404 GET '/v1/items/%2e%2e/kinds/state' '' --path-as-is
expect 400 GET '/v1/items/%00' ''; expect 400 GET '/v1/items/%zz' ''

# Refusals: the errno's status, its name, a sentence; nothing changed.
expect 204 PUT $K/count 7
for bad in '0' '101' 'x' '7.5' '' '"7"' '[7]'; do
    expect 400 PUT $K/count "$bad" -H 'Content-Type: application/json'; has EINVAL
done
expect 400 POST $K/echo ''; has text; expect 400 POST $K/echo 'text=a txet=b'; has txet
expect 413 PUT $K/text "$(printf '%05000d' 0)"; has EFBIG
expect 400 PUT $K/count 7 -H 'Content-Type: image/png'; has Content-Type
expect 400 PUT $K/config '{"a": ' ; expect 400 PUT $K/config '{"bad": 1}'; has 'bad:'
expect 200 GET $K/count ''; is 7
expect 404 GET $K/cuont ''; has count; expect 404 GET /v2 ''; has /v1/
expect 405 PUT $K/state x; grep -q '^Allow: GET, HEAD$' <<<"$head" || die "$head"
expect 405 DELETE $K ''; expect 405 POST $K/count 5; expect 405 PATCH $K/count 5; expect 405 GET $K/pause ''
grep -q '^Allow: POST$' <<<"$head" || die "$head"
expect 409 PUT /v1/items/two 'rows: 6'; expect 201 PUT /v1/items/busy ''; expect 409 DELETE /v1/items/busy ''
expect 403 PUT /v1/nothing ''; expect 404 PUT /v1/nothing/at/all ''; expect 405 PUT /v1/items/create ''

# Limits.
head -c 60000000 /dev/zero | tr '\0' ' ' >"$WORK/large"; printf '{"name": "large"}' >>"$WORK/large"
expect 204 PUT $K/config @"$WORK/large"; expect 200 GET $K/config ''; has large
head -c 8000000 /dev/zero | tr '\0' ' ' >>"$WORK/large"
expect 413 PUT $K/config @"$WORK/large"; has EFBIG
expect 413 PUT $K/config @"$WORK/large" -H 'Transfer-Encoding: chunked'; has EFBIG
expect 431 GET $K/state '' -H "X-Long: $(printf '%0100000d' 0)"

# An action and an answer that take 1.5 s, eight of them, hold up nobody.
twenty_requests() { for _ in $(seq 20); do curl -sf "$URL$K/state" || die "not served"; done; }
alone=$(ms_of twenty_requests)
for _ in 1 2 3 4; do curl -s -X POST "$URL$K/slow" & curl -s "$URL$K/asked" >/dev/null & done
sleep 0.2
not_held_up "$alone" twenty_requests
wait $(jobs -p | grep -v "^$treed_pid\$")
echo PASS
