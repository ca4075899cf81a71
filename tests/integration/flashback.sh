#!/bin/bash
# The undo of a range (reverse: true): applied to the server that made the changes it gives the rows of
# before, and so does its SQL text; a statement in the range is refused by name, and nothing is written.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1 --binlog-row-metadata=FULL
start_mysql my --binlog-row-metadata=FULL
start_mariadb keep
start_mariadb text
start_sluice
snap() { # server db file: its rows, as they are
    all_rows "$1" "$2" >"$3" || die "$1: no rows"
}
copy_to() { # db of m1, to
    mariadb-dump --no-defaults -uroot -S "$m1_dir/s.sock" --databases "$1" >"$WORK/dump.sql" 2>"$WORK/dump.err" || die "dump: $(cat "$WORK/dump.err")"
    sql_file "$2" "$WORK/dump.sql" || die "dump into $2"
}
load() { # server db: changes without a statement that cannot be undone
    for n in $(seq 120); do
        k=$((RANDOM % 200)) v=$((RANDOM % 1000))
        echo "BEGIN; REPLACE INTO uniq VALUES ($k, $((v + 5000)), 'v$v'); UPDATE uniq SET v = LEFT(CONCAT($n, '+', v), 60) WHERE id BETWEEN $k AND $((k + 5));
            DELETE FROM uniq WHERE id = $((k + 7)); INSERT INTO pair VALUES ($((v + 1000 * n)), 'x$n', $v, '2026-01-31 12:00:00.5', $v.25);
            UPDATE pair SET a = a + 1000000 WHERE a < $v; DELETE FROM nokey WHERE a = $((k % 50)) LIMIT 2; INSERT INTO nokey VALUES ($k, 'n$n', $v.5); COMMIT;"
    done >"$WORK/load.sql"
    sql_file "$1" "$WORK/load.sql" "$2" || die "load"
}
for s in m1 my; do
    db=fb_$s
    "$SLUICE_BUILD/writer" "$(port_of $s)" $db 3 150 >/dev/null || die "writer"
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
    relay_caught_up $s $s
    sql $s "CREATE TABLE $db.mark1 (a INT PRIMARY KEY)"
    relay_caught_up $s $s
    from=$(cat "$T/sources/$s/relay/commit_ts")
    snap $s $db "$WORK/before"
    [ "$s" = m1 ] && copy_to $db keep
    load $s $db
    sql $s "INSERT INTO $db.mark1 VALUES (1), (2); DELETE FROM $db.nokey LIMIT 3"
    relay_caught_up $s $s
    to=$(cat "$T/sources/$s/relay/commit_ts")
    snap $s $db "$WORK/after"
    diff -rq "$WORK/before" "$WORK/after" >/dev/null && die "$s: nothing changed"
    [ "$s" = m1 ] && copy_to $db text
    # As text.
    make_drainer t_$s <<END
pumps: [p_$s]
initial_commit_ts: $from
stop_commit_ts: $to
syncer: { reverse: true, replicate_do_db: [$db] }
to: { db_type: sql, dir: $WORK }
END
    start_drainer t_$s
    wait_for 30 drainer_is t_$s state finished || { drainer_trouble t_$s; die "t_$s: $(cat "$T/drainers/t_$s/error")"; }
    [ "$(grep -c '^BEGIN' "$WORK/t_$s.sql")" -gt 50 ] || die "text: $(head "$WORK/t_$s.sql")"
    if [ "$s" = m1 ]; then
        { echo "SET SESSION time_zone='+00:00', foreign_key_checks=0;"; cat "$WORK/t_$s.sql"; } >"$WORK/undo.sql"
        sql_file text "$WORK/undo.sql" || die "the text is refused"
        same_rows keep text $db || die "the text does not give the rows of before"
    fi
    # Applied.
    make_drainer a_$s <<END
pumps: [p_$s]
initial_commit_ts: $from
stop_commit_ts: $to
syncer: { reverse: true, replicate_do_db: [$db] }
to: { db_type: mysql, host: 127.0.0.1, port: $(port_of $s), user: sluice, password: sluice }
END
    start_drainer a_$s
    wait_for 30 drainer_is a_$s state finished || { drainer_trouble a_$s; die "a_$s: $(cat "$T/drainers/a_$s/error")"; }
    snap $s $db "$WORK/undone"
    diff -r "$WORK/before" "$WORK/undone" | head -20 | grep . && die "$s: the undo does not give the rows of before"
    # Once more does nothing.
    start_drainer a_$s
    wait_for 30 drainer_is a_$s state finished || die "again: $(cat "$T/drainers/a_$s/error")"
    snap $s $db "$WORK/undone"
    diff -rq "$WORK/before" "$WORK/undone" || die "$s: undone twice"
    # A statement in the range.
    sql $s "INSERT INTO $db.mark1 VALUES (7); ALTER TABLE $db.mark1 ADD COLUMN b INT; INSERT INTO $db.mark1 VALUES (8, 8)"
    relay_caught_up $s $s
    make_drainer n_$s <<END
pumps: [p_$s]
initial_commit_ts: $to
stop_commit_ts: $(cat "$T/sources/$s/relay/commit_ts")
syncer: { reverse: true, replicate_do_db: [$db] }
to: { db_type: mysql, host: 127.0.0.1, port: $(port_of $s), user: sluice, password: sluice }
END
    start_drainer n_$s
    wait_for 30 drainer_is n_$s state error || { drainer_trouble n_$s; die "a statement in the range: $(cat "$T/drainers/n_$s/state")"; }
    grep -q "ALTER TABLE" "$T/drainers/n_$s/error" || die "not by name: $(cat "$T/drainers/n_$s/error")"
    [ "$(sql $s "SELECT GROUP_CONCAT(a ORDER BY a) FROM $db.mark1")" = 7,8 ] || die "something was written"
done
note "flashback on both flavours"
