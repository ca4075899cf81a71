#!/bin/bash
# Two appliers of one task: the one whose checkpoint was taken over cannot commit any more, whether its session
# was found and ended or lives on.  A table without a key would show a row applied twice.  FLAVORS="mariadb mysql".
set -u
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
. tests/lib/servers.sh; . tests/lib/compare.sh

gtids() { sql src "SELECT $([ "$flavor" = mysql ] && echo @@gtid_executed || echo @@gtid_binlog_pos)" | tr -d '\n'; }
write() { sql src "USE f; $*" || die "$flavor: $what: the source refused it"; }
start_old() { # the applier that will be taken over from
    "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=f store="$WORK/old" start="$start" >"$WORK/old.out" 2>"$WORK/old.log" &
    old=$!
}
take_over() { # another one, which applies all and ends
    timeout 120 "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=f store="$WORK/new" until="$(gtids)" >"$WORK/out" 2>"$WORK/log" ||
        { cat "$WORK/out"; tail -5 "$WORK/log"; die "$flavor: $what: the new one does not go on"; }
}
rows() { [ "$(sql dst 'SELECT COUNT(*) FROM f.k')" = "$1" ]; }
equal() { same_rows src dst f >"$WORK/diff" || { cat "$WORK/diff"; die "$flavor: $what: the ends differ"; }; note "$flavor: $what"; }

locker_id() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(600)%' AND ID <> CONNECTION_ID()"; }
locked() { [ -n "$(locker_id)" ]; }
waiter_id() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '%\`f\`.\`l\`%' AND ID <> CONNECTION_ID()"; }
waits() { session=$(waiter_id) && [ -n "$session" ]; }
gone() { [ "$(sql dst "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = $session")" = 0 ]; }
end_locker() { sql dst "KILL $(locker_id)"; }

lives() {
    what="its session lives on"
    start_old
    wait_for 30 rows 2 || { cat "$WORK/old.log"; die "$flavor: $what: no start"; }
    sql dst "UPDATE sluice_meta.sluice_checkpoint SET epoch = epoch + 1, sessions = ''" || die "no checkpoint"
    write "INSERT INTO k VALUES (3), (3)"
    wait_for 60 eval "! kill -0 $old" || die "$flavor: $what: the old one still runs"
    grep -q 'another process has taken over' "$WORK/old.out" || { cat "$WORK/old.out" "$WORK/old.log"; die "$flavor: $what: it says something else"; }
    rows 2 || die "$flavor: $what: it wrote: $(sql dst 'SELECT COUNT(*) FROM f.k') rows"
    take_over
    equal
}
inside() {
    what="it was inside a transaction at the target"
    sql dst "USE f; BEGIN; SELECT * FROM l FOR UPDATE; DO SLEEP(600)" >/dev/null 2>&1 &
    locker=$!
    at_exit 'kill $locker $old 2>/dev/null'
    wait_for 10 locked || die "nobody holds the lock"
    start_old
    write "INSERT INTO k VALUES (4), (4); UPDATE l SET v = v + 1; INSERT INTO k VALUES (5)"
    session=""
    wait_for 30 waits || { sql dst 'SHOW FULL PROCESSLIST'; die "$flavor: $what: it never waited for the lock"; }
    kill -STOP $old # it cannot see that its session is ended
    take_over & # ends that session before it needs the row that it has locked
    taker=$!
    wait_for 30 gone || die "$flavor: $what: the session of the old one is still there"
    end_locker
    wait $taker || exit 1
    kill -CONT $old
    wait_for 60 eval "! kill -0 $old || grep -q 'taken over' $WORK/old.log" || die "$flavor: $what: the old one goes on"
    equal
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE f"
    start=$(gtids)
    sql src "CREATE TABLE f.k (v INT); CREATE TABLE f.l (id INT PRIMARY KEY, v INT);
        INSERT INTO f.k VALUES (1), (1); INSERT INTO f.l VALUES (1, 1)"
    sql dst "CREATE DATABASE f"
    lives
    inside
    kill -9 $old 2>/dev/null
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir" "$WORK/old" "$WORK/new"; SERVERS=""
done
