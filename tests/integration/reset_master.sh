#!/bin/bash
# RESET MASTER at the source of a task that follows by file and offset: the same names come again, with another binlog
# behind them.  It is noticed, also where the offset is the end of a transaction in the new file.  FLAVORS="mariadb mysql".
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

S=$T/tasks/r/sources/s1/sync
write() { sql src "USE r; $*" || die "$flavor: the source refused: $*"; }
source_end() { sql src "$show" | awk '{print $1 ":" $2; exit}'; }
at_end() { # MariaDB says late, behind a transaction, that an older file is not needed any more: no position of ours
    local p; p=$(cat "$S/position")
    [ "${p%:*}" = "$(source_end | cut -d: -f1)" ] || return 1
    [ -z "$(sql src "SHOW BINLOG EVENTS IN '${p%:*}' FROM ${p#*:}" | awk '$3 != "Binlog_checkpoint"')" ]
}
follows() { wait_for 30 at_end || { task_trouble r; die "$flavor: $what: at $(cat "$S/position"), not $(source_end)"; }; }
order() { echo >"$T/tasks/r/$1" || { cat "$T/tasks/r/check_report"; die "$flavor: $what: $1: $(cat "$T/tasks/r/last_error")"; }; }
is_noticed() {
    wait_state r error 60
    grep -q 'begun its binlog anew' "$S/error" || die "$flavor: $what: $(cat "$S/error")"
    note "$flavor: $what: $(cat "$S/error")"
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    if [ "$flavor" = mariadb ]; then reset="RESET MASTER" show="SHOW MASTER STATUS"; else reset="RESET BINARY LOGS AND GTIDS" show="SHOW BINARY LOG STATUS"; fi
    sql src "CREATE DATABASE r; CREATE TABLE r.t (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT); INSERT INTO r.t (v) VALUES ('one'); $reset"
    start_sluice
    enable_gtid=false make_source s1 src && make_task r s1 dst r </dev/null || die "$(cat "$T/tasks/last_error")"

    what="a pause"
    order start
    write "INSERT INTO t (v) VALUES (REPEAT('a', 5000))"
    follows
    order pause; order resume
    write "INSERT INTO t (v) VALUES (REPEAT('b', 5000)); FLUSH BINARY LOGS; INSERT INTO t (v) VALUES ('c')"
    follows
    stop_server src; restart_server src # the old files are the same ones
    write "INSERT INTO t (v) VALUES ('d')"
    follows
    order pause
    sleep 1.1 # files are told apart by the second
    sql src "$reset"
    order resume
    wait_state r error 60
    note "$flavor: $what, a reset with nothing behind it: $(cat "$S/error")"

    what="a reset, and a transaction that ends where we were"
    again() { order stop; sql dst "DROP DATABASE r"; echo remove_meta=true >"$T/tasks/r/start" || die "$flavor: $what: $(cat "$T/tasks/r/last_error")"; }
    again
    for _ in 1 2 3 4; do write "INSERT INTO t (v) VALUES (REPEAT('e', 5000))"; done
    follows
    here=$(source_end)
    order pause
    sleep 1.1
    n=10000
    for _ in 1 2 3 4 5 6; do # until it fits
        sql src "$reset"
        write "INSERT INTO t (v) VALUES (REPEAT('f', $n))"
        [ "$(source_end)" != "$here" ] || break
        n=$((n + ${here#*:} - $(source_end | cut -d: -f2)))
    done
    [ "$(source_end)" = "$here" ] || die "$flavor: $what: $(source_end) is not $here: this proves nothing"
    write "INSERT INTO t (v) VALUES ('g')"
    order resume
    is_noticed

    what="a reset while the stream is on"
    again
    for _ in 1 2 3 4; do write "INSERT INTO t (v) VALUES (REPEAT('h', 5000))"; done
    follows
    sleep 1.1
    sql src "$reset"
    for _ in 1 2 3 4 5 6; do write "INSERT INTO t (v) VALUES (REPEAT('i', 5000))"; done
    wait_state r error 90
    note "$flavor: $what: $(cat "$S/error")"

    what="a reset while the stream is on, and the next file at once"
    again
    write "INSERT INTO t (v) VALUES ('k')"
    follows
    sleep 1.1
    sql src "$reset; INSERT INTO r.t (v) VALUES ('l'); FLUSH BINARY LOGS; INSERT INTO r.t (v) VALUES ('m')"
    wait_state r error 90
    note "$flavor: $what: $(cat "$S/error")"
    [ "$(sql dst "SELECT COUNT(*) FROM r.t WHERE v IN ('l', 'm')")" = 0 ] || die "$flavor: $what: something of it was applied"

    what="copied again"
    again
    write "INSERT INTO t (v) VALUES ('j')"
    follows
    same_rows src dst r || die "$flavor: $what: the ends differ"

    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
