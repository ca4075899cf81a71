#!/bin/bash
# Online schema changes as gh-ost and pt-online-schema-change make them, under load and kill -9 in each of their states, row by
# row: tables of their own are carried with their ghosts; shards of one table get the change by way of the lock.  One of them is
# the real pt-online-schema-change.  PAIRS="mariadb:pessimistic mysql:optimistic" (any of flavor:mode); ROWS more in each table.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/shard.sh

mode=""
write() { sql a "USE $1; $2" || die "$flavor: $what: the source refused: $2"; }
again() { kill_sluice; restart_sluice; }
# Triggers keep the ghost as the table, as pt-online-schema-change does; gh-ost reads the binlog, to the same rows.
triggers() { # schema table ghost columns ghost's-columns
    local new=NEW.${4//,/,NEW.}
    write "$1" "CREATE TRIGGER ${2}_i AFTER INSERT ON $2 FOR EACH ROW REPLACE INTO $3 ($5) VALUES ($new);
        CREATE TRIGGER ${2}_u AFTER UPDATE ON $2 FOR EACH ROW REPLACE INTO $3 ($5) VALUES ($new);
        CREATE TRIGGER ${2}_d AFTER DELETE ON $2 FOR EACH ROW DELETE FROM $3 WHERE $3.k = OLD.k"
}
drop_triggers() { for x in i u d; do write "$1" "DROP TRIGGER IF EXISTS ${2}_$x"; done; }
change() { # schema table columns[:columns of the new one] 'ALTER ...' gho|new [kill]: one online schema change; with 'kill' at each of its steps
    local g=_$2_$5 old=_$2_del; [ "$5" = new ] && old=_$2_old
    local kill=${6:-} from=${3%:*} to=${3#*:}
    [ "$5" = new ] || write "$1" "CREATE TABLE _$2_ghc (id INT AUTO_INCREMENT PRIMARY KEY, value VARCHAR(99)); INSERT INTO _$2_ghc (value) VALUES ('state')"
    write "$1" "CREATE TABLE $g LIKE $2"; $kill
    write "$1" "ALTER TABLE $g $4"; $kill
    triggers "$1" "$2" "$g" "$from" "$to"
    write "$1" "INSERT IGNORE INTO $g ($to) SELECT $from FROM $2 WHERE k < 'm'"; $kill
    write "$1" "INSERT IGNORE INTO $g ($to) SELECT $from FROM $2 WHERE k >= 'm'"
    drop_for_swap "$1" "$2" "$g" "$old" "$5"; $kill
    write "$1" "DROP TABLE $old"; [ "$5" = new ] || write "$1" "DROP TABLE _$2_ghc"
}
# The tool itself; it needs nobody to be held.
pt_osc() { # schema table 'ALTER...'
    pt-online-schema-change --execute --no-version-check --recursion-method=none --chunk-size=$((40 + ${ROWS:-0} / 50)) --alter "$3" \
        "h=localhost,S=$a_dir/s.sock,u=root,D=$1,t=$2" >"$WORK/pt.log" 2>&1 || { cat "$WORK/pt.log" >&2; die "$flavor: $what: pt-online-schema-change"; }
}
# Writers are held while triggers go and names are swapped, as both tools do.
drop_for_swap() { # schema table ghost old tool
    touch "$WORK/hold"; wait_for 30 is_held
    drop_triggers "$1" "$2"
    [ "$5" = new ] || write "$1" "CREATE TABLE $4 (id INT); DROP TABLE $4"
    write "$1" "RENAME TABLE $2 TO $4, $3 TO $2"
    rm -f "$WORK/hold"
}
digits="(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
fill() { # source schema table: on both sides of the halves that change() copies
    [ -z "${ROWS:-}" ] || sql "$1" "INSERT INTO $2.$3 (k, v) SELECT CONCAT(IF(n % 2, 'f', 'p'), '$1$3', n), n FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d n
        FROM $digits a, $digits b, $digits c, $digits d, $digits e, $digits f) x WHERE n < $ROWS" || die "$flavor: no rows"
}
is_held() { [ ! -e "$WORK/writing" ] || [ -e "$WORK/held" ]; }
load() { # schema table...: until $WORK/writing is gone
    local schema=$1 n=0 t me=$BASHPID; shift
    while [ -e "$WORK/writing" ]; do
        while [ -e "$WORK/hold" ]; do touch "$WORK/held"; sleep 0.02; done; rm -f "$WORK/held"
        n=$((n + 1))
        for t in "$@"; do write "$schema" "INSERT INTO $t (k, v) VALUES ('a$me-$n$t', $n), ('z$me-$n$t', $n); UPDATE $t SET v = v + 1 WHERE k IN ('a$me-$((n / 2))$t', 'z$me-$((n / 3))$t'); DELETE FROM $t WHERE k = 'a$me-$((n - 5))$t'"; done
    done
}
begin_load() { touch "$WORK/writing"; load "$@" & loader=$!; }
end_load() { rm -f "$WORK/writing"; wait $loader || exit 1; }

for pair in ${PAIRS:-mariadb:pessimistic mysql:optimistic}; do
    flavor=${pair%:*}
    "start_$flavor" a; "start_$flavor" b; "start_$flavor" dst
    start_sluice
    make_source a a && make_source b b || die "no sources"
    sql a "CREATE DATABASE o; CREATE TABLE o.t (k VARCHAR(20) PRIMARY KEY, v INT); INSERT INTO o.t VALUES ('a', 1), ('n', 2)"
    fill a o t
    make_task o a dst o </dev/null && echo >"$T/tasks/o/start" || die "$(cat "$T/tasks/o/last_error")"
    caught_up o a

    what="a table of its own: carried with its ghost"
    begin_load o t
    change o t k,v "ADD c INT DEFAULT 3" gho
    change o t k,v "ADD d INT, DROP c" new
    pt_osc o t "ADD real_one INT DEFAULT 7, ADD KEY r (real_one, v)"
    end_load
    caught_up o a; same_rows a dst o || die "$flavor: $what"
    what="a table of its own, killed at each step"
    begin_load o t
    change o t k,v "ADD e INT DEFAULT 4" gho again
    change o t k,v "ADD f INT, ADD KEY (v)" new again
    end_load
    caught_up o a; same_rows a dst o || die "$flavor: $what"
    what="killed while the swap waits at the target"
    sql dst "LOCK TABLES o.t READ; SELECT SLEEP(600)" >/dev/null 2>&1 &
    holder() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(6%' AND ID <> CONNECTION_ID()" | grep .; }
    wait_for 20 holder
    change o t k,v "ADD g INT DEFAULT 5" gho
    swaps() { sql dst "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '%RENAME TABLE%' AND ID <> CONNECTION_ID()" | grep -q 1; }
    wait_for 30 swaps || die "$flavor: $what: no swap"
    kill_sluice; sql dst "KILL $(holder)"; restart_sluice
    caught_up o a; same_rows a dst o || die "$flavor: $what"
    [ "$(tables_of dst o)" = t ] || die "$flavor: $what: left: $(tables_of dst o)"
    [ "$(ls "$T/tasks/o/sources/a/schemas/o" | grep '[.]sql$')" = t.sql ] || die "$flavor: $what: known: $(ls "$T/tasks/o/sources/a/schemas/o")"
    echo >"$T/tasks/o/stop"; rmdir "$T/tasks/o"
    note "$flavor: carried with its ghost"

    mode=${pair#*:}
    what="shards of one table"
    begin_shards "shadow_table_rules: [ '^_(.+)_(?:new|gho)$', '^neu_(.+)$' ]" "trash_table_rules: [ '^_(.+)_(?:ghc|del|old)$', '^alt_(.+)$' ]"
    for s in a b; do for t in t1 t2; do fill $s d $t; done; done
    begin_load d t1 t2
    change d t1 k,v "ADD c INT DEFAULT 3" gho
    for t in t1 t2; do on b "ALTER TABLE $t ADD c INT DEFAULT 3; INSERT INTO $t SET k='b$t', c=4"; done
    pt_osc d t2 "ADD c INT DEFAULT 3"; again
    end_load
    ends_well "k,v,c"
    what="shards of one table, killed at each step, one a change ahead"
    begin_load d t1 t2
    change d t1 k,v,c:k,v,e "CHANGE c e BIGINT DEFAULT 3" gho again
    change d t1 k,v,e "ADD f INT" new again
    change d t2 k,v,c:k,v,e "CHANGE c e BIGINT DEFAULT 3" gho
    for t in t1 t2; do on b "ALTER TABLE $t CHANGE c e BIGINT DEFAULT 3; ALTER TABLE $t ADD f INT"; done
    change d t2 k,v,e "ADD f INT" new
    end_load
    ends_well "k,v,e,f"
    what="names as the task says"
    on a "CREATE TABLE neu_t1 LIKE t1; ALTER TABLE neu_t1 ADD g INT; INSERT INTO neu_t1 SELECT *, NULL FROM t1; RENAME TABLE t1 TO alt_t1, neu_t1 TO t1; DROP TABLE alt_t1; UPDATE t1 SET g = 1; ALTER TABLE t2 ADD g INT"
    for t in t1 t2; do on b "ALTER TABLE $t ADD g INT"; done
    on a "INSERT INTO t1 SET k='named', g=5"
    ends_well "k,v,e,f,g"
    sql dst "SHOW TABLES IN d" | grep -q '^_' && fail "left: $(sql dst "SHOW TABLES IN d")"
    end_shards
    note "$flavor: $mode: shards changed online"
    stop_sluice; rm -rf "$WORK/data"
    for s in a b dst; do kill_server $s; eval "rm -rf \$${s}_dir"; done; SERVERS=""
done
