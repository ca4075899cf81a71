#!/bin/bash
# Every column type with its edge values (types.txt) goes through the snapshot and through the binlog,
# on both flavours; the servers compare.  A type that the server knows and types.txt does not is a failure.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

make_tables() { # flavour: SQL for one table a row of types.txt
    local n=0 flavour type values
    echo "CREATE DATABASE types CHARACTER SET utf8mb4; USE types; SET sql_mode='NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00';"
    while IFS='|' read -r flavour type values; do
        n=$((n + 1))
        case $flavour in both|"$1") ;; *) continue ;; esac
        printf 'CREATE TABLE t%03d (id INT AUTO_INCREMENT PRIMARY KEY, c %s);\nINSERT INTO t%03d (c) VALUES %s;\n' $n "$type" $n "$values"
    done < <(grep -v '^#' tests/integration/types.txt)
}

binlog_changes() { # tables...: the same values again as inserts, updates and deletes
    local t
    echo "SET sql_mode='NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00';"
    for t; do
        cat <<END
INSERT INTO $t (id, c) SELECT id + 1000, c FROM $t;
INSERT INTO $t (id, c) SELECT id + 2000, c FROM $t WHERE id < 1000;
INSERT INTO $t (id, c) SELECT id + 3000, c FROM $t WHERE id < 1000;
UPDATE $t a JOIN $t b ON b.id = a.id - 2000 + 1 SET a.c = b.c WHERE a.id BETWEEN 2000 AND 2999;
UPDATE $t SET c = NULL WHERE id = 2001;
UPDATE $t SET id = id + 5000 WHERE id BETWEEN 1002 AND 1003;
DELETE FROM $t WHERE id > 3001 AND id < 4000;
END
    done
}

unknown_types() { # server: types in information_schema that types.txt lacks
    sql "$1" "SELECT DISTINCT LOWER(DATA_TYPE) FROM information_schema.COLUMNS" | while read -r type; do
        grep -qiE "^(both|$2)\|$type([^a-z]|\$)" tests/integration/types.txt || case $type in
        integer|geomcollection) ;; # other names of int and geometrycollection
        *) echo "$type" ;; esac
    done
}

both_ways() { # flavour [option for the source...]
    local flavour=$1 missing n; shift
    "start_$flavour" "s_$flavour" "$@"
    "start_$flavour" "d_$flavour"
    note "$flavour $(server_version "s_$flavour") $*"
    make_tables "$flavour" >"$WORK/types.sql"
    sql_file "s_$flavour" "$WORK/types.sql" || die "$flavour: a type or a value is not accepted"
    missing=$(unknown_types "s_$flavour" "$flavour")
    [ -z "$missing" ] || die "$flavour knows types that types.txt lacks: $missing"

    make_source "s-$flavour" "s_$flavour" || die "source: $(cat "$T/sources/last_error")"
    make_task "types-$flavour" "s-$flavour" "d_$flavour" types </dev/null || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/types-$flavour/start" || { task_trouble "types-$flavour"; die "no start"; }
    caught_up "types-$flavour" "s_$flavour"
    same_rows "s_$flavour" "d_$flavour" types || die "$flavour: the snapshot differs"

    # shellcheck disable=SC2046
    binlog_changes $(tables_of "s_$flavour" types) >"$WORK/changes.sql"
    sql_file "s_$flavour" "$WORK/changes.sql" types || die "$flavour: changes"
    caught_up "types-$flavour" "s_$flavour"
    same_rows "s_$flavour" "d_$flavour" types || die "$flavour: the binlog differs"
}

start_sluice
both_ways "${1:-mariadb}"
[ $# -gt 0 ] || both_ways mysql
