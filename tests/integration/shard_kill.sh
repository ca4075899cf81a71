#!/bin/bash
# kill -9 in every state of a lock of shards (waiting, the DDL at the target, the second reading, any moment under load) loses
# and doubles nothing.  PAIRS="mariadb:pessimistic mysql:optimistic" (any of flavor:mode); KILLS (3) of the loop under load, of
# ROUNDS (12) changes of each shard, with PATIENCE (60 s) for what is left to do then; CASES.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/shard.sh

again() { kill_sluice; restart_sluice; L=$T/tasks/m/locks; }
group() { sql dst "SELECT state FROM dm_meta.sluice_shard WHERE db='d' AND name='tb'"; }
is_in() { group | grep -q "\"$1\""; }
hold() { # SQL: a session of the target that has run it and stays
    sql dst "$1; SELECT SLEEP(600)" >/dev/null 2>&1 &
    holder() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(6%' AND ID <> CONNECTION_ID()" | grep .; }
    wait_for 20 holder || die "$flavor $mode: $what: nobody holds"
}
let_go() { for id in $(sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(6%' AND ID <> CONNECTION_ID()"); do sql dst "KILL $id"; done; }
alter() { on a "ALTER TABLE t2 $1"; on b "ALTER TABLE t1 $1"; on b "ALTER TABLE t2 $1"; } # all but the first

states() {
    what="killed while a shard waits"
    on a "ALTER TABLE t1 CHANGE v w INT DEFAULT 3; INSERT INTO t1 SET k='w1', w=1; INSERT INTO other (v) VALUES (1)"
    wait_lock; place=$(of first_location); again; wait_lock
    [ -n "$place" ] && [ "$(of first_location)" = "$place" ] || fail "its place was '$place' and is '$(of first_location)'"
    on a "INSERT INTO t2 SET k='v2', v=2; UPDATE t1 SET w=9 WHERE k LIKE 'start%'"
    wait_for 30 sql_is dst "SELECT COUNT(*) FROM d.tb WHERE k='v2'" 1 || fail "the others do not go on"
    alter "CHANGE v w INT DEFAULT 3"
    ends_well "k,w"

    for when in before after; do
        what="killed while the DDL waits at the target, which lets go $when the restart"
        hold "LOCK TABLES d.tb READ"
        on a "ALTER TABLE t1 CHANGE w w$when INT DEFAULT 3; INSERT INTO t1 SET k='x$when'"
        alter "CHANGE w w$when INT DEFAULT 3"
        wait_for 30 is_in runner || fail "nobody runs it"
        kill_sluice
        [ $when = before ] && let_go
        restart_sluice; let_go
        ends_well "k,w$when"
        all "ALTER TABLE TB CHANGE w$when w INT DEFAULT 3"
        ends_well "k,w"
    done

    what="killed in the second reading"
    sql dst "CREATE TRIGGER d.slow BEFORE INSERT ON d.tb FOR EACH ROW SET @slow = IF(NEW.k LIKE 'slow%', GET_LOCK('slow', 60) + RELEASE_LOCK('slow'), 0)" || die "no trigger"
    hold "SELECT GET_LOCK('slow', 5)"
    on a "ALTER TABLE t1 CHANGE w z INT DEFAULT 4; INSERT INTO t1 SET k='fast'; INSERT INTO t1 SET k='slow', z=5; DELETE FROM t1 WHERE k='w1'; ALTER TABLE t1 ADD COLUMN y INT; INSERT INTO t1 SET k='next', y=1"
    wait_lock
    alter "CHANGE w z INT DEFAULT 4"
    wait_for 30 is_in passing || fail "no second reading"
    again
    let_go
    alter "ADD COLUMN y INT"
    ends_well "k,z,y"
    sql dst "DROP TRIGGER d.slow"
    all "ALTER TABLE TB DROP COLUMN y"; all "ALTER TABLE TB CHANGE z w INT DEFAULT 3"
    columns=k,w; ends_well "$columns"
    note "$flavor: $mode: killed in each state"
}

# Optimistic: an ALTER whose clauses pass one by one comes while another shard's DDL is open at the target, and a third shard
# waits for what it takes away.
clauses() {
    [ "$mode" = optimistic ] || return 0
    what="killed while a DDL is open that one of several clauses met"
    on a "ALTER TABLE t1 ADD COLUMN e INT; ALTER TABLE t1 CHANGE e f BIGINT; ALTER TABLE t1 ADD INDEX i (f); INSERT INTO t1 SET k='f1', f=1"
    wait_for 30 sql_is dst "SELECT f FROM d.tb WHERE k='f1'" 1 || fail "the first waits"
    on b "ALTER TABLE t1 ADD COLUMN e INT; ALTER TABLE t1 CHANGE e f BIGINT; INSERT INTO t1 SET k='f2', f=2"
    wait_for 30 is_in waits || fail "the second does not wait"
    hold "LOCK TABLES d.tb READ"
    on b "ALTER TABLE t2 ADD COLUMN g INT"
    wait_for 30 is_in runner || fail "nobody runs it"
    on a "ALTER TABLE t1 DROP INDEX i, DROP COLUMN f; INSERT INTO t1 SET k='f3'"
    two_wait() { [ "$(group | grep -o '"waits"' | wc -l)" = 2 ]; }
    wait_for 30 two_wait || fail "the first does not wait for the open one"
    kill_sluice; let_go; restart_sluice
    on b "ALTER TABLE t1 DROP COLUMN f"; on b "ALTER TABLE t2 DROP COLUMN g"
    ends_well "$columns"
}

# Each shard goes its way: rows, and the same DDL at moments of its own.
load() { # source table
    local i n=0 e f
    for i in $(seq "${ROUNDS:-12}"); do
        n=$((n + 1)); on "$1" "INSERT INTO $2 (k) VALUES ('$1$2-$i-a'), ('$1$2-$i-b'); UPDATE $2 SET k=CONCAT(k, 'u') WHERE k='$1$2-$((i - 1))-b'; DELETE FROM $2 WHERE k='$1$2-$((i - 2))-a'"
        e=e$((i / 6)) f=f$((i / 6)) # a name that comes again while others still have it is a conflict
        case $((i % 6)) in
        1) on "$1" "ALTER TABLE $2 ADD COLUMN $e INT DEFAULT 7; UPDATE $2 SET $e=$i WHERE k LIKE '%-a'" ;;
        2) on "$1" "ALTER TABLE $2 CHANGE $e $f BIGINT; INSERT INTO $2 SET k='$1$2-$i-f', $f=$i" ;;
        3) on "$1" "ALTER TABLE $2 ADD INDEX i ($f)" ;;
        4) on "$1" "ALTER TABLE $2 DROP INDEX i, DROP COLUMN $f" ;;
        esac
        [ "$1$2" != at1 ] || on a "INSERT INTO other (v) VALUES ($i)"
    done
}
under_load() {
    local pids="" kills=0 seen=""
    what="killed under load"
    for s in a b; do for t in t1 t2; do load $s $t & pids="$pids $!"; done; done
    while [ $kills -lt "${KILLS:-3}" ]; do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))"
        kill_sluice; kills=$((kills + 1))
        seen="$seen $(group | grep -oE '"(waits|released|picked|passing|runner)"' | sort -u | tr -d '\n')"
        restart_sluice
    done
    for p in $pids; do wait "$p" || exit 1; done
    ends_well "$columns"
    note "$flavor: $mode: killed $kills times under load, in:$seen"
}

for pair in ${PAIRS:-mariadb:pessimistic mysql:optimistic}; do
    flavor=${pair%:*} mode=${pair#*:}
    "start_$flavor" a; "start_$flavor" b; "start_$flavor" dst
    start_sluice
    make_source a a && make_source b b || die "no sources"
    begin_shards
    columns=k,v
    for part in ${CASES:-states clauses under_load}; do $part; done
    end_shards
    stop_sluice; rm -rf "$WORK/data"
    for s in a b dst; do kill_server $s; eval "rm -rf \$${s}_dir"; done; SERVERS=""
done
