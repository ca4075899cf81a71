#!/bin/bash
# labels: asan
# Statements to both servers: several in one packet, prepared ones with values of every kind, NULLs, mixed kinds
# and 20 MB (in bulk on MariaDB), LOAD DATA LOCAL with its counts, its abort, and one that nobody asked for.
# Definitions of tables read all at once are those that are read one by one.
set -u
. tests/lib/servers.sh
run=$SLUICE_BUILD/mysql_run
start_mariadb md
start_mysql my
client() { local s=$1; shift; eval "$run 127.0.0.1 \$${s}_port sluice sluice \"\$@\""; }
has() { grep -qE "$1" <<<"$out" || die "$s: no /$1/ in: $out"; }

for s in md my; do
    note "$s: $(server_version $s)"
    sql $s "CREATE DATABASE d; CREATE TABLE d.r (id BIGINT PRIMARY KEY, n DECIMAL(30), t VARBINARY(50), d DOUBLE, f FLOAT, b LONGBLOB);
        CREATE TABLE d.l (id INT PRIMARY KEY)"
    out=$(client $s rows table=d.r) || die "$s: $out"
    has "^affected 100"
    [ $s = md ] || has "two rows at once: EOPNOTSUPP"
    got=$(sql $s "SELECT COUNT(*), COUNT(t), COUNT(f), SUM(n), SUM(d = 1e0/3), SUM(ROUND(f, 3) = 0.1), SUM(LENGTH(b)), HEX(MAX(t)) FROM d.r")
    expected=$(printf '100\t66\t80\t%s\t100\t80\t%s\t69742773' 922337203685477578850 $((4950 - 7 + 20 * 1048576)))
    [ "$got" = "$expected"5C0078 ] || die "$s: $got instead of ${expected}5C0078"

    out=$(client $s load table=d.l rows=300000); has "^records 300000 skipped 0 warnings 0$"
    out=$(client $s load table=d.l rows=10); has "^records 10 skipped 10 warnings"
    sql $s "TRUNCATE d.l"
    out=$(client $s load table=d.l rows=300000 abort=200000); has "^error ECANCELED"
    [ "$(sql $s 'SELECT COUNT(*) FROM d.l')" = 0 ] || die "$s: an aborted load left rows"
    out=$(client $s rogue table=d.l); has "^error EIO"; has "^afterwards usable"
    [ "$(sql $s 'SELECT COUNT(*) FROM d.l')" = 0 ] || die "$s: a file was read"

    out=$(client $s multi sql='INSERT INTO d.l VALUES (1); INSERT INTO d.l VALUES (2), (3); SELECT * FROM d.l'); has "^done 3 affected 3"
    out=$(client $s multi sql='INSERT INTO d.l VALUES (4); INSERT INTO d.l VALUES (4); INSERT INTO d.l VALUES (5)')
    has "^done 1 affected 1"; has "^error EIO .*1062"
    [ "$(sql $s 'SELECT COUNT(*) FROM d.l')" = 4 ] || die "$s: what follows a failure was run"
    out=$(client $s multi sql='UPDATE d.l SET id = id'); has "^done 1 affected 4" # matched, not changed
    sql $s "CREATE DATABASE o; CREATE DATABASE x_1; USE o;
        CREATE TABLE p (id INT PRIMARY KEY, a VARCHAR(300) NOT NULL, b BLOB, UNIQUE (a(20), id), KEY (b(7))) COMMENT 'x';
        CREATE TABLE P2 (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES P2 (id) ON DELETE CASCADE);
        CREATE TABLE c1 (id INT, p INT, KEY (p), FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE ON DELETE SET NULL);
        CREATE TABLE x_1.c2 (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES o.p (id));
        CREATE TABLE \`odd-name ü\` (id INT NOT NULL, e ENUM('a','unsigned') NOT NULL DEFAULT 'a', g INT AS (id + 1) STORED, v INT AS (id) VIRTUAL,
            t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, u BIGINT UNSIGNED, i INT INVISIBLE, j JSON, KEY (u, e));
        CREATE TABLE my (a INT AUTO_INCREMENT PRIMARY KEY, b CHAR(3) CHARACTER SET latin1) ENGINE=MyISAM;
        CREATE VIEW w AS SELECT id FROM p; CREATE TABLE z LIKE p" || die "$s: no tables"
    [ $s = my ] || sql $s "CREATE SEQUENCE o.sq; CREATE TABLE o.sv (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; CREATE TABLE o.uu (id UUID PRIMARY KEY)"
    [ $s = md ] || sql $s "CREATE TABLE o.fk (a INT, b INT, KEY ((a + b)))"
    out=$(client $s tables schema=o); has "^$([ $s = my ] && echo "8 of 8" || echo "10 of 10") equal, 4 foreign keys, at once"
    out=$(client $s tables schema=d); has "^2 of 2 equal, 0 foreign keys, at once"

    sql $s "SET GLOBAL sql_mode = CONCAT(@@global.sql_mode, ',NO_BACKSLASH_ESCAPES')"
    out=$(client $s multi sql="INSERT INTO d.l VALUES (LENGTH('a\\'b'))") # quoted as sql_quote() does: 3 characters
    has "^error EIO .*1062"
done
echo "OK"
