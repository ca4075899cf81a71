#!/bin/bash
# Any stored transaction by its commit_ts: as text and JSON, through the mount and over HTTP alike, on both
# flavours; what is not there is ENOENT and 404; a drainer from any commit_ts to any other.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1 --binlog-row-metadata=FULL
start_mysql my
start_mariadb dst
start_sluice
for s in m1 my; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
    P=$T/pumps/p_$s
    sql $s "CREATE DATABASE tt; CREATE TABLE tt.a (id INT PRIMARY KEY, v VARCHAR(20), b BLOB)"
    relay_caught_up $s $s
    ddl=$(cat "$T/sources/$s/relay/commit_ts")
    sql $s "BEGIN; INSERT INTO tt.a VALUES (1, 'one', X'00FF'); UPDATE tt.a SET v = 'uno' WHERE id = 1; COMMIT"
    relay_caught_up $s $s
    ts=$(cat "$T/sources/$s/relay/commit_ts")
    wait_for 20 test -e "$P/binlog/$ts"
    text=$(cat "$P/binlog/$ts") || die "$s: no $ts"
    echo "$text" | grep -q "^tp:Commit start_ts:$ts commit_ts:$ts prewrite_key:\"" || die "$s: $text"
    echo "$text" | grep -q "^ PrewriteValue: " && echo "$text" | grep -q "^ GetMvccByEncodedKey: " || die "$s: $text"
    echo "$text" | grep -qF "INSERT INTO \`tt\`.\`a\` (\`id\`,\`v\`,\`b\`) VALUES (1,'one',X'00FF');" || die "$s: $text"
    [ "$(jq -c '[.changes[] | [.type, .after.v, .before.v]]' "$P/binlog/$ts.json")" = '[["insert","one",null],["update","uno","one"]]' ] ||
        die "$s: $(cat "$P/binlog/$ts.json")"
    grep -q "ddl_query:\"CREATE TABLE tt.a" "$P/binlog/$ddl" || die "$s: $(cat "$P/binlog/$ddl")"
    # Both fronts.
    for f in $ts $ts.json $ddl $ddl.json; do
        curl -sf -H 'Accept: text/plain' "$URL/v1/pumps/p_$s/binlog/$f" >"$WORK/http" || die "$s: GET $f"
        cmp "$P/binlog/$f" "$WORK/http" || die "$s: $f differs between the fronts"
    done
    for f in 1 12345 "$((ts + 1))"; do
        cat "$P/binlog/$f" 2>"$WORK/err" && die "$s: $f is there"
        grep -q "No such file" "$WORK/err" || die "$s: $(cat "$WORK/err")"
        [ "$(curl -s -o "$WORK/http" -w '%{http_code}' "$URL/v1/pumps/p_$s/binlog/$f")" = 404 ] || die "$s: $f over HTTP"
        grep -q "fail read binlog by ts: $f" "$WORK/http" || die "$s: $(cat "$WORK/http")"
    done
    for f in abc 0 01 1x 99999999999999999999 "$ts.txt"; do [ -e "$P/binlog/$f" ] && die "$s: $f is a name"; done
    [ -z "$(ls "$P/binlog" | grep -vE '^(README|status|last_error)$')" ] || die "$s: listed: $(ls "$P/binlog")"
done

# From any to any: exactly the transactions in between.
sql m1 "CREATE DATABASE r; CREATE TABLE r.t (n INT PRIMARY KEY)"
for n in 1 2 3 4 5 6; do
    sql m1 "INSERT INTO r.t VALUES ($n)"
    relay_caught_up m1 m1
    at[$n]=$(cat "$T/sources/m1/relay/commit_ts")
done
sql dst "CREATE DATABASE r; CREATE TABLE r.t (n INT PRIMARY KEY)"
make_drainer d1 <<END
pumps: [p_m1]
initial_commit_ts: ${at[2]}
stop_commit_ts: ${at[5]}
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
END
start_drainer d1
wait_for 30 drainer_is d1 state finished || { drainer_trouble d1; die "not finished: $(cat "$T/drainers/d1/error")"; }
[ "$(sql dst "SELECT GROUP_CONCAT(n ORDER BY n) FROM r.t")" = 3,4,5 ] || die "rows: $(sql dst "SELECT GROUP_CONCAT(n) FROM r.t")"
[ "$(cat "$T/drainers/d1/last_ts")" = "${at[5]}" ] || die "last_ts $(cat "$T/drainers/d1/last_ts"), not ${at[5]}"
# A savepoint written by hand, and a later end.
echo "commitTS = ${at[5]}" >"$T/drainers/d1/savepoint" || die "$(cat "$T/drainers/d1/last_error")"
echo 0 >"$T/drainers/d1/stop_commit_ts"
start_drainer d1
wait_for 30 is_past d1 "${at[6]}"
[ "$(sql dst "SELECT GROUP_CONCAT(n ORDER BY n) FROM r.t")" = 3,4,5,6 ] || die "rows: $(sql dst "SELECT GROUP_CONCAT(n) FROM r.t")"
echo "commitTS = 1" 2>/dev/null >"$T/drainers/d1/savepoint" && die "a savepoint was written while it runs"
note "time travel on both flavours"
