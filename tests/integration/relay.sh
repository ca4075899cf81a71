#!/bin/bash
# The relay of a source: started, paused, stopped and purged by files and over HTTP, on both flavours;
# what it stores is the source's binlog files, byte for byte.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh

start_mariadb mdb
start_mysql my
start_sluice

for s in mdb my; do
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 7 300 || die "writer"
    sql $s "FLUSH BINARY LOGS"
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    R=$T/sources/$s/relay
    [ "$(cat "$R/state")" = new ] || die "a relay that was not asked for is $(cat "$R/state")"
    echo >"$R/start" || die "$(cat "$R/last_error")"
    relay_caught_up $s $s
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 8 300 || die "writer"

    echo >"$R/pause" || die "$(cat "$R/last_error")"
    [ "$(cat "$R/state")" = paused ] || die "paused it is $(cat "$R/state")"
    echo >"$R/pause" 2>/dev/null && die "paused twice"
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 9 200 || die "writer"
    stop_sluice; restart_sluice
    [ "$(cat "$R/state")" = paused ] || die "after a restart it is $(cat "$R/state"), not paused"
    curl -sf -X POST "$URL/v1/sources/$s/relay/resume" -d '' >/dev/null || die "resume over HTTP"
    sql $s "FLUSH BINARY LOGS"
    relay_caught_up $s $s
    same_binlogs $s $s || die "the journal is not the binlog"

    echo >"$R/stop" || die "$(cat "$R/last_error")"
    [ "$(cat "$R/state")" = stopped ] || die "stopped it is $(cat "$R/state")"
    [ "$(cat "$R/enable_relay")" = false ] || die "stopped, but enabled"
    curl -sf -X POST "$URL/v1/sources/$s/relay/start" -d '' >/dev/null || die "start over HTTP"
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 10 100 || die "writer"
    sql $s "FLUSH BINARY LOGS"
    relay_caught_up $s $s
    same_binlogs $s $s || die "the journal is not the binlog after stop and start"

    last=$(cat "$R/last_seq")
    echo "until_seq=$((last / 2))" >"$R/purge" || die "$(cat "$R/last_error")"
    [ "$(cat "$R/first_seq")" -gt 1 ] || die "nothing was purged"
    echo >"$R/verify" || die "$(cat "$R/last_error")"
    wait_for 20 grep -q '"event":"verified"' "$R/../../../events" || die "not verified"
    [ "$(tr -d ' \n' <"$R/corruption")" = "[]" ] || die "damaged: $(cat "$R/corruption")"
    rmdir "$T/sources/$s" 2>/dev/null && die "removed with a relay that runs"
    echo >"$R/stop"; rmdir "$T/sources/$s" || die "$(cat "$T/sources/last_error")"
    note "$s: $last records"
done

note "where an empty relay begins, and a source that is idle"
first_file() { grep -oE '"name": "[^"]+"' "$T/sources/$1/relay/files" | head -1 | cut -d'"' -f4; }
make_source named mdb && echo bin.000099 >"$T/sources/named/relay/relay_binlog_name" && echo >"$T/sources/named/relay/start"
wait_for 10 grep -q "does not have relay_binlog_name, bin.000099" "$T/sources/named/relay/error" || die "$(cat "$T/sources/named/relay/error")"
echo bin.000003 >"$T/sources/named/relay/relay_binlog_name"; echo >"$T/sources/named/relay/resume"
relay_caught_up named mdb
[ "$(first_file named)" = bin.000003 ] || die "it begins with $(first_file named)"
set=$(sql mdb "SELECT BINLOG_GTID_POS('bin.000003', 4)")
make_source set mdb && echo "$set" >"$T/sources/set/relay/relay_binlog_gtid" && echo >"$T/sources/set/relay/start"
relay_caught_up set mdb
[ "$(first_file set)" = bin.000003 ] && [ "$(cat "$T/sources/set/relay/gtid_purged")" = "$set" ] ||
    die "it begins with $(first_file set), after $(cat "$T/sources/set/relay/gtid_purged") instead of $set"
ts=$(cat "$T/sources/set/relay/safe_ts")
moved() { [ "$(cat "$T/sources/set/relay/safe_ts")" -gt "$ts" ]; }
wait_for 10 moved || die "safe_ts stands at $ts while the source is idle"

note "an encrypted binlog: what the server sends of it"
echo "1;$(openssl rand -hex 32)" >"$WORK/keys"
start_mariadb enc --plugin-load-add=file_key_management.so --file-key-management-filename="$WORK/keys" --encrypt-binlog=ON
"$SLUICE_BUILD/writer" "$enc_port" wr 7 50 || die "writer"
make_source enc enc && echo >"$T/sources/enc/relay/start" || die "$(cat "$T/sources/enc/relay/last_error")"
relay_caught_up enc enc
kill_sluice; restart_sluice # goes on inside the file
"$SLUICE_BUILD/writer" "$enc_port" wr 8 50 || die "writer"
sql enc "FLUSH BINARY LOGS"
relay_caught_up enc enc
stop_sluice
stored_files enc "$WORK/stored" || die "a gap"
(cd "$WORK" && mariadb-binlog --no-defaults --read-from-remote-server -h127.0.0.1 -P"$enc_port" -usluice -psluice --raw bin.000001) || die "mariadb-binlog"
cmp "$WORK/bin.000001" "$WORK/stored/bin.000001" || die "the journal is not the binlog that was encrypted"
