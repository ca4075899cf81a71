#!/bin/bash
# Decoding rows from local binlog files to nowhere, against mariadb-binlog -v and mysqlbinlog -v.
# TRANSACTIONS of the sysbench write-only shape (4 row changes each) and WIDE x 100 wide rows.
set -u
. tests/lib/servers.sh; . tests/bench/lib.sh
TRANSACTIONS=${TRANSACTIONS:-150000}
WIDE=${WIDE:-1500}

ours() { build/release/bench_decode "$file"; }
mariadb_peer() { mariadb-binlog --no-defaults -v "$file" >/dev/null; }
mysql_peer() { chroot "$SID" mysqlbinlog --no-defaults -v "${file#"$SID"}" >/dev/null; }
compare() { # name goal peer
    alternate 3 ours "$3" 2>"$WORK/log" || die "$(cat "$WORK/log")"
    note "$1: $(stat -c %s "$file") bytes; ours: $(grep -h mb_s "$WORK/log" | tail -1)"
    # shellcheck disable=SC2086
    ratio_goal "$1" "$2" "$(median $peer_times)" "$(median $ours_times)"
}

start_mariadb src
show_settings src
make_binlogs src
file=$oltp_file; compare "decode, sysbench shape, against mariadb-binlog -v" 10 mariadb_peer
file=$wide_file; compare "decode, wide rows, against mariadb-binlog -v" 3 mariadb_peer
stop_server src
start_mysql my
show_settings my
make_binlogs my
file=$oltp_file; compare "decode, sysbench shape, against mysqlbinlog -v" 5 mysql_peer
file=$wide_file; compare "decode, wide rows, against mysqlbinlog -v" 3 mysql_peer
