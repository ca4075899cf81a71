#!/bin/bash
# on_error: quarantine sets a table aside when the target refuses its change; the others go on.  Each is released or
# skipped for itself, gets what it missed once, and a release that fails says why.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

S=$T/tasks/q/sources/s1/sync
write() { sql src "USE q; $*" || die "$flavor: the source refused: $*"; }
aside_is() { [ "$(cat "$S/set_aside")" = "$1" ]; }
wait_aside() { wait_for 60 aside_is "$1" || { task_trouble q; die "$flavor: $what: set aside is '$(cat "$S/set_aside")', not '$1'"; }; }
order() { echo "$2" >"$S/$1" || die "$flavor: $what: $1: $(cat "$S/last_error")"; }
count() { [ "$(sql dst "SELECT COUNT(*) FROM q.$1")" = "$2" ]; }
wait_count() { wait_for 60 count "$1" "$2" || { task_trouble q; die "$flavor: $what: q.$1 has not $2 rows"; }; }
same() { # table
    [ "$(sql src "SELECT * FROM q.$1 ORDER BY id, v")" = "$(sql dst "SELECT * FROM q.$1 ORDER BY id, v")" ] || die "$flavor: $what: q.$1 differs"
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE q; USE q; CREATE TABLE good (id INT PRIMARY KEY, v INT); CREATE TABLE bad (id INT PRIMARY KEY, v INT);
        CREATE TABLE late (id INT, v INT); INSERT INTO good VALUES (1, 1); INSERT INTO bad VALUES (1, 1), (2, 2); INSERT INTO late VALUES (1, 1), (2, 2)"
    start_sluice
    make_source s1 src && make_task q s1 dst q <<<'on_error: quarantine' && echo >"$T/tasks/q/start" || die "$(cat "$T/tasks/q/last_error")"
    write "INSERT INTO bad VALUES (5, 5); INSERT INTO late VALUES (5, 5); UPDATE bad SET v = v + 1"
    caught_up q src

    what="a statement that was interrupted is no table's fault: it is tried again"
    sql dst "BEGIN; UPDATE q.good SET v = v WHERE id = 1; DO SLEEP(600)" >/dev/null 2>&1 &
    id_of() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '$1' AND ID <> CONNECTION_ID()" | grep .; }
    wait_for 20 id_of 'DO SLEEP%' || die "$flavor: $what: no lock"
    write "UPDATE good SET v = 100 WHERE id = 1"
    wait_for 20 id_of '%\`good\`%' || die "$flavor: $what: it does not wait for the lock"
    sql dst "KILL QUERY $(id_of '%\`good\`%')"
    failed() { grep -qi interrupted "$S/error" "$SLUICE_LOG"; }
    wait_for 20 failed || { task_trouble q; die "$flavor: $what: it was not interrupted"; }
    sql dst "KILL $(id_of 'DO SLEEP%')"; wait_state q running
    caught_up q src
    aside_is "" || die "$flavor: $what: set aside is '$(cat "$S/set_aside")'"

    what="one table is set aside, the others go on"
    sql dst "DELETE FROM q.bad WHERE id = 2" # somebody meddles with the target
    write "UPDATE bad SET v = 20 WHERE id = 2; INSERT INTO good VALUES (2, 2); INSERT INTO bad VALUES (3, 3); INSERT INTO late VALUES (3, 3)"
    wait_aside q.bad
    wait_count good 2
    wait_count late 4
    count bad 2 || die "$flavor: $what: the bad table went on without its row"
    state_is q quarantined || die "$flavor: $what: the task is $(state q)"

    what="a second one, later; both are known after a crash"
    sql dst "DELETE FROM q.late WHERE id = 2"
    write "UPDATE late SET v = 21 WHERE id = 2; INSERT INTO late VALUES (3, 3); INSERT INTO good VALUES (3, 3)"
    wait_aside q.bad,q.late
    wait_count good 3
    kill_sluice; restart_sluice
    wait_aside q.bad,q.late

    what="the binlog that they will be read from is still needed"
    needed() { echo >"$T/sources/s1/check"; cat "$T/sources/s1/needed_binlog"; }
    needed_is() { [ "$(needed)" = "$1" ]; }
    old=$(cut -d: -f1 "$S/position")
    write "FLUSH BINARY LOGS; INSERT INTO good VALUES (30, 30)"
    write "FLUSH BINARY LOGS; DELETE FROM good WHERE id = 30"
    wait_count good 3
    moved_on() { [ "$(cut -d: -f1 "$S/position")" != "$old" ]; }
    wait_for 60 moved_on || die "$flavor: $what: $(cat "$S/position")"
    wait_for 60 needed_is "$old" || die "$flavor: $what: $(needed), not $old"

    what="a release of what is not mended fails and says why"
    order release table=q.bad
    wait_for 60 grep -q 'q.bad' "$S/error" || { task_trouble q; die "$flavor: $what: no error"; }
    wait_aside q.bad,q.late
    write "INSERT INTO good VALUES (4, 4)"
    wait_count good 4
    echo table=q.good >"$S/release" 2>/dev/null && die "$flavor: $what: a table that is not set aside was released"

    what="each is released for itself"
    sql dst "INSERT INTO q.bad VALUES (2, 3)" # mended
    order release table=q.bad
    wait_aside q.late
    [ -z "$(cat "$S/error")" ] || die "$flavor: $what: $(cat "$S/error")"
    same bad
    count late 3 || die "$flavor: $what: the other was touched"
    sql dst "INSERT INTO q.late VALUES (2, 2)"
    write "INSERT INTO late VALUES (7, 7), (7, 7)"
    order release ""
    wait_aside ""
    caught_up q src
    same_rows src dst q || die "$flavor: $what: the ends differ"
    state_is q running || die "$flavor: $what: the task is $(state q)"

    what="skip takes it back without what it missed"
    sql dst "DELETE FROM q.bad WHERE id = 5"
    write "DELETE FROM bad WHERE id = 5; INSERT INTO bad VALUES (6, 6); INSERT INTO good VALUES (5, 5)"
    wait_aside q.bad
    wait_count good 5
    order skip table=q.bad
    wait_aside ""
    write "INSERT INTO bad VALUES (8, 8)"
    caught_up q src
    [ "$(sql dst 'SELECT GROUP_CONCAT(id ORDER BY id) FROM q.bad')" = 1,2,3,8 ] || die "$flavor: $what: $(sql dst 'SELECT * FROM q.bad')"

    what="what a table missed is purged at the source: it needs a new snapshot"
    sql dst "DELETE FROM q.bad WHERE id = 1; DELETE FROM q.late WHERE id = 1"
    write "UPDATE bad SET v = 11 WHERE id = 1; INSERT INTO bad VALUES (9, 9); INSERT INTO good VALUES (9, 9)"
    wait_aside q.bad
    wait_count good 6
    [ -z "$(cat "$S/needs_resnapshot")" ] || die "$flavor: $what: too early"
    write "FLUSH BINARY LOGS; INSERT INTO good VALUES (10, 10); FLUSH BINARY LOGS; INSERT INTO good VALUES (11, 11)"
    wait_count good 8
    newest=$(sql src 'SHOW BINARY LOGS' | tail -1 | cut -f1)
    purged() { sql src "PURGE BINARY LOGS TO '$newest'"; [ "$(sql src 'SHOW BINARY LOGS' | head -1 | cut -f1)" = "$newest" ]; }
    wait_for 30 purged || die "$flavor: $what: $(sql src 'SHOW BINARY LOGS')"
    write "UPDATE late SET v = 12 WHERE id = 1; INSERT INTO good VALUES (12, 12)"
    gone_is() { [ "$(cat "$S/needs_resnapshot")" = "$1" ]; }
    wait_for 30 gone_is q.bad || { task_trouble q; die "$flavor: $what: '$(cat "$S/needs_resnapshot")'"; }
    wait_aside q.bad,q.late # that one is not lost
    wait_count good 9
    state_is q quarantined || die "$flavor: $what: the task is $(state q)"
    grep -q 'q.bad needs_resnapshot: the source has purged' "$S/error" || die "$flavor: $what: error is '$(cat "$S/error")'"
    echo table=q.bad >"$S/release" 2>/dev/null && die "$flavor: $what: it was released"
    grep -q 'needs_resnapshot' "$S/last_error" || die "$flavor: $what: $(cat "$S/last_error")"
    echo >"$T/sources/s1/check"
    grep -q 'has purged' "$T/sources/s1/warning" && die "$flavor: $what: nobody waits for it: $(cat "$T/sources/s1/warning")"
    kill_sluice; restart_sluice
    wait_for 30 gone_is q.bad || die "$flavor: $what: it is forgotten after a crash"
    sql dst "INSERT INTO q.late VALUES (1, 1)"
    order release "" # all that can be
    wait_aside q.bad
    same late
    echo source=s1 schema=q table=bad >"$T/tasks/q/resnapshot" || die "$flavor: $what: $(cat "$T/tasks/q/last_error")"
    wait_aside ""
    gone_is "" || die "$flavor: $what: it is still named"
    caught_up q src
    same_rows src dst q || die "$flavor: $what: the ends differ after a new snapshot"
    wait_state q running
    note "$flavor: set aside, released one by one, skipped; purged, named"

    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
