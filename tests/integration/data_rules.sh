#!/bin/bash
# Rules of the data path that no other script would miss: what readers of the target see, prepared transactions at the
# snapshot, a table that changes while it is read, a copy without RELOAD under load, tables without transactions,
# sequences, the target's own sessions.  FLAVORS="mariadb mysql".
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

S() { echo "$T/tasks/$1/sources/s1"; }
write() { sql src "$*" || die "$flavor: $what: the source refused it"; }
begin() { # task, database, setting...
    make_task "$1" s1 dst "$2" </dev/null || die "$flavor: $what: $(cat "$T/tasks/last_error")"
    for setting in "${@:3}"; do echo "${setting#*=}" >"$T/tasks/$1/${setting%%=*}" || die "$flavor: $what: $setting"; done
    echo >"$T/tasks/$1/start" || die "$flavor: $what: $(cat "$T/tasks/$1/last_error")"
}
finish() { # task, database
    caught_up "$1" src
    same_rows src dst "$2" || { task_trouble "$1"; die "$flavor: $what: the ends differ"; }
    echo >"$T/tasks/$1/stop" || die "$flavor: $what: no stop"
    note "$flavor: $what"
}

readers() { # 3
    what="readers of the target only see states that the source had"
    write "CREATE DATABASE r; USE r; CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE k (n INT);
        INSERT INTO a VALUES (1, 0), (2, 0); INSERT INTO b VALUES (1, 0); INSERT INTO k VALUES (0)"
    begin r r; caught_up r src
    for i in $(seq 600); do echo "BEGIN; UPDATE a SET n = $i WHERE id = $((i % 2 + 1)); UPDATE b SET n = $i; UPDATE k SET n = $i; DELETE FROM a WHERE id > 2; INSERT INTO a VALUES ($((i + 2)), $i); COMMIT; DO SLEEP(0.005);"; done >"$WORK/writes.sql"
    yes 'SELECT (SELECT MAX(n) FROM a), (SELECT n FROM b), (SELECT n FROM k), (SELECT COALESCE(MAX(id) - 2, 0) FROM a WHERE id > 2);' | head -300 >"$WORK/reads.sql"
    sql_file src "$WORK/writes.sql" r &
    writer=$!
    while kill -0 $writer 2>/dev/null; do sql_file dst "$WORK/reads.sql" r; done >"$WORK/seen"
    [ "$(sort -u "$WORK/seen" | grep -vc '^(')" -gt 5 ] || die "$flavor: $what: the reader saw too little"
    awk '/^[0-9]/ && ($1 != $2 || $2 != $3 || $3 != $4) { print; bad = 1 } END { exit bad }' "$WORK/seen" || die "$flavor: $what: it saw the above"
    finish r r
}
xa_at_snapshot() { # 6
    what="a transaction that is prepared when the copy begins"
    write "CREATE DATABASE x; CREATE TABLE x.t (id INT PRIMARY KEY); INSERT INTO x.t VALUES (1)"
    write "USE x; XA START 'before'; INSERT INTO t VALUES (2); XA END 'before'; XA PREPARE 'before'"
    begin x x
    dumps() { [ "$(cat "$(S x)/dump/state")" = running ]; }
    wait_for 20 dumps || die "$flavor: $what: dump is $(cat "$(S x)/dump/state")"
    write "INSERT INTO x.t VALUES (3)"
    reads() { ! dumps; }
    wait_for 1 reads && { task_trouble x; die "$flavor: $what: the copy did not wait for it"; }
    write "XA COMMIT 'before'"
    finish x x
}
meanwhile() { # 16
    what="a table that is altered while the copy is at another"
    write "CREATE DATABASE m; USE m; CREATE TABLE big (id INT PRIMARY KEY, c CHAR(200)); CREATE TABLE small (id INT PRIMARY KEY); INSERT INTO small VALUES (1), (2);
        INSERT INTO big SELECT 1000 * a.n + b.n, REPEAT('x', 200) FROM nums.n a, nums.n b WHERE a.n < 200; ANALYZE TABLE big, small" >/dev/null
    mark=$(wc -l <"$SLUICE_LOG")
    begin m m full_migrate_conf/export_threads=1 full_migrate_conf/import_threads=1
    reads_big() { [ "$(cat "$(S m)/load/rows")" -gt 0 ] && [ "$(cat "$(S m)/load/state")" = running ]; }
    wait_for 30 reads_big || die "$flavor: $what: the copy was too fast"
    write "ALTER TABLE m.small ADD COLUMN v INT DEFAULT 7, ALGORITHM=COPY; INSERT INTO m.small VALUES (3, 3)"
    caught_up m src
    tail -n "+$mark" "$SLUICE_LOG" | grep -q 'small changed while it was read' || die "$flavor: $what: it came too late"
    finish m m
}
no_reload() { # 16
    what="a copy by an account without RELOAD, under load"
    write "CREATE DATABASE w; USE w; CREATE TABLE t (id INT PRIMARY KEY, v INT, c CHAR(100)); INSERT INTO t SELECT 1000 * a.n + b.n, 0, 'x' FROM nums.n a, nums.n b WHERE a.n < 50;
        CREATE USER few@'%' IDENTIFIED BY 'few'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few@'%'"
    [ "$flavor" = mariadb ] || write "GRANT XA_RECOVER_ADMIN ON *.* TO few@'%'"
    echo few >"$T/sources/s1/user"; echo few >"$T/sources/s1/password"
    for i in $(seq 3000); do echo "INSERT INTO t VALUES ($((100000 + i)), $i, 'new'); DELETE FROM t WHERE id IN ($((i * 13)), $((100000 + i - 2))); UPDATE t SET v = v + 1 WHERE id = $((i * 17 % 40000)); UPDATE t SET id = id + 300000 WHERE id = $((i * 11));"; done >"$WORK/load.sql"
    sql_file src "$WORK/load.sql" w &
    load=$!
    begin w w
    wait $load
    finish w w
    echo sluice >"$T/sources/s1/user"; echo sluice >"$T/sources/s1/password"
}
locked() { # 13
    what="a table without transactions, written to while it is copied into one that has them"
    write "CREATE DATABASE lo; USE lo; CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=MyISAM; INSERT INTO t SELECT 1000 * a.n + b.n, 0 FROM nums.n a, nums.n b WHERE a.n < 20"
    sql dst "CREATE DATABASE lo; CREATE TABLE lo.t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB"
    for i in $(seq 2000); do echo "INSERT INTO t VALUES ($((50000 + i)), $i); DELETE FROM t WHERE id IN ($((i * 7)), $((50000 + i - 3))); UPDATE t SET v = v + 1 WHERE id = $((i * 17 % 19000));"; done >"$WORK/load.sql"
    sql_file src "$WORK/load.sql" lo &
    load=$!
    begin lo lo
    wait $load
    finish lo lo
}
untransactional() { # 13
    what="a table without transactions gets what a killed run had written already"
    write "CREATE DATABASE my; USE my; CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=MyISAM; INSERT INTO t VALUES (1, 1), (2, 2), (3, 3); CREATE TABLE i (id INT PRIMARY KEY)"
    begin my my; caught_up my src
    echo >"$T/tasks/my/pause"; wait_state my paused
    write "USE my; INSERT INTO t VALUES (4, 4), (5, 5); UPDATE t SET v = 20 WHERE id = 2; DELETE FROM t WHERE id = 3; DELETE FROM t WHERE id = 5; INSERT INTO i VALUES (1)"
    sql dst "USE my; INSERT INTO t VALUES (4, 4), (5, 5); UPDATE t SET v = 20 WHERE id = 2; DELETE FROM t WHERE id = 3"
    echo >"$T/tasks/my/resume"
    caught_up my src
    echo >"$T/tasks/my/pause"; wait_state my paused # a large one, too
    write "CREATE TABLE my.l (id INT PRIMARY KEY, c LONGTEXT) ENGINE=MyISAM"
    write "INSERT INTO my.l SELECT n, REPEAT('x', 100000) FROM nums.n WHERE n < 200; DELETE FROM my.l WHERE id < 5"
    echo >"$T/tasks/my/resume"
    caught_up my src
    [ "$(cat "$(S my)/sync/spilled")" -ge 1 ] || die "$flavor: $what: nothing was large"
    finish my my
}
sequences() { # 27
    [ "$flavor" = mariadb ] || return 0
    what="a sequence goes on where the source's is"
    write "CREATE DATABASE sq; USE sq; CREATE SEQUENCE s START 100 INCREMENT 5 CACHE 10; SELECT NEXTVAL(s); CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)" >/dev/null
    begin sq sq; caught_up sq src
    write "USE sq; SELECT NEXTVAL(s), NEXTVAL(s); SELECT SETVAL(s, 5000); SELECT NEXTVAL(s); CREATE SEQUENCE s2; SELECT NEXTVAL(s2); INSERT INTO t VALUES (2)" >/dev/null
    finish sq sq
    for s in s s2; do
        [ "$(sql src "SELECT next_not_cached_value FROM sq.$s")" = "$(sql dst "SELECT next_not_cached_value FROM sq.$s")" ] ||
            die "$flavor: $what: $s: $(sql src "SELECT next_not_cached_value FROM sq.$s"), $(sql dst "SELECT next_not_cached_value FROM sq.$s")"
    done
}
made_up() { # 5
    [ "$flavor" = mariadb ] || return 0 # MySQL refuses the first by itself
    what="an ALTER that gives rows values of the server's own choice is asked for, unless there are none"
    write "CREATE DATABASE mu; USE mu; CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE TABLE k (a INT); INSERT INTO k VALUES (1), (2); CREATE TABLE none (a INT)"
    begin mu mu; caught_up mu src
    write "ALTER TABLE mu.none ADD COLUMN u CHAR(36) DEFAULT (UUID()); INSERT INTO mu.none (a) VALUES (1); ALTER TABLE mu.t ADD COLUMN n INT UNIQUE AUTO_INCREMENT"
    caught_up mu src
    write "ALTER TABLE mu.k ADD COLUMN id INT AUTO_INCREMENT PRIMARY KEY; INSERT INTO mu.k (a) VALUES (3)"
    wait_state mu error; grep -q 'numbers, in an order of its own' "$T/tasks/mu/error" || { task_trouble mu; die "$flavor: $what"; }
    echo as=run >"$(S mu)/sync/resolve_ddl" && echo >"$T/tasks/mu/resume" || die "$flavor: $what: $(cat "$T/tasks/mu/last_error")"
    caught_up mu src
    write "ALTER TABLE mu.t ADD COLUMN u CHAR(36) DEFAULT (UUID()); INSERT INTO mu.t (id) VALUES (3)"
    wait_state mu error; grep -q 'values of its own' "$T/tasks/mu/error" || { task_trouble mu; die "$flavor: $what"; }
    sql dst "ALTER TABLE mu.t ADD COLUMN u CHAR(36) DEFAULT (UUID())"
    sql src "SELECT CONCAT('UPDATE mu.t SET u = ''', u, ''' WHERE id = ', id, ';') FROM mu.t WHERE id < 3" >"$WORK/hand.sql"; sql_file dst "$WORK/hand.sql"
    echo as=done >"$(S mu)/sync/resolve_ddl" && echo >"$T/tasks/mu/resume" || die "$flavor: $what: $(cat "$T/tasks/mu/last_error")"
    finish mu mu
}
unnamed() { # 14
    what="a change logged as a statement that names no table stops the task"
    sql src "SET GLOBAL log_bin_trust_function_creators = 1; CREATE DATABASE un; CREATE TABLE un.t (id INT PRIMARY KEY)"
    { echo 'DELIMITER //'; echo 'CREATE FUNCTION un.f() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO un.t VALUES (1); RETURN 1; END //'; } >"$WORK/f.sql"; sql_file src "$WORK/f.sql"
    begin un un; caught_up un src
    write "USE un; SET SESSION binlog_format = STATEMENT; DO f()"
    wait_state un error; grep -q 'logged a change as a statement' "$T/tasks/un/error" && [ "$(cat "$T/tasks/un/error_reason")" = statement_logged ] || { task_trouble un; die "$flavor: $what"; }
    note "$flavor: $what"
}
other_key() {
    what="an image without the columns of the target's own key stops the task, and not the daemon"
    write "CREATE DATABASE ok; CREATE TABLE ok.t (id INT PRIMARY KEY, b INT NOT NULL, v INT); INSERT INTO ok.t VALUES (1, 1, 1), (2, 2, 2)"
    sql dst "CREATE DATABASE ok; CREATE TABLE ok.t (id INT, b INT NOT NULL, v INT, PRIMARY KEY (b, id))"
    begin ok ok; caught_up ok src
    write "UPDATE ok.t SET v = 10 WHERE id = 1; SET binlog_row_image = MINIMAL; UPDATE ok.t SET v = 5 WHERE id = 1; DELETE FROM ok.t WHERE id = 2"
    wait_state ok error; grep -q "ok.t: the target finds rows by column 'b'" "$T/tasks/ok/error" && [ "$(cat "$T/tasks/ok/error_reason")" = row_image ] || { task_trouble ok; die "$flavor: $what"; }
    sql dst "ALTER TABLE ok.t DROP PRIMARY KEY, ADD PRIMARY KEY (id)"
    echo >"$T/tasks/ok/resume" || die "$flavor: $what: $(cat "$T/tasks/ok/last_error")"
    finish ok ok
}
versions() {
    [ "$flavor" = mariadb ] || return 0
    what="a system-versioned table, whose DELETEs are logged as UPDATEs, stops the task before a row of it is written"
    write "CREATE DATABASE v; CREATE TABLE v.t (id INT PRIMARY KEY)"
    begin v v; caught_up v src
    write "USE v; CREATE TABLE e (id INT PRIMARY KEY, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
        PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING; INSERT INTO e (id) VALUES (1); DELETE FROM e"
    wait_state v error
    grep -q 'v.e: it is WITH SYSTEM VERSIONING' "$T/tasks/v/error" || { task_trouble v; die "$flavor: $what"; }
    [ "$(sql dst 'SELECT COUNT(*) FROM v.e')" = 0 ] || die "$flavor: $what: a row came"
    note "$flavor: $what"
}
sessions() { # 12
    what="unique checks and the target's binlog are on while changes are applied"
    write "CREATE DATABASE se; CREATE TABLE se.t (id INT PRIMARY KEY, u INT UNIQUE); INSERT INTO se.t VALUES (1, 1)"
    begin se se; caught_up se src
    echo >"$T/tasks/se/pause"; wait_state se paused
    sql dst "SET GLOBAL general_log_file = 'general.log'; SET GLOBAL general_log = 1"
    before=$(binlog_end dst)
    echo >"$T/tasks/se/resume"
    write "INSERT INTO se.t VALUES (2, 2)"
    finish se se
    sql dst "SET GLOBAL general_log = 0"
    general=$(eval echo "\$dst_dir/general.log")
    grep -q 'unique_checks=1' "$general" || die "$flavor: $what: nothing says so"
    grep -iE 'unique_checks ?= ?0|sql_log_bin' "$general" && die "$flavor: $what: it was switched off"
    [ "$(binlog_end dst)" != "$before" ] || die "$flavor: $what: nothing in the target's binlog"
}
binlog_end() { { sql "$1" 'SHOW MASTER STATUS' 2>/dev/null | grep . || sql "$1" 'SHOW BINARY LOG STATUS'; } | cut -f1-2; }

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    { echo "CREATE DATABASE nums; CREATE TABLE nums.n (n INT PRIMARY KEY); INSERT INTO nums.n VALUES (0)"; seq 999 | sed 's/.*/,(&)/'; echo ';'; } >"$WORK/nums.sql"
    sql_file src "$WORK/nums.sql"
    start_sluice; make_source s1 src || die "$(cat "$T/sources/last_error")"
    for part in ${PARTS:-readers xa_at_snapshot meanwhile no_reload locked untransactional sequences made_up unnamed other_key versions sessions}; do
        $part
    done
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
