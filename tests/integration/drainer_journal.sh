#!/bin/bash
# Two pumps merged into another journal (db_type: journal): its files are binlogs that mariadb-binlog reads
# whole and that give both sources' rows; kill -9 in between doubles nothing.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1
start_mariadb m2 --gtid-domain-id=2 # or GTIDs of both would be out of order in one binlog
start_mariadb dst
start_sluice
for s in m1 m2; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
done
make_drainer j1 <<END
initial_commit_ts: 0
detect_interval: 1
to: { db_type: journal, journal: merged }
END
start_drainer j1
for k in 1 2 3; do
    "$SLUICE_BUILD/writer" "$m1_port" w1 $k 150 >/dev/null & a=$!
    "$SLUICE_BUILD/writer" "$m2_port" w2 $((k + 10)) 150 >/dev/null & b=$!
    sleep "0.$((RANDOM % 9 + 1))"; kill_sluice; restart_sluice
    wait $a $b
done
drained j1 60 m1=m1 m2=m2
echo >"$T/drainers/j1/pause" || die "$(cat "$T/drainers/j1/last_error")"
stop_sluice
stored_files merged "$WORK/stored" || die "the journal is not there"
restart_sluice
ls "$WORK/stored" | grep -qx merged-bin.000001 || die "files: $(ls "$WORK/stored")"
mariadb-binlog --no-defaults --verify-binlog-checksum "$WORK"/stored/* >"$WORK/all.sql" 2>"$WORK/err" || die "mariadb-binlog: $(cat "$WORK/err")"
sql dst "SET GLOBAL gtid_strict_mode=0"
sql_file dst "$WORK/all.sql" || die "what mariadb-binlog prints is refused"
same_rows m1 dst w1 && same_rows m2 dst w2 || die "the journal does not give the rows"
[ "$(grep -c '^# at' "$WORK/all.sql")" -gt 500 ] || die "few events"
note "$(du -b "$WORK/stored" | tail -1 | cut -f1) bytes in $(ls "$WORK/stored" | wc -l) files"
