#!/bin/bash
# Every column type with its edge values (types.txt) and every character set goes through the snapshot and through the
# binlog, on both flavours and in every form that a binlog can have; the servers compare.  A type that the server knows
# and types.txt does not is a failure.  CASES="mariadb mariadb:lean mysql:noblob".
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/types.sh

# What is logged otherwise than by default: images, metadata, compression, checksums, texts, encryption, the old times of MariaDB.
lean_mariadb="--binlog-row-image=MINIMAL --binlog-row-metadata=FULL --log-bin-compress=ON --log-bin-compress-min-len=10
    --binlog-checksum=NONE --mysql56-temporal-format=OFF"
noblob_mariadb="--binlog-row-image=NOBLOB --binlog-row-metadata=MINIMAL --binlog-annotate-row-events=OFF
    --encrypt-binlog=ON --plugin-load-add=file_key_management --loose-file-key-management-filename=$WORK/keys"
lean_mysql="--binlog-row-image=MINIMAL --binlog-row-metadata=FULL --binlog-transaction-compression=ON
    --binlog-row-value-options=PARTIAL_JSON --binlog-checksum=NONE"
noblob_mysql="--binlog-row-image=NOBLOB --binlog-rows-query-log-events=ON"

binlog_changes() { # tables...: the same values again as inserts, updates and deletes
    local t
    echo "$SESSION"
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
json_changes() { # mysql: small changes in large values, which are logged as diffs
    local t
    for t in $(sql "$1" "SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='types' AND DATA_TYPE='json' AND COLUMN_NAME='c'"); do
        cat <<END
INSERT INTO $t (id, c) VALUES (9000, JSON_OBJECT('pad', REPEAT('x', 500), 'a', JSON_ARRAY(1, CAST('2024-02-29' AS DATE), 3), 'o', JSON_OBJECT('k', 1)));
UPDATE $t SET c = JSON_SET(c, '$.a[0]', 1.5, '$.o.k', CAST('12:34:56.789' AS TIME(3))) WHERE id = 9000;
UPDATE $t SET c = JSON_REMOVE(JSON_SET(c, '$."new key"', CAST('{"é": [null, true]}' AS JSON)), '$.a[1]') WHERE id = 9000;
UPDATE $t SET c = JSON_REPLACE(c, '$.pad', 'short') WHERE id = 9000;
END
    done
}

# A column of each word that the server reserves, as it is, with a size, with a member: those that it takes are its types.
all_types() { # server
    { sql "$1" "SELECT LOWER(WORD) FROM information_schema.KEYWORDS"
      sql "$1" "SELECT LOWER(PLUGIN_NAME) FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'DATA TYPE'"
    } | awk 'BEGIN { print "SET sql_log_bin = 0, sql_mode = \"\"; CREATE DATABASE words; USE words;" }
        { printf "CREATE TABLE a%d (c %s);\nCREATE TABLE b%d (c %s(3));\nCREATE TABLE c%d (c %s(\"a\"));\n", NR, $1, NR, $1, NR, $1 }' >"$WORK/words.sql"
    sql_file "$1" "$WORK/words.sql" --force 2>/dev/null
    sql "$1" "SELECT DISTINCT LOWER(DATA_TYPE) FROM information_schema.COLUMNS; SET sql_log_bin = 0; DROP DATABASE words"
}
unknown_types() { # server flavour: types that types.txt lacks
    local types type
    types=$(all_types "$1")
    [ "$(wc -w <<<"$types")" -ge 38 ] || echo "only $(wc -w <<<"$types") types were found"
    for type in $types; do
        grep -qiE "^(both|$2)\|$type([^a-z]|\$)" tests/integration/types.txt || case $type in
        integer|geomcollection) ;; # other names of int and geometrycollection
        *) echo "$type" ;; esac
    done
}

both_ways() { # case: flavour[:options]
    local flavour=${1%:*} s=s_${1/:/_} d=d_${1/:/_} options="" missing
    [ "$1" = "$flavour" ] || eval "options=\$${1#*:}_$flavour"
    # shellcheck disable=SC2086
    "start_$flavour" "$s" $options
    "start_$flavour" "$d"
    note "$flavour $(server_version "$s")" $options
    { echo "CREATE DATABASE types CHARACTER SET utf8mb4; USE types; $SESSION"
      make_tables "$flavour"; make_charsets "$s"; } >"$WORK/types.sql"
    sql_file "$s" "$WORK/types.sql" || die "$1: a type or a value is not accepted"
    case $options in *encrypt*) eval "! grep -q cs_utf8mb4 \$${s}_dir/bin.000001" || die "the binlog is not encrypted" ;; esac
    missing=$(unknown_types "$s" "$flavour")
    [ -z "$missing" ] || die "$flavour knows types that types.txt lacks: $missing"

    make_source "$s" "$s" || die "source: $(cat "$T/sources/last_error")"
    make_task "t_$s" "$s" "$d" types </dev/null || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/t_$s/start" || { task_trouble "t_$s"; die "no start"; }
    caught_up "t_$s" "$s"
    same_rows "$s" "$d" types || die "$1: the snapshot differs"

    # shellcheck disable=SC2046
    { binlog_changes $(tables_of "$s" types); [ "$flavour" = mariadb ] || json_changes "$s"; } >"$WORK/changes.sql"
    sql_file "$s" "$WORK/changes.sql" types || die "$1: changes"
    caught_up "t_$s" "$s"
    same_rows "$s" "$d" types || die "$1: the binlog differs"
    stop_server "$s"; stop_server "$d"
}

echo "1;$(printf '0123456789abcdef%.0s' 1 2 3 4)" >"$WORK/keys"
start_sluice
for case in ${CASES:-mariadb mariadb:lean mariadb:noblob mysql mysql:lean mysql:noblob}; do both_ways "$case"; done
