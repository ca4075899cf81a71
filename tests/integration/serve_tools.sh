#!/bin/bash
# mariadb-binlog and mysqlbinlog read from a binlog server what they read from the source: files byte for byte, and the same text.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_mariadb mdb
start_mysql my
start_sluice
for s in mdb my; do # three files, the last one open; one event longer than a packet
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 7 200 || die "writer"
    sql $s "FLUSH BINARY LOGS; CREATE TABLE wr.wide (a INT PRIMARY KEY, b LONGBLOB);
        INSERT INTO wr.wide VALUES (1, REPEAT('x', 17000000)), (2, 'y'); FLUSH BINARY LOGS" || die "no rows"
    "$SLUICE_BUILD/writer" "$(port_of $s)" wr 8 200 || die "writer"
    make_source $s $s && make_server $s $s || die "no server for $s"
    eval "${s}_serve=\$serve_port"; serve_port=0
    relay_caught_up $s $s
done
mdb_files=$(sql mdb 'SHOW BINARY LOGS' | cut -f1); my_files=$(sql my 'SHOW BINARY LOGS' | cut -f1)

tool() { # server source|ours argument...: the tool of that flavour, output in its own folder
    local s=$1 port user=sluice password=sluice; shift
    port=$(port_of "$s")
    [ "$1" = ours ] && { eval "port=\$${s}_serve"; user=$serve_user; password=$serve_password; }
    shift
    if [ "$(kind_of "$s")" = mariadb ]; then
        mariadb-binlog --no-defaults -R -h127.0.0.1 -P"$port" -u$user -p$password "$@" 2>"$WORK/tool.err"
    else
        case $* in *read-from-remote-source*) ;; *) set -- -R "$@" ;; esac
        chroot "$SID" mysqlbinlog --no-defaults -h127.0.0.1 -P"$port" -u$user -p$password --get-server-public-key "$@" 2>"$WORK/tool.err"
    fi
}
out_of() { [ "$(kind_of "$1")" = mariadb ] && echo "$WORK/raw-$1/" || echo "${my_dir#"$SID"}/raw/"; }
in_root() { [ "$(kind_of "$1")" = mariadb ] && echo "$2" || echo "$SID$2"; }

same_raw() { # server arguments...: --raw writes the files of the source
    local s=$1 out real f n=0; shift
    out=$(out_of "$s"); real=$(in_root "$s" "$out")
    rm -rf "$real"; mkdir -p "$real"
    tool "$s" ours --raw -r "$out" "$@" || die "$s: $* failed: $(cat "$WORK/tool.err")"
    for f in "$real"*; do
        cut_to "$f" "$(binlog_dir "$s")/$(basename "$f")" | cmp - "$f" || die "$s: $(basename "$f") of $* differs"
        n=$((n + 1))
    done
    [ $n -gt 0 ] || die "$s: $* wrote nothing"
    note "$s: --raw $*: $n files are the source's"
}
# Of the file that the source has open, a flag of the first event says so: in what is sent it does not.
cut_to() { # got of-source
    if [ "$(stat -c %s "$1")" = "$(stat -c %s "$2")" ]; then
        { head -c 21 "$2"; printf '\0'; tail -c +23 "$2"; }
    else cat "$2"; fi
}

same_text() { # server arguments...: what the tool prints of ours is what it prints of the source
    local s=$1; shift
    tool "$s" source "$@" >"$WORK/source.txt" || die "$s: the source: $(cat "$WORK/tool.err")"
    tool "$s" ours "$@" >"$WORK/ours.txt" || die "$s: $*: $(cat "$WORK/tool.err")"
    # artificial events, without a time, say whose they are: ours has a server_id, and so a checksum, of its own
    sed -i "s/server id $(cat "$T/servers/$s/server_id") /server id $(eval echo \$${s}_id) /" "$WORK/ours.txt"
    sed -i '/^#700101/s/CRC32 0x[0-9a-f]*//' "$WORK/ours.txt" "$WORK/source.txt"
    [ "$(wc -l <"$WORK/source.txt")" -gt 20 ] || die "$s: the source prints nothing for $*"
    cmp "$WORK/source.txt" "$WORK/ours.txt" || { diff "$WORK/source.txt" "$WORK/ours.txt" | cut -c1-200 | head -10; die "$s: $* differs"; }
    note "$s: $*: $(wc -l <"$WORK/ours.txt") equal lines"
}

# shellcheck disable=SC2086
same_raw mdb $mdb_files
# shellcheck disable=SC2086
same_raw my $my_files
same_raw mdb --to-last-log bin.000001
same_raw my --to-last-log bin.000001
for s in mdb my; do
    same_text $s bin.000001
    same_text $s -v bin.000003
    at=$(sql $s "SHOW BINLOG EVENTS IN 'bin.000003' LIMIT 20" | tail -1 | cut -f2)
    same_text $s -v --start-position="$at" bin.000003
    same_text $s --start-position="$at" --stop-position=100000 bin.000003
    same_text $s --to-last-log --start-position="$at" bin.000003
done
gtid=$(sql mdb "SELECT BINLOG_GTID_POS('bin.000003', $(sql mdb "SHOW BINLOG EVENTS IN 'bin.000003' LIMIT 20" | tail -1 | cut -f2))")
same_text mdb --start-position="$gtid" --to-last-log bin.000001
uuid=$(sql my 'SELECT @@server_uuid')
same_text my --read-from-remote-source=BINLOG-DUMP-GTIDS --exclude-gtids="$uuid:1-120" --to-last-log bin.000001
same_text my --read-from-remote-source=BINLOG-DUMP-GTIDS bin.000003

# --stop-never goes on with what comes
never() { # server option...
    local s=$1 out real pid; shift
    out=$(out_of "$s"); real=$(in_root "$s" "$out")
    rm -rf "$real"; mkdir -p "$real"
    tool "$s" ours --raw -r "$out" --stop-never "$@" bin.000001 & pid=$!
    "$SLUICE_BUILD/writer" "$(port_of "$s")" wr 9 50 || die "writer"
    sql "$s" "FLUSH BINARY LOGS"
    wait_for 30 cmp -s "$real/bin.000003" "$(binlog_dir "$s")/bin.000003" || die "$s: --stop-never has not bin.000003"
    ls "$T/servers/$s/replicas" | grep -qx 4711 || die "$s: no replica 4711: $(ls "$T/servers/$s/replicas")"
    echo >"$T/servers/$s/replicas/4711/kick" || die "kick"
    wait $pid && die "$s: --stop-never ended well when it was kicked"
    wait_for 10 grep -qx false "$T/servers/$s/replicas/4711/connected" || die "$s: kicked, and connected"
    rmdir "$T/servers/$s/replicas/4711" || die "rmdir of a replica that is gone"
    note "$s: --stop-never follows, and can be kicked"
}
never mdb --stop-never-slave-server-id=4711
never my --connection-server-id=4711
wait_for 10 test -z "$(find "$T"/servers/*/replicas -mindepth 1 -type d)" || die "tools left directories behind"
