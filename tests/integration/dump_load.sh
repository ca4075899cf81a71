#!/bin/bash
# Every type and edge value goes through a folder: dumped and loaded by us, dumped by us and loaded by
# myloader, dumped by mydumper and loaded by us.  The servers compare.
# labels: long
set -u
[ $# -gt 0 ] || { bash "$0" mariadb || exit 1; exec bash "$0" mysql; }
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/types.sh

more_tables() { # flavour: what else a dump must hold
    cat <<'END'
CREATE DATABASE `odd.name%2F`; USE `odd.name%2F`;
CREATE TABLE `t.1/ä%x` (`a b` INT PRIMARY KEY, `g` INT AS (`a b` * 2) STORED, v VARCHAR(20), KEY (v));
INSERT INTO `t.1/ä%x` (`a b`, v) VALUES (1, 'é'), (2, 'it''s'), (3, NULL);
CREATE VIEW `v.1` AS SELECT v FROM `t.1/ä%x`;
CREATE DATABASE more CHARACTER SET latin1; USE more;
CREATE TABLE gen (id INT PRIMARY KEY, g INT AS (id * 2) STORED, h INT AS (id * 3) VIRTUAL); INSERT INTO gen (id) VALUES (1), (2);
CREATE TABLE empty_one (id INT PRIMARY KEY);
CREATE TABLE keyless (a INT, c CHAR(9)); INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE plain (id INT PRIMARY KEY, c TEXT) ENGINE=MyISAM; INSERT INTO plain VALUES (1, 'a'), (2, 'b\\c');
CREATE TABLE blank (id INT PRIMARY KEY, e ENUM('a','','b')); INSERT INTO blank VALUES (1, 'a'), (2, ''), (3, NULL);
CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1), (2);
CREATE TABLE a_child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO a_child VALUES (1, 2);
CREATE VIEW v2 AS SELECT id, c FROM plain; CREATE VIEW a_view AS SELECT v2.id FROM v2 JOIN parent USING (id);
END
    [ "$1" = mysql ] || echo 'CREATE SEQUENCE seq START 100 INCREMENT 5; SELECT NEXTVAL(seq);'
}

folder_task() { # name mode folder schemas: runs it until it has finished
    task_mode=$2 task_document "$1" src dst "$4" </dev/null |
        sed "s|^source_config:|&\n  full_migrate_conf: { data_dir: $3 }|" >"$T/tasks/create" ||
        die "$1: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$1/start" || { cat "$T/tasks/$1/check_report"; die "$1: $(cat "$T/tasks/$1/last_error")"; }
    wait_state "$1" finished 120
}
drop_target() { sql dst 'DROP DATABASE IF EXISTS types; DROP DATABASE IF EXISTS more; DROP DATABASE IF EXISTS dm_meta'; }
all_equal() { # what
    same_rows src dst types && same_rows src dst more || die "$1: not equal"
    [ "$(sql dst 'SELECT id FROM more.a_view')" = "$(sql src 'SELECT id FROM more.a_view')" ] || die "$1: the views"
    [ "$(sql dst "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME='more'")" = latin1 ] ||
        die "$1: the database's character set"
    note "$1: equal"
}

flavour=$1
"start_$flavour" src
"start_$flavour" dst
note "$flavour $(server_version src)"
{ echo "CREATE DATABASE types CHARACTER SET utf8mb4; USE types; $SESSION"
  make_tables "$flavour"; make_charsets src; more_tables "$flavour"; } >"$WORK/tables.sql"
sql_file src "$WORK/tables.sql" >/dev/null || die "tables"
start_sluice
make_source src src || die "source: $(cat "$T/sources/last_error")"

folder_task out dump "$WORK/ours" '~^(types|more)$'
ls "$WORK/ours" | head -8
ls "$WORK/ours" | grep partial && die "a partial file is left"
folder_task in load "$WORK/ours" '*'
all_equal "ours by us"

folder_task odd-out dump "$WORK/odd" 'odd*' # names that only we can put into a file's
folder_task odd-in load "$WORK/odd" '*'
same_rows src dst 'odd.name%2F' && [ "$(sql dst 'SELECT COUNT(*) FROM `odd.name%2F`.`v.1`')" = 3 ] || die "odd names"

drop_target
if myloader -h 127.0.0.1 -P "$dst_port" -u sluice -p sluice -d "$WORK/ours" -t 4 >"$WORK/myloader" 2>&1 && [ ! -s "$WORK/myloader" ]; then
    all_equal "ours by myloader"
else
    cat "$WORK/myloader"; die "myloader"
fi

drop_target
# What mydumper loses: digits of a FLOAT, an ENUM's index 0 where '' is a member, columns that are invisible,
# and those of MySQL whose default is an expression (DEFAULT_GENERATED, which it takes for generated).
sql src "SELECT IF(DATA_TYPE='enum', CONCAT('DELETE FROM types.', TABLE_NAME, ' WHERE c=0'), CONCAT('DROP TABLE IF EXISTS types.', TABLE_NAME))
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='types' AND
    (DATA_TYPE='float' OR EXTRA REGEXP 'INVISIBLE|DEFAULT_GENERATED' OR COLUMN_TYPE LIKE 'enum(%,\'\')')" |
    while read -r statement; do sql src "$statement"; done
mydump() { timeout -k 5 60 mydumper -h 127.0.0.1 -P "$src_port" -u sluice -p sluice -x '^(types|more)[.]' -o "$WORK/theirs" -t 4 >"$WORK/mydumper" 2>&1; }
mydump || { [ $? -eq 124 ] && rm -rf "$WORK/theirs" && mydump; } || # mydumper itself stands still for ever now and then
    { cat "$WORK/mydumper"; die "mydumper"; }
folder_task in2 load "$WORK/theirs" '*'
all_equal "mydumper's by us"
