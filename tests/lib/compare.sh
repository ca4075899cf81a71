# compare.sh - both ends, row by row.  Source me after servers.sh.
#
#     same_rows src dst db [db2]      # every table of db, all columns, in HEX, sorted: no output, or a diff
#     all_rows src db                 # every row of every table, a line each: TABLE|VALUE|..., sorted
#
# The servers print the values (HEX), so nothing of sluice takes part.  One client reads all tables: to start one
# takes longer than to read most tables.

tables_of() { sql "$1" "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='$2' AND TABLE_TYPE IN ('BASE TABLE','SEQUENCE') ORDER BY 1"; }

rows_statements() { # server db: a SELECT for each table that shows each column exactly
    client_of "$1" -N -B --raw -e "SET SESSION group_concat_max_len=100000000, sql_mode='';
        SELECT CONCAT('SELECT CONCAT_WS(''|'',', QUOTE(t), ',', GROUP_CONCAT(CASE
          WHEN DATA_TYPE IN ('float','double') THEN CONCAT('IFNULL(CAST(', q, ' AS DOUBLE),''N'')')
          WHEN DATA_TYPE IN ('tinyint','smallint','mediumint','int','bigint','decimal','year') THEN CONCAT('IFNULL(', q, ',''N'')')
          WHEN DATA_TYPE IN ('date','time','datetime','timestamp','inet6','inet4','uuid') THEN CONCAT('IFNULL(CAST(', q, ' AS CHAR),''N'')')
          WHEN DATA_TYPE IN ('enum','set') THEN CONCAT('IFNULL(', q, '+0,''N'')')
          WHEN DATA_TYPE = 'json' THEN CONCAT('IFNULL(HEX(CAST(', q, ' AS CHAR)),''N'')')
          WHEN DATA_TYPE = 'bit' THEN CONCAT('IFNULL(HEX(', q, '+0),''N'')')
          ELSE CONCAT('IFNULL(HEX(', q, '),''N'')') END ORDER BY n SEPARATOR ','), ') FROM \`', REPLACE(t, '\`', '\`\`'), '\`;')
        FROM (SELECT TABLE_NAME t, LOWER(DATA_TYPE) DATA_TYPE, ORDINAL_POSITION n, CONCAT('\`', REPLACE(COLUMN_NAME, '\`', '\`\`'), '\`') q
              FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='$2' AND TABLE_NAME IN (SELECT TABLE_NAME FROM
              information_schema.TABLES WHERE TABLE_SCHEMA='$2' AND TABLE_TYPE IN ('BASE TABLE','SEQUENCE'))) c
        GROUP BY HEX(t) ORDER BY t"
}
rows_by() { # server db file: what the statements of the file give there
    { echo "SET SESSION time_zone='+00:00'; USE \`$2\`;"; cat "$3"; } | client_of "$1" -N -B --binary-mode --quick | LC_ALL=C sort
    [ "${PIPESTATUS[*]}" = "0 0 0" ] || { echo "the rows of $2 at $1 cannot be read" >&2; return 1; }
}
all_rows() { # server db
    local at=$WORK/$BASHPID.rows
    rows_statements "$1" "$2" >"$at.sql" && rows_by "$1" "$2" "$at.sql"
}
rows_in() { LC_ALL=C awk -v t="$1|" 'index($0, t) == 1 { n++ } END { print n + 0 }' "$2"; } # table file

same_rows() { # source target db [db at the target]
    local a=$1 b=$2 db=$3 to=${4:-$3} rows at=$WORK/$BASHPID.rows # a name of this shell: others may compare, too
    [ "$(tables_of "$a" "$db")" = "$(tables_of "$b" "$to")" ] || {
        diff <(tables_of "$a" "$db") <(tables_of "$b" "$to") | head -20; echo "tables of $db differ"; return 1; }
    all_rows "$a" "$db" >"$at.a" && rows_by "$b" "$to" "$at.sql" >"$at.b" || { echo "$db is not comparable"; return 1; }
    cmp -s "$at.a" "$at.b" || {
        diff "$at.a" "$at.b" >"$at.diff"
        cut -c1-400 "$at.diff" | head -20
        sed -nE 's/^[<>] ([^|]*)\|.*/\1/p' "$at.diff" | sort -u | head -20 | while read -r t; do
            echo "$db.$t differs: $(rows_in "$t" "$at.a") rows at $a, $(rows_in "$t" "$at.b") at $b"; done
        return 1; }
    rows=$(wc -l <"$at.a")
    [ "$rows" -gt 0 ] || { echo "nothing to compare in $db"; return 1; }
    note "$db: $rows rows equal at both ends"
}
