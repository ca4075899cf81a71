# compare.sh - both ends, row by row.  Source me after servers.sh.
#
#     same_rows src dst db [db2]      # every table of db, all columns, in HEX, sorted: no output, or a diff
#
# The servers print the values (HEX), so nothing of sluice takes part.

hex_columns() { # server db table: the SELECT list that shows each column exactly
    sql "$1" "SELECT GROUP_CONCAT(CASE
          WHEN DATA_TYPE IN ('float','double') THEN CONCAT('IFNULL(CAST(', q, ' AS DOUBLE),''N'')')
          WHEN DATA_TYPE IN ('tinyint','smallint','mediumint','int','bigint','decimal','year') THEN CONCAT('IFNULL(', q, ',''N'')')
          WHEN DATA_TYPE IN ('date','time','datetime','timestamp','inet6','inet4','uuid') THEN CONCAT('IFNULL(CAST(', q, ' AS CHAR),''N'')')
          WHEN DATA_TYPE IN ('enum','set') THEN CONCAT('IFNULL(', q, '+0,''N'')')
          WHEN DATA_TYPE = 'json' THEN CONCAT('IFNULL(HEX(CAST(', q, ' AS CHAR)),''N'')')
          WHEN DATA_TYPE = 'bit' THEN CONCAT('IFNULL(HEX(', q, '+0),''N'')')
          ELSE CONCAT('IFNULL(HEX(', q, '),''N'')') END ORDER BY n SEPARATOR ',')
        FROM (SELECT LOWER(DATA_TYPE) DATA_TYPE, ORDINAL_POSITION n, CONCAT('\`', COLUMN_NAME, '\`') q
              FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='$2' AND TABLE_NAME='$3') c" \
        | tr -d '\n'
}

table_rows() { # server db table [columns as of the other end]: every row, one line, sorted
    sql "$1" "SET SESSION group_concat_max_len=1000000, time_zone='+00:00';
        SELECT CONCAT_WS('|', ${4}) FROM \`$2\`.\`$3\`" | LC_ALL=C sort
}

tables_of() { sql "$1" "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='$2' AND TABLE_TYPE IN ('BASE TABLE','SEQUENCE') ORDER BY 1"; }

same_rows() { # source target db [db at the target]
    local a=$1 b=$2 db=$3 to=${4:-$3} t columns rows=0 n
    [ "$(tables_of "$a" "$db")" = "$(tables_of "$b" "$to")" ] || {
        diff <(tables_of "$a" "$db") <(tables_of "$b" "$to") | head -20; echo "tables of $db differ"; return 1; }
    for t in $(tables_of "$a" "$db"); do
        columns=$(hex_columns "$a" "$db" "$t")
        table_rows "$a" "$db" "$t" "$columns" >"$WORK/rows.a"
        table_rows "$b" "$to" "$t" "$columns" >"$WORK/rows.b"
        cmp -s "$WORK/rows.a" "$WORK/rows.b" || {
            diff "$WORK/rows.a" "$WORK/rows.b" | cut -c1-400 | head -20
            echo "$db.$t differs: $(wc -l <"$WORK/rows.a") rows at $a, $(wc -l <"$WORK/rows.b") at $b"
            return 1; }
        n=$(wc -l <"$WORK/rows.a")
        rows=$((rows + n))
    done
    [ "$rows" -gt 0 ] || { echo "nothing to compare in $db"; return 1; }
    note "$db: $rows rows equal at both ends"
}
