#!/bin/bash
# What is not a plain row change: DDL, CREATE ... SELECT, XA, savepoints, cascades, keyless tables, odd values,
# partial images, compressed and large transactions, statements that are refused.  FLAVORS="mariadb mysql".
# labels: long
set -u
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
. tests/lib/servers.sh; . tests/lib/compare.sh

gtids() { sql "$1" "SELECT $([ "$flavor" = mysql ] && echo @@gtid_executed || echo @@gtid_binlog_pos)" | tr -d '\n'; }
run_driver() { # option...: follows to where the source is now
    timeout 120 "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=sp store="$WORK/store" until="$(gtids src)" "$@" \
        >"$WORK/out" 2>>"$WORK/log"
}
follow() { run_driver "$@" || { cat "$WORK/out"; tail -3 "$WORK/log"; die "$flavor: $what"; }; }
write() { sql src "USE sp; $*" || die "$flavor: $what: the source refused it"; }
equal() { same_rows src dst sp >"$WORK/diff" || { cat "$WORK/diff"; die "$flavor: $what: the ends differ"; }; note "$flavor: $what"; }
shape() { [ "$(sql src "SHOW CREATE TABLE sp.$1")" = "$(sql dst "SHOW CREATE TABLE sp.$1")" ] || die "$flavor: $what: sp.$1 is made otherwise"; }
counter() { sed -n "s/.* $1=\([^ ]*\) .*/\1/p" "$WORK/out"; }

