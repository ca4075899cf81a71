#!/bin/bash
# Where a row could get lost without an error: a target ahead of the stream, shards that swap rows, what a killed run left
# behind, another server under the source's name, a statement done by hand.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

gtids() { sql "$1" "SELECT $([ "$flavor" = mysql ] && echo @@gtid_executed || echo @@gtid_binlog_pos)" | tr -d '\n'; }
follow() { # option...: the sync unit alone, to where the source is now
    timeout 60 "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=sp store="$WORK/store" until="$(gtids src)" "$@" >"$WORK/out" 2>>"$WORK/log" ||
        { cat "$WORK/out"; tail -3 "$WORK/log"; die "$flavor: $what"; }
}
write() { sql src "USE sp; $*" || die "$flavor: $what: the source refused it"; }
equal() { same_rows src dst sp >"$WORK/diff" || { cat "$WORK/diff"; die "$flavor: $what: the ends differ"; }; note "$flavor: $what"; }

ahead() {
    what="safe mode: a row that came and went in one group, and that the target has"
    write "CREATE TABLE a (id INT PRIMARY KEY, v INT)"; follow
    write "BEGIN; INSERT INTO a VALUES (1, 1), (2, 2); COMMIT; DELETE FROM a WHERE id = 1; UPDATE a SET id = 3 WHERE id = 2"
    sql dst "INSERT INTO sp.a VALUES (1, 1), (2, 2)" # as if read in between, or left by a run before
    follow safe=1; equal
}
xa_left() {
    what="XA: a body that a killed run left, and another of the same name"
    write "CREATE TABLE x (id INT PRIMARY KEY, b MEDIUMBLOB); XA START 'p'; INSERT INTO x VALUES (1, REPEAT('a', 70000)), (2, REPEAT('b', 70000));
        INSERT INTO x VALUES (3, REPEAT('c', 70000)); XA END 'p'; XA PREPARE 'p'"
    follow; cp -r "$WORK/store" "$WORK/store.left"
    write "XA COMMIT 'p'; DELETE FROM x"
    follow; rm -rf "$WORK/store"; mv "$WORK/store.left" "$WORK/store" # killed before it dropped the body
    write "XA START 'p'; INSERT INTO x VALUES (9, 'short'); XA END 'p'; XA PREPARE 'p'"
    follow; write "XA COMMIT 'p'"
    follow; equal
}
shards() {
    what="shards: rows that move from one to the other within a group"
    sql src "CREATE DATABASE sh_a; CREATE DATABASE sh_b; CREATE TABLE sh_a.t (id INT PRIMARY KEY, v INT); CREATE TABLE sh_b.t LIKE sh_a.t;
        INSERT INTO sh_a.t VALUES (1, 1), (2, 2); INSERT INTO sh_b.t VALUES (5, 5)"
    seq 100 399 | sed 's/.*/INSERT INTO sh_a.t VALUES (&, 0);/' >"$WORK/rows.sql"; sql_file src "$WORK/rows.sql"
    sed 's|^table_migrate_rule:.*|&\n  - { source: { source_name: s1, schema: "sh_*", table: "t" }, target: { schema: sh, table: t } }|; /schema: "sh_a"/d' \
        <(task_document m s1 dst sh_a <<<'ignore_checking_items: [ merge ]') >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
    echo >"$T/tasks/m/start" || die "$(cat "$T/tasks/m/last_error")"
    caught_up m src
    echo >"$T/tasks/m/pause"; wait_state m paused
    for i in $(seq 100 399); do # a group is likely to begin with the shard that gets the row
        echo "UPDATE sh_b.t SET v = $i WHERE id = 5; UPDATE sh_b.t SET v = 0 WHERE id = 5; UPDATE sh_b.t SET v = $i WHERE id = 5;
            BEGIN; DELETE FROM sh_a.t WHERE id = $i; INSERT INTO sh_b.t VALUES ($i, $i); COMMIT;"
    done >"$WORK/moves.sql"
    sql_file src "$WORK/moves.sql"
    echo >"$T/tasks/m/resume"
    caught_up m src
    [ "$(sql src 'SELECT * FROM sh_a.t UNION ALL SELECT * FROM sh_b.t ORDER BY 1' | tr '\t\n' ', ')" = "$(sql dst 'SELECT * FROM sh.t ORDER BY 1' | tr '\t\n' ', ')" ] ||
        { sql dst 'SELECT * FROM sh.t'; die "$flavor: $what: the ends differ"; }
    note "$flavor: $what"
}
by_hand() {
    what="a statement that is refused, done by hand: resolve_ddl goes past that one and no other"
    S=$T/tasks/h/sources/s1/sync
    sql src "CREATE DATABASE h; CREATE DATABASE away; CREATE TABLE h.t (id INT PRIMARY KEY); CREATE TABLE h.keep (id INT PRIMARY KEY); INSERT INTO h.t VALUES (1); INSERT INTO h.keep VALUES (1)"
    make_task h s1 dst h </dev/null && echo >"$T/tasks/h/start" || die "$(cat "$T/tasks/h/last_error")"
    caught_up h src
    echo as=done >"$S/resolve_ddl" 2>/dev/null && die "$flavor: $what: an answer that nobody asked for was taken"
    sql src "INSERT INTO h.t VALUES (2), (3); INSERT INTO h.t VALUES (4); RENAME TABLE h.t TO away.t; INSERT INTO h.keep VALUES (2); RENAME TABLE h.keep TO away.keep"
    wait_state h error
    grep -q "resolve_ddl" "$S/error" || die "$flavor: $what: $(cat "$S/error")"
    [ "$(sql dst 'SELECT COUNT(*) FROM h.t')" = 4 ] || die "$flavor: $what: not all that comes before is in the target"
    sql dst "DROP TABLE h.t"
    echo as=done >"$S/resolve_ddl" || die "$flavor: $what: $(cat "$S/last_error")"
    echo >"$T/tasks/h/resume"
    wait_for 30 eval "state_is h error && grep -q away.keep $S/error" || { task_trouble h; die "$flavor: $what: the second one was not refused"; }
    [ "$(sql dst 'SELECT GROUP_CONCAT(id) FROM h.keep')" = 1,2 ] || die "$flavor: $what: it did not go on in between"
    note "$flavor: $what"
}
another_server() {
    what="another server under the source's name"
    sql src "CREATE DATABASE n; CREATE TABLE n.t (id INT PRIMARY KEY)"
    echo false >"$T/sources/s1/enable_gtid"
    sql dst "CREATE DATABASE IF NOT EXISTS n; CREATE TABLE n.t (id INT PRIMARY KEY)"
    read -r file pos <<<"$({ sql src 'SHOW MASTER STATUS' 2>/dev/null | grep . || sql src 'SHOW BINARY LOG STATUS'; } | cut -f1-2)"
    task_mode=incremental task_document n s1 dst n </dev/null | sed "s|{ source_name: s1 } \]|{ source_name: s1, binlog_name: $file, binlog_pos: $pos } ]|" >"$T/tasks/create"
    echo >"$T/tasks/n/start" || die "$(cat "$T/tasks/n/last_error")"
    sql src "INSERT INTO n.t VALUES (1)"
    wait_for 30 eval "sql dst 'SELECT * FROM n.t' | grep -q 1" || { task_trouble n; die "$flavor: $what: no start"; }
    echo >"$T/tasks/n/pause"; wait_state n paused
    sql other "CREATE DATABASE n; CREATE TABLE n.t (id INT PRIMARY KEY); INSERT INTO n.t VALUES (100), (101)"
    echo "$other_port" >"$T/sources/s1/port"
    for gtid in false true; do
        echo $gtid >"$T/sources/s1/enable_gtid"
        mark=$(wc -l <"$SLUICE_LOG")
        echo >"$T/tasks/n/resume"
        wait_for 30 eval "tail -n +$((mark + 1)) $SLUICE_LOG | grep -q 'but the source is now'" || { task_trouble n; die "$flavor: $what, enable_gtid $gtid: it goes on"; }
        wait_state n error
    done
    [ "$(sql dst 'SELECT GROUP_CONCAT(id) FROM n.t')" = 1 ] || die "$flavor: $what: rows of the other came"
    note "$flavor: $what: $(cat "$T/tasks/n/sources/s1/sync/error")"
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst; "start_$flavor" other
    sql src "CREATE DATABASE sp"; sql dst "CREATE DATABASE sp"
    start=$(gtids src)
    what=start; follow start="$start"
    start_sluice; make_source s1 src || die "$(cat "$T/sources/last_error")"
    for part in ${PARTS:-ahead xa_left shards by_hand another_server}; do
        $part
    done
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; kill_server other; rm -rf "$src_dir" "$dst_dir" "$other_dir" "$WORK/store" "$WORK/log"; SERVERS=""
done
