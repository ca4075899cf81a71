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

# What has no counterpart is refused before anything is written, by name.
sql ma "CREATE DATABASE odd; CREATE TABLE odd.versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING"
make_task odd ma my odd </dev/null || die "task: $(cat "$T/tasks/last_error")"
echo >"$T/tasks/odd/start" 2>/dev/null && die "a system-versioned table was taken for MySQL"
grep -q 'odd.versioned' "$T/tasks/odd/check_report" || { cat "$T/tasks/odd/check_report"; die "odd.versioned is not named"; }
[ -z "$(sql my "SHOW DATABASES LIKE 'odd'")" ] || die "something was written before the refusal"
