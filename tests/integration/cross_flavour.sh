#!/bin/bash
# MariaDB to MySQL and back: what can be translated arrives, what cannot is named table by table before the start.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb ma
start_mysql my
start_sluice
make_source ma ma && make_source my my || die "source: $(cat "$T/sources/last_error")"

both_directions() { # source target
    local task="to-$2" db="x$1"
    "$SLUICE_BUILD/writer" "$(eval echo \$"$1"_port)" "$db" 11 300 || die "writer"
    make_task "$task" "$1" "$2" "$db" </dev/null || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$task/start" || { cat "$T/tasks/$task/check_report"; task_trouble "$task"; die "no start"; }
    "$SLUICE_BUILD/writer" "$(eval echo \$"$1"_port)" "$db" 12 500 || die "writer"
    caught_up "$task" "$1" 180
    same_rows "$1" "$2" "$db" || { task_trouble "$task"; die "$task: the ends differ"; }
    echo >"$T/tasks/$task/stop"
}
both_directions ma my
both_directions my ma

# A DDL of the stream says what every dump of its flavour says.
sql my "USE xmy; CREATE TABLE c (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_as_cs) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci; INSERT INTO c VALUES (1, 'é')"
echo >"$T/tasks/to-ma/resume" 2>/dev/null || echo >"$T/tasks/to-ma/start" || die "$(cat "$T/tasks/to-ma/last_error")"
caught_up to-ma my
same_rows my ma xmy || { task_trouble to-ma; die "the ends differ after a CREATE TABLE with MySQL's collations"; }

# MariaDB's UUID, INET6 and INET4 are bytes in its binlog and text at MySQL: in keys, as NULL, without a key, in columns and
# tables that come by DDL of the stream, without names in the binlog and with them.
echo >"$T/tasks/to-ma/stop" # whose checkpoint moves the GTIDs of ma
sql ma "CREATE DATABASE addr; USE addr; CREATE TABLE k (u UUID PRIMARY KEY, i INET6 NOT NULL UNIQUE, j INET4, v INT);
    CREATE TABLE nokey (u UUID, i INET6, j INET4); CREATE TABLE six (i INET6 PRIMARY KEY, c CHAR(16) CHARACTER SET latin1, b BINARY(4));
    INSERT INTO k VALUES (UUID(), '::1', '10.0.0.1', 1), ('919108f7-52d1-4320-9bac-f847db4148a8', '::ffff:10.0.0.2', NULL, 2);
    INSERT INTO six VALUES ('2001:db8::1', 'sixteen letters!', '    ')"
make_task addr ma my addr </dev/null || die "task: $(cat "$T/tasks/last_error")"
echo >"$T/tasks/addr/start" || { cat "$T/tasks/addr/check_report"; task_trouble addr; die "no start"; }
for metadata in NO_LOG FULL; do
    caught_up addr ma
    sql ma "SET GLOBAL binlog_row_metadata=$metadata; USE addr; FLUSH TABLES;
        INSERT INTO k (u, i, j, v) VALUES (UUID(), '1:2:3:0:5:6:7:8', '0.0.0.0', 3), ('0190a3b4-1234-7abc-8def-0123456789ab', '::', NULL, 4);
        UPDATE k SET u = UUID(), v = v + 1 WHERE v = 2; UPDATE k SET i = '::0.1.0.0', j = '192.0.2.7' WHERE v = 4; DELETE FROM k WHERE v = 3;
        INSERT INTO nokey VALUES (UUID(), NULL, '1.2.3.4'), (NULL, '1::', NULL); UPDATE nokey SET j = NULL WHERE i IS NULL; DELETE FROM nokey WHERE u IS NULL;
        INSERT INTO six VALUES ('abcd:ef00::2000', 'x', 'abcd'); UPDATE six SET i = '1:2:3:4:5:6:7:0', b = 'y' WHERE c = 'x';
        ALTER TABLE k ADD w_$metadata UUID DEFAULT '123e4567-e89b-12d3-a456-426655440000', ADD INDEX (w_$metadata);
        CREATE TABLE made_$metadata (uuid UUID, \`inet6\` INET6 NOT NULL, PRIMARY KEY (uuid)); INSERT INTO made_$metadata VALUES (UUID(), '::192.0.2.1');
        UPDATE k SET w_$metadata = UUID(); DELETE FROM k WHERE v > 3; DELETE FROM six WHERE c = 'x'"
    caught_up addr ma
    same_rows ma my addr || { task_trouble addr; die "UUID and INET differ with binlog_row_metadata=$metadata"; }
done
sql my "SELECT u FROM addr.k" | grep -qxE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' || die "no UUID is at MySQL: $(sql my "SELECT * FROM addr.k")"
echo >"$T/tasks/addr/stop"; sql ma "SET GLOBAL binlog_row_metadata=NO_LOG"

# What has no counterpart is refused before anything is written, by name.
sql ma "CREATE DATABASE odd; CREATE TABLE odd.versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING"
make_task odd ma my odd </dev/null || die "task: $(cat "$T/tasks/last_error")"
echo >"$T/tasks/odd/start" 2>/dev/null && die "a system-versioned table was taken for MySQL"
grep -q 'odd.versioned' "$T/tasks/odd/check_report" || { cat "$T/tasks/odd/check_report"; die "odd.versioned is not named"; }
[ -z "$(sql my "SHOW DATABASES LIKE 'odd'")" ] || die "something was written before the refusal"
