#!/bin/bash
# kill -9 while a DDL is under way at the target, as it was before it, after it, and as neither: what the tables
# look like decides, and where they cannot tell the operator is asked.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

write() { sql src "USE d; $*" || die "$flavor: $what: the source refused it"; }
hold() { # sql that takes a lock at the target, until let_go
    sql dst "$1; DO SLEEP(600)" >/dev/null 2>&1 &
    wait_for 20 holder || die "$flavor: $what: no lock"
}
busy() { sql dst "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '$1%' AND ID <> CONNECTION_ID()" | grep .; }
holder() { busy 'DO SLEEP(600)'; }
let_go() { sql dst "KILL $(holder)"; wait_for 20 eval '! holder'; }
ours() { busy '/* sluice'; }
end_sessions() { # or the target would go on with what it has, and commit
    local id
    for id in $(sql dst "SELECT sessions FROM dm_meta.sluice_checkpoint WHERE part = 'sync'"); do
        sql dst "KILL $id" 2>/dev/null
        wait_for 20 eval "! sql dst 'SELECT ID FROM information_schema.PROCESSLIST' | grep -qx $id" || die "$flavor: $what: session $id stays"
    done
}
logged() { tail -n "+$((mark + 1))" "$SLUICE_LOG" | grep -q "$1"; }
begin() { what=$1; mark=$(wc -l <"$SLUICE_LOG"); }
columns() { sql dst "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = '$1'"; }
has_column() { columns "$1" | grep -q "$2"; }
done_as() { # log line: goes on by itself, both ends alike
    caught_up c src
    logged "$1" || { tail -n "+$((mark + 1))" "$SLUICE_LOG" >&2; die "$flavor: $what: the log does not say '$1'"; }
    [ "$(sql src 'SHOW CREATE TABLE d.t')" = "$(sql dst 'SHOW CREATE TABLE d.t')" ] || die "$flavor: $what: d.t is made otherwise"
    same_rows src dst d || die "$flavor: $what: the ends differ"
    note "$flavor: $what"
}
killed_before() { # statement: it waits for a lock when we are killed
    hold "BEGIN; SELECT COUNT(*) FROM d.t"
    write "$1"
    wait_for 60 ours || { task_trouble c; die "$flavor: $what: it does not wait for the lock"; }
    kill_sluice
}
killed_after() { # statement, condition: it has run, the checkpoint is not written
    hold "BEGIN; SELECT COUNT(*) FROM dm_meta.sluice_checkpoint LOCK IN SHARE MODE"
    write "$1"
    wait_for 60 eval "$2" || { task_trouble c; die "$flavor: $what: it never ran"; }
    kill_sluice
    end_sessions
    let_go
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE d; USE d; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT, UNIQUE (v)); INSERT INTO t (v) VALUES (1), (2);
        CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(10)); INSERT INTO u VALUES (1, 'u')"
    start_sluice
    make_source s1 src && make_task c s1 dst d </dev/null && echo >"$T/tasks/c/start" || die "$(cat "$T/tasks/c/last_error")"
    caught_up c src
    # As after a copy under load, whose sessions did not begin at one place: what is open at a start was not in it.
    sql dst "UPDATE dm_meta.sluice_copy_round SET high_offset = high_offset + 1"

    begin "before: ALTER TABLE waited for a lock"
    killed_before "ALTER TABLE t ADD COLUMN a INT DEFAULT 7 AFTER id; INSERT INTO t (v) VALUES (3)"
    end_sessions
    let_go
    restart_sluice
    done_as "had not run"

    begin "after: ALTER TABLE"
    killed_after "ALTER TABLE t ADD COLUMN b INT NOT NULL, ADD CHECK (b < 100); INSERT INTO t (v, b) VALUES (4, 4)" "has_column t ,b"
    restart_sluice
    done_as "had run"

    begin "after: CREATE TABLE"
    killed_after "CREATE TABLE n (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES t (id)); INSERT INTO n VALUES (1, 1)" "has_column n id"
    restart_sluice
    done_as "had run"

    begin "after: DROP TABLE"
    killed_after "DROP TABLE n; CREATE TABLE n (x INT PRIMARY KEY); INSERT INTO n VALUES (5)" "! has_column n id"
    restart_sluice
    done_as "had run"

    begin "neither: somebody else changed the table meanwhile"
    killed_before "ALTER TABLE t ADD COLUMN c INT; INSERT INTO t (v, b) VALUES (6, 6)"
    end_sessions
    let_go
    has_column t ,c && die "$flavor: $what: it ran"
    sql dst "ALTER TABLE d.t ADD COLUMN other INT"
    restart_sluice
    wait_state c error
    grep -q 'resolve_ddl' "$T/tasks/c/error" || { task_trouble c; die "$flavor: $what: it does not ask"; }
    sql dst "ALTER TABLE d.t DROP COLUMN other"
    echo as=run >"$T/tasks/c/sources/s1/sync/resolve_ddl" || die "$flavor: $what: the answer is refused"
    echo >"$T/tasks/c/resume" || die "$flavor: $what: $(cat "$T/tasks/c/last_error")"
    done_as "had not run"

    begin "asked: a swap of names"
    killed_after "RENAME TABLE t TO x, u TO t, x TO u; INSERT INTO t VALUES (2, 'after')" "has_column t name"
    restart_sluice
    wait_state c error
    grep -q 'resolve_ddl' "$T/tasks/c/error" || { task_trouble c; die "$flavor: $what: it does not ask"; }
    echo as=done >"$T/tasks/c/sources/s1/sync/resolve_ddl" && echo >"$T/tasks/c/resume" || die "$flavor: $what: $(cat "$T/tasks/c/last_error")"
    done_as "had run"
    [ -z "$(sql dst "SHOW DATABASES LIKE 'dm\\_meta\\_try%'")" ] || die "$flavor: the schema of the trial is left"

    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
