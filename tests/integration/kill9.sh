#!/bin/bash
# kill -9 of the daemon at random moments while a writer commits: both ends equal, nothing lost, nothing twice.
#
# KILLS (17) in each of dump, load and sync, per run; SEED repeats a run; FROM and TO are mariadb or mysql.  Tables with and without keys,
# with secondary unique keys, with foreign keys (tests/tools/writer.c).
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
KILLS=${KILLS:-17}
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
note "seed $SEED, $KILLS kills in each of dump, load and sync"
declare -A kills=([dump]=0 [load]=0 [sync]=0)

start_"${FROM:-mariadb}" src
start_"${TO:-mariadb}" dst
note "$(server_version src) to $(server_version dst)"
sql src "CREATE DATABASE numbers; USE numbers; CREATE TABLE digit (d INT);
    INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
    CREATE VIEW number AS SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d + 1 AS n
    FROM digit a, digit b, digit c, digit d, digit e, digit f;
    CREATE DATABASE wr; USE wr;
    CREATE TABLE bulk1 (id INT PRIMARY KEY, k INT, c CHAR(120), KEY (k));
    CREATE TABLE bulk2 (id INT PRIMARY KEY, u INT UNIQUE, c VARCHAR(200));
    CREATE TABLE bulk3 (a INT, c VARCHAR(100));
    INSERT INTO bulk1 SELECT n, n % 1000, SHA2(n, 256) FROM numbers.number WHERE n <= ${ROWS:-150000};
    INSERT INTO bulk2 SELECT n, n, REPEAT(SHA2(n, 256), 2) FROM numbers.number WHERE n <= ${ROWS:-150000};
    INSERT INTO bulk3 SELECT n % 5000, SHA2(n % 777, 256) FROM numbers.number WHERE n <= 100000" || die "no rows"
"$SLUICE_BUILD/writer" "$src_port" wr "$SEED" 0 2000 >"$WORK/writer.out" &
writer=$!
at_exit 'kill $writer 2>/dev/null'

in_stage() { # which of dump, load and sync runs now (dump and load run side by side: the one that began last counts)
    local s=$T/tasks/k/sources/s1
    [ "$(cat "$s/sync/state" 2>/dev/null)" = running ] && { echo sync; return; }
    [ "$(cat "$s/load/state" 2>/dev/null)" = running ] && [ "$(cat "$s/load/rows" 2>/dev/null)" -gt 0 ] && [ $((RANDOM % 2)) = 0 ] && { echo load; return; }
    [ "$(cat "$s/dump/state" 2>/dev/null)" = running ] && { echo dump; return; }
    [ "$(cat "$s/load/state" 2>/dev/null)" = running ] && { echo load; return; }
    echo none
}

kill_once() { # says what was in flight, kills, restarts
    local stage=$1 s=$T/tasks/k/sources/s1
    note "kill in $stage: $(jq -c '{rows,bytes,position,gtid,transactions,rows_in_flight,tables_done} | with_entries(select(.value != null))' "$s/$stage/status" 2>/dev/null)"
    kill_sluice
    kills[$stage]=$((kills[$stage] + 1))
    restart_sluice
}

fresh_task() { # a task that starts from nothing
    [ ! -d "$T/tasks/k" ] || { echo >"$T/tasks/k/stop"; wait_for 30 rmdir "$T/tasks/k" || die "task k cannot be removed"; }
    sql dst "DROP DATABASE IF EXISTS wr; DROP DATABASE IF EXISTS dm_meta"
    make_task k s1 dst wr </dev/null || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/k/start" || { task_trouble k; die "no start"; }
}

check_ends() { # the writer rests, all is applied, both ends are equal
    kill -STOP $writer
    caught_up k src 300
    same_rows src dst wr || { task_trouble k; die "the ends differ after ${kills[*]} kills, seed $SEED"; }
    kill -CONT $writer
}

start_sluice
make_source s1 src || die "source: $(cat "$T/sources/last_error")"
while [ "${kills[dump]}" -lt "$KILLS" ] || [ "${kills[load]}" -lt "$KILLS" ]; do
    fresh_task
    for _ in 1 2 3; do # up to three kills in one copy
        sleep "0.$((RANDOM % 90 + 10))"
        stage=$(in_stage)
        case $stage in
        dump | load) kill_once "$stage" ;;
        *) break ;;
        esac
    done
    check_ends
done
while [ "${kills[sync]}" -lt "$KILLS" ]; do
    sleep "0.$((RANDOM % 90 + 10))"
    [ "$(in_stage)" = sync ] && kill_once sync
    [ $((RANDOM % 5)) = 0 ] && check_ends
done
check_ends
note "kills: dump ${kills[dump]}, load ${kills[load]}, sync ${kills[sync]}"
