#!/bin/bash
# A drainer's files and back (reparo): every type of MySQL and MariaDB written to TiDB-Binlog's files, then
# replayed into an empty server: rows equal; bounds by commit_ts are exact; kill -9 in between doubles nothing; a hole is said.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1 --binlog-row-metadata=FULL
start_mysql my # without names in its binlog: its definitions are asked
start_mariadb dst
start_mysql dst2
start_sluice
for s in m1 my; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
done
types="CREATE TABLE kinds (id INT PRIMARY KEY AUTO_INCREMENT, a TINYINT, b BIGINT UNSIGNED, c DECIMAL(30,10), d FLOAT, e DOUBLE,
    f CHAR(10), g VARCHAR(200), h BINARY(8), i VARBINARY(100), j TEXT, k LONGBLOB, l DATE, m TIME(3), n DATETIME(6), o TIMESTAMP(2) NULL,
    p YEAR, q ENUM('x','y','z'), r SET('p','q','r'), s BIT(12), t JSON)"
rows="INSERT INTO kinds (a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t) VALUES
    (-128, 18446744073709551615, -12345678901234567890.0123456789, 1.5, -2.25e300, 'abc', 'it''s \\\\ ü', X'00FF', X'DEADBEEF00', REPEAT('text ', 2000), X'00010203', '2026-01-31', '-838:59:59.123', '1999-12-31 23:59:59.999999', '2026-01-31 12:00:00.25', 1999, 'y', 'p,r', b'101010101010', '{\"a\": [1, null, \"x\"]}'),
    (127, 0, 0, -0.1, 0, '', '', X'', X'', '', X'', '0000-00-00', '00:00:00', '1000-01-01 00:00:00', NULL, 2155, 'x', '', b'0', '[]'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
for s in m1 my; do
    sql $s "SET SESSION sql_mode=''; CREATE DATABASE db_$s; USE db_$s; $types; $rows;
        UPDATE kinds SET a = 5, j = 'changed' WHERE id = 1; DELETE FROM kinds WHERE id = 2;
        INSERT INTO kinds (g, p) VALUES ('last', 2001)" || die "$s: no rows"
    "$SLUICE_BUILD/writer" "$(port_of $s)" db_$s 11 200 >/dev/null || die "writer"
done
sql m1 "USE db_m1; CREATE TABLE addresses (u UUID PRIMARY KEY, i INET6, j INET4); INSERT INTO addresses VALUES (UUID(), '::1', '10.0.0.1'), (UUID(), NULL, NULL),
    ('919108f7-52d1-4320-9bac-f847db4148a8', '1:2:3:0:5:6:7:8', '0.0.0.0'); UPDATE addresses SET u = UUID(), i = '::192.0.2.1' WHERE i IS NULL; DELETE FROM addresses WHERE j = '0.0.0.0'"
mkdir "$WORK/out"
make_drainer f1 <<END
initial_commit_ts: 0
detect_interval: 1
to: { db_type: file, dir: $WORK/out, file_size: 100000 }
END
start_drainer f1
drained f1 60 m1=m1 my=my
for k in 1 2 3; do # torn tails and rows that come again
    "$SLUICE_BUILD/writer" "$m1_port" db_m1 $((20 + k)) 150 >/dev/null &
    writer=$!
    sleep 0.4; kill_sluice; restart_sluice
    wait $writer
done
middle=$(cat "$T/pumps/p_m1/commit_ts")
sql m1 "CREATE TABLE db_m1.after (a INT PRIMARY KEY); INSERT INTO db_m1.after VALUES (1), (2)"
drained f1 60 m1=m1 my=my
echo >"$T/drainers/f1/pause" || die "$(cat "$T/drainers/f1/last_error")"
grep -q "^commitTS = [0-9]*$" "$WORK/out/savepoint" || die "savepoint: $(cat "$WORK/out/savepoint")"
ls "$WORK/out" | grep -qE '^binlog-0000000000000000-[0-9]{14}$' || die "files: $(ls "$WORK/out")"
[ "$(ls "$WORK/out" | grep -c ^binlog-)" -gt 1 ] || die "one file: $(ls -l "$WORK/out")"

reparo() { # name target stop
    make_drainer "$1" <<END
data_dir: $WORK/out
stop_commit_ts: $3
to: { db_type: mysql, host: 127.0.0.1, port: $(port_of "$2"), user: sluice, password: sluice }
END
    start_drainer "$1"
    wait_for 60 drainer_is "$1" state finished || { cat "$T/drainers/$1/status" >&2; tail "$SLUICE_LOG" >&2; die "$1 does not finish: $(cat "$T/drainers/$1/error")"; }
}
reparo r1 dst "$middle"
sql dst "SHOW TABLES FROM db_m1" | grep -qx after && die "what is after stop_commit_ts was replayed"
[ "$(sql dst "SELECT COUNT(*) FROM db_m1.kinds")" = 3 ] || die "kinds: $(sql dst "SELECT COUNT(*) FROM db_m1.kinds")"
echo 0 >"$T/drainers/r1/stop_commit_ts" || die "$(cat "$T/drainers/r1/last_error")"
start_drainer r1
wait_for 60 drainer_is r1 state finished || die "r1: $(cat "$T/drainers/r1/error")"
for s in m1 my; do same_rows $s dst db_$s || die "files of $s do not give its rows"; done
# The other flavour, with a filter.
make_drainer r2 <<END
data_dir: $WORK/out
syncer: { replicate_do_db: [db_my] }
to: { db_type: mysql, host: 127.0.0.1, port: $dst2_port, user: sluice, password: sluice }
END
start_drainer r2
wait_for 60 drainer_is r2 state finished || die "r2: $(cat "$T/drainers/r2/error")"
same_rows my dst2 db_my || die "files do not give the rows on MySQL"
sql dst2 "SHOW DATABASES" | grep -qx db_m1 && die "the filter let db_m1 pass"
# print: as text.
make_drainer r3 <<END
data_dir: $WORK/out
initial_commit_ts: $middle
to: { db_type: print, dir: $WORK }
END
start_drainer r3
wait_for 60 drainer_is r3 state finished || die "r3: $(cat "$T/drainers/r3/error")"
[ "$(grep -c '^INSERT INTO `db_m1`.`after`' "$WORK/r3.sql")" = 2 ] || die "text: $(head -20 "$WORK/r3.sql")"
grep -q kinds "$WORK/r3.sql" && die "what is before initial_commit_ts was printed"
# The verb.
"$sluicectl" reparo data-dir="$WORK/out" start-tso="$middle" dir="$WORK" >"$WORK/reparo" 2>&1 || die "reparo: $(cat "$WORK/reparo")"
text=$(sed -n 's/.*, in //p' "$WORK/reparo")
[ "$(grep -c '^INSERT INTO `db_m1`.`after`' "$text")" = 2 ] || die "reparo: $(cat "$WORK/reparo")"
"$sluicectl" reparo data-dir="$WORK/nothing" >"$WORK/reparo" 2>&1 && die "reparo of a folder that is not there"
grep -q "cannot read the folder" "$WORK/reparo" || die "reparo: $(cat "$WORK/reparo")"
ls -d "$T"/drainers/reparo-* 2>/dev/null && die "reparo left a drainer"
# Files with a hole: what was before it is all that is given back, and it is said.
hole() { # what it must say; the folder is in $WORK/hole
    "$sluicectl" reparo data-dir="$WORK/hole" dir="$WORK" >"$WORK/reparo" 2>&1 && die "no error: $1"
    grep -q -- "$1" "$WORK/reparo" || die "not '$1': $(cat "$WORK/reparo")"
}
copied() { rm -rf "$WORK/hole"; cp -r "$WORK/out" "$WORK/hole"; second=$(ls -d "$WORK"/hole/binlog-* | sed -n 2p); }
[ "$(ls "$WORK/out" | grep -c ^binlog-)" -gt 2 ] || die "too few files"
copied; rm "$second"; hole "$(basename "${second%-*}")-... is missing"
copied; : >"$second"; hole "$(basename "$second") is empty"
copied; truncate -s -1 "$second"; hole "$(basename "$second") ends inside a record"
copied; printf '\377' | dd of="$second" bs=1 seek=1000 conv=notrunc 2>/dev/null; hole "$(basename "$second") at "
rm -rf "$WORK/hole"; mkdir "$WORK/hole"; hole "no file of a drainer"
note "$(ls "$WORK/out" | grep -c ^binlog-) files, $(du -b "$WORK/out" | cut -f1) bytes"
