#!/bin/bash
# labels: asan
# The dump of both servers, by file and by GTID: rotation, events over 16 MiB, heartbeats and their absence, a
# cancel from another thread, TLS, checksums on and off, purged and impossible positions.
set -u
. tests/lib/servers.sh
run=$SLUICE_BUILD/mysql_run
start_mariadb md
start_mysql my

stream() { local s=$1; shift; eval "$run 127.0.0.1 \$${s}_port sluice sluice stream \"\$@\""; }
has() { grep -qE "$1" <<<"$out" || die "$s: no /$1/ in: $out"; }
# Two seconds of silence, once the stream that calls itself server 4711 is there.
registered() { { sql "$1" "SHOW REPLICAS" 2>/dev/null || sql "$1" "SHOW REPLICA HOSTS"; } | grep -q ^4711; }
hold() { wait_for 20 registered "$1" && eval "kill -STOP \$${1}_pid; sleep 2; kill -CONT \$${1}_pid"; }

for s in md my; do
    note "$s: $(server_version $s)"
    sql $s "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)"
    for n in 1 2 3; do sql $s "INSERT INTO d.t (b) VALUES ('file $n'); FLUSH BINARY LOGS"; done
    sql $s "INSERT INTO d.t (b) VALUES (REPEAT('x', 40000000))"
    for len in 16777168 16777169 16777170 16777171 16777172 16777173 16777174 16777175 16777176; do # around one full packet
        sql $s "INSERT INTO d.t (b) VALUES (REPEAT('y', $len))"
    done
    rows='type WRITE_ROWS_V[12] [0-9]+'

    out=$(stream $s from=bin.000001:4); has "^end"; has "^bad 0"; has "^$rows"
    files=$(sql $s "SHOW BINARY LOGS" | wc -l)
    [ "$(grep -oP 'type FORMAT_DESCRIPTION \K.*' <<<"$out")" = "$files" ] || die "$s: not $files files: $out"
    [ "$(grep -oP 'biggest \K.*' <<<"$out")" -gt 40000000 ] || die "$s: no large event: $out"
    events=$(grep -oP '^events \K.*' <<<"$out")
    inserts=$(grep -oP 'type WRITE_ROWS_V[12] \K.*' <<<"$out")
    out=$(stream $s gtid=); has "^end"; has "^bad 0"; has "^type WRITE_ROWS_V[12] $inserts$"
    out=$(stream $s from=bin.000003:4); has "^end"
    [ "$(grep -oP 'type WRITE_ROWS_V[12] \K.*' <<<"$out")" -lt "$inserts" ] || die "$s: starts at the beginning"
    if [ $s = my ]; then
        out=$(TLS=1 stream $s from=bin.000001:4); has "^end"; has "^events $events$"
        at=$(sql $s "SELECT @@global.gtid_executed")
    else
        at=$(sql $s "SELECT @@gtid_binlog_pos")
    fi
    out=$(stream $s "gtid=$at"); has "^end"
    ! grep -q WRITE_ROWS <<<"$out" || die "$s: rows after the last GTID: $out"

    out=$(stream $s "gtid=$at" count=10 heartbeat=500); has "^enough"; has "^type HEARTBEAT [0-9]+"
    out=$(stream $s "gtid=$at" count=60 cancel=300); has "^error ECANCELED"
    hold $s & holder=$!
    out=$(stream $s "gtid=$at" count=60 heartbeat=500 server_id=4711)
    wait $holder
    has "^error ETIMEDOUT"

    sql $s "SET GLOBAL binlog_checksum = NONE; INSERT INTO d.t (b) VALUES ('no checksum')" # a file of its own
    out=$(stream $s from=bin.000001:4); has "^end"; has "^bad 0"; has "^$rows"
    last=$(sql $s "SHOW BINARY LOGS" | tail -1 | cut -f1)
    pos=$(sql $s "SHOW BINLOG EVENTS IN '$last'" | tail -1 | cut -f5)
    out=$(stream $s "from=$last:$pos"); has "^end"; has "^bad 0" # the format description is touched by the source
    sql $s "SET GLOBAL binlog_checksum = CRC32"

    out=$(stream $s from=bin.000099:4); has "^error ENODATA"
    out=$(stream $s from=bin.000002:99999999); has "^error ERANGE"
    sql $s "FLUSH BINARY LOGS; PURGE BINARY LOGS TO 'bin.000003'"
    out=$(stream $s from=bin.000001:4); has "^error ENODATA"
    out=$(stream $s gtid=); has "^error ENODATA"
done
sql my "PURGE BINARY LOGS BEFORE NOW()"
echo "OK"
