#!/bin/bash
# Any table, any time: a table is added to a running task, and one, or a part of one, is copied again on a live stream,
# without the others; under load, across kill -9, on and between both flavours.  PAIRS="mariadb:mariadb mysql:mysql",
# TASK="apply_mode: parallel", KILLS=50 for long runs.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

S=$T/tasks/q/sources/s1/sync
N=${ROWS:-12000}
order() { # action arguments...
    local to=$T/tasks/q/$1; shift
    echo "$*" >"$to" || die "$pair: $what: $(cat "$T/tasks/q/last_error")"
}
[ "${enable_gtid:-true}" = true ] || caught_up() { sleep 8; } # by hand, with OPTIONS="--gtid-mode=OFF --enforce-gtid-consistency=OFF"
again() { python3 -c 'import json, sys
for t in json.load(open(sys.argv[1])):
    print(t["table"], t["state"], t["rows"], t["way"], t["reason"])' "$S/copied_again" 2>/dev/null; }
is() { again | grep -q "^$1 $2 "; } # table state
wait_is() { wait_for "${3:-180}" is_or_failed "$1" "$2" && is "$1" "$2" || { again >&2; task_trouble q; die "$pair: $what: $1 is not $2"; }; }
is_or_failed() { is "$1" "$2" || is "$1" failed; }
write_load() { # until $WORK/load goes: rows of all kinds, those of 1..100 of each table are left alone
    local i=0 r
    while [ -e "$WORK/load" ]; do
        i=$((i + 1)); r=$((101 + (RANDOM * 32768 + RANDOM) % N))
        echo "BEGIN; UPDATE q.big SET v = v + 1 WHERE id = $r; INSERT INTO q.big (v, s) VALUES ($i, CONCAT('new ', $i)); DELETE FROM q.big WHERE id = $r + 1;
            UPDATE IGNORE q.big SET id = id + 10000000 WHERE id = $r + 2; COMMIT;
            UPDATE q.uniq SET u = u + 1000000 WHERE id = 101 + $i % 800; INSERT IGNORE INTO q.uniq VALUES (2000 + $i, $i % 3000); DELETE FROM q.uniq WHERE id = 1900 + $i;
            INSERT INTO q.keyless VALUES ($i, 'n'); UPDATE q.keyless SET s = 'u' WHERE a = 101 + $i % 500; DELETE FROM q.keyless WHERE a = 700 + $i % 200;
            UPDATE q.words SET v = v + 1 WHERE w > CONCAT('w', 150 + $i % 500) LIMIT 2; INSERT IGNORE INTO q.words VALUES (CONCAT('W', 3000 + $i), 1);
            UPDATE extra.added SET v = v + 1 WHERE id = $r - 100; INSERT INTO extra.added (v) VALUES ($i); DELETE FROM extra.added WHERE id = $r - 50;
            UPDATE q.child SET v = $i WHERE id = 1 + $i % 50; INSERT INTO q.child (p, v) VALUES (1 + $i % 20, $i);"
        sleep 0.01
    done | sql_file src /dev/stdin >/dev/null 2>"$WORK/load.err"
}
start_load() { : >"$WORK/load"; write_load & load_pid=$!; }
stop_load() { rm -f "$WORK/load"; wait "$load_pid"; [ ! -s "$WORK/load.err" ] || die "$pair: the load failed: $(head -3 "$WORK/load.err")"; }
equal() { caught_up q src; same_rows src dst q && same_rows src dst extra || die "$pair: $what: the ends differ"; }

for pair in ${PAIRS:-mariadb:mariadb mysql:mysql}; do
    # shellcheck disable=SC2086
    "start_${pair%:*}" src ${OPTIONS:-}; "start_${pair#*:}" dst
    sql src "CREATE DATABASE q; CREATE DATABASE extra; USE q; SET SESSION cte_max_recursion_depth = 1000000" 2>/dev/null || sql src "CREATE DATABASE IF NOT EXISTS q; CREATE DATABASE IF NOT EXISTS extra"
    numbers="SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n FROM q.ten a, q.ten b, q.ten c, q.ten d, q.ten e"
    sql src "USE q; CREATE TABLE ten (n INT PRIMARY KEY); INSERT INTO ten VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
        CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v INT, s VARCHAR(100)); INSERT INTO big SELECT n + 1, n, CONCAT('row ', n) FROM ($numbers) x WHERE n < $N;
        CREATE TABLE uniq (id INT PRIMARY KEY, u INT UNIQUE); INSERT INTO uniq SELECT n + 1, n FROM ($numbers) x WHERE n < 1000;
        CREATE TABLE keyless (a INT, s VARCHAR(20)); INSERT INTO keyless SELECT n, 'x' FROM ($numbers) x WHERE n < 1000; INSERT INTO keyless VALUES (5, 'x'), (5, 'x');
        CREATE TABLE words (w VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v INT); INSERT INTO words SELECT CONCAT('w', n), n FROM ($numbers) x WHERE n < 1000;
        CREATE TABLE parts (a INT, b VARCHAR(10) COLLATE utf8mb4_bin, v INT, PRIMARY KEY (a, b)); INSERT INTO parts SELECT n % 7, CONCAT('b', n), n FROM ($numbers) x WHERE n < 6000;
        CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent SELECT n FROM ($numbers) x WHERE n < 50;
        CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO child (p, v) SELECT n % 50, n FROM ($numbers) x WHERE n < 100;
        CREATE TABLE extra.added (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO extra.added SELECT n + 1, n FROM ($numbers) x WHERE n < $N"
    [ -n "$sluiced_pid" ] || start_sluice
    make_source s1 src && make_task q s1 dst q <<<"${TASK:-}" && echo >"$T/tasks/q/start" || die "$(cat "$T/tasks/q/last_error" "$T/sources/last_error")"
    caught_up q src
    start_load

    what="a table is added"
    echo schema=q >"$T/tasks/q/add_table" 2>/dev/null && die "$pair: without a table"
    echo schema=extra table=none >"$T/tasks/q/add_table" 2>/dev/null && die "$pair: a table that is not there was added"
    echo schema=extra table=added >"$T/tasks/q/resnapshot" 2>/dev/null && die "$pair: a table that is not of the task was copied again"
    order add_table schema=extra table=added
    echo schema=extra table=added >"$T/tasks/q/add_table" 2>/dev/null && die "$pair: a table was added twice"
    grep -q 'table: added' "$T/tasks/q/config" || die "$pair: $what: the document does not have it"
    some() { again | grep -qE '^extra.added (loading|settling|done) [1-9]'; }
    wait_for 120 some || { again; task_trouble q; die "$pair: $what: it does not begin"; }
    kill_sluice; restart_sluice
    wait_is extra.added "settling\|done"

    what="tables that somebody damaged are copied again"
    sql dst "DELETE FROM q.big WHERE id IN (5, 7); UPDATE q.big SET v = -1 WHERE id = 9; INSERT INTO q.big VALUES (-5, 1, 'extra'), (100000000, 1, 'extra');
        DELETE FROM q.keyless WHERE a = 5; INSERT INTO q.keyless VALUES (-1, 'extra'); UPDATE q.words SET v = -1 WHERE w = 'w5'; INSERT INTO q.words VALUES ('aaa', 1), ('zzz', 1);
        DELETE FROM q.uniq WHERE id = 3; UPDATE q.uniq SET u = 2 WHERE id = 4; UPDATE q.parts SET v = -1 WHERE a = 3; INSERT INTO q.parts VALUES (3, 'B', 1);
        SET foreign_key_checks = 0; DELETE FROM q.child WHERE id = 77; UPDATE q.child SET p = 3 WHERE id = 78"
    for t in big keyless words uniq parts child; do order resnapshot schema=q table=$t; done
    for ((k = 0; k < ${KILLS:-0}; k++)); do
        sleep 0.$((RANDOM % 9))$((RANDOM % 10)); kill_sluice; restart_sluice
        [ $((k % 8)) != 0 ] || for t in big keyless words uniq parts child; do echo schema=q table=$t >"$T/tasks/q/resnapshot" 2>/dev/null; done
    done
    half() { again | grep -qE '^q.big (loading|settling|done)'; }
    [ "${KILLS:-0}" != 0 ] || wait_for 120 half; kill_sluice; restart_sluice
    for t in big keyless words uniq parts child; do wait_is q.$t "settling\|done"; done
    again | sed "s/^/# $pair: /"

    what="only some rows"
    wait_is q.big done
    sql dst "UPDATE q.big SET v = -1, s = 'wrong' WHERE id BETWEEN 20 AND 30; DELETE FROM q.big WHERE id = 31; UPDATE q.big SET v = -2 WHERE id = 40"
    order resnapshot schema=q table=big "where='id BETWEEN 20 AND 31 OR s LIKE \"wron%\"'"
    wait_is q.big done
    [ "$(sql dst "SELECT v FROM q.big WHERE id = 40")" = -2 ] || die "$pair: $what: others were copied as well"
    [ "$(sql dst "SELECT COUNT(*) FROM q.big WHERE s = 'wrong'")" = 0 ] || die "$pair: $what: a row stays wrong"
    order resnapshot schema=q table=big "where='v = -2'"
    wait_is q.big done
    echo "schema=q table=keyless where='a = 1'" >"$T/tasks/q/resnapshot"
    wait_is q.keyless failed
    order resnapshot schema=q table=keyless

    what="statements come in between"
    sql src "ALTER TABLE extra.added ADD COLUMN w INT NOT NULL DEFAULT 7"
    order resnapshot schema=extra table=added
    sql src "ALTER TABLE extra.added ADD COLUMN x VARCHAR(10) DEFAULT 'x'"
    wait_is extra.added done; wait_is q.keyless done
    stop_load
    equal

    what="a table that was dropped at the target is made again"
    sql dst "DROP TABLE q.parts"
    order resnapshot schema=q table=parts
    wait_is q.parts done
    equal
    echo >"$T/tasks/q/stop"; rmdir "$T/tasks/q"; rmdir "$T/sources/s1"
    stop_server src; stop_server dst; rm -rf "$src_dir" "$dst_dir"; unset src_port dst_port
done