ddl() {
    what="DDL of all kinds between rows"
    write "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO a VALUES (1, 'x'), (2, 'y');
        ALTER TABLE a ADD COLUMN (n INT DEFAULT 5, m DATETIME DEFAULT CURRENT_TIMESTAMP); INSERT INTO a (id, v) VALUES (3, 'z');
        ALTER TABLE a DROP COLUMN n, ADD COLUMN d INT; INSERT INTO a (id, d) VALUES (4, 44);
        ALTER TABLE a MODIFY d INT AFTER id, ADD INDEX (d), ADD UNIQUE (v); UPDATE a SET d = id * 10, v = CONCAT('v', id);
        CREATE TABLE b LIKE a; INSERT INTO b SELECT * FROM a; RENAME TABLE a TO c, b TO a, c TO b; DELETE FROM b WHERE id = 1;
        CREATE TABLE gone (id INT PRIMARY KEY); INSERT INTO gone VALUES (1); DROP TABLE gone;
        CREATE TABLE gone (name VARCHAR(10) PRIMARY KEY); INSERT INTO gone VALUES ('again'); TRUNCATE TABLE gone; INSERT INTO gone VALUES ('more');
        CREATE TABLE \`od\`\`d na/*me\` (\`select\` INT PRIMARY KEY, \`ü\` INT); INSERT INTO \`od\`\`d na/*me\` VALUES (1, 2); RENAME TABLE \`od\`\`d na/*me\` TO plain;
        SET sql_mode = 'ANSI_QUOTES'; ALTER TABLE \"gone\" ADD COLUMN \"x y\" VARCHAR(10) DEFAULT 'dd'; SET sql_mode = DEFAULT;
        ALTER TABLE b CHANGE d e INT; UPDATE b SET e = 5; ALTER TABLE b CHANGE e d INT; UPDATE b SET d = d + id; CREATE VIEW vv AS SELECT * FROM a; CREATE TEMPORARY TABLE tt (a INT); INSERT INTO tt VALUES (1); DROP TEMPORARY TABLE tt;
        CREATE INDEX late ON a (d, id); DROP INDEX late ON a; DROP VIEW vv"
    follow; equal; shape a; shape b; shape gone
}
remembered() {
    what="what is known of a table's columns outlives a restart of ours, and a swap of their names meanwhile"
    write "CREATE TABLE w (id INT PRIMARY KEY, a INT, b INT); INSERT INTO w VALUES (1, 10, 100)"
    follow
    write "INSERT INTO w VALUES (2, 20, 200); ALTER TABLE w RENAME COLUMN a TO b, RENAME COLUMN b TO a; INSERT INTO w VALUES (3, 30, 300)"
    follow; equal
}
create_select() {
    what="CREATE TABLE ... SELECT"
    write "CREATE TABLE cs (PRIMARY KEY (id)) SELECT id, v FROM a; INSERT INTO cs VALUES (99, 'after')"
    follow; equal
}
xa() {
    what="XA: committed, rolled back, in one phase, across a restart of ours"
    write "CREATE TABLE x (id INT PRIMARY KEY, v INT);
        XA START 'p1'; INSERT INTO x VALUES (1, 1); XA END 'p1'; XA PREPARE 'p1'"
    follow
    write "INSERT INTO x VALUES (2, 2); XA COMMIT 'p1'; UPDATE x SET v = 10 WHERE id = 1;
        XA START 'p2'; INSERT INTO x VALUES (3, 3); XA END 'p2'; XA PREPARE 'p2'; XA ROLLBACK 'p2';
        XA START 'p3', 'b', 7; INSERT INTO x VALUES (4, 4); XA END 'p3', 'b', 7; XA COMMIT 'p3', 'b', 7 ONE PHASE"
    follow; equal
}
savepoints() {
    what="savepoints"
    write "CREATE TABLE s (id INT PRIMARY KEY); BEGIN; INSERT INTO s VALUES (1); SAVEPOINT a; INSERT INTO s VALUES (2);
        SAVEPOINT b; INSERT INTO s VALUES (3); ROLLBACK TO b; INSERT INTO s VALUES (4); ROLLBACK TO a; INSERT INTO s VALUES (5); COMMIT"
    follow; equal
}
cascades() {
    what="foreign keys that cascade"
    write "CREATE TABLE p (id INT PRIMARY KEY, v INT);
        CREATE TABLE c1 (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE c2 (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE);
        INSERT INTO p VALUES (1, 1), (2, 2), (3, 3); INSERT INTO c1 VALUES (1, 1), (2, 2), (3, 2); INSERT INTO c2 VALUES (1, 1), (2, 2), (3, 3);
        DELETE FROM p WHERE id = 2; UPDATE p SET id = 30 WHERE id = 3; INSERT INTO c1 VALUES (9, 30); DELETE FROM p WHERE id = 1;
        SET foreign_key_checks = 0; INSERT INTO c1 VALUES (50, 5000); SET foreign_key_checks = 1; INSERT INTO p VALUES (1, 11); INSERT INTO c1 VALUES (1, 1)"
    follow; equal
}
keyless() {
    what="tables without a key, equal rows, values that only a collation calls equal"
    write "CREATE TABLE k (a VARCHAR(10), b INT, f FLOAT, d DOUBLE, t TIMESTAMP(3) NULL, e ENUM('p','q'), x BLOB, n DECIMAL(30,10), g CHAR(5));
        INSERT INTO k VALUES ('abc', 1, 1.1, 0.1, '2020-01-01 00:00:00.123', 'p', x'00ff', 1.0000000001, 'x'), ('ABC', 1, 1.1, 0.1, '2020-01-01 00:00:00.123', 'p', x'00ff', 1.0000000001, 'x'),
            ('abc ', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('abc', 1, 1.1, 0.1, '2020-01-01 00:00:00.123', 'p', x'00ff', 1.0000000001, 'x'), (NULL, NULL, 3.4e37, 1e-300, NULL, 'q', '', -0.5, '');
        DELETE FROM k WHERE BINARY a = 'ABC'; UPDATE k SET b = 7 WHERE BINARY a = 'abc' LIMIT 1; UPDATE k SET f = f * 3, d = d / 3 WHERE f IS NOT NULL; DELETE FROM k WHERE a IS NULL;
        INSERT INTO k (a, b) VALUES ('xyz', 9), ('XYZ', 9), ('pad', 8), ('pad ', 8); DELETE FROM k WHERE BINARY a IN ('XYZ', 'pad ')"
    follow; equal
}
unique_null() {
    what="unique keys with NULLs, prefixes, without NOT NULL"
    write "CREATE TABLE u (a INT NULL, b VARCHAR(50), UNIQUE (a), UNIQUE (b(5)));
        INSERT INTO u VALUES (NULL, 'aaaaa1'), (NULL, 'bbbbb1'), (1, NULL), (2, NULL); UPDATE u SET a = 5 WHERE b LIKE 'a%'; DELETE FROM u WHERE a = 1; UPDATE u SET b = 'zz' WHERE a IS NULL"
    follow; equal
}
odd_values() {
    what="zero dates, ENUM 0, 0 in AUTO_INCREMENT, ON UPDATE columns"
    write "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
        CREATE TABLE o (id INT AUTO_INCREMENT PRIMARY KEY, z INT DEFAULT 4, d DATE, dt DATETIME, ts TIMESTAMP NULL, e ENUM('a','b'), s SET('x','y'), y YEAR, b BIT(9),
            up TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), g INT GENERATED ALWAYS AS (z * 2) STORED, v INT GENERATED ALWAYS AS (z * 3) VIRTUAL);
        INSERT INTO o (id, d, dt, ts, e, s, y, b) VALUES (0, '0000-00-00', '0000-00-00', '0000-00-00', 'zzz', '', 0, 0), (5, '2020-02-31', '2020-00-15 01:02:03', NULL, 'b', 'x,y', 2155, 511);
        INSERT INTO o (d) VALUES ('9999-12-31'), ('0001-01-01'); UPDATE o SET y = 1999 WHERE id > 0; UPDATE o SET e = 'zzz' WHERE id = 5"
    follow; equal
}
partial_images() {
    what="binlog_row_image = MINIMAL and NOBLOB"
    write "CREATE TABLE m (id INT PRIMARY KEY, u INT UNIQUE, v INT DEFAULT 3, t TEXT); SET binlog_row_image = MINIMAL;
        INSERT INTO m (id, u, t) VALUES (1, 1, 'one'), (2, 2, 'two'); UPDATE m SET v = 9 WHERE id = 1; UPDATE m SET u = 20 WHERE id = 2; UPDATE m SET id = 3 WHERE id = 2;
        UPDATE m SET t = 'new' WHERE id = 3; DELETE FROM m WHERE id = 1; INSERT INTO m (id) VALUES (1); UPDATE m SET v = 1 WHERE id = 1; UPDATE m SET t = 'x' WHERE id = 1;
        SET binlog_row_image = NOBLOB; UPDATE m SET v = v + 1; INSERT INTO m VALUES (7, 7, 7, 'seven'); DELETE FROM m WHERE id = 7;
        CREATE TABLE mo (id INT PRIMARY KEY, v INT, up TIMESTAMP NOT NULL DEFAULT '2001-02-03 04:05:06'); INSERT INTO mo (id, v) VALUES (1, 1)"
    follow; equal
    sql dst "ALTER TABLE sp.mo MODIFY up TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP" # an image that leaves it out is no word to touch it
    write "SET binlog_row_image = MINIMAL; UPDATE mo SET v = 2"
    follow; equal
}
compressed() {
    what="compressed events"
    if [ "$flavor" = mysql ]; then
        write "SET binlog_transaction_compression = 1; BEGIN; INSERT INTO a (id, v) VALUES (1000, REPEAT('z', 20)); UPDATE a SET d = 1; COMMIT; CREATE TABLE zz (a INT PRIMARY KEY)"
    else
        write "SET GLOBAL log_bin_compress = 1; INSERT INTO m VALUES (100, 100, 1, REPEAT('y', 5000)); UPDATE m SET t = REPEAT('q', 9000) WHERE id = 100; SET GLOBAL log_bin_compress = 0"
    fi
    follow; equal
}
json_diffs() {
    [ "$flavor" = mysql ] || return 0
    what="partial JSON, with and without the value before"
    write "CREATE TABLE j (id INT PRIMARY KEY, j JSON, pad VARCHAR(10)); SET binlog_row_value_options = PARTIAL_JSON;
        INSERT INTO j VALUES (1, JSON_OBJECT('a', 1, 'b', REPEAT('x', 300), 'c', JSON_ARRAY(1, 2, 3)), 'p');
        UPDATE j SET j = JSON_SET(j, '\$.a', 22); UPDATE j SET j = JSON_REMOVE(j, '\$.c[1]'); SET binlog_row_image = MINIMAL;
        UPDATE j SET j = JSON_REPLACE(j, '\$.a', 'text'); UPDATE j SET j = JSON_SET(j, '\$.new', CAST('{\"k\": [1.5, null]}' AS JSON)), pad = 'q'"
    follow; equal
}
tagged() {
    [ "$flavor" = mysql ] || return 0
    what="GTIDs with tags, across a restart of ours"
    write "CREATE TABLE tg (id INT PRIMARY KEY, v INT); SET gtid_next = 'AUTOMATIC:tag'; INSERT INTO tg VALUES (1, 1), (2, 2);
        SET gtid_next = AUTOMATIC; UPDATE tg SET v = 3; SET gtid_next = 'AUTOMATIC:other'; DELETE FROM tg WHERE id = 1; CREATE INDEX i ON tg (v)"
    follow
    write "SET gtid_next = 'AUTOMATIC:tag'; UPDATE tg SET v = v + 1; INSERT INTO tg VALUES (9, 9)"
    follow; equal; shape tg
}
large() {
    what="a transaction that does not fit into memory"
    write "CREATE TABLE l (id INT PRIMARY KEY, t MEDIUMTEXT)"
    write "BEGIN; INSERT INTO l WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, REPEAT(CHAR(65 + i % 26), 60000) FROM n;
        UPDATE l SET t = CONCAT(t, 'x') WHERE id <= 300; DELETE FROM l WHERE id > 600; COMMIT; INSERT INTO l VALUES (5000, 'after')"
    follow; equal
    [ "$(counter spilled)" = 1 ] || die "$flavor: $what: it was not spilled: $(cat "$WORK/out")"
    [ "$(sed -n 's/.*rss_kib=//p' "$WORK/out")" -lt 262144 ] || die "$flavor: $what: $(cat "$WORK/out")"
}
statements() {
    what="a statement in the binlog stops the unit and says so"
    write "SET SESSION binlog_format = STATEMENT; INSERT INTO a (id) VALUES (777)"
    run_driver && die "$flavor: $what: it went on"
    grep -q 'logged a change as a statement' "$WORK/out" || { cat "$WORK/out"; die "$flavor: $what: no sentence"; }
    note "$flavor: $what"
}

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE sp"; sql dst "CREATE DATABASE sp"
    start=$(gtids src)
    timeout 30 "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=sp store="$WORK/store" start="$start" until="$start" >"$WORK/out" 2>&1
    for part in ${PARTS:-ddl remembered create_select xa savepoints cascades keyless unique_null odd_values partial_images compressed json_diffs tagged large statements}; do
        $part
    done
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir" "$WORK/store" "$WORK/log"; SERVERS=""
done
